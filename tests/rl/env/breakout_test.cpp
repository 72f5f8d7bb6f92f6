#include "rl/env/breakout.hpp"

#include <cmath>

#include "rl/env/registry.hpp"
#include "tests/rl/support.hpp"

namespace {

using rl::Breakout;

// What the picture shows.
struct Screen {
  explicit Screen(std::span<const float> observation) {
    for (int y = 0; y < 10; ++y)
      for (int x = 0; x < 10; ++x) {
        auto* field = &observation[static_cast<std::size_t>((y * 10 + x) * 4)];
        for (int channel = 0; channel < 4; ++channel) {
          BOOST_REQUIRE((field[channel] == 0 || field[channel] == 1));
          if (field[channel] == 0)
            continue;
          ++count[channel];
          place[channel] = {x, y};
        }
      }
  }

  std::pair<int, int> paddle() const { return place[0]; }
  std::pair<int, int> ball() const { return place[1]; }
  std::pair<int, int> trail() const { return place[2]; }
  int bricks() const { return count[3]; }

  std::array<int, 4> count{};
  std::array<std::pair<int, int>, 4> place{};
};

// Moves to where the ball will be.
float follow(const Screen& screen) {
  auto [x, y] = screen.ball();
  auto ahead = x + (x - screen.trail().first); // keeps its direction
  auto wanted = std::clamp(y >= 8 ? x : ahead, 0, 9);
  return screen.paddle().first > wanted ? 1.0f : screen.paddle().first < wanted ? 2.0f : 0.0f;
}

} // namespace

BOOST_AUTO_TEST_SUITE(breakout)

BOOST_AUTO_TEST_CASE(a_game_begins_with_thirty_bricks_and_the_ball_in_a_corner_below_them) {
  Breakout env;
  BOOST_TEST(rl::describe(env.observation_space()) == "Box(0, 1, (10, 10, 4))");
  std::vector<float> observation(400);
  int left = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    env.reset(seed, observation);
    Screen screen(observation);
    BOOST_TEST((screen.count == std::array{1, 1, 1, 30}));
    BOOST_TEST((screen.paddle() == std::pair{4, 9}));
    BOOST_TEST((screen.ball().first == 0 || screen.ball().first == 9));
    BOOST_TEST(screen.ball().second == 3);
    BOOST_TEST((screen.trail() == screen.ball()));
    left += screen.ball().first == 0;
  }
  BOOST_TEST((left > 8 && left < 32));
}

BOOST_AUTO_TEST_CASE(every_step_follows_the_rules_of_the_game) {
  Breakout env;
  rl::Rng rng(1);
  std::vector<float> observation(400), action(1);
  env.reset(1, observation);
  int total = 0, missed = 0, returned = 0;
  for (int i = 0; i < 20000; ++i) {
    Screen before(observation);
    action[0] = rng.below(5) == 0 ? static_cast<float>(rng.below(3)) : follow(before);
    auto step = env.step(action, observation);
    Screen after(observation);
    BOOST_REQUIRE((after.count[0] == 1 && after.count[1] == 1 && after.count[2] == 1));
    BOOST_REQUIRE((after.trail() == before.ball()));
    BOOST_REQUIRE(after.paddle().second == 9);
    BOOST_REQUIRE(std::abs(after.paddle().first - before.paddle().first) <= 1);
    BOOST_REQUIRE(std::abs(after.ball().first - before.ball().first) <= 1);
    BOOST_REQUIRE(std::abs(after.ball().second - before.ball().second) <= 1);
    BOOST_REQUIRE((step.reward == 0 || step.reward == 1));
    if (before.bricks() > 0 || after.bricks() == 0)
      BOOST_REQUIRE(before.bricks() - after.bricks() == static_cast<int>(step.reward));
    else
      BOOST_REQUIRE(after.bricks() == 30);
    BOOST_REQUIRE(step.terminated == (after.ball().second == 9));
    total += static_cast<int>(step.reward);
    returned += before.ball().second == 8 && after.ball().second == 8;
    if (step.terminated) {
      BOOST_REQUIRE(after.ball().first != after.paddle().first);
      ++missed;
      env.reset(std::nullopt, observation);
    }
  }
  BOOST_TEST(missed > 10);
  BOOST_TEST(returned > 100);
  BOOST_TEST(total > 100);
}

BOOST_AUTO_TEST_CASE(one_who_follows_the_ball_clears_the_wall_and_gets_a_new_one) {
  Breakout env(0); // the paddle does what it is told
  std::vector<float> observation(400), action(1);
  env.reset(1, observation);
  int total = 0;
  for (int i = 0; i < 20000 && total <= 60; ++i) {
    action[0] = follow(Screen(observation));
    auto step = env.step(action, observation);
    BOOST_REQUIRE(!step.terminated);
    total += static_cast<int>(step.reward);
  }
  BOOST_TEST(total > 60);
}

BOOST_AUTO_TEST_CASE(a_tenth_of_the_actions_is_the_one_before_again) {
  // Alternates left and right from the middle; each repeated action moves it the other way.
  Breakout env;
  std::vector<float> observation(400), action(1);
  int repeated = 0, moves = 0;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    env.reset(seed, observation);
    auto at = Screen(observation).paddle().first;
    for (int i = 0; i < 4; ++i) { // the ball comes down after five
      action[0] = i % 2 == 0 ? 1 : 2;
      env.step(action, observation);
      auto now = Screen(observation).paddle().first;
      repeated += now != at + (i % 2 == 0 ? -1 : 1);
      ++moves;
      at = now;
    }
  }
  BOOST_TEST(std::abs(repeated / static_cast<double>(moves) - 0.1) < 0.02);
  BOOST_TEST(rl::test::fails(rl::ErrorCode::bad_value, [] { Breakout(1.5); }));
}

BOOST_AUTO_TEST_CASE(the_registered_game_ends_after_5000_steps_at_most) {
  BOOST_TEST(rl::find_env("MinAtar/Breakout-v1").max_episode_steps == 5000);
}

BOOST_AUTO_TEST_SUITE_END()
