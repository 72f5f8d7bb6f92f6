// Deep Q-learning (Mnih et al. 2015, Nature 518), with the parts of Rainbow (Hessel et al. 2018)
// that pay off in small networks, each behind a switch.
//
//   rl::DqnConfig config;
//   rl::Run run({.env = "CartPole-v1", .stop_steps = 50'000}, "dqn", config.fields());
//   auto trained = rl::train_dqn(config, run);
//
// What it does, each with its source:
// - experience replay, a target network that stands still for `target_interval` gradient steps, TD
//   errors beyond 1 count linearly (Mnih et al. 2015)
// - double_q: the network chooses, the target network judges (van Hasselt et al. 2016)
// - duelling: value and advantage streams (Wang et al. 2016; q_network.hpp)
// - n_step: rewards of n steps before the bootstrap (Sutton 1988; Hessel et al. 2018)
// - prioritised: what surprised more is seen more often (Schaul et al. 2016; replay.hpp)
// - a time limit is bootstrapped through, not counted as an end (Pardo et al. 2018)
// - Adam instead of RMSProp; gradient clipped by its norm (Wang et al. 2016)
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "rl/collector.hpp"
#include "rl/config.hpp"
#include "rl/evaluate.hpp"
#include "rl/nn/adam.hpp"
#include "rl/q_network.hpp"
#include "rl/replay.hpp"
#include "rl/run/run.hpp"

namespace rl {

struct DqnConfig {
  std::int64_t envs = 1;
  std::int64_t train_interval = 4;
  std::int64_t gradient_steps = 1;
  std::int64_t minibatch = 64;
  std::int64_t capacity = 100'000;
  std::int64_t learning_starts = 1000;
  std::int64_t target_interval = 250;
  double learning_rate = 5e-4;
  bool anneal = false;
  double gamma = 0.99;
  bool double_q = true;
  bool duelling = false;
  std::int64_t n_step = 1;
  bool prioritised = false;
  double alpha = 0.6;
  double beta = 0.4;
  std::int64_t beta_steps = 100'000;
  double epsilon_start = 1.0;
  double epsilon_end = 0.05;
  std::int64_t epsilon_steps = 10'000;
  double max_gradient_norm = 10;
  double reward_scale = 1.0;
  std::vector<std::int64_t> hidden = {64, 64};
  std::string activation = "relu";
  std::int64_t log_steps = 1000;

  std::vector<Field> fields();
};

/// What an update came to; averaged over a row of the log by train_dqn.
struct DqnLosses {
  double loss = 0;          ///< weighed Huber loss
  double error = 0;         ///< mean |TD error|
  double q = 0;             ///< mean Q of the actions taken
  double gradient_norm = 0; ///< before clipping
};

/// One minibatch with its targets.
template <class S>
struct DqnMinibatch {
  std::vector<S> observation; ///< [row, feature]
  std::vector<float> action;  ///< [row]
  std::vector<S> target;      ///< [row], y
  std::vector<S> importance;  ///< [row]
};

/// The loss: mean over rows of importance times Huber(Q(s, a) - y), quadratic up to 1. Adds its
/// gradient to `gradient` and writes Q(s, a) - y to `error` [row]. S = double serves the numerical
/// check of the gradient.
template <class S>
DqnLosses dqn_loss(const QNetwork<S>& network, std::span<const S> parameters,
                   const DqnMinibatch<S>& minibatch, std::span<S> gradient, std::span<S> error,
                   typename QNetwork<S>::Workspace& workspace);

/// The learner: the network, the target network, the optimiser. Knows neither environments nor
/// replay.
class Dqn {
public:
  Dqn(const DqnConfig& config, const QSpec& spec, std::uint64_t seed);

  const QNetwork<float>& network() const { return network_; }
  std::span<const float> weights() const { return weights_; }
  std::span<const float> target_weights() const { return target_; }
  std::int64_t updates() const { return updates_; }

  /// One gradient step on `sample`; writes each row's TD error to `error` [row]. The step size is
  /// scaled by `left`. Throws Error{not_finite} when the gradient is not finite; the weights are
  /// then unchanged by it.
  DqnLosses update(const ReplaySample& sample, std::span<float> error, double left = 1);

  /// The targets y [row] of transitions: reward + discount Q_target(s', a'), a' by the network
  /// (double_q) or by the target network. They lie in this object until its next use.
  std::span<const float> targets(const Transitions& rows);

  void save(Checkpoint& checkpoint) const;
  void load(const Checkpoint& checkpoint);

private:
  DqnConfig config_;
  QNetwork<float> network_;
  std::vector<float> weights_, target_;
  nn::Adam<float> adam_;
  std::int64_t updates_ = 0;
  QNetwork<float>::Workspace workspace_, next_workspace_;
  std::vector<float> gradient_, choice_;
  DqnMinibatch<float> minibatch_;
};

/// What is made from a run's settings. dqn_spec throws Error{bad_space} when the actions of the
/// environment are not discrete.
QSpec dqn_spec(const DqnConfig& config, const RunOptions& options);
ReplayOptions dqn_replay(const DqnConfig& config, const QSpec& spec);

/// The exploration probability after `steps` environment steps, and the exponent of the importance
/// weights: both go linearly from their first to their last value and stay there.
double dqn_epsilon(const DqnConfig& config, std::int64_t steps);
double dqn_beta(const DqnConfig& config, std::int64_t steps);

/// Trains in this thread until the run says stop, then evaluates. Checkpoints hold the replay too,
/// so that a resumed run ends with the weights of one that never stopped. Errors: those of the
/// parts; bad_value when the run has workers.
TrainResult train_dqn(const DqnConfig& config, Run& run);

} // namespace rl
