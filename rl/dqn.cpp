#include "rl/dqn.hpp"

#include <algorithm>
#include <cmath>

#include "rl/env/registry.hpp"
#include "rl/fitting.hpp"
#include "rl/learner.hpp"

namespace rl {

// ---- configuration: meaning, range, the paper's value (Mnih et al. 2015, extended data table 1,
// in steps of the agent, unless said) ----

std::vector<Field> DqnConfig::fields() {
  return {
    {"envs", &envs, "environments stepped together", 1, 65536, "1"},
    {"train_interval", &train_interval, "environment steps between two times of learning", 1, 1e9,
     "4"},
    {"gradient_steps", &gradient_steps, "gradient steps each time", 1, 1e6, "1"},
    {"minibatch", &minibatch, "transitions in a gradient step", 1, 1e6, "32"},
    {"capacity", &capacity, "transitions in the replay", 1, 1e9, "1e6"},
    {"learning_starts", &learning_starts, "environment steps before the first time of learning", 1,
     1e9, "50000"},
    {"target_interval", &target_interval,
     "gradient steps between two copies to the target network, C", 1, 1e9, "10000"},
    {"learning_rate", &learning_rate, "Adam's step size at the start", 0, 1, "2.5e-4 (RMSProp)"},
    {"anneal", &anneal, "let the step size fall linearly to 0 at stop_steps"},
    {"gamma", &gamma, "discount of later rewards", 0, 1, "0.99"},
    {"double_q", &double_q, "the network chooses the next action, the target network judges it"},
    {"duelling", &duelling, "two streams, value and advantage"},
    {"n_step", &n_step, "steps of reward before the bootstrap", 1, 1000, "1 (Rainbow 3)"},
    {"prioritised", &prioritised, "draw transitions by their TD errors"},
    {"alpha", &alpha, "how much TD errors count when prioritised", 0.001, 1, "0.6 (PER)"},
    {"beta", &beta, "exponent of the importance weights at the start", 0, 1, "0.4 (PER)"},
    {"beta_steps", &beta_steps, "environment steps until that exponent is 1", 1, 1e12},
    {"epsilon_start", &epsilon_start, "probability of a random action at the start", 0, 1, "1"},
    {"epsilon_end", &epsilon_end, "the same at the end", 0, 1, "0.1"},
    {"epsilon_steps", &epsilon_steps, "environment steps from the one to the other", 1, 1e12,
     "1e6"},
    {"max_gradient_norm", &max_gradient_norm, "gradient norm above which it is scaled; 0: never", 0,
     1e30, "10 (duelling)"},
    {"reward_scale", &reward_scale, "factor on rewards before learning", 0},
    {"hidden", &hidden, "units of the hidden layers", 1, 65536},
    {"activation", &activation, "between layers: relu (the paper) or tanh"},
    {"log_steps", &log_steps, "environment steps in a row of the log", 1, 1e9},
  };
}

QSpec dqn_spec(const DqnConfig& config, const RunOptions& options) {
  auto env = make_network_env(options.env);
  require_discrete_actions("dqn", options.env, env->action_space());
  return {env->observation_space(), env->action_space(), config.hidden, config.activation,
          config.duelling};
}

ReplayOptions dqn_replay(const DqnConfig& config, const QSpec& spec) {
  return {.capacity = static_cast<std::size_t>(config.capacity),
          .observation_size = value_size(spec.observation_space),
          .action_size = 1,
          .alpha = config.prioritised ? config.alpha : 0};
}

namespace {

// From `first` at step 0 to `last` at step `until`, and on.
double linear(double first, double last, std::int64_t steps, std::int64_t until) {
  auto done = std::min(1.0, static_cast<double>(steps) / static_cast<double>(until));
  return first + done * (last - first);
}

} // namespace

double dqn_epsilon(const DqnConfig& config, std::int64_t steps) {
  return linear(config.epsilon_start, config.epsilon_end, steps, config.epsilon_steps);
}

double dqn_beta(const DqnConfig& config, std::int64_t steps) {
  return linear(config.beta, 1, steps, config.beta_steps);
}

Dqn::Dqn(const DqnConfig& config, const QSpec& spec, std::uint64_t seed)
  : config_(config), network_(spec), adam_(network_.parameter_count()),
    gradient_(network_.parameter_count()) {
  Rng start(derive_seed(seed, "initial weights"));
  weights_ = network_.initialise(start);
  target_ = weights_;
}

// ---- loss: algorithm 1, with importance weights ----

template <class S>
DqnLosses dqn_loss(const QNetwork<S>& network, std::span<const S> parameters,
                   const DqnMinibatch<S>& mini, std::span<S> gradient, std::span<S> error,
                   typename QNetwork<S>::Workspace& workspace) {
  auto rows = mini.target.size();
  auto choices = network.choices();
  auto share = S{1} / static_cast<S>(rows);
  auto q = network.forward(parameters, mini.observation, workspace);
  std::vector<S> d_q(rows * choices);
  DqnLosses losses;
  for (std::size_t i = 0; i < rows; ++i) {
    auto at = i * choices + static_cast<std::size_t>(mini.action[i]);
    error[i] = q[at] - mini.target[i];
    auto size = std::abs(error[i]);
    auto huber = size <= 1 ? S{0.5} * size * size : size - S{0.5};
    losses.loss += static_cast<double>(mini.importance[i] * huber * share);
    losses.error += static_cast<double>(size * share);
    losses.q += static_cast<double>(q[at] * share);
    d_q[at] = mini.importance[i] * std::clamp(error[i], S{-1}, S{1}) * share;
  }
  network.backward(parameters, mini.observation, d_q, gradient, workspace);
  return losses;
}

// ---- update ----

std::span<const float> Dqn::targets(const Transitions& rows) {
  auto count = rows.size();
  auto choices = network_.choices();
  choice_.resize(count);
  network_.act_greedily(config_.double_q ? weights_ : target_, rows.next_observation, choice_,
                        next_workspace_);
  auto next_q = network_.forward(target_, rows.next_observation, next_workspace_);
  minibatch_.target.resize(count);
  for (std::size_t i = 0; i < count; ++i)
    minibatch_.target[i] =
      rows.reward[i]
      + rows.discount[i] * next_q[i * choices + static_cast<std::size_t>(choice_[i])];
  return minibatch_.target;
}

DqnLosses Dqn::update(const ReplaySample& sample, std::span<float> error, double left) {
  targets(sample.rows);
  minibatch_.observation.assign(sample.rows.observation.begin(), sample.rows.observation.end());
  minibatch_.action.assign(sample.rows.action.begin(), sample.rows.action.end());
  minibatch_.importance.assign(sample.importance.begin(), sample.importance.end());
  std::fill(gradient_.begin(), gradient_.end(), 0.0f);
  auto losses = dqn_loss<float>(network_, weights_, minibatch_, gradient_, error, workspace_);
  losses.gradient_norm = nn::clip_norm(std::span(gradient_), config_.max_gradient_norm);
  require_finite(losses.gradient_norm, "DQN's loss", updates_ + 1);
  require_finite(losses.loss, "DQN's loss", updates_ + 1);
  adam_.step(weights_, gradient_, config_.learning_rate * left);
  if (++updates_ % config_.target_interval == 0)
    target_ = weights_;
  return losses;
}

void Dqn::save(Checkpoint& checkpoint) const {
  checkpoint.put_floats("weights", weights_);
  checkpoint.put_floats("target", target_);
  ByteWriter out;
  adam_.save(out);
  out.put(updates_);
  checkpoint.put("learner", out.take());
}

void Dqn::load(const Checkpoint& checkpoint) {
  auto weights = checkpoint.get_floats("weights"), target = checkpoint.get_floats("target");
  if (weights.size() != weights_.size() || target.size() != weights_.size())
    throw Error(ErrorCode::bad_checkpoint,
                "the checkpoint has " + std::to_string(weights.size()) + " weights, this network "
                  + std::to_string(weights_.size()) + ": its layers are others");
  ByteReader in(checkpoint.get("learner"));
  adam_.load(in);
  updates_ = in.get<std::int64_t>();
  weights_ = std::move(weights);
  target_ = std::move(target);
}

// ---- train: algorithm 1 ----

TrainResult train_dqn(const DqnConfig& config, Run& run) {
  auto& options = run.options();
  require_no_workers("dqn", options.workers, "apex");
  auto spec = dqn_spec(config, options);
  Dqn dqn(config, spec, run.seed());
  Replay replay(dqn_replay(config, spec)); // D
  Collector collector({.env = options.env,
                       .seed = run.seed(),
                       .envs = static_cast<int>(config.envs),
                       .steps = static_cast<std::size_t>(config.n_step),
                       .gamma = config.gamma,
                       .reward_scale = config.reward_scale});
  Rng draws(derive_seed(run.seed(), "replay"));
  run.restore([&](const Checkpoint& checkpoint) {
    dqn.load(checkpoint);
    load_replay(checkpoint, replay, draws);
    collector.load(checkpoint.get_list("collector"));
  });
  auto save = [&](Checkpoint& checkpoint) {
    dqn.save(checkpoint);
    save_replay(checkpoint, replay, draws);
    checkpoint.put_list("collector", collector.save());
  };
  QNetwork<float>::Workspace workspace;
  auto evaluation = [&](const char* purpose) {
    return evaluate_acts(run, purpose, [&](auto observation, auto action) {
      dqn.network().act_greedily(dqn.weights(), observation, action, workspace);
    });
  };
  auto envs = static_cast<std::size_t>(config.envs);
  std::vector<float> action(envs), error(static_cast<std::size_t>(config.minibatch));
  std::vector<double> epsilon(envs);
  Transitions rows{collector.observation_size(), collector.action_size()};
  ReplaySample sample;
  while (run.more()) {
    DqnLosses sum;
    double learnt = 0;
    for (auto end = run.steps() + config.log_steps; run.steps() < end && run.more();) {
      rows.clear();
      for (std::int64_t t = 0; t < config.train_interval; t += config.envs) {
        std::fill(epsilon.begin(), epsilon.end(), dqn_epsilon(config, run.steps()));
        dqn.network().act(dqn.weights(), collector.observation(), epsilon, collector.rngs(), action,
                          workspace);
        collector.step(action, action, rows);
        run.add_steps(config.envs);
        for (auto& episode : collector.ended())
          run.add_episode(episode.total);
      }
      replay.add(rows);
      if (run.steps() < config.learning_starts || replay.size() == 0)
        continue;
      for (std::int64_t g = 0; g < config.gradient_steps; ++g, ++learnt) {
        replay.sample(error.size(), dqn_beta(config, run.steps()), draws, sample);
        auto losses = dqn.update(sample, error, config.anneal ? run.left() : 1.0);
        replay.update(sample.numbers, error);
        sum.loss += losses.loss;
        sum.error += losses.error;
        sum.q += losses.q;
        sum.gradient_norm += losses.gradient_norm;
      }
    }
    learnt = std::max(learnt, 1.0);
    run.log("loss/huber", sum.loss / learnt);
    run.log("loss/td_error", sum.error / learnt);
    run.log("loss/q", sum.q / learnt);
    run.log("loss/gradient_norm", sum.gradient_norm / learnt);
    run.log("explore/epsilon", dqn_epsilon(config, run.steps()));
    run.log("replay/size", static_cast<double>(replay.size()));
    run.end_update(save);
    // The mean lags behind the policy and is noisy: an evaluation decides.
    if (run.return_reached() && evaluation("confirm").mean >= options.stop_return)
      run.stop();
  }
  run.finish(save);
  return {
    {dqn.weights().begin(), dqn.weights().end()}, run.steps(), run.seconds(), evaluation("final")};
}

template DqnLosses dqn_loss<float>(const QNetwork<float>&, std::span<const float>,
                                   const DqnMinibatch<float>&, std::span<float>, std::span<float>,
                                   QNetwork<float>::Workspace&);
template DqnLosses dqn_loss<double>(const QNetwork<double>&, std::span<const double>,
                                    const DqnMinibatch<double>&, std::span<double>,
                                    std::span<double>, QNetwork<double>::Workspace&);

} // namespace rl
