#include "rl/env/normalise.hpp"

#include <cmath>

#include "rl/env/cartpole.hpp"
#include "rl/env/pendulum.hpp"
#include "rl/env/time_limit.hpp"
#include "rl/env/transform.hpp"
#include "tests/rl/counting_env.hpp"
#include "tests/rl/support.hpp"

namespace {

using rl::ErrorCode;
using rl::test::CountingEnv;
using rl::test::fails;

} // namespace

BOOST_AUTO_TEST_SUITE(normalise)

BOOST_AUTO_TEST_CASE(observations_are_scaled_by_all_that_was_seen) {
  rl::NormaliseObservation env(std::make_unique<rl::Pendulum>());
  BOOST_TEST(rl::describe(env.observation_space()) == "Box(-10, 10, (3,))");
  rl::Pendulum bare;
  std::vector<float> observation(3), raw(3), action = {1.5};
  std::vector<std::vector<float>> seen;
  env.reset(3, observation);
  bare.reset(3, raw);
  for (int i = 0; i < 300; ++i) {
    seen.push_back(raw);
    for (std::size_t k = 0; k < 3; ++k) {
      double mean = 0, variance = 0;
      for (auto& each : seen)
        mean += static_cast<double>(each[k]) / static_cast<double>(seen.size());
      for (auto& each : seen)
        variance +=
          std::pow(static_cast<double>(each[k]) - mean, 2) / static_cast<double>(seen.size());
      auto expected = (static_cast<double>(raw[k]) - mean) / std::sqrt(variance + 1e-8);
      BOOST_TEST(std::abs(static_cast<double>(observation[k]) - expected) < 1e-4);
    }
    env.step(action, observation);
    bare.step(action, raw);
  }
}

BOOST_AUTO_TEST_CASE(frozen_statistics_stay_and_serve_another_environment) {
  rl::NormaliseObservation training(std::make_unique<rl::Pendulum>());
  rl::NormaliseObservation evaluation(std::make_unique<rl::Pendulum>());
  std::vector<float> observation(3), raw(3), action = {0};
  training.reset(1, observation);
  for (int i = 0; i < 100; ++i)
    training.step(action, observation);
  evaluation.moments() = training.moments();
  evaluation.freeze();
  rl::Pendulum bare;
  evaluation.reset(2, observation);
  bare.reset(2, raw);
  for (int i = 0; i < 100; ++i) {
    for (std::size_t k = 0; k < 3; ++k) {
      auto scaled = (static_cast<double>(raw[k]) - training.moments().mean()[k])
                    / std::sqrt(training.moments().variance(k) + 1e-8);
      BOOST_TEST(observation[k] == static_cast<float>(std::clamp(scaled, -10.0, 10.0)));
    }
    evaluation.step(action, observation);
    bare.step(action, raw);
  }
  BOOST_TEST(evaluation.moments().count() == training.moments().count());
  BOOST_TEST(evaluation.frozen());
}

BOOST_AUTO_TEST_CASE(rewards_are_scaled_by_the_discounted_sum_that_only_termination_cuts) {
  constexpr double gamma = 0.9;
  rl::NormaliseReward env(std::make_unique<CountingEnv>(), gamma);
  CountingEnv bare;
  std::vector<float> observation(2), raw(2), action(1);
  env.reset(4, observation);
  bare.reset(4, raw);
  double discounted = 0;
  std::vector<double> sums;
  int terminated = 0, truncated = 0;
  for (int i = 0; i < 200; ++i) {
    auto result = env.step(action, observation);
    auto expected = bare.step(action, raw);
    discounted = discounted * gamma * (expected.terminated ? 0 : 1) + expected.reward;
    sums.push_back(discounted);
    double mean = 0, variance = 0;
    for (auto each : sums)
      mean += each / static_cast<double>(sums.size());
    for (auto each : sums)
      variance += (each - mean) * (each - mean) / static_cast<double>(sums.size());
    BOOST_TEST(result.reward == std::min(10.0, expected.reward / std::sqrt(variance + 1e-8)),
               boost::test_tools::tolerance(1e-9));
    terminated += expected.terminated;
    truncated += expected.truncated;
    if (expected.terminated || expected.truncated) {
      env.reset(std::nullopt, observation);
      bare.reset(std::nullopt, raw);
    }
  }
  BOOST_TEST((terminated > 5 && truncated > 5));
}

BOOST_AUTO_TEST_CASE(frozen_reward_statistics_stay) {
  rl::NormaliseReward env(std::make_unique<rl::Pendulum>());
  std::vector<float> observation(3), action(1);
  env.reset(1, observation);
  for (int i = 0; i < 50; ++i)
    env.step(action, observation);
  env.freeze();
  auto before = env.moments().variance(0);
  for (int i = 0; i < 50; ++i)
    env.step(action, observation);
  BOOST_TEST(env.moments().variance(0) == before);
  BOOST_TEST(env.moments().count() == 50);
}

BOOST_AUTO_TEST_CASE(settings_out_of_range_are_refused) {
  BOOST_TEST(fails(ErrorCode::bad_value,
                   [] { rl::NormaliseObservation(std::make_unique<rl::Pendulum>(), 0); }));
  BOOST_TEST(fails(ErrorCode::bad_value,
                   [] { rl::NormaliseReward(std::make_unique<rl::Pendulum>(), 1.5); }));
}

BOOST_AUTO_TEST_SUITE_END()
