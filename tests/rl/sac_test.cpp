#include "rl/sac.hpp"

#include "rl/nn/squashed.hpp"
#include "tests/rl/off_policy.hpp"

namespace {

using rl::test::check_slope, rl::test::normals;

rl::SacConfig small() {
  rl::SacConfig config;
  config.hidden = {16, 16};
  config.minibatch = 32;
  config.capacity = 500; // goes round
  config.learning_starts = 100;
  config.learning_rate = 1e-3;
  config.log_steps = 100;
  return config;
}

struct Fixture {
  static constexpr std::size_t rows = 20;
  rl::SacPolicy<double> policy{3, 2, {6, 5}, "tanh"};
  rl::TwinCritic<double> critic{3, 2, {5, 4}, "tanh"};
  std::vector<double> p = normals(policy.network.parameter_count(), 1, 0.4),
                      q = normals(critic.parameter_count(), 8, 0.8),
                      observation = normals(rows * 3, 3), noise = normals(rows * 2, 4);
  rl::SacPolicy<double>::Workspace workspace;
  rl::TwinCritic<double>::Workspace critic_workspace;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(sac, Fixture)

BOOST_AUTO_TEST_CASE(the_critics_gradient_is_the_slope_of_their_loss) {
  auto action = normals(rows * 2, 5), target = normals(rows, 6);
  std::vector<double> gradient(q.size()), unused(q.size());
  auto loss = [&](std::vector<double>& into) {
    return rl::sac_critic_loss<double>(critic, q, observation, action, target, into,
                                       critic_workspace);
  };
  loss(gradient);
  check_slope(q, gradient, [&] { return loss(unused); });
}

BOOST_AUTO_TEST_CASE(the_policys_gradient_is_the_slope_of_its_loss) {
  std::vector<double> gradient(p.size()), unused(p.size());
  auto loss = [&](std::vector<double>& into) {
    return rl::sac_policy_loss<double>(policy, p, critic, q, 0.3, observation, noise, into,
                                       workspace, critic_workspace);
  };
  auto losses = loss(gradient);
  BOOST_TEST(losses.policy == -0.3 * losses.entropy - losses.q,
             boost::test_tools::tolerance(1e-12));
  auto values = critic.forward(q, observation, workspace.action, critic_workspace);
  int firsts = 0;
  for (std::size_t i = 0; i < rows; ++i)
    firsts += values.first[i] < values.second[i];
  BOOST_TEST(firsts > 0); // each critic is the smaller one somewhere
  BOOST_TEST(firsts < static_cast<int>(rows));
  check_slope(p, gradient, [&] { return loss(unused).policy; });
}

BOOST_AUTO_TEST_CASE(targets_pay_for_entropy_and_take_the_smaller_critic) {
  auto config = small();
  config.hidden = {4};
  config.alpha = 0.5;
  rl::Sac learner(config, 3, 2, 5);
  auto sample = rl::test::sample_of_pairs(8);
  learner.update(sample); // targets and critics differ from here on
  // The same once more, from parts: noise from a copy of the learner's stream.
  rl::Rng rng(rl::derive_seed(5, "policy noise"));
  std::vector<float> drawn(16);
  rng.fill_normal(drawn); // of the update's targets
  rng.fill_normal(drawn); // of its policy step
  rng.fill_normal(drawn);
  rl::SacPolicy<float> same(3, 2, config.hidden, config.activation);
  rl::SacPolicy<float>::Workspace memory;
  same.act(learner.weights(), sample.rows.next_observation, drawn, memory);
  rl::TwinCritic<float> twin(3, 2, config.hidden, config.activation);
  rl::TwinCritic<float>::Workspace twin_memory;
  auto values = twin.forward(learner.target_weights(), sample.rows.next_observation, memory.action,
                             twin_memory);
  auto targets = learner.targets(sample.rows);
  for (std::size_t i = 0; i < 8; ++i) {
    auto next = std::min(values.first[i], values.second[i])
                - static_cast<float>(learner.alpha()) * memory.log_prob[i];
    BOOST_TEST(std::abs(targets[i] - (sample.rows.reward[i] + sample.rows.discount[i] * next))
               < 1e-5);
    if (sample.rows.discount[i] == 0)
      BOOST_TEST(targets[i] == sample.rows.reward[i]); // nothing follows, entropy neither
  }
}

BOOST_AUTO_TEST_CASE(the_temperature_rises_below_the_target_entropy_and_falls_above) {
  auto sample = rl::test::sample_of_pairs(64);
  for (double target : {100.0, -100.0}) {
    auto config = small();
    config.target_entropy = target;
    rl::Sac learner(config, 3, 2, 5);
    auto before = learner.alpha();
    learner.update(sample);
    BOOST_TEST((learner.alpha() > before) == (target > 0));
    config.tune_alpha = false;
    rl::Sac fixed(config, 3, 2, 5);
    fixed.update(sample);
    BOOST_TEST(fixed.alpha() == before);
  }
}

BOOST_AUTO_TEST_CASE(entropy_settles_at_its_target_of_minus_one_a_number) {
  auto config = small();
  config.learning_rate = 0.01;
  rl::Sac learner(config, 3, 2, 5);
  auto sample = rl::test::sample_of_pairs(64);
  std::fill(sample.rows.reward.begin(), sample.rows.reward.end(), 0.0f);
  rl::SacLosses losses;
  double entropy = 0;
  for (int i = 0; i < 3000; ++i) {
    losses = learner.update(sample);
    if (i >= 2500)
      entropy += losses.entropy / 500;
  }
  BOOST_TEST(std::abs(entropy - -2) < 0.3);
}

BOOST_AUTO_TEST_CASE(target_critics_follow_by_polyak_averaging) {
  auto config = small();
  config.tau = 0.25;
  rl::Sac learner(config, 3, 2, 5);
  std::vector<float> before(learner.target_weights().begin(), learner.target_weights().end());
  learner.update(rl::test::sample_of_pairs(8));
  for (std::size_t i = 0; i < before.size(); ++i)
    BOOST_TEST(std::abs(learner.target_weights()[i]
                        - (0.75f * before[i] + 0.25f * learner.critic_weights()[i]))
               < 1e-6f);
}

BOOST_AUTO_TEST_CASE(rows_act_by_themselves_and_inside_the_box) {
  rl::Sac learner(small(), 3, 2, 5);
  std::vector<float> x(5 * 3), together(10), alone(2);
  rl::Rng(1).fill_normal(x);
  std::vector<rl::Rng> rngs, again;
  for (std::uint64_t i = 0; i < 5; ++i) {
    rngs.emplace_back(i);
    again.emplace_back(i);
  }
  learner.act(x, rngs, together);
  for (std::size_t row = 0; row < 5; ++row) {
    learner.act(std::span(x).subspan(3 * row, 3), std::span(again).subspan(row, 1), alone);
    for (std::size_t i = 0; i < 2; ++i) {
      BOOST_TEST(alone[i] == together[2 * row + i]);
      BOOST_TEST(std::abs(alone[i]) <= 1);
    }
  }
}

BOOST_AUTO_TEST_CASE(runs_repeat_themselves_and_resume_to_the_last_bit) {
  rl::test::check_repeats_and_resumes(small(), "sac", rl::train_sac);
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_refused_and_divergence_stops) {
  rl::test::check_refuses(small(), "sac", rl::train_sac);
}

BOOST_AUTO_TEST_SUITE_END()
