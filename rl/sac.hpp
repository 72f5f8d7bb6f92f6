// Soft actor-critic (Haarnoja et al. 2018, arXiv 1812.05905): a policy that is paid for its
// entropy, learnt from replay.
//
//   rl::SacConfig config;
//   rl::Run run({.env = "Pendulum-v1", .stop_steps = 20'000}, "sac", config.fields());
//   auto trained = rl::train_sac(config, run);
//
// What it does, each with its source:
// - actions are tanh of a normal draw whose mean and deviation depend on the state (appendix C;
//   nn/squashed.hpp), stretched to the environment's bounds
// - two critics, the smaller counts; their targets follow by Polyak averaging (section 5.1, tau)
// - the temperature alpha is learnt so that the entropy stays near its target, -1 per number of the
//   action (section 5, table 1); without tune_alpha it stays
// - uniformly random actions before learning starts (the paper's code)
// - a time limit is bootstrapped through, not counted as an end (Pardo et al. 2018)
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "rl/collector.hpp"
#include "rl/config.hpp"
#include "rl/evaluate.hpp"
#include "rl/nn/adam.hpp"
#include "rl/replay.hpp"
#include "rl/run/run.hpp"
#include "rl/twin_critic.hpp"

namespace rl {

struct SacConfig {
  std::int64_t envs = 1;
  std::int64_t train_interval = 1;
  std::int64_t gradient_steps = 1;
  std::int64_t minibatch = 256;
  std::int64_t capacity = 1'000'000;
  std::int64_t learning_starts = 1000;
  double learning_rate = 3e-4;
  bool anneal = false;
  double gamma = 0.99;
  double tau = 0.005;
  double alpha = 1.0;
  bool tune_alpha = true;
  double target_entropy = -1;
  double reward_scale = 1.0;
  std::vector<std::int64_t> hidden = {256, 256};
  std::string activation = "relu";
  std::int64_t log_steps = 1000;

  std::vector<Field> fields();
};

/// What an update came to; averaged over a row of the log by train_sac.
struct SacLosses {
  double critic = 0;  ///< sum over both of mean (Q - y)^2 / 2
  double policy = 0;  ///< mean of alpha log pi - min Q
  double entropy = 0; ///< mean of -log pi, of actions in [-1, 1]
  double q = 0;       ///< mean of min Q of the policy's own actions
  double alpha = 0;   ///< the temperature
  double critic_gradient_norm = 0;
  double policy_gradient_norm = 0;
};

/// The policy: a network from observation to means and log deviations, [row, mean | log_std].
template <class S>
struct SacPolicy {
  SacPolicy(std::size_t observation_size, std::size_t action_size,
            const std::vector<std::int64_t>& hidden, const std::string& activation);

  /// Memory of one caller.
  struct Workspace {
    nn::Workspace<S> network;
    std::vector<S> action, log_prob, d_action, d_output, d_first, d_second;
  };

  /// Draws for every row of `observation` the action that `noise` [row, feature] leads to, and its
  /// log pi; both lie in the workspace.
  void act(std::span<const S> parameters, std::span<const S> observation, std::span<const S> noise,
           Workspace& workspace) const;

  std::size_t action_size;
  nn::Mlp<S> network;
};

/// J_Q (equation 5), summed over both critics: mean of (Q(s, a) - y)^2 / 2. Adds its gradient to
/// `gradient` and returns it. S = double serves the numerical check of the gradient.
template <class S>
double sac_critic_loss(const TwinCritic<S>& critic, std::span<const S> parameters,
                       std::span<const S> observation, std::span<const S> action,
                       std::span<const S> target, std::span<S> gradient,
                       typename TwinCritic<S>::Workspace& workspace);

/// J_pi (equation 9): mean of alpha log pi(a | s) - min Q(s, a), a drawn with `noise`
/// [row, feature]. Adds its gradient by the policy's parameters to `gradient`. Fills policy,
/// entropy and q of the result.
template <class S>
SacLosses sac_policy_loss(const SacPolicy<S>& policy, std::span<const S> parameters,
                          const TwinCritic<S>& critic, std::span<const S> critic_parameters,
                          S alpha, std::span<const S> observation, std::span<const S> noise,
                          std::span<S> gradient, typename SacPolicy<S>::Workspace& workspace,
                          typename TwinCritic<S>::Workspace& critic_workspace);

/// The learner: policy, critics, temperature, their optimisers. Knows neither environments nor
/// replay; its actions lie in [-1, 1].
class Sac {
public:
  Sac(const SacConfig& config, std::size_t observation_size, std::size_t action_size,
      std::uint64_t seed);

  /// The policy's.
  std::span<const float> weights() const { return weights_; }
  std::span<const float> critic_weights() const { return critic_weights_; }
  std::span<const float> target_weights() const { return target_; }
  double alpha() const;

  /// Draws an action for every row, row i from rngs[i].
  void act(std::span<const float> observation, std::span<Rng> rngs, std::span<float> action);
  /// The middle of what it would draw. Uses memory of its own.
  void act_greedily(std::span<const float> observation, std::span<float> action);

  /// The targets y [row] (equations 3 and 6): reward + discount (min Q_target(s', a') - alpha log
  /// pi(a' | s')), a' drawn from the policy. They lie in this object until its next use.
  std::span<const float> targets(const Transitions& rows);

  /// One gradient step of everything (algorithm 1). Step sizes are scaled by `left`. Throws
  /// Error{not_finite} when a gradient is not finite.
  SacLosses update(const ReplaySample& sample, double left = 1);

  void save(Checkpoint& checkpoint) const;
  void load(const Checkpoint& checkpoint);

private:
  std::span<const float> draw_noise(std::size_t rows);

  SacConfig config_;
  SacPolicy<float> policy_;
  TwinCritic<float> critic_;
  std::vector<float> weights_, critic_weights_, target_;
  double log_alpha_;
  nn::Adam<float> adam_, critic_adam_;
  nn::Adam<double> alpha_adam_;
  std::int64_t updates_ = 0;
  Rng rng_;
  SacPolicy<float>::Workspace acting_, workspace_;
  TwinCritic<float>::Workspace critic_workspace_;
  std::vector<float> noise_, acting_noise_, gradient_, critic_gradient_, target_values_;
};

/// Trains in this thread until the run says stop, then evaluates the greedy policy. Checkpoints
/// hold the replay too. Errors: those of the parts; bad_space when actions are not a bounded box;
/// bad_value when the run has workers.
TrainResult train_sac(const SacConfig& config, Run& run);

} // namespace rl
