#include "rl/a2c.hpp"

#include <cmath>

#include "tests/rl/support.hpp"

namespace {

using rl::ErrorCode;
using rl::test::fails;

rl::RunOptions quiet(const char* env, std::int64_t stop_steps) {
  rl::RunOptions options;
  options.env = env;
  options.stop_steps = stop_steps;
  options.quiet = true;
  options.evaluation_episodes = 2;
  return options;
}

rl::TrainResult train(rl::A2cConfig config, const rl::RunOptions& options) {
  rl::Run run(options, "a2c", config.fields());
  rl::SerialWorkers workers(rl::a2c_workers(config, options));
  return rl::train_a2c(config, run, workers);
}

// One environment, two steps; the first is cut off by a time limit.
rl::Batch batch() {
  rl::Batch result;
  result.resize({2, 1, 1, 1});
  result.observation = {0.5f, -1, 2};
  result.action = {0, 1};
  result.reward = {3, -1};
  result.terminated = {0, 0};
  result.truncated = {1, 0};
  result.ends.push_back({0, 0, {0, 3, 1}});
  result.final_observation = {-2};
  return result;
}

} // namespace

BOOST_AUTO_TEST_SUITE(a2c)

BOOST_AUTO_TEST_CASE(the_gradient_is_the_slope_of_the_loss) {
  for (auto& actions : {rl::Space(rl::Discrete{3}), rl::Space(rl::make_box(2, -1, 1))}) {
    rl::ActorCritic<double> policy({rl::make_box(4, -1, 1), actions, {6, 5}, "tanh"});
    rl::Rng rng(1);
    std::vector<double> p(policy.parameter_count()), gradient(p.size()), unused(p.size());
    for (auto& each : p)
      each = 0.3 * rng.normal();
    std::vector<double> observation(10 * 4), advantage(10), target(10);
    for (auto* column : {&observation, &advantage, &target})
      for (auto& each : *column)
        each = rng.normal();
    std::vector<float> action;
    for (std::size_t i = 0; i < 10 * policy.action_size(); ++i)
      action.push_back(static_cast<float>(i % 3));
    rl::ActorCritic<double>::Workspace workspace;
    auto loss = [&](std::span<double> into) {
      auto l = rl::a2c_loss<double>(policy, p, {observation, action, advantage, target}, 0.7, 0.03,
                                    into, workspace);
      return l.policy + 0.7 * l.value - 0.03 * l.entropy;
    };
    loss(gradient);
    for (std::size_t i = 0; i < p.size(); ++i) {
      constexpr double h = 1e-6;
      auto was = p[i];
      p[i] = was + h;
      auto above = loss(unused);
      p[i] = was - h;
      auto below = loss(unused);
      p[i] = was;
      BOOST_TEST(std::abs((above - below) / (2 * h) - gradient[i]) < 1e-7);
    }
  }
}

BOOST_AUTO_TEST_CASE(an_update_is_one_rmsprop_step_on_the_n_step_returns) {
  rl::A2cConfig config;
  config.hidden = {3};
  config.gamma = 0.9;
  config.max_gradient_norm = 0;
  config.envs = 1;
  rl::A2c a2c(config, {rl::make_box(1, -9, 9), rl::Discrete{2}, {3}, "tanh"}, 5);
  std::vector<float> before(a2c.weights().begin(), a2c.weights().end());
  auto data = batch();
  rl::ActorCritic<float>::Workspace workspace;
  auto v = [&](float x) { return a2c.policy().value(before, std::span(&x, 1), workspace)[0]; };
  // A time limit is followed by what the final observation is worth; the fragment by its last row.
  std::vector<float> target = {3 + 0.9f * v(-2), -1 + 0.9f * v(2)};
  std::vector<float> advantage = {target[0] - v(0.5f), target[1] - v(-1)};
  std::vector<float> gradient(before.size());
  rl::a2c_loss<float>(a2c.policy(), before,
                      {std::span(data.observation).first(2), data.action, advantage, target}, 0.5,
                      0.01, gradient, workspace);
  a2c.update(data, 0.5);
  for (std::size_t i = 0; i < before.size(); ++i) { // the first step: g / (|g| + epsilon)
    auto expected = -0.5 * 7e-4 * gradient[i] / (std::abs(gradient[i]) + 1e-5);
    BOOST_TEST(std::abs(a2c.weights()[i] - before[i] - expected) < 1e-6);
  }
}

BOOST_AUTO_TEST_CASE(a_resumed_run_ends_where_one_that_never_stopped_does) {
  rl::test::TemporaryFolder folder;
  rl::A2cConfig config;
  config.anneal = false;
  config.normalise_observations = config.normalise_rewards = true;
  auto straight = train(config, quiet("Pendulum-v1", 4000));
  auto options = quiet("Pendulum-v1", 2000);
  options.logdir = folder.path;
  train(config, options);
  options.stop_steps = 4000;
  options.resume = folder.path;
  auto resumed = train(config, options);
  BOOST_TEST(resumed.steps == straight.steps);
  BOOST_TEST(resumed.weights == straight.weights, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_diverged_run_stops_with_an_error) {
  rl::A2cConfig config;
  config.learning_rate = 1;
  config.max_gradient_norm = 0;
  config.reward_scale = 1e38; // rewards overflow
  BOOST_TEST(fails(ErrorCode::not_finite, [&] { train(config, quiet("Pendulum-v1", 50'000)); },
                   {"A2C", "diverged"}));
}

BOOST_AUTO_TEST_SUITE_END()
