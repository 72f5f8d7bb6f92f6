#include "rl/ppo.hpp"

#include <cmath>

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

// Interrupts the run when the batch number `last` has been sampled.
struct InterruptingWorkers final : rl::Workers {
  InterruptingWorkers(const rl::WorkersSpec& spec, int last) : workers(spec), left(last) {}

  void set_weights(std::span<const float> weights) override { workers.set_weights(weights); }
  void sample(std::size_t steps, rl::Batch& out) override {
    workers.sample(steps, out);
    if (--left == 0)
      rl::Run::interrupt();
  }
  std::vector<std::string> save() override { return workers.save(); }
  void load(std::span<const std::string> states) override { workers.load(states); }

  rl::SerialWorkers workers;
  int left;
};

BOOST_AUTO_TEST_CASE(an_interrupted_and_resumed_run_anneals_to_the_same_end) {
  rl::test::TemporaryFolder folder;
  rl::PpoConfig config;
  auto options = quiet("CartPole-v1", 9000);
  auto straight = train(config, options);
  options.logdir = folder.path;
  {
    rl::Run run(options, "ppo", config.fields());
    InterruptingWorkers workers(rl::ppo_workers(config, options), 3);
    BOOST_TEST(rl::train_ppo(config, run, workers).steps == 3 * 1024);
    rl::Run::clear_interrupt();
  }
  options.resume = folder.path;
  auto resumed = train(config, options);
  BOOST_TEST(resumed.steps == straight.steps);
  BOOST_TEST(resumed.weights == straight.weights, boost::test_tools::per_element());
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
