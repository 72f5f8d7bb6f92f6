#include "rl/impala.hpp"

#include <cmath>

#include "rl/run/csv.hpp"
#include "rl/vtrace.hpp"
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

rl::TrainResult train(rl::ImpalaConfig config, const rl::RunOptions& options) {
  rl::Run run(options, "impala", config.fields());
  rl::SerialAsyncWorkers workers(rl::impala_workers(config, options));
  return rl::train_impala(config, run, workers);
}

} // namespace

BOOST_AUTO_TEST_SUITE(impala)

BOOST_AUTO_TEST_CASE(an_update_weighs_steps_by_how_likely_they_have_become) {
  rl::ImpalaConfig config;
  config.envs = 1;
  config.hidden = {3};
  config.max_gradient_norm = 0;
  rl::Impala impala(config, {rl::make_box(1, -9, 9), rl::Discrete{2}, {3}, "tanh"}, 5);
  std::vector<float> before(impala.weights().begin(), impala.weights().end());
  rl::Batch batch;
  batch.resize({3, 1, 1, 1});
  batch.observation = {0.5f, -1, 2, 1};
  batch.action = {0, 1, 1};
  batch.reward = {3, -1, 2};
  batch.terminated = {0, 1, 0};
  batch.truncated = {0, 0, 0};
  batch.ends.push_back({1, 0, {0, 2, 2}});
  batch.final_observation = {7};
  batch.log_prob = {-0.2f, -3, -0.7f}; // mu; pi is near one half
  rl::ActorCritic<float>::Workspace workspace;
  std::vector<float> log_ratio(3), entropy(3), target(3), advantage(3), gradient(before.size());
  auto acted_on = std::span(batch.observation).first(3);
  impala.policy().evaluate(before, acted_on, batch.action, log_ratio, entropy, workspace);
  double rho = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    log_ratio[i] -= batch.log_prob[i];
    rho += std::min(1.0, std::exp(double{log_ratio[i]})) / 3;
  }
  rl::BatchValues value;
  rl::judge(impala.policy(), before, batch, workspace, value);
  rl::vtrace({3, 1, log_ratio, batch.reward, value.now, value.next, batch.terminated,
              batch.truncated, target, advantage},
             {});
  rl::a2c_loss<float>(impala.policy(), before, {acted_on, batch.action, advantage, target}, 0.5,
                      0.01, gradient, workspace);
  std::size_t envs[] = {0};
  auto losses = impala.update(batch, envs);
  BOOST_TEST(losses.rho == rho, boost::test_tools::tolerance(1e-9));
  BOOST_TEST(rho < 1);                              // the first step has become less likely
  for (std::size_t i = 0; i < before.size(); ++i) { // RMSProp's first step
    auto expected = -config.learning_rate * gradient[i] / (std::abs(gradient[i]) + 1e-5);
    BOOST_TEST(std::abs(impala.weights()[i] - before[i] - expected) < 3e-6);
  }
}

BOOST_AUTO_TEST_CASE(in_one_thread_nothing_lags_and_the_sampling_is_logged) {
  rl::test::TemporaryFolder folder;
  auto options = quiet("CartPole-v1", 2000);
  options.logdir = folder.path;
  train({}, options);
  auto log = rl::read_csv(folder.path / "log.csv");
  for (auto* name : {"async/lag", "async/queue", "async/lost"})
    BOOST_TEST(log.column(name).back() == 0, name);
  BOOST_TEST(std::abs(log.column("loss/rho").back() - 1) < 1e-6);
  auto sampling = log.column("async/sampling_percent").back();
  auto simulation = log.column("async/simulation_percent").back();
  BOOST_TEST(simulation > 0);
  BOOST_TEST(simulation < sampling);
  BOOST_TEST(sampling < 100);
}

BOOST_AUTO_TEST_CASE(a_resumed_run_ends_where_one_that_never_stopped_does) {
  rl::test::TemporaryFolder folder;
  rl::ImpalaConfig config;
  config.anneal = false;
  config.fragments = 3; // of 8: the second half does not begin with the first group
  config.normalise_observations = config.normalise_rewards = true;
  auto straight = train(config, quiet("Pendulum-v1", 6000));
  auto options = quiet("Pendulum-v1", 3000);
  options.logdir = folder.path;
  train(config, options);
  options.stop_steps = 6000;
  options.resume = folder.path;
  auto resumed = train(config, options);
  BOOST_TEST(resumed.steps == straight.steps);
  BOOST_TEST(resumed.weights == straight.weights, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(more_fragments_than_groups_and_divergence_are_errors) {
  rl::ImpalaConfig config;
  config.fragments = 9;
  BOOST_TEST(fails(ErrorCode::bad_value, [&] { train(config, quiet("CartPole-v1", 100)); },
                   {"fragments=9", "8 groups"}));
  rl::ImpalaConfig wild;
  wild.learning_rate = 1;
  wild.max_gradient_norm = 0;
  wild.reward_scale = 1e38;
  BOOST_TEST(fails(ErrorCode::not_finite, [&] { train(wild, quiet("Pendulum-v1", 50'000)); },
                   {"IMPALA", "diverged"}));
}

BOOST_AUTO_TEST_SUITE_END()
