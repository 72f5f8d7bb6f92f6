#include "rl/td3.hpp"

#include "tests/rl/off_policy.hpp"

namespace {

using rl::test::check_slope, rl::test::normals;

rl::Td3Config small() {
  rl::Td3Config config;
  config.hidden = {16, 16};
  config.minibatch = 32;
  config.capacity = 500; // goes round
  config.learning_starts = 100;
  config.log_steps = 100;
  return config;
}

struct Fixture {
  static constexpr std::size_t rows = 7;
  rl::Td3Policy<double> policy{3, 2, {6, 5}, "tanh"};
  rl::TwinCritic<double> critic{3, 2, {5, 4}, "tanh"};
  std::vector<double> p = normals(policy.network.parameter_count(), 1, 0.4),
                      q = normals(critic.parameter_count(), 2, 0.4),
                      observation = normals(rows * 3, 3);
  rl::Td3Policy<double>::Workspace workspace;
  rl::TwinCritic<double>::Workspace critic_workspace;
};

std::vector<float> copy(std::span<const float> values) {
  return {values.begin(), values.end()};
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(td3, Fixture)

BOOST_AUTO_TEST_CASE(the_critics_gradient_is_the_slope_of_their_loss) {
  auto action = normals(rows * 2, 5), target = normals(rows, 6);
  std::vector<double> gradient(q.size()), unused(q.size());
  auto loss = [&](std::vector<double>& into) {
    return rl::td3_critic_loss<double>(critic, q, observation, action, target, into,
                                       critic_workspace);
  };
  loss(gradient);
  check_slope(q, gradient, [&] { return loss(unused); });
}

BOOST_AUTO_TEST_CASE(the_policys_gradient_is_the_slope_of_its_loss) {
  std::vector<double> gradient(p.size()), unused(p.size());
  auto loss = [&](std::vector<double>& into) {
    return rl::td3_policy_loss<double>(policy, p, critic, q, observation, into, workspace,
                                       critic_workspace);
  };
  loss(gradient);
  check_slope(p, gradient, [&] { return loss(unused); });
}

BOOST_AUTO_TEST_CASE(targets_take_the_smaller_critic_at_a_blurred_action) {
  auto config = small();
  config.target_noise = 5; // clipped almost always
  config.target_noise_clip = 0.4;
  config.policy_delay = 1;
  rl::Td3 learner(config, 3, 2, 5);
  auto sample = rl::test::sample_of_pairs(8);
  rl::Rng rng(rl::derive_seed(5, "target noise")); // a copy of the learner's stream
  rl::Td3Policy<float> same(3, 2, config.hidden, config.activation);
  rl::Td3Policy<float>::Workspace memory;
  auto blurred = copy(same.act(learner.target_weights(), sample.rows.next_observation, memory));
  for (auto& each : blurred)
    each =
      std::clamp(each + static_cast<float>(std::clamp(5 * rng.normal(), -0.4, 0.4)), -1.0f, 1.0f);
  rl::TwinCritic<float> twin(3, 2, config.hidden, config.activation);
  rl::TwinCritic<float>::Workspace twin_memory;
  auto values = twin.forward(learner.critic_target_weights(), sample.rows.next_observation, blurred,
                             twin_memory);
  auto targets = learner.targets(sample.rows);
  for (std::size_t i = 0; i < 8; ++i)
    BOOST_TEST(std::abs(targets[i]
                        - (sample.rows.reward[i]
                           + sample.rows.discount[i] * std::min(values.first[i], values.second[i])))
               < 1e-6);
}

BOOST_AUTO_TEST_CASE(policy_and_targets_move_in_every_second_step_only) {
  auto config = small();
  config.tau = 0.25;
  rl::Td3 learner(config, 3, 2, 5);
  auto sample = rl::test::sample_of_pairs(8);
  for (int update = 1; update <= 4; ++update) {
    auto policy_before = copy(learner.weights()), target_before = copy(learner.target_weights()),
         critic_before = copy(learner.critic_weights()),
         critic_target_before = copy(learner.critic_target_weights());
    auto moved = learner.update(sample).policy_moved;
    BOOST_TEST(moved == (update % 2 == 0));
    BOOST_TEST((copy(learner.critic_weights()) != critic_before));
    BOOST_TEST((copy(learner.weights()) != policy_before) == moved);
    BOOST_TEST((copy(learner.critic_target_weights()) != critic_target_before) == moved);
    for (std::size_t i = 0; moved && i < target_before.size(); ++i)
      BOOST_TEST(std::abs(learner.target_weights()[i]
                          - (0.75f * target_before[i] + 0.25f * learner.weights()[i]))
                 < 1e-6f);
  }
}

BOOST_AUTO_TEST_CASE(it_explores_with_the_deviation_asked_for_and_stays_inside) {
  auto config = small();
  config.exploration_noise = 0.3;
  rl::Td3 learner(config, 3, 2, 5);
  std::vector<float> x = {0.1f, 0.2f, 0.3f}, middle(2), action(2);
  learner.act_greedily(x, middle);
  rl::Rng rngs[] = {rl::Rng(1)};
  double square = 0;
  bool inside = true;
  for (int i = 0; i < 20'000; ++i) {
    learner.act(x, rngs, action);
    square += std::pow(action[0] - middle[0], 2) / 20'000;
    inside = inside && std::abs(action[0]) <= 1 && std::abs(action[1]) <= 1;
  }
  BOOST_TEST(inside);
  BOOST_TEST(std::abs(std::sqrt(square) - 0.3) < 0.01);
}

BOOST_AUTO_TEST_CASE(runs_repeat_themselves_and_resume_to_the_last_bit) {
  rl::test::check_repeats_and_resumes(small(), "td3", rl::train_td3);
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_refused_and_divergence_stops) {
  rl::test::check_refuses(small(), "td3", rl::train_td3);
}

BOOST_AUTO_TEST_SUITE_END()
