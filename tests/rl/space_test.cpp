#include "rl/space.hpp"

#include "rl/rng.hpp"

#include <cmath>
#include <limits>

#include "tests/rl/support.hpp"

BOOST_AUTO_TEST_SUITE(space)

BOOST_AUTO_TEST_CASE(discrete_contains_its_whole_numbers_only) {
  rl::Space space = rl::Discrete{3};
  auto holds = [&](std::vector<float> value) { return rl::contains(space, value); };
  BOOST_TEST(holds({0}));
  BOOST_TEST(holds({2}));
  BOOST_TEST(!holds({3}));
  BOOST_TEST(!holds({-1}));
  BOOST_TEST(!holds({0.5}));
  BOOST_TEST(!holds({0, 0}));
  BOOST_TEST(!holds({std::nanf("")}));
  BOOST_TEST(rl::describe(space) == "Discrete(3)");
}

BOOST_AUTO_TEST_CASE(box_contains_what_lies_between_its_bounds) {
  constexpr auto infinity = std::numeric_limits<float>::infinity();
  rl::Space space = rl::make_box({-1, -infinity}, {1, infinity});
  auto holds = [&](std::vector<float> value) { return rl::contains(space, value); };
  BOOST_TEST(holds({1, 1e30f}));
  BOOST_TEST(!holds({1.1f, 0}));
  BOOST_TEST(!holds({0}));
  BOOST_TEST(!holds({0, std::nanf("")}));
  BOOST_TEST(rl::value_size(space) == 2u);
  BOOST_TEST(rl::describe(space) == "Box([-1 -inf], [1 inf], (2,))");
  BOOST_TEST(rl::describe(rl::make_box(1, -2, 2)) == "Box(-2, 2, (1,))");
}

BOOST_AUTO_TEST_CASE(a_box_with_crossed_or_missing_bounds_is_refused) {
  using rl::ErrorCode;
  BOOST_TEST(rl::test::fails(ErrorCode::bad_value, [] { rl::make_box({1}, {0}); }));
  BOOST_TEST(rl::test::fails(ErrorCode::bad_value, [] { rl::make_box({1}, {2, 3}); }));
  BOOST_TEST(rl::test::fails(ErrorCode::bad_value, [] { rl::make_box({}, {}); }));
}

BOOST_AUTO_TEST_CASE(a_point_between_minus_one_and_one_is_stretched_to_the_bounds) {
  rl::Space space = rl::make_box({-2, 0}, {2, 0.1f});
  std::vector<float> unit = {-1, -1, 0, 0, 1, 1, 0.5f, 3}, out(8);
  rl::stretch_to_space(space, unit, out);
  std::vector<float> expected = {-2, 0, 0, 0.05f, 2, 0.1f, 1, 0.1f};
  BOOST_TEST(out == expected, boost::test_tools::per_element());
  rl::Rng rng(1);
  for (int i = 0; i < 1000; ++i) { // whatever rounding does
    auto low = static_cast<float>(rng.uniform(-9, 9));
    auto high = low + static_cast<float>(rng.uniform(0.1, 9));
    std::vector<float> edge = {1}, reached(1);
    rl::stretch_to_space(rl::make_box({low}, {high}), edge, reached);
    BOOST_TEST_REQUIRE(reached[0] <= high);
  }
}

BOOST_AUTO_TEST_SUITE_END()
