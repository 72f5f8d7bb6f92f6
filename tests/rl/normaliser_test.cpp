#include "rl/normaliser.hpp"

#include <cmath>
#include <functional>

#include "rl/es.hpp"
#include "rl/ppo.hpp"
#include "tests/rl/support.hpp"

namespace {

using rl::ErrorCode;
using rl::test::fails;

rl::ActorCritic<float> policy_of(std::size_t features, bool normalise) {
  return rl::ActorCritic<float>({rl::make_box(static_cast<int>(features), -9, 9),
                                 rl::Discrete{2},
                                 {4},
                                 "tanh",
                                 true,
                                 normalise});
}

// Two environments, three steps; the first terminates after its second, the second is cut off.
rl::Batch batch() {
  rl::Batch result;
  result.resize({3, 2, 2, 1});
  result.observation = {1, 10, 2, 20, 3, 30, 4, 40, 5, 50, 6, 60, 100, 100, 100, 100};
  result.reward = {1, -2, 3, 0.5f, -1, 4};
  result.terminated = {0, 0, 1, 0, 0, 0};
  result.truncated = {0, 0, 0, 1, 0, 0};
  return result;
}

rl::RunOptions quiet(const char* env, std::int64_t stop_steps) {
  rl::RunOptions options;
  options.env = env;
  options.stop_steps = stop_steps;
  options.quiet = true;
  options.evaluation_episodes = 2;
  return options;
}

rl::PpoConfig normalised() {
  rl::PpoConfig config;
  config.horizon = 64;
  config.normalise_observations = config.normalise_rewards = true;
  return config;
}

rl::TrainResult train(const rl::RunOptions& options) {
  auto config = normalised();
  config.anneal = false;
  rl::Run run(options, "ppo", config.fields());
  rl::SerialWorkers workers(rl::ppo_workers(config, options));
  return rl::train_ppo(config, run, workers);
}

} // namespace

BOOST_AUTO_TEST_SUITE(normaliser)

BOOST_AUTO_TEST_CASE(observations_acted_on_are_counted_and_written_behind_the_weights) {
  auto policy = policy_of(2, true);
  rl::Normaliser scale({.observations = true}, policy, 2);
  std::vector<float> weights(policy.parameter_count(), 7.0f);
  scale.write(weights); // nothing is known yet
  BOOST_TEST(weights.back() == 7);
  scale.add(batch());
  scale.write(weights);
  auto tail = std::span(weights).last(4);
  auto deviation = std::sqrt(35.0f / 12); // of 1 .. 6; the row after the last step is not in it
  BOOST_TEST(tail[0] == 3.5f);
  BOOST_TEST(tail[1] == 35.0f);
  BOOST_TEST(tail[2] == 1 / deviation, boost::test_tools::tolerance(1e-6f));
  BOOST_TEST(tail[3] == 0.1f / deviation, boost::test_tools::tolerance(1e-6f));
  BOOST_TEST(weights[policy.trainable_count() - 1] == 7);
}

BOOST_AUTO_TEST_CASE(rewards_are_divided_by_the_deviation_of_a_sum_that_only_termination_cuts) {
  auto policy = policy_of(2, false);
  rl::Normaliser scale({.rewards = true, .gamma = 0.5}, policy, 2);
  scale.add(batch());
  // R of the first environment: 1, 3 (cut), 0.5; of the second: -2, -0.5 (a time limit), 3.75.
  double totals[] = {1, -2, 3, -0.5, 0.5, 3.75};
  double mean = 0, variance = 0;
  for (auto each : totals)
    mean += each / 6;
  for (auto each : totals)
    variance += (each - mean) * (each - mean) / 6;
  std::vector<float> reward = {1, -3, 1000};
  scale.scale(reward);
  BOOST_TEST(reward[0] == 1 / std::sqrt(variance), boost::test_tools::tolerance(1e-6));
  BOOST_TEST(reward[1] == -3 / std::sqrt(variance), boost::test_tools::tolerance(1e-6));
  BOOST_TEST(reward[2] == 10);
}

BOOST_AUTO_TEST_CASE(the_sum_of_an_environment_goes_on_in_the_next_batch_and_in_a_saved_run) {
  auto policy = policy_of(2, true);
  rl::NormaliserOptions options{true, true, 0.9};
  rl::Normaliser straight(options, policy, 2), saved(options, policy, 2),
    loaded(options, policy, 2);
  for (auto* each : {&straight, &saved})
    each->add(batch());
  rl::Checkpoint checkpoint;
  saved.save(checkpoint);
  loaded.load(checkpoint);
  auto after = [&](rl::Normaliser& scale) {
    scale.add(batch());
    std::vector<float> numbers(policy.parameter_count() + 1, 1.0f);
    scale.write(std::span(numbers).first(policy.parameter_count()));
    scale.scale(std::span(numbers).last(1));
    return numbers;
  };
  auto fresh = rl::Normaliser(options, policy, 2);
  BOOST_TEST(after(loaded) == after(straight), boost::test_tools::per_element());
  BOOST_TEST((after(fresh) != after(straight)));
  rl::Normaliser three(options, policy, 3);
  BOOST_TEST(fails(ErrorCode::bad_checkpoint, [&] { three.load(checkpoint); }, {"2", "3"}));
}

BOOST_AUTO_TEST_CASE(nothing_is_changed_where_both_switches_are_off) {
  auto policy = policy_of(2, false);
  rl::Normaliser scale({}, policy, 2);
  scale.add(batch());
  std::vector<float> weights(policy.parameter_count(), 7.0f), reward = {30, -40};
  scale.write(weights);
  scale.scale(reward);
  BOOST_TEST(weights == std::vector<float>(weights.size(), 7.0f), boost::test_tools::per_element());
  BOOST_TEST(reward == (std::vector<float>{30, -40}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_policy_sees_observations_through_the_statistics_behind_its_weights) {
  auto plain = policy_of(2, false), normal = policy_of(2, true);
  rl::Rng rng(3);
  auto weights = plain.initialise(rng), with_tail = weights;
  with_tail.insert(with_tail.end(), {3, -1, 0.5f, 4}); // means, 1 / deviations
  std::vector<float> observation = {5, -0.75f, -100, 100}, scaled = {1, 1, -10, 10}; // clipped
  std::vector<float> action = {0, 1}, log_prob(2), entropy(2), slopes = {1, -2};
  auto gradient = [&](auto& policy, auto& parameters, auto& seen) {
    rl::ActorCritic<float>::Workspace workspace;
    std::vector<float> result(policy.trainable_count());
    policy.evaluate(parameters, seen, action, log_prob, entropy, workspace);
    policy.value(parameters, seen, workspace);
    policy.backward(parameters, seen, action, slopes, slopes, slopes, result, workspace);
    return result;
  };
  BOOST_TEST(normal.trainable_count() == weights.size());
  BOOST_TEST(normal.parameter_count() == weights.size() + 4);
  BOOST_TEST(gradient(normal, with_tail, observation) == gradient(plain, weights, scaled),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_fresh_policy_sees_observations_as_they_are) {
  auto plain = policy_of(2, false), normal = policy_of(2, true);
  rl::Rng one(3), two(3);
  auto weights = plain.initialise(one), with_tail = normal.initialise(two);
  std::vector<float> observation = {5, -0.75f};
  rl::ActorCritic<float>::Workspace a, b;
  BOOST_TEST(normal.value(with_tail, observation, a)[0] == plain.value(weights, observation, b)[0]);
}

BOOST_AUTO_TEST_CASE(a_resumed_normalised_run_ends_where_one_that_never_stopped_does) {
  rl::test::TemporaryFolder folder;
  auto straight = train(quiet("Pendulum-v1", 4096));
  auto options = quiet("Pendulum-v1", 2048);
  options.logdir = folder.path;
  train(options);
  options.stop_steps = 4096;
  options.resume = folder.path;
  auto resumed = train(options);
  BOOST_TEST(resumed.steps == straight.steps);
  BOOST_TEST(resumed.weights == straight.weights, boost::test_tools::per_element());
  BOOST_TEST(resumed.evaluation.mean == straight.evaluation.mean);
}

BOOST_AUTO_TEST_CASE(es_counts_what_its_copies_see_in_the_order_of_the_jobs) {
  rl::EsConfig config;
  config.pairs = 3;
  config.hidden = {4};
  config.normalise_observations = true;
  auto options = quiet("CartPole-v1", 0);
  auto spec = rl::es_spec(config, options);
  rl::Es es(config, spec, 1);
  rl::SerialEsWorkers workers(spec);
  auto jobs = es.jobs(0);
  auto scores = workers.try_pairs(es.weights(), jobs);
  rl::RunningMoments all(4);
  for (auto& score : scores) {
    BOOST_TEST(score.observations.count() == score.steps);
    all.merge(score.observations);
  }
  es.observe(scores);
  auto tail = es.weights().last(8);
  for (std::size_t i = 0; i < 4; ++i) {
    BOOST_TEST(tail[i] == static_cast<float>(all.mean()[i]));
    BOOST_TEST(tail[4 + i] == static_cast<float>(1 / std::sqrt(all.variance(i) + 1e-8)));
  }
  BOOST_TEST(workers.weigh_noise(spec.noisy, jobs, std::vector<double>{1, 2, 3}).size()
             == es.weights().size() - 8);
}

BOOST_AUTO_TEST_SUITE_END()
