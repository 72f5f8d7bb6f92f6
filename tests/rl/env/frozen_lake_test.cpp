#include "rl/env/frozen_lake.hpp"

#include <cmath>

#include "rl/env/registry.hpp"
#include "rl/env/transform.hpp"
#include "tests/rl/support.hpp"

namespace {

using rl::FrozenLake;

// Places a slippery step may lead to, a third each: an account of the rules beside the task's own.
std::array<int, 3> outcomes(const FrozenLake& lake, int place, int action) {
  return {lake.neighbour(place, (action + 3) % 4), lake.neighbour(place, action),
          lake.neighbour(place, (action + 1) % 4)};
}

struct Solution {
  std::vector<double> chance; // of reaching the goal
  std::vector<int> action;
};

// Value iteration over `steps` steps; undiscounted, so values are chances.
Solution solve(const FrozenLake& lake, int steps) {
  auto count = static_cast<std::size_t>(lake.side() * lake.side());
  Solution best{std::vector<double>(count), std::vector<int>(count)};
  for (int step = 0; step < steps; ++step) {
    auto before = best.chance;
    for (std::size_t place = 0; place < count; ++place) {
      auto kind = lake.field(static_cast<int>(place));
      if (kind == 'G' || kind == 'H')
        continue;
      best.chance[place] = -1;
      for (int action = 0; action < 4; ++action) {
        double chance = 0;
        for (auto next : outcomes(lake, static_cast<int>(place), action))
          chance += (lake.field(next) == 'G' ? 1 : before[static_cast<std::size_t>(next)]) / 3;
        if (chance > best.chance[place] + 1e-12) {
          best.chance[place] = chance;
          best.action[place] = action;
        }
      }
    }
  }
  return best;
}

// The chance of reaching the goal from the start with these actions within `steps` steps.
double chance_of(const FrozenLake& lake, const std::vector<int>& actions, int steps) {
  std::vector<double> chance(actions.size());
  for (int step = 0; step < steps; ++step) {
    auto before = chance;
    for (std::size_t place = 0; place < actions.size(); ++place) {
      auto kind = lake.field(static_cast<int>(place));
      if (kind == 'G' || kind == 'H')
        continue;
      chance[place] = 0;
      for (auto next : outcomes(lake, static_cast<int>(place), actions[place]))
        chance[place] += (lake.field(next) == 'G' ? 1 : before[static_cast<std::size_t>(next)]) / 3;
    }
  }
  return chance[0];
}

} // namespace

BOOST_AUTO_TEST_SUITE(frozen_lake)

BOOST_AUTO_TEST_CASE(the_best_policy_reaches_the_goal_as_often_as_known) {
  // 14/17 is the published chance of the best policy without a time limit; on the large lake one
  // can avoid every hole for sure.
  FrozenLake small(FrozenLake::Map::small), large(FrozenLake::Map::large);
  BOOST_TEST(solve(small, 5000).chance[0] == 14.0 / 17, boost::test_tools::tolerance(1e-6));
  BOOST_TEST(solve(large, 20000).chance[0] == 1.0, boost::test_tools::tolerance(1e-3));
}

BOOST_AUTO_TEST_CASE(playing_the_best_policy_succeeds_as_often_as_calculated) {
  auto env = rl::make_env("FrozenLake-v1");
  FrozenLake lake(FrozenLake::Map::small);
  auto best = solve(lake, 5000);
  constexpr int episodes = 5000;
  std::vector<float> place(1), action(1);
  int successes = 0, longest = 0;
  for (int i = 0; i < episodes; ++i) {
    env->reset(i == 0 ? std::optional<std::uint64_t>(3) : std::nullopt, place);
    BOOST_TEST(place[0] == 0);
    int length = 0;
    for (rl::Step step; !step.terminated && !step.truncated; ++length) {
      action[0] = static_cast<float>(best.action[static_cast<std::size_t>(place[0])]);
      step = env->step(action, place);
      successes += step.reward == 1;
    }
    longest = std::max(longest, length);
  }
  // The limit of 100 steps cuts off some of what would succeed. Four standard errors.
  auto expected = chance_of(lake, best.action, 100);
  BOOST_TEST((expected > 0.7 && expected < 14.0 / 17));
  BOOST_TEST(std::abs(successes / static_cast<double>(episodes) - expected)
             < 4 * std::sqrt(expected * (1 - expected) / episodes));
  BOOST_TEST(longest == 100);
}

BOOST_AUTO_TEST_CASE(firm_ice_leads_where_one_wants_to_and_holes_end_it) {
  FrozenLake lake(FrozenLake::Map::small, FrozenLake::Ice::firm);
  std::vector<float> place(1);
  auto walk = [&](std::vector<float> directions) {
    lake.reset(1, place);
    rl::Step step;
    for (auto each : directions)
      step = lake.step(std::span(&each, 1), place);
    return step;
  };
  auto goal = walk({1, 1, 2, 1, 2, 2});
  BOOST_TEST((goal.terminated && goal.reward == 1 && place[0] == 15));
  auto hole = walk({2, 1});
  BOOST_TEST((hole.terminated && hole.reward == 0 && place[0] == 5));
  auto border = walk({0, 3, 0});
  BOOST_TEST((!border.terminated && place[0] == 0));
}

BOOST_AUTO_TEST_CASE(networks_see_the_place_as_a_one_hot_vector) {
  auto env = rl::make_network_env("FrozenLake8x8-v1");
  BOOST_TEST(rl::describe(env->observation_space()) == "Box(0, 1, (64,))");
  BOOST_TEST(rl::describe(rl::make_env("FrozenLake8x8-v1")->observation_space()) == "Discrete(64)");
  std::vector<float> observation(64);
  env->reset(1, observation);
  BOOST_TEST(observation[0] == 1);
}

BOOST_AUTO_TEST_SUITE_END()
