// The tasks on Box2D. Their trajectories cannot equal Gymnasium's, whose Box2D is another version;
// the mean returns of hand-written pilots can. RL_EPISODES=1000 measures with as many episodes as
// the published figures; by default there are fewer, and wider bounds.

#include <cmath>
#include <cstdlib>
#include <functional>

#include "rl/env/bipedal_terrain.hpp"
#include "rl/env/bipedal_walker.hpp"
#include "rl/env/heuristics.hpp"
#include "rl/env/lunar_lander.hpp"
#include "rl/env/registry.hpp"
#include "tests/rl/support.hpp"

namespace {

using rl::test::fails;
using Pilot = std::function<void(std::span<const float>, std::span<float>)>;

int episode_count() {
  auto* text = std::getenv("RL_EPISODES");
  return text ? std::max(1, static_cast<int>(std::strtol(text, nullptr, 10))) : 100;
}

// The mean return over episodes from seeds 0, 1, ... against Gymnasium's `mean` and `deviation`
// over 1000 episodes. `tolerance` is what EnvPool's tests accept for 1000; fewer episodes scatter
// more, and four standard errors are allowed.
void check_mean_return(const char* name, const std::function<Pilot()>& new_pilot, double mean,
                       double deviation, double tolerance) {
  auto episodes = episode_count();
  auto env = rl::make_env(name);
  std::vector<float> observation(rl::value_size(env->observation_space()));
  std::vector<float> action(rl::value_size(env->action_space()));
  double sum = 0, squares = 0;
  for (int i = 0; i < episodes; ++i) {
    auto pilot = new_pilot();
    env->reset(static_cast<std::uint64_t>(i), observation);
    double total = 0;
    for (rl::Step step; !step.terminated && !step.truncated; total += step.reward) {
      pilot(observation, action);
      step = env->step(action, observation);
    }
    sum += total;
    squares += total * total;
  }
  auto measured = sum / episodes;
  auto spread = std::sqrt(std::max(0.0, squares / episodes - measured * measured));
  auto allowed = std::max(tolerance, 4 * deviation / std::sqrt(episodes));
  BOOST_TEST_MESSAGE(name << ": mean return " << measured << ", deviation " << spread << " over "
                          << episodes << " episodes; Gymnasium " << mean << ", " << deviation);
  BOOST_TEST(std::abs(measured - mean) <= allowed, name << " returns " << measured << " (deviation "
                                                        << spread << "), not " << mean << " within "
                                                        << allowed);
}

Pilot lander() {
  return rl::lunar_lander_pilot;
}

Pilot walker() {
  return [pilot = rl::BipedalWalkerPilot()](std::span<const float> observation,
                                            std::span<float> action) mutable {
    pilot.act(observation, action);
  };
}

} // namespace

BOOST_AUTO_TEST_SUITE(box2d)

BOOST_AUTO_TEST_CASE(the_lunar_pilot_returns_what_it_does_in_gymnasium) {
  check_mean_return("LunarLander-v3", lander, 236.9, 105.8, 20);
}

BOOST_AUTO_TEST_CASE(the_continuous_lunar_pilot_returns_what_it_does_in_gymnasium) {
  check_mean_return("LunarLanderContinuous-v3", lander, 283.9, 18.9, 10);
}

BOOST_AUTO_TEST_CASE(the_walking_pilot_returns_what_it_does_in_gymnasium) {
  check_mean_return("BipedalWalker-v3", walker, 110.2, 131, 30);
}

BOOST_AUTO_TEST_CASE(the_hardcore_walking_pilot_returns_what_it_does_in_gymnasium) {
  check_mean_return("BipedalWalkerHardcore-v3", walker, -59.2, 25, 10);
}

BOOST_AUTO_TEST_CASE(a_lander_without_engines_crashes_and_one_that_flies_off_is_lost) {
  for (auto& [name, action] : {std::pair{"LunarLander-v3", std::vector<float>{0}},
                               std::pair{"LunarLanderContinuous-v3", std::vector<float>{1, 1}}}) {
    auto env = rl::make_env(name);
    std::vector<float> observation(8);
    env->reset(7, observation);
    BOOST_TEST((observation[6] == 0 && observation[7] == 0));
    BOOST_TEST(std::abs(observation[1] - 1.41f) < 0.05f); // starts at the top
    rl::Step step;
    for (int i = 0; i < 1000 && !step.terminated; ++i)
      step = env->step(action, observation);
    BOOST_TEST(step.terminated);
    BOOST_TEST(step.reward == -100);
  }
}

BOOST_AUTO_TEST_CASE(engines_cost_fuel) {
  // From the same state, one step with each action: engines change the shaping, so the difference
  // must be the fuel's and what the engine did to position and speed, which the observation tells.
  auto shaping = [](std::span<const float> s) {
    return -100 * std::hypot(static_cast<double>(s[0]), static_cast<double>(s[1]))
           - 100 * std::hypot(static_cast<double>(s[2]), static_cast<double>(s[3]))
           - 100 * std::abs(static_cast<double>(s[4])) + 10 * static_cast<double>(s[6] + s[7]);
  };
  const double fuel[] = {0, 0.03, 0.3, 0.03};
  for (int action = 0; action < 4; ++action) {
    rl::LunarLander env(rl::LunarLander::Control::discrete);
    std::vector<float> before(8), after(8), chosen = {static_cast<float>(action)};
    env.reset(3, before);
    auto step = env.step(chosen, after);
    BOOST_TEST(std::abs(step.reward - (shaping(after) - shaping(before) - fuel[action])) < 1e-3);
  }
}

BOOST_AUTO_TEST_CASE(a_walker_without_torque_falls) {
  for (auto* name : {"BipedalWalker-v3", "BipedalWalkerHardcore-v3"}) {
    auto env = rl::make_env(name);
    std::vector<float> observation(24), action(4);
    env->reset(2, observation);
    rl::Step step;
    int steps = 0;
    for (; steps < 400 && !step.terminated; ++steps)
      step = env->step(action, observation);
    BOOST_TEST(step.terminated);
    BOOST_TEST(step.reward == -100);
  }
}

BOOST_AUTO_TEST_CASE(the_lidar_sees_flat_ground_where_the_course_begins) {
  rl::BipedalWalker env(rl::BipedalWalker::Course::gentle);
  std::vector<float> observation(24);
  env.reset(1, observation);
  auto down = static_cast<double>(observation[14]); // straight down
  for (int i = 1; i < 10; ++i) {                    // the others are longer by the cosine
    auto expected = std::min(1.0, down / std::cos(1.5 * i / 10.0));
    BOOST_TEST(
      std::abs(static_cast<double>(observation[static_cast<std::size_t>(14 + i)]) - expected)
      < 0.02);
  }
}

BOOST_AUTO_TEST_CASE(only_the_hardcore_course_has_obstacles) {
  std::size_t most = 0;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    rl::Rng gentle(seed), hard(seed);
    rl::BipedalTerrain plain(gentle, false), rough(hard, true);
    BOOST_TEST(plain.obstacles.empty());
    BOOST_TEST(rough.obstacles.size() > 5u);
    for (auto* each : {&plain, &rough}) {
      BOOST_REQUIRE(each->height.size() == 200u);
      for (int i = 0; i < 20; ++i) // the starting pad is level
        BOOST_TEST(std::abs(each->height[static_cast<std::size_t>(i)] - rl::BipedalTerrain::level)
                   < 0.02);
    }
    most = std::max(most, rough.obstacles.size());
  }
  BOOST_TEST(most < 100u);
}

BOOST_AUTO_TEST_CASE(a_wrong_action_is_refused) {
  rl::LunarLander lander(rl::LunarLander::Control::continuous);
  rl::BipedalWalker walker(rl::BipedalWalker::Course::gentle);
  std::vector<float> observation(24), action(4);
  BOOST_TEST(fails(rl::ErrorCode::bad_environment, [&] { lander.step(action, observation); }));
  lander.reset(1, observation);
  walker.reset(1, observation);
  action[1] = std::nanf("");
  BOOST_TEST(fails(rl::ErrorCode::bad_value, [&] { lander.step(action, observation); }));
  BOOST_TEST(fails(rl::ErrorCode::bad_value, [&] { walker.step(action, observation); }));
}

BOOST_AUTO_TEST_SUITE_END()
