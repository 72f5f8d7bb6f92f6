#include "rl/workers.hpp"

#include <cmath>

#include "tests/rl/counting_env.hpp"
#include "rl/env/registry.hpp"
#include "tests/rl/support.hpp"

namespace {

rl::WorkersSpec spec_for(const std::string& name, int envs) {
  auto env = rl::make_env(name);
  return {name, 11, envs, {env->observation_space(), env->action_space(), {8}, "tanh"}};
}

std::vector<float> weights_for(const rl::WorkersSpec& spec) {
  std::vector<float> weights(rl::ActorCritic<float>(spec.policy).parameter_count());
  rl::Rng(5).fill_normal(weights);
  return weights;
}

void check_equal(const rl::Batch& a, const rl::Batch& b) {
  BOOST_TEST((a.shape == b.shape));
  BOOST_TEST(a.observation == b.observation, boost::test_tools::per_element());
  BOOST_TEST(a.action == b.action, boost::test_tools::per_element());
  BOOST_TEST(a.log_prob == b.log_prob, boost::test_tools::per_element());
  BOOST_TEST(a.reward == b.reward, boost::test_tools::per_element());
  BOOST_TEST((a.terminated == b.terminated));
  BOOST_TEST((a.truncated == b.truncated));
  BOOST_TEST(a.final_observation == b.final_observation, boost::test_tools::per_element());
  BOOST_TEST(a.ends.size() == b.ends.size());
}

} // namespace

BOOST_AUTO_TEST_SUITE(workers)

BOOST_AUTO_TEST_CASE(environments_spread_over_workers_give_the_same_batch_to_the_last_bit) {
  for (auto* name : {"CartPole-v1", "Pendulum-v1"}) {
    auto spec = spec_for(name, 7);
    auto weights = weights_for(spec);
    rl::SerialWorkers all(spec);
    all.set_weights(weights);
    rl::RolloutWorker parts[] = {{spec, 0, 1}, {spec, 1, 4}, {spec, 5, 2}};
    for (int fragment = 0; fragment < 4; ++fragment) {
      rl::Batch whole, joined, part;
      all.sample(60, whole);
      joined.resize(whole.shape);
      for (std::size_t first = 0; auto& worker : parts) {
        worker.sample(weights, 60, part);
        joined.insert(part.view(), first);
        first += static_cast<std::size_t>(worker.count());
      }
      joined.sort_ends();
      check_equal(joined, whole);
    }
  }
}

BOOST_AUTO_TEST_CASE(fragments_go_on_where_the_one_before_stopped) {
  auto spec = spec_for("CartPole-v1", 3);
  rl::SerialWorkers once(spec), twice(spec);
  auto weights = weights_for(spec);
  once.set_weights(weights);
  twice.set_weights(weights);
  rl::Batch whole, first, second;
  once.sample(80, whole);
  twice.sample(50, first);
  twice.sample(30, second);
  BOOST_TEST(first.observation_row(50) == second.observation_row(0),
             boost::test_tools::per_element());
  BOOST_TEST(std::span(whole.reward).last(90) == second.reward, boost::test_tools::per_element());
  BOOST_TEST(std::span(whole.action).last(90) == second.action, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(ends_hold_the_final_observation_and_rows_the_next_episode) {
  auto spec = spec_for(rl::test::counting_env(), 4);
  rl::SerialWorkers workers(spec);
  workers.set_weights(weights_for(spec));
  rl::Batch batch;
  workers.sample(40, batch);
  BOOST_TEST(batch.ends.size() > 10u);
  for (std::size_t i = 0; i < batch.ends.size(); ++i) {
    auto& end = batch.ends[i];
    auto at = end.time * 4 + end.env;
    auto length = static_cast<float>(end.episode.length);
    BOOST_TEST(batch.final_observation[i * 2] == length);
    BOOST_TEST(batch.final_observation[i * 2 + 1] == length);
    BOOST_TEST(batch.observation_row(end.time + 1, end.env)[1] == 0);
    BOOST_TEST(batch.terminated[at] + batch.truncated[at] == 1);
  }
}

BOOST_AUTO_TEST_CASE(actions_are_clipped_for_the_environment_and_kept_as_drawn_in_the_batch) {
  auto spec = spec_for(rl::test::counting_env(), 4); // it throws on an action outside [-1, 1]
  rl::SerialWorkers workers(spec);
  auto weights = weights_for(spec);
  workers.set_weights(weights);
  rl::Batch batch;
  workers.sample(50, batch);
  auto outside = std::count_if(batch.action.begin(), batch.action.end(),
                               [](float a) { return std::abs(a) > 1; });
  BOOST_TEST(outside > 0);
  rl::ActorCritic<float> policy(spec.policy);
  rl::ActorCritic<float>::Workspace workspace;
  std::vector<float> log_prob(batch.size()), entropy(batch.size());
  policy.evaluate(weights, std::span(batch.observation).first(batch.size() * 2), batch.action,
                  log_prob, entropy, workspace);
  BOOST_TEST(log_prob == batch.log_prob, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(saved_workers_continue_to_the_last_bit) {
  auto spec = spec_for("CartPole-v1", 3);
  auto weights = weights_for(spec);
  rl::SerialWorkers one(spec), other(spec);
  one.set_weights(weights);
  other.set_weights(weights);
  rl::Batch batch, continued;
  one.sample(77, batch);
  other.load(one.save());
  one.sample(77, batch);
  other.sample(77, continued);
  check_equal(continued, batch);
}

BOOST_AUTO_TEST_CASE(weights_of_another_size_are_refused) {
  rl::SerialWorkers workers(spec_for("CartPole-v1", 2));
  rl::Batch batch;
  for (std::size_t size : {0, 5}) {
    workers.set_weights(std::vector<float>(size));
    BOOST_TEST(
      rl::test::fails(rl::ErrorCode::bad_value, [&] { workers.sample(1, batch); }, {"weights"}));
  }
}

BOOST_AUTO_TEST_CASE(states_of_another_number_of_environments_are_refused) {
  rl::SerialWorkers three(spec_for("CartPole-v1", 3)), two(spec_for("CartPole-v1", 2));
  BOOST_TEST(
    rl::test::fails(rl::ErrorCode::bad_checkpoint, [&] { two.load(three.save()); }, {"3", "2"}));
}

BOOST_AUTO_TEST_SUITE_END()
