#include "rl/policy.hpp"

#include <cmath>

#include "tests/rl/support.hpp"

namespace {

rl::PolicySpec spec(rl::Space actions) {
  return {rl::make_box(3, -1, 1), std::move(actions), {8, 8}, "tanh"};
}

std::vector<float> normals(std::size_t size, std::uint64_t seed) {
  std::vector<float> values(size);
  rl::Rng(seed).fill_normal(values);
  return values;
}

std::vector<rl::Rng> streams(std::size_t count) {
  std::vector<rl::Rng> rngs;
  for (std::size_t i = 0; i < count; ++i)
    rngs.emplace_back(i);
  return rngs;
}

} // namespace

BOOST_AUTO_TEST_SUITE(policy)

BOOST_AUTO_TEST_CASE(actions_and_their_log_probs_do_not_depend_on_the_batch) {
  for (auto& actions : {rl::Space(rl::Discrete{4}), rl::Space(rl::make_box(2, -1, 1))}) {
    rl::ActorCritic<float> policy(spec(actions));
    auto weights = normals(policy.parameter_count(), 1);
    constexpr std::size_t rows = 13;
    auto observation = normals(rows * 3, 2);
    auto width = policy.action_size();
    std::vector<float> together(rows * width), together_log(rows), alone(width), alone_log(1);
    rl::ActorCritic<float>::Workspace workspace;
    auto rngs = streams(rows), again = streams(rows);
    policy.act(weights, observation, rngs, together, together_log, workspace);
    for (std::size_t row = 0; row < rows; ++row) {
      policy.act(weights, std::span(observation).subspan(row * 3, 3),
                 std::span(again).subspan(row, 1), alone, alone_log, workspace);
      BOOST_TEST(alone_log[0] == together_log[row]);
      for (std::size_t i = 0; i < width; ++i)
        BOOST_TEST(alone[i] == together[row * width + i]);
    }
  }
}

BOOST_AUTO_TEST_CASE(evaluate_gives_the_log_prob_that_act_gave) {
  for (auto& actions : {rl::Space(rl::Discrete{4}), rl::Space(rl::make_box(2, -1, 1))}) {
    rl::ActorCritic<float> policy(spec(actions));
    auto weights = normals(policy.parameter_count(), 1), observation = normals(15, 2);
    std::vector<float> action(5 * policy.action_size()), acted(5), evaluated(5), entropy(5);
    rl::ActorCritic<float>::Workspace workspace;
    auto rngs = streams(5);
    policy.act(weights, observation, rngs, action, acted, workspace);
    policy.evaluate(weights, observation, action, evaluated, entropy, workspace);
    BOOST_TEST(acted == evaluated, boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(the_standard_deviation_does_not_depend_on_the_state) {
  rl::ActorCritic<double> policy(spec(rl::make_box(2, -1, 1)));
  rl::Rng rng(1);
  auto weights = policy.initialise(rng);
  std::vector<double> observation(30), log_prob(10), entropy(10);
  for (auto& each : observation)
    each = rng.normal();
  std::vector<float> action(20);
  rl::ActorCritic<double>::Workspace workspace;
  policy.evaluate(weights, observation, action, log_prob, entropy, workspace);
  for (auto each : entropy)
    BOOST_TEST(each == entropy[0]);
}

BOOST_AUTO_TEST_CASE(a_fresh_policy_hardly_prefers_any_action) {
  rl::ActorCritic<float> policy(spec(rl::Discrete{2}));
  rl::Rng rng(1);
  auto weights = policy.initialise(rng);
  auto observation = normals(30, 2);
  std::vector<float> action(10), log_prob(10), entropy(10);
  rl::ActorCritic<float>::Workspace workspace;
  policy.evaluate(weights, observation, action, log_prob, entropy, workspace);
  for (auto each : entropy)
    BOOST_TEST(std::abs(each - std::log(2.0f)) < 1e-3f);
}

BOOST_AUTO_TEST_CASE(clipping_is_for_boxes_and_by_feature) {
  std::vector<float> action = {-3, 5, 0.5f, 3};
  rl::clip_to_space(rl::make_box({-1, 0}, {1, 4}), action);
  BOOST_TEST(action == (std::vector<float>{-1, 4, 0.5f, 3}), boost::test_tools::per_element());
  rl::clip_to_space(rl::Discrete{2}, action);
  BOOST_TEST(action[3] == 3);
}

BOOST_AUTO_TEST_CASE(spaces_that_do_not_fit_are_refused) {
  using rl::ErrorCode;
  auto make = [](rl::PolicySpec spec) { return [=] { rl::ActorCritic<float>{spec}; }; };
  BOOST_TEST(rl::test::fails(
    ErrorCode::bad_space, make({rl::Discrete{5}, rl::Discrete{2}, {8}, "tanh"}), {"Discrete(5)"}));
  BOOST_TEST(rl::test::fails(ErrorCode::bad_space,
                             make({rl::make_box(3, -1, 1), rl::Discrete{1}, {8}, "tanh"})));
  BOOST_TEST(rl::test::fails(ErrorCode::bad_value,
                             make({rl::make_box(3, -1, 1), rl::Discrete{2}, {8, 0}, "tanh"})));
  BOOST_TEST(rl::test::fails(ErrorCode::unknown_name,
                             make({rl::make_box(3, -1, 1), rl::Discrete{2}, {8}, "tahn"})));
}

BOOST_AUTO_TEST_CASE(a_workspace_that_served_a_deeper_network_serves_a_shallow_one) {
  rl::ActorCritic<float> deep({rl::make_box(3, -1, 1), rl::Discrete{4}, {8, 8, 8}, "tanh"});
  rl::ActorCritic<float> shallow({rl::make_box(3, -1, 1), rl::Discrete{4}, {8}, "tanh"});
  auto weights = normals(shallow.parameter_count(), 1), observation = normals(15, 2);
  std::vector<float> action = {0, 1, 2, 3, 0}, log_prob(5), entropy(5), slopes(5, 1.0f);
  auto gradient = [&](rl::ActorCritic<float>::Workspace& workspace) {
    std::vector<float> result(weights.size());
    shallow.evaluate(weights, observation, action, log_prob, entropy, workspace);
    shallow.value(weights, observation, workspace);
    shallow.backward(weights, observation, action, slopes, slopes, slopes, result, workspace);
    return result;
  };
  rl::ActorCritic<float>::Workspace fresh, used;
  deep.evaluate(normals(deep.parameter_count(), 3), observation, action, log_prob, entropy, used);
  BOOST_TEST(gradient(used) == gradient(fresh), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
