#include "rl/run/curve.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <boost/test/unit_test.hpp>

namespace {

std::string draw(const std::vector<double>& x, const std::vector<double>& y,
                 std::optional<double> target = {}) {
  return rl::curve_svg({"PPO <1> & more", "steps", "return", x, y, target});
}

bool has(const std::string& svg, const char* part) {
  return svg.find(part) != std::string::npos;
}

} // namespace

BOOST_AUTO_TEST_SUITE(curve)

BOOST_AUTO_TEST_CASE(the_picture_has_title_labels_ticks_and_the_target) {
  auto svg = draw({1000, 20'000, 100'000}, {20, 180, 490}, 475);
  for (auto* part : {"<svg", "PPO &lt;1&gt; &amp; more", ">steps<", ">return<", ">0<", ">500<",
                     ">100k<", "solved: 475", "<polyline", "</svg>"})
    BOOST_TEST(has(svg, part), part);
}

BOOST_AUTO_TEST_CASE(no_point_one_point_equal_points_and_nan_are_drawn) {
  BOOST_TEST(has(draw({}, {}), "no episode has ended yet"));
  BOOST_TEST(has(draw({1}, {std::nan("")}), "no episode has ended yet"));
  for (auto& svg : {draw({5}, {1}), draw({1, 2, 3}, {7, 7, 7}), draw({0, 1}, {std::nan(""), 2})}) {
    BOOST_TEST(has(svg, "<polyline"));
    BOOST_TEST(!has(svg, "nan"));
    BOOST_TEST(!has(svg, "inf"));
  }
}

BOOST_AUTO_TEST_CASE(a_long_run_stays_a_small_picture) {
  std::vector<double> x, y;
  for (int i = 0; i < 200'000; ++i) {
    x.push_back(i);
    y.push_back(std::sin(i));
  }
  BOOST_TEST(draw(x, y).size() < 60'000u);
}

BOOST_AUTO_TEST_SUITE_END()
