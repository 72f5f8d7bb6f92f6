#include "rl/ppo.hpp"

#include <cmath>
#include <functional>

#include "tests/rl/counting_env.hpp"
#include "rl/presets.hpp"
#include "tests/rl/support.hpp"

namespace {

using rl::ErrorCode;
using rl::test::fails;

// A minibatch with ratios inside and outside the clip range, and advantages of both signs.
rl::PpoMinibatch<double> minibatch(const rl::ActorCritic<double>& policy, std::size_t rows) {
  rl::Rng rng(8);
  rl::PpoMinibatch<double> mini;
  auto& actions = policy.spec().action_space;
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t k = 0; k < policy.observation_size(); ++k)
      mini.observation.push_back(rng.normal());
    if (std::holds_alternative<rl::Discrete>(actions))
      mini.action.push_back(static_cast<float>(rng.below(3)));
    else
      for (std::size_t k = 0; k < policy.action_size(); ++k)
        mini.action.push_back(static_cast<float>(rng.normal()));
    mini.log_prob.push_back(rng.uniform(-1.6, -0.6)
                            * (std::holds_alternative<rl::Box>(actions) ? 3 : 1));
    mini.advantage.push_back(rng.normal());
    mini.value_target.push_back(rng.normal());
  }
  return mini;
}

rl::RunOptions quiet(const char* env, std::int64_t stop_steps) {
  rl::RunOptions options;
  options.env = env;
  options.stop_steps = stop_steps;
  options.quiet = true;
  options.evaluation_episodes = 2;
  return options;
}

rl::TrainResult train(rl::PpoConfig config, const rl::RunOptions& options) {
  rl::Run run(options, "ppo", config.fields());
  rl::SerialWorkers workers(rl::ppo_workers(config, options));
  return rl::train_ppo(config, run, workers);
}

} // namespace

BOOST_AUTO_TEST_SUITE(ppo)

BOOST_AUTO_TEST_CASE(the_gradient_is_the_slope_of_the_loss) {
  for (auto& actions : {rl::Space(rl::Discrete{3}), rl::Space(rl::make_box(2, -1, 1))}) {
    rl::ActorCritic<double> policy({rl::make_box(4, -1, 1), actions, {6, 5}, "tanh"});
    rl::PpoConfig config;
    config.entropy_weight = 0.03;
    auto mini = minibatch(policy, 40);
    rl::Rng rng(1);
    std::vector<double> p(policy.parameter_count()), gradient(p.size()), unused(p.size());
    for (auto& each : p)
      each = 0.3 * rng.normal();
    rl::ActorCritic<double>::Workspace workspace;
    auto losses = rl::ppo_loss<double>(policy, p, mini, config, 0.2, gradient, workspace);
    BOOST_TEST(losses.clipped > 0.1); // both branches are there
    BOOST_TEST(losses.clipped < 0.95);
    auto loss = [&] {
      auto l = rl::ppo_loss<double>(policy, p, mini, config, 0.2, unused, workspace);
      return l.policy + config.value_weight * l.value - config.entropy_weight * l.entropy;
    };
    for (std::size_t i = 0; i < p.size(); ++i) {
      constexpr double h = 1e-6;
      auto was = p[i];
      p[i] = was + h;
      auto above = loss();
      p[i] = was - h;
      auto below = loss();
      p[i] = was;
      BOOST_TEST(std::abs((above - below) / (2 * h) - gradient[i]) < 1e-7);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_ratio_beyond_the_clip_range_pulls_only_back) {
  rl::ActorCritic<double> policy({rl::make_box(1, -1, 1), rl::Discrete{2}, {2}, "tanh"});
  rl::Rng rng(1);
  auto p = policy.initialise(rng); // probabilities near one half
  rl::PpoConfig config;
  config.value_weight = 0;
  rl::ActorCritic<double>::Workspace workspace;
  auto slope = [&](double ratio, double advantage) {
    rl::PpoMinibatch<double> mini{{0.5}, {1}, {std::log(0.5 / ratio)}, {advantage}, {0}};
    std::vector<double> gradient(p.size());
    rl::ppo_loss<double>(policy, p, mini, config, 0.2, gradient, workspace);
    double sum = 0;
    for (auto each : gradient)
      sum += std::abs(each);
    return sum;
  };
  BOOST_TEST(slope(1.5, 1) == 0); // already more likely than allowed
  BOOST_TEST(slope(1.5, -1) > 0);
  BOOST_TEST(slope(0.5, -1) == 0); // already less likely than allowed
  BOOST_TEST(slope(0.5, 1) > 0);
  BOOST_TEST(slope(1.1, 1) > 0);
}

BOOST_AUTO_TEST_CASE(training_repeats_itself_to_the_last_bit) {
  rl::PpoConfig config;
  auto options = quiet("CartPole-v1", 4000);
  auto one = train(config, options), two = train(config, options);
  BOOST_TEST(one.weights == two.weights, boost::test_tools::per_element());
  BOOST_TEST(one.evaluation.mean == two.evaluation.mean);
  options.seed = 2;
  BOOST_TEST((train(config, options).weights != one.weights));
}

BOOST_AUTO_TEST_CASE(a_resumed_run_ends_where_one_that_never_stopped_does) {
  for (auto* env : {"CartPole-v1", "Pendulum-v1"}) {
    rl::test::TemporaryFolder folder;
    rl::PpoConfig config;
    rl::read_fields(config.fields(), rl::preset("ppo", env));
    config.anneal = false; // the two have different ends
    auto straight = train(config, quiet(env, 9000));
    auto options = quiet(env, 4000);
    options.logdir = folder.path / "run";
    auto stopped = train(config, options);
    BOOST_TEST(stopped.steps < straight.steps);
    auto more = quiet(env, 9000);
    more.resume = folder.path / "run";
    auto resumed = train(config, more);
    BOOST_TEST(resumed.steps == straight.steps);
    BOOST_TEST(resumed.weights == straight.weights, boost::test_tools::per_element());
    BOOST_TEST(resumed.evaluation.mean == straight.evaluation.mean);
  }
}

// PPO once more in double, by plain loops that share nothing with rl: one hidden layer of tanh, two
// actions, gradients by differences.
struct PlainPpo {
  static constexpr std::size_t in = 2, hidden = 3;
  static constexpr std::size_t policy_size = (in + 1) * hidden + (hidden + 1) * 2;

  std::vector<double> p; // policy network, value network

  // Outputs of the network whose parameters begin at `at`.
  std::vector<double> forward(std::size_t at, std::size_t outputs, const double* x) const {
    double h[hidden];
    for (std::size_t j = 0; j < hidden; ++j) {
      h[j] = p[at + in * hidden + j];
      for (std::size_t i = 0; i < in; ++i)
        h[j] += x[i] * p[at + i * hidden + j];
      h[j] = std::tanh(h[j]);
    }
    at += (in + 1) * hidden;
    std::vector<double> y(outputs);
    for (std::size_t k = 0; k < outputs; ++k) {
      y[k] = p[at + hidden * outputs + k];
      for (std::size_t j = 0; j < hidden; ++j)
        y[k] += h[j] * p[at + j * outputs + k];
    }
    return y;
  }
  double value(const double* x) const { return forward(policy_size, 1, x)[0]; }
  double log_prob(const double* x, std::size_t action) const {
    auto y = forward(0, 2, x);
    return y[action] - std::log(std::exp(y[0]) + std::exp(y[1]));
  }
};

BOOST_AUTO_TEST_CASE(an_update_does_to_a_small_batch_what_the_formulas_say) {
  rl::PpoConfig config;
  config.epochs = 1;
  config.minibatch = 3;
  config.learning_rate = 0.01;
  config.gamma = 0.9;
  config.lambda = 0.8;
  config.value_weight = 0.7;
  config.entropy_weight = 0.02;
  config.max_gradient_norm = 2e-5; // so small that Adam's epsilon counts
  config.reward_scale = 0.5;
  constexpr double left = 0.25; // of the run: step size and clip range are a quarter
  rl::Ppo ppo(config, {rl::make_box(2, -9, 9), rl::Discrete{2}, {3}, "tanh"}, 5);
  PlainPpo plain{{ppo.weights().begin(), ppo.weights().end()}};

  // Two environments, three steps. The first terminates after its second step; the second is cut
  // off by a time limit there.
  double x[4][2][2] = {{{0.5, -1}, {1, 0.3}},
                       {{-0.2, 0.8}, {0.1, 0.4}},
                       {{1.5, -0.5}, {-1, -1}},
                       {{0.3, 0.3}, {2, -0.7}}};
  double final_x[2][2] = {{9, 9}, {-2, 1.2}}; // what the two episodes ended with
  double reward[3][2] = {{1, -2}, {3, 0.5}, {-1, 4}};
  std::size_t action[3][2] = {{0, 1}, {1, 1}, {0, 0}};
  double old_log_prob[3][2] = {{-0.7, -0.9}, {-0.75, -0.68}, {-0.8, -0.5}};
  rl::Batch batch;
  batch.resize({3, 2, 2, 1});
  for (std::size_t t = 0; t < 4; ++t)
    for (std::size_t e = 0; e < 2; ++e) {
      for (std::size_t i = 0; i < 2; ++i)
        batch.observation[(t * 2 + e) * 2 + i] = static_cast<float>(x[t][e][i]);
      if (t == 3)
        continue;
      batch.action[t * 2 + e] = static_cast<float>(action[t][e]);
      batch.log_prob[t * 2 + e] = static_cast<float>(old_log_prob[t][e]);
      batch.reward[t * 2 + e] = static_cast<float>(reward[t][e]);
      batch.terminated[t * 2 + e] = t == 1 && e == 0;
      batch.truncated[t * 2 + e] = t == 1 && e == 1;
    }
  for (std::size_t e = 0; e < 2; ++e) {
    batch.ends.push_back({1, e, {static_cast<int>(e), 0, 2}});
    for (auto each : final_x[e])
      batch.final_observation.push_back(static_cast<float>(each));
  }

  // Advantages, equations 11 and 12: nothing follows a terminal state, and a time limit is followed
  // by what the final observation is worth. Neither sees the rewards of the next episode.
  double advantage[3][2], target[3][2];
  for (std::size_t e = 0; e < 2; ++e) {
    double later = 0;
    for (std::size_t t = 3; t-- > 0;) {
      auto ended = t == 1;
      auto next = ended && e == 0 ? 0 : plain.value(ended ? final_x[e] : x[t + 1][e]);
      auto now = plain.value(x[t][e]);
      auto delta = 0.5 * reward[t][e] + 0.9 * next - now;
      later = delta + (ended ? 0 : 0.9 * 0.8 * later);
      advantage[t][e] = later;
      target[t][e] = later + now;
    }
  }

  std::vector<std::size_t> order = {0, 1, 2, 3, 4, 5};
  rl::Rng(rl::derive_seed(5, "minibatches")).shuffle(std::span(order));
  std::vector<double> m(plain.p.size()), v(plain.p.size());
  for (int minibatch = 0; minibatch < 2; ++minibatch) {
    auto rows = std::span(order).subspan(3 * static_cast<std::size_t>(minibatch), 3);
    double mean = 0, variance = 0; // of this minibatch alone
    for (auto row : rows)
      mean += advantage[row / 2][row % 2] / 3;
    for (auto row : rows)
      variance += std::pow(advantage[row / 2][row % 2] - mean, 2) / 3;
    auto loss = [&] { // equation 9, downhill
      double sum = 0;
      for (auto row : rows) {
        auto t = row / 2, e = row % 2;
        auto standard = (advantage[t][e] - mean) / (std::sqrt(variance) + 1e-8);
        auto ratio = std::exp(plain.log_prob(x[t][e], action[t][e]) - old_log_prob[t][e]);
        auto clipped = std::clamp(ratio, 1 - 0.2 * left, 1 + 0.2 * left);
        auto entropy = 0.0;
        for (std::size_t a = 0; a < 2; ++a)
          entropy -= std::exp(plain.log_prob(x[t][e], a)) * plain.log_prob(x[t][e], a);
        sum += -std::min(ratio * standard, clipped * standard)
               + 0.7 * 0.5 * std::pow(plain.value(x[t][e]) - target[t][e], 2) - 0.02 * entropy;
      }
      return sum / 3;
    };
    std::vector<double> gradient(plain.p.size());
    double norm = 0;
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      auto was = plain.p[i];
      plain.p[i] = was + 1e-5;
      auto above = loss();
      plain.p[i] = was - 1e-5;
      gradient[i] = (above - loss()) / 2e-5;
      plain.p[i] = was;
      norm += gradient[i] * gradient[i];
    }
    norm = std::sqrt(norm);
    for (std::size_t i = 0; i < gradient.size(); ++i) { // Adam, algorithm 1
      auto g = gradient[i] * std::min(1.0, 2e-5 / norm);
      m[i] = 0.9 * m[i] + 0.1 * g;
      v[i] = 0.999 * v[i] + 0.001 * g * g;
      auto t = minibatch + 1;
      auto step = m[i] / (1 - std::pow(0.9, t));
      plain.p[i] -= left * 0.01 * step / (std::sqrt(v[i] / (1 - std::pow(0.999, t))) + 1e-5);
    }
  }
  std::vector<float> before(ppo.weights().begin(), ppo.weights().end());
  auto losses = ppo.update(batch, left);
  BOOST_TEST(losses.clipped > 0); // the range counts
  BOOST_TEST(losses.clipped < 1);
  for (std::size_t i = 0; i < before.size(); ++i)
    BOOST_TEST(std::abs(ppo.weights()[i] - plain.p[i]) < 2e-6); // of steps up to 5e-3
}

// Calls `then` when the batch number `last` has been sampled.
struct EndingWorkers final : rl::Workers {
  EndingWorkers(const rl::WorkersSpec& spec, int last, std::function<void()> act)
    : workers(spec), left(last), then(std::move(act)) {}

  void set_weights(std::span<const float> weights) override { workers.set_weights(weights); }
  void sample(std::size_t steps, rl::Batch& out) override {
    workers.sample(steps, out);
    if (--left == 0)
      then();
  }
  std::vector<std::string> save() override { return workers.save(); }
  void load(std::span<const std::string> states) override { workers.load(states); }

  rl::SerialWorkers workers;
  int left;
  std::function<void()> then;
};

BOOST_AUTO_TEST_CASE(an_interrupted_and_resumed_run_anneals_to_the_same_end) {
  rl::test::TemporaryFolder folder;
  rl::PpoConfig config;
  auto options = quiet("CartPole-v1", 9000);
  auto straight = train(config, options);
  options.logdir = folder.path;
  {
    rl::Run run(options, "ppo", config.fields());
    EndingWorkers workers(rl::ppo_workers(config, options), 3, rl::Run::interrupt);
    BOOST_TEST(rl::train_ppo(config, run, workers).steps == 3 * 1024);
    rl::Run::clear_interrupt();
  }
  options.resume = folder.path;
  auto resumed = train(config, options);
  BOOST_TEST(resumed.steps == straight.steps);
  BOOST_TEST(resumed.weights == straight.weights, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_run_that_an_exception_ended_resumes_after_its_last_complete_update) {
  rl::test::TemporaryFolder folder;
  rl::PpoConfig config;
  auto options = quiet("CartPole-v1", 9000);
  auto straight = train(config, options);
  options.logdir = folder.path;
  auto break_down = [&] {
    rl::Run run(options, "ppo", config.fields());
    EndingWorkers workers(rl::ppo_workers(config, options), 4,
                          [] { throw std::runtime_error("the environment broke"); });
    rl::train_ppo(config, run, workers);
  };
  BOOST_CHECK_THROW(break_down(), std::runtime_error);
  options.resume = folder.path;
  rl::Run resumed(options, "ppo", config.fields());
  BOOST_TEST(resumed.steps() == 3 * 1024);
  rl::SerialWorkers workers(rl::ppo_workers(config, options));
  BOOST_TEST(rl::train_ppo(config, resumed, workers).weights == straight.weights,
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(nothing_is_learned_where_nothing_of_the_run_is_left) {
  auto spec = rl::ppo_workers({}, quiet("CartPole-v1", 0));
  rl::Ppo ppo({}, spec.policy, 1);
  rl::SerialWorkers workers(spec);
  workers.set_weights(ppo.weights());
  rl::Batch batch;
  workers.sample(32, batch);
  std::vector<float> before(ppo.weights().begin(), ppo.weights().end());
  ppo.update(batch, 0);
  BOOST_TEST(ppo.weights() == before, boost::test_tools::per_element());
  ppo.update(batch, 0.5);
  BOOST_TEST((std::vector<float>(ppo.weights().begin(), ppo.weights().end()) != before));
}

BOOST_AUTO_TEST_CASE(logging_and_checkpoints_do_not_change_training) {
  rl::test::TemporaryFolder folder;
  auto options = quiet("CartPole-v1", 3000);
  auto bare = train({}, options);
  options.logdir = folder.path;
  options.checkpoint_seconds = 0; // after every update
  BOOST_TEST(train({}, options).weights == bare.weights, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_checkpoint_of_another_network_is_refused) {
  rl::test::TemporaryFolder folder;
  auto options = quiet("CartPole-v1", 1000);
  options.logdir = folder.path;
  train({}, options);
  options.resume = folder.path;
  rl::PpoConfig config;
  config.hidden = {32};
  BOOST_TEST(
    fails(ErrorCode::bad_checkpoint, [&] { train(config, options); }, {"weights", "layers"}));
}

BOOST_AUTO_TEST_CASE(a_diverged_run_stops_with_an_error) {
  rl::PpoConfig config;
  config.learning_rate = 1;
  config.max_gradient_norm = 0;
  config.reward_scale = 1e38; // rewards overflow
  BOOST_TEST(fails(ErrorCode::not_finite, [&] { train(config, quiet("Pendulum-v1", 50'000)); },
                   {"finite", "diverged"}));
}

BOOST_AUTO_TEST_CASE(a_small_batch_is_one_minibatch) {
  rl::PpoConfig config;
  config.envs = 1;
  config.horizon = 8;
  config.minibatch = 1000;
  BOOST_TEST(train(config, quiet("CartPole-v1", 64)).steps == 64);
}

BOOST_AUTO_TEST_SUITE_END()
