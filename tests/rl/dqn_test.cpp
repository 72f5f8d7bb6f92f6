#include "rl/dqn.hpp"

#include <algorithm>
#include <cmath>

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

rl::TrainResult train(rl::DqnConfig config, const rl::RunOptions& options) {
  rl::Run run(options, "dqn", config.fields());
  return rl::train_dqn(config, run);
}

// Everything that can be switched on, and small.
rl::DqnConfig full_config() {
  rl::DqnConfig config;
  config.hidden = {16, 16};
  config.envs = 2;
  config.n_step = 3;
  config.duelling = true;
  config.prioritised = true;
  config.capacity = 700; // goes round
  config.learning_starts = 100;
  config.target_interval = 20;
  config.minibatch = 16;
  config.log_steps = 100;
  return config;
}

std::vector<float> normals(std::size_t size, std::uint64_t seed) {
  std::vector<float> values(size);
  rl::Rng(seed).fill_normal(values);
  return values;
}

// Twelve transitions with rewards so different that TD errors lie on both sides of 1.
rl::ReplaySample sample_for(std::size_t features) {
  rl::ReplaySample sample{{features, 1}, {}, {}};
  sample.rows.resize(12);
  sample.rows.observation = normals(12 * features, 1);
  sample.rows.next_observation = normals(12 * features, 2);
  sample.rows.reward = normals(12, 3);
  rl::Rng rng(4);
  for (std::size_t i = 0; i < 12; ++i) {
    sample.rows.reward[i] *= 2;
    sample.rows.action[i] = static_cast<float>(rng.below(3));
    sample.rows.discount[i] = i % 4 == 0 ? 0 : i % 4 == 1 ? 0.9f : 0.81f;
    sample.importance.push_back(static_cast<float>(rng.uniform(0.2, 1)));
    sample.numbers.push_back(i);
  }
  return sample;
}

} // namespace

BOOST_AUTO_TEST_SUITE(dqn)

BOOST_AUTO_TEST_CASE(the_gradient_is_the_slope_of_the_loss) {
  for (bool duelling : {false, true}) {
    rl::QNetwork<double> network(
      {rl::make_box(4, -1, 1), rl::Discrete{3}, {6, 5}, "tanh", duelling});
    auto sample = sample_for(4);
    rl::DqnMinibatch<double> mini{
      {sample.rows.observation.begin(), sample.rows.observation.end()},
      sample.rows.action,
      {sample.rows.reward.begin(), sample.rows.reward.end()}, // as targets
      {sample.importance.begin(), sample.importance.end()}};
    rl::Rng rng(1);
    std::vector<double> p(network.parameter_count()), gradient(p.size()), unused(p.size()),
      error(12);
    for (auto& each : p)
      each = 0.3 * rng.normal();
    rl::QNetwork<double>::Workspace workspace;
    rl::dqn_loss<double>(network, p, mini, gradient, error, workspace);
    auto beyond =
      std::count_if(error.begin(), error.end(), [](auto each) { return std::abs(each) > 1; });
    BOOST_TEST(beyond > 2); // both branches are there
    BOOST_TEST(beyond < 10);
    for (std::size_t i = 0; i < p.size(); ++i) {
      constexpr double h = 1e-6;
      auto loss = [&] {
        return rl::dqn_loss<double>(network, p, mini, unused, error, workspace).loss;
      };
      auto was = p[i];
      p[i] = was + h;
      auto above = loss();
      p[i] = was - h;
      auto below = loss();
      p[i] = was;
      BOOST_TEST(std::abs((above - below) / (2 * h) - gradient[i]) < 1e-8);
    }
  }
}

// The formulas by plain loops: targets of one and of double Q-learning, weighed Huber loss, Adam's
// first step.
BOOST_AUTO_TEST_CASE(an_update_does_what_the_formulas_say) {
  for (bool double_q : {false, true}) {
    rl::DqnConfig config;
    config.double_q = double_q;
    config.target_interval = 2;
    config.learning_rate = 0.3;
    config.max_gradient_norm = 0;
    rl::QSpec spec{rl::make_box(2, -1, 1), rl::Discrete{3}, {}, "tanh"}; // linear: Q = x W + b
    rl::Dqn dqn(config, spec, 5);
    auto sample = sample_for(2);
    std::vector<float> error(12);
    dqn.update(sample, error); // network and target network differ from here on
    std::vector<double> w(dqn.weights().begin(), dqn.weights().end()),
      old(dqn.target_weights().begin(), dqn.target_weights().end());
    auto value = [](const std::vector<double>& p, const float* x, std::size_t a) {
      return x[0] * p[a] + x[1] * p[3 + a] + p[6 + a];
    };
    std::vector<double> target(12), gradient(9);
    double loss = 0;
    bool differ = false;
    for (std::size_t i = 0; i < 12; ++i) {
      auto* next = &sample.rows.next_observation[2 * i];
      std::size_t chosen = 0, judged = 0;
      for (std::size_t a = 1; a < 3; ++a) {
        chosen = value(w, next, a) > value(w, next, chosen) ? a : chosen;
        judged = value(old, next, a) > value(old, next, judged) ? a : judged;
      }
      differ = differ || chosen != judged;
      target[i] = sample.rows.reward[i]
                  + sample.rows.discount[i] * value(old, next, double_q ? chosen : judged);
      auto* x = &sample.rows.observation[2 * i];
      auto a = static_cast<std::size_t>(sample.rows.action[i]);
      auto delta = value(w, x, a) - target[i];
      auto weight = sample.importance[i] / 12.0;
      loss += weight * (std::abs(delta) <= 1 ? delta * delta / 2 : std::abs(delta) - 0.5);
      auto slope = weight * std::max(-1.0, std::min(1.0, delta));
      gradient[a] += slope * x[0];
      gradient[3 + a] += slope * x[1];
      gradient[6 + a] += slope;
    }
    BOOST_TEST(differ); // so that the two kinds are told apart
    auto targets = dqn.targets(sample.rows);
    for (std::size_t i = 0; i < 12; ++i)
      BOOST_TEST(std::abs(targets[i] - target[i]) < 1e-5);
    double norm = 0;
    for (auto each : gradient)
      norm += each * each;
    auto losses = dqn.update(sample, error);
    BOOST_TEST(std::abs(losses.loss - loss) < 1e-5);
    BOOST_TEST(std::abs(losses.gradient_norm - std::sqrt(norm)) < 1e-5);
    for (std::size_t i = 0; i < 12; ++i) {
      auto* x = &sample.rows.observation[2 * i];
      auto a = static_cast<std::size_t>(sample.rows.action[i]);
      BOOST_TEST(std::abs(error[i] - (value(w, x, a) - target[i])) < 1e-5);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_target_network_stands_still_between_copies) {
  rl::DqnConfig config;
  config.target_interval = 3;
  rl::Dqn dqn(config, {rl::make_box(2, -1, 1), rl::Discrete{3}, {4}}, 5);
  auto sample = sample_for(2);
  std::vector<float> error(12);
  auto copy = [](std::span<const float> values) {
    return std::vector<float>(values.begin(), values.end());
  };
  auto before = copy(dqn.target_weights());
  BOOST_TEST(before == copy(dqn.weights()), boost::test_tools::per_element());
  for (int update = 1; update <= 7; ++update) {
    dqn.update(sample, error);
    if (update % 3 == 0) {
      before = copy(dqn.weights());
    } else {
      BOOST_TEST((copy(dqn.weights()) != before));
    }
    BOOST_TEST(copy(dqn.target_weights()) == before, boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(schedules_are_linear_and_then_stay) {
  rl::DqnConfig config;
  config.epsilon_start = 1;
  config.epsilon_end = 0.2;
  config.epsilon_steps = 1000;
  config.beta = 0.4;
  config.beta_steps = 100;
  BOOST_TEST(rl::dqn_epsilon(config, 0) == 1);
  BOOST_TEST(rl::dqn_epsilon(config, 500) == 0.6, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(rl::dqn_epsilon(config, 5000) == 0.2, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(rl::dqn_beta(config, 50) == 0.7, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(rl::dqn_beta(config, 500) == 1, boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(training_repeats_itself_to_the_last_bit) {
  auto options = quiet("CartPole-v1", 1500);
  auto one = train(full_config(), options), two = train(full_config(), options);
  BOOST_TEST(one.weights == two.weights, boost::test_tools::per_element());
  BOOST_TEST(one.evaluation.mean == two.evaluation.mean);
  options.seed = 2;
  BOOST_TEST((train(full_config(), options).weights != one.weights));
}

BOOST_AUTO_TEST_CASE(every_switch_changes_what_is_learnt) {
  auto options = quiet("CartPole-v1", 600);
  auto config = full_config();
  config.hidden = {}; // so that duelling has other weights, and the same number in each stream
  auto all = train(config, options).weights;
  auto without = [&](auto change) {
    auto changed = config;
    change(changed);
    return train(changed, options).weights;
  };
  BOOST_TEST((without([](auto& c) { c.double_q = false; }) != all));
  BOOST_TEST((without([](auto& c) { c.duelling = false; }) != all));
  BOOST_TEST((without([](auto& c) { c.n_step = 1; }) != all));
  BOOST_TEST((without([](auto& c) { c.prioritised = false; }) != all));
  BOOST_TEST((without([](auto& c) { c.anneal = true; }) != all));
  BOOST_TEST((without([](auto&) {}) == all));
}

BOOST_AUTO_TEST_CASE(a_resumed_run_ends_where_one_that_never_stopped_does) {
  rl::test::TemporaryFolder folder;
  auto straight = train(full_config(), quiet("CartPole-v1", 2000));
  auto options = quiet("CartPole-v1", 950); // between two rows of the log
  options.logdir = folder.path / "run";
  auto stopped = train(full_config(), options);
  BOOST_TEST(stopped.steps < straight.steps);
  auto more = quiet("CartPole-v1", 2000);
  more.resume = folder.path / "run";
  auto resumed = train(full_config(), more);
  BOOST_TEST(resumed.steps == straight.steps);
  BOOST_TEST(resumed.weights == straight.weights, boost::test_tools::per_element());
  BOOST_TEST(resumed.evaluation.mean == straight.evaluation.mean);
}

BOOST_AUTO_TEST_CASE(a_checkpoint_of_other_settings_is_refused) {
  rl::test::TemporaryFolder folder;
  auto options = quiet("CartPole-v1", 300);
  options.logdir = folder.path;
  train(full_config(), options);
  options.resume = folder.path;
  auto refused = [&](auto change, std::initializer_list<const char*> words) {
    auto config = full_config();
    change(config);
    return fails(
      ErrorCode::bad_checkpoint, [&] { train(config, options); }, words);
  };
  BOOST_TEST(refused([](auto& c) { c.hidden = {8}; }, {"weights", "layers"}));
  BOOST_TEST(refused([](auto& c) { c.capacity = 800; }, {"room for 700", "800"}));
  BOOST_TEST(refused([](auto& c) { c.prioritised = false; }, {"replay"}));
  BOOST_TEST(refused([](auto& c) { c.envs = 3; }, {"2 environments", "3"}));
  BOOST_TEST(refused([](auto& c) { c.n_step = 1; }, {"3 steps", "1"}));
}

BOOST_AUTO_TEST_CASE(a_diverged_run_stops_with_the_step_and_a_saved_state) {
  rl::test::TemporaryFolder folder;
  auto config = full_config();
  config.prioritised = false;
  config.reward_scale = 1e38;
  config.n_step = 4; // sums of rewards overflow
  config.learning_starts = 200;
  auto options = quiet("CartPole-v1", 5000);
  options.logdir = folder.path;
  BOOST_TEST(fails(ErrorCode::not_finite, [&] { train(config, options); },
                   {"finite in gradient step", "diverged", "learning_rate"}));
  options.resume = folder.path;
  rl::Run resumed(options, "dqn", config.fields());
  BOOST_TEST(resumed.steps() > 0);
}

BOOST_AUTO_TEST_CASE(what_dqn_cannot_do_is_refused_with_what_can) {
  BOOST_TEST(fails(ErrorCode::bad_space, [] { train({}, quiet("Pendulum-v1", 100)); },
                   {"dqn", "Pendulum-v1", "sac", "td3"}));
  auto options = quiet("CartPole-v1", 100);
  options.workers = 2;
  BOOST_TEST(
    fails(ErrorCode::bad_value, [&] { train({}, options); }, {"workers=2", "apex", "workers=0"}));
}

BOOST_AUTO_TEST_SUITE_END()
