#include "rl/env/picture.hpp"

#include <cmath>
#include <limits>

#include "rl/env/registry.hpp"
#include "tests/rl/support.hpp"

namespace {

using rl::Colour;
using rl::Picture;

const auto library_names = rl::env_names(); // before tests register theirs

constexpr Colour white{255, 255, 255}, ink{10, 20, 30};

int covered(const Picture& picture) {
  int count = 0;
  for (auto& each : picture.pixels())
    count += each == ink;
  return count;
}

} // namespace

BOOST_AUTO_TEST_SUITE(picture)

BOOST_AUTO_TEST_CASE(shapes_cover_the_pixels_whose_centres_they_contain) {
  Picture p;
  p.clear(20, 10, white);
  p.rectangle(2, 3, 6, 5, ink);
  BOOST_TEST(covered(p) == 8);
  BOOST_TEST((p.at(2, 3) == ink && p.at(5, 4) == ink && p.at(6, 4) == white));
  p.clear(20, 10, white);
  p.rectangle(2.6, 3, 6.4, 4, ink); // centres 3.5, 4.5, 5.5
  BOOST_TEST(covered(p) == 3);
  p.clear(20, 10, white);
  p.line({0, 5}, {20, 5}, 2, ink);
  BOOST_TEST(covered(p) == 40);
  p.clear(200, 200, white);
  p.disc({100, 100}, 50, ink);
  BOOST_TEST(std::abs(covered(p) - 3.14159265 * 2500) < 40);
  p.clear(100, 100, white);
  rl::Point triangle[] = {{0, 0}, {100, 0}, {0, 100}};
  p.polygon(triangle, ink);
  BOOST_TEST(std::abs(covered(p) - 5000) <= 50);
}

BOOST_AUTO_TEST_CASE(what_lies_outside_is_cut_off_and_what_is_not_finite_left_out) {
  Picture p;
  p.clear(8, 8, white);
  p.rectangle(-100, -100, 1e12, 1e12, ink);
  BOOST_TEST(covered(p) == 64);
  p.clear(8, 8, white);
  p.rectangle(9, 9, 20, 20, ink);
  p.disc({-30, 4}, 20, ink);
  p.disc({std::nan(""), 4}, 20, ink);
  p.line({0, 0}, {std::numeric_limits<double>::infinity(), 3}, 4, ink);
  p.line({3, 3}, {3, 3}, 4, ink);
  p.polygon({}, ink);
  BOOST_TEST(covered(p) == 0);
}

BOOST_AUTO_TEST_CASE(every_task_draws_what_moves_in_a_size_that_stays) {
  for (auto& name : library_names) {
    auto env = rl::make_env(name);
    std::vector<float> observation(rl::value_size(env->observation_space()));
    std::vector<float> action(rl::value_size(env->action_space()));
    Picture first, later;
    env->reset(1, observation);
    BOOST_REQUIRE(env->draw(first));
    for (int i = 0; i < 20; ++i) {
      auto step = env->step(action, observation);
      if (step.terminated || step.truncated)
        break;
      if (name.starts_with("FrozenLake")) // leaves the corner that action 0 keeps one in
        action[0] = static_cast<float>(1 + i % 2);
    }
    BOOST_REQUIRE(env->draw(later));
    BOOST_TEST(first.width() == later.width());
    BOOST_TEST(first.height() == later.height());
    BOOST_TEST(!std::equal(first.pixels().begin(), first.pixels().end(), later.pixels().begin()),
               name);
  }
}

BOOST_AUTO_TEST_SUITE_END()
