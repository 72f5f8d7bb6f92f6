#include "rl/apex.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "rl/run/csv.hpp"
#include "tests/rl/support.hpp"

namespace {

using rl::ErrorCode, rl::test::fails;

rl::RunOptions quiet(const char* env, std::int64_t stop_steps) {
  rl::RunOptions options;
  options.env = env;
  options.stop_steps = stop_steps;
  options.quiet = true;
  options.evaluation_episodes = 2;
  return options;
}

rl::ApexConfig small() {
  rl::ApexConfig config;
  config.envs = 4;
  config.fragment = 10;
  config.dqn.hidden = {16, 16};
  config.dqn.minibatch = 16;
  config.dqn.capacity = 900; // goes round
  config.dqn.learning_starts = 200;
  config.dqn.log_steps = 100;
  config.dqn.target_interval = 20;
  return config;
}

rl::TrainResult train(rl::ApexConfig config, const rl::RunOptions& options) {
  rl::Run run(options, "apex", config.fields());
  rl::SerialApexWorkers workers(config, options);
  return rl::train_apex(config, run, workers);
}

std::vector<float> random_weights(const rl::ApexConfig& config) {
  rl::QNetwork<float> network(
    {rl::make_box(4, -1, 1), rl::Discrete{2}, config.dqn.hidden, "relu", config.dqn.duelling});
  std::vector<float> weights(network.parameter_count());
  rl::Rng(3).fill_normal(weights);
  return weights;
}

} // namespace

BOOST_AUTO_TEST_SUITE(apex)

BOOST_AUTO_TEST_CASE(environments_explore_from_much_to_little) {
  rl::ApexConfig config;
  config.envs = 3;
  BOOST_TEST(rl::apex_epsilon(config, 0) == 0.4, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(rl::apex_epsilon(config, 1) == std::pow(0.4, 4.5),
             boost::test_tools::tolerance(1e-12));
  BOOST_TEST(rl::apex_epsilon(config, 2) == std::pow(0.4, 8), boost::test_tools::tolerance(1e-12));
  config.envs = 1;
  BOOST_TEST(rl::apex_epsilon(config, 0) == 0.4, boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(its_fields_are_those_that_count_and_travel_as_text) {
  rl::ApexConfig config, copy;
  auto fields = config.fields();
  auto has = [&](const char* name) {
    return std::any_of(fields.begin(), fields.end(), [&](auto& each) { return each.name == name; });
  };
  BOOST_TEST(has("shards"));
  BOOST_TEST(has("duelling"));
  for (auto* unused : {"train_interval", "gradient_steps", "epsilon_start", "beta_steps"})
    BOOST_TEST(!has(unused), unused);
  config.dqn.gamma = 0.123;
  config.dqn.hidden = {3, 4};
  config.shards = 7;
  rl::read_fields(copy.fields(), rl::write_fields(config.fields()));
  BOOST_TEST(copy.dqn.gamma == 0.123);
  BOOST_TEST((copy.dqn.hidden == config.dqn.hidden));
  BOOST_TEST(copy.shards == 7);
  BOOST_TEST(copy.dqn.prioritised);
}

BOOST_AUTO_TEST_CASE(actors_tell_the_td_errors_of_their_own_network) {
  auto config = small();
  rl::ApexActing acting(config, "CartPole-v1", 1, 0, 4, 0);
  auto weights = random_weights(config);
  auto& fragment = acting.act(weights);
  BOOST_TEST(fragment.steps == 40);
  auto& rows = fragment.rows;
  BOOST_TEST_REQUIRE(rows.size() == fragment.errors.size());
  BOOST_TEST(rows.size() >= 40u - 8u); // two steps of each environment still wait
  rl::QNetwork<float> network(
    {rl::make_box(4, -1, 1), rl::Discrete{2}, config.dqn.hidden, "relu", config.dqn.duelling});
  rl::QNetwork<float>::Workspace one, two;
  auto q = network.forward(weights, rows.observation, one);
  auto next = network.forward(weights, rows.next_observation, two);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto target = rows.reward[i] + rows.discount[i] * std::max(next[2 * i], next[2 * i + 1]);
    auto error = q[2 * i + static_cast<std::size_t>(rows.action[i])] - target;
    BOOST_TEST(std::abs(fragment.errors[i] - error) < 1e-5 * (1 + std::abs(error)));
  }
}

BOOST_AUTO_TEST_CASE(environments_spread_over_actors_live_through_the_same) {
  auto config = small();
  rl::ApexActing all(config, "CartPole-v1", 1, 0, 4, 0), part(config, "CartPole-v1", 1, 3, 1, 0),
    later(config, "CartPole-v1", 1, 3, 1, 1);
  auto weights = random_weights(config);
  auto& whole = all.act(weights).rows;
  auto& alone = part.act(weights).rows;
  // The last environment's first transition is the fourth of all.
  for (std::size_t i = 0; i < 4; ++i) {
    BOOST_TEST(whole.observation[3 * 4 + i] == alone.observation[i]);
    BOOST_TEST(whole.next_observation[3 * 4 + i] == alone.next_observation[i]);
  }
  // One that takes the place of a dead one does not live through it again.
  BOOST_TEST(later.act(weights).rows.observation[0] != alone.observation[0]);
}

BOOST_AUTO_TEST_CASE(shards_are_filled_and_drawn_from_in_turn) {
  auto config = small();
  config.shards = 3;
  rl::SerialApexWorkers workers(config, quiet("CartPole-v1", 0));
  workers.set_weights(random_weights(config), 0);
  rl::ApexSample sample;
  BOOST_TEST(workers.act(false, false).fragments == 0);
  BOOST_TEST(!workers.sample(sample)); // nothing yet
  auto size = workers.size();
  for (std::size_t fragment = 0; fragment < 4; ++fragment) {
    BOOST_TEST(workers.act(true, false).steps == 40);
    BOOST_TEST(workers.size() > size);
    size = workers.size();
  }
  std::size_t seen[3] = {};
  for (int i = 0; i < 6; ++i) {
    BOOST_TEST_REQUIRE(workers.sample(sample));
    ++seen[sample.shard];
    BOOST_TEST(sample.sample.numbers.size() == 16u);
    workers.update(sample, std::vector<float>(16, 1.0f));
  }
  for (auto each : seen)
    BOOST_TEST(each == 2u);
}

BOOST_AUTO_TEST_CASE(errors_go_back_to_the_shard_that_the_sample_came_from) {
  auto config = small();
  config.dqn.alpha = 1;
  rl::SerialApexWorkers workers(config, quiet("CartPole-v1", 0));
  workers.set_weights(random_weights(config), 0);
  workers.act(true, false);
  workers.act(true, false);
  rl::ApexSample first, second;
  workers.sample(first);
  workers.sample(second);
  BOOST_TEST(first.shard != second.shard);
  std::vector<float> errors(16, 0.0f);
  errors[5] = 1e9f;
  auto wanted = first.sample.numbers[5];
  for (std::size_t i = 0; i < 16; ++i) // it may have been drawn more than once
    if (first.sample.numbers[i] == wanted)
      errors[i] = 1e9f;
  workers.update(first, errors);
  workers.sample(first);
  workers.sample(second);
  BOOST_TEST(std::count(first.sample.numbers.begin(), first.sample.numbers.end(), wanted) == 16);
  BOOST_TEST(std::count(second.sample.numbers.begin(), second.sample.numbers.end(), wanted) < 16);
}

BOOST_AUTO_TEST_CASE(actors_wait_while_they_are_ahead_of_the_learner) {
  for (double ratio : {2.0, 10.0}) {
    rl::test::TemporaryFolder folder;
    auto config = small();
    config.steps_per_update = ratio;
    auto options = quiet("CartPole-v1", 3000);
    options.logdir = folder.path;
    rl::Run run(options, "apex", config.fields());
    rl::SerialApexWorkers workers(config, options);
    rl::train_apex(config, run, workers);
    rl::Dqn dqn(config.dqn, rl::dqn_spec(config.dqn, options), 1);
    dqn.load(rl::Checkpoint::read(rl::Run::checkpoint_file(folder.path)));
    auto expected = (3000 - 200) / ratio;
    BOOST_TEST(std::abs(static_cast<double>(dqn.updates()) - expected) <= 2 * 40 / ratio);
  }
}

BOOST_AUTO_TEST_CASE(training_repeats_itself_and_resumes_to_the_last_bit) {
  auto straight = train(small(), quiet("CartPole-v1", 2000));
  BOOST_TEST(train(small(), quiet("CartPole-v1", 2000)).weights == straight.weights,
             boost::test_tools::per_element());
  rl::test::TemporaryFolder folder;
  auto options = quiet("CartPole-v1", 970);
  options.logdir = folder.path;
  BOOST_TEST(train(small(), options).steps < straight.steps);
  auto more = quiet("CartPole-v1", 2000);
  more.resume = folder.path;
  BOOST_TEST(train(small(), more).weights == straight.weights, boost::test_tools::per_element());
  auto config = small();
  config.shards = 3;
  BOOST_TEST(fails(ErrorCode::bad_checkpoint, [&] { train(config, more); }, {"2 shards", "3"}));
}

BOOST_AUTO_TEST_CASE(the_log_tells_rates_and_what_was_learnt) {
  rl::test::TemporaryFolder folder;
  auto options = quiet("CartPole-v1", 1500);
  options.logdir = folder.path;
  train(small(), options);
  auto log = rl::read_csv(folder.path / "log.csv");
  for (auto* name : {"replay/added_per_second", "replay/sampled_per_second", "loss/huber"})
    BOOST_TEST(log.column(name).back() > 0, name);
  BOOST_TEST(log.column("replay/size").back() == 900);
  BOOST_TEST(log.column("actors/deaths").back() == 0);
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_refused) {
  BOOST_TEST(fails(ErrorCode::bad_space, [] { train(small(), quiet("Pendulum-v1", 100)); },
                   {"apex", "Pendulum-v1", "sac"}));
}

BOOST_AUTO_TEST_SUITE_END()
