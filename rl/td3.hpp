// Twin delayed deep deterministic policy gradient (Fujimoto et al. 2018, arXiv 1802.09477).
//
//   rl::Td3Config config;
//   rl::Run run({.env = "Pendulum-v1", .stop_steps = 20'000}, "td3", config.fields());
//   auto trained = rl::train_td3(config, run);
//
// What it does, each with its source:
// - a policy that says one action, tanh of a network's output, stretched to the environment's
//   bounds, and learns to climb the first critic (Lillicrap et al. 2016, DDPG)
// - two critics, the smaller one counts in targets (section 4.2)
// - the policy and all target networks move in every `policy_delay`-th gradient step only (5.2)
// - target actions are blurred by clipped noise (5.3); actions are explored with normal noise
// - uniformly random actions before learning starts (appendix F)
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

struct Td3Config {
  std::int64_t envs = 1;
  std::int64_t train_interval = 1;
  std::int64_t gradient_steps = 1;
  std::int64_t minibatch = 256;
  std::int64_t capacity = 1'000'000;
  std::int64_t learning_starts = 1000;
  double learning_rate = 1e-3;
  bool anneal = false;
  double gamma = 0.99;
  double tau = 0.005;
  std::int64_t policy_delay = 2;
  double target_noise = 0.2;
  double target_noise_clip = 0.5;
  double exploration_noise = 0.1;
  double reward_scale = 1.0;
  std::vector<std::int64_t> hidden = {256, 256};
  std::string activation = "relu";
  std::int64_t log_steps = 1000;

  std::vector<Field> fields();
};

/// What an update came to; averaged over a row of the log by train_td3.
struct Td3Losses {
  double critic = 0; ///< sum over both of mean (Q - y)^2
  double policy = 0; ///< mean of -Q of the policy's own actions
  double critic_gradient_norm = 0;
  double policy_gradient_norm = 0;
  bool policy_moved = false; ///< whether this was one of the steps that policy is about
};

/// The policy: tanh of a network's output, [row, feature].
template <class S>
struct Td3Policy {
  Td3Policy(std::size_t observation_size, std::size_t action_size,
            const std::vector<std::int64_t>& hidden, const std::string& activation);

  struct Workspace {
    nn::Workspace<S> network;
    std::vector<S> action, d_action, d_first, d_second;
  };

  /// The actions, in [-1, 1]; they lie in the workspace.
  std::span<const S> act(std::span<const S> parameters, std::span<const S> observation,
                         Workspace& workspace) const;

  nn::Mlp<S> network;
};

/// Mean of (Q(s, a) - y)^2, summed over both critics (algorithm 1). Adds its gradient to `gradient`
/// and returns it. S = double serves the numerical check of the gradient.
template <class S>
double td3_critic_loss(const TwinCritic<S>& critic, std::span<const S> parameters,
                       std::span<const S> observation, std::span<const S> action,
                       std::span<const S> target, std::span<S> gradient,
                       typename TwinCritic<S>::Workspace& workspace);

/// Mean of -Q_1(s, pi(s)), whose gradient is the deterministic policy gradient (equation 2). Adds
/// its gradient by the policy's parameters to `gradient` and returns it.
template <class S>
double td3_policy_loss(const Td3Policy<S>& policy, std::span<const S> parameters,
                       const TwinCritic<S>& critic, std::span<const S> critic_parameters,
                       std::span<const S> observation, std::span<S> gradient,
                       typename Td3Policy<S>::Workspace& workspace,
                       typename TwinCritic<S>::Workspace& critic_workspace);

/// The learner: policy, critics, their targets and optimisers. Knows neither environments nor
/// replay; its actions lie in [-1, 1].
class Td3 {
public:
  Td3(const Td3Config& config, std::size_t observation_size, std::size_t action_size,
      std::uint64_t seed);

  /// The policy's.
  std::span<const float> weights() const { return weights_; }
  std::span<const float> target_weights() const { return target_; }
  std::span<const float> critic_weights() const { return critic_weights_; }
  std::span<const float> critic_target_weights() const { return critic_target_; }

  /// The policy's action with exploration noise for every row, row i from rngs[i].
  void act(std::span<const float> observation, std::span<Rng> rngs, std::span<float> action);
  /// Without noise.
  void act_greedily(std::span<const float> observation, std::span<float> action);

  /// The targets y [row] (equations 14 and 15): reward + discount min Q_target(s', a'), a' the
  /// target policy's action, blurred. They lie in this object until its next use.
  std::span<const float> targets(const Transitions& rows);

  /// One gradient step (algorithm 1). Step sizes are scaled by `left`. Throws Error{not_finite}
  /// when a gradient is not finite.
  Td3Losses update(const ReplaySample& sample, double left = 1);

  void save(Checkpoint& checkpoint) const;
  void load(const Checkpoint& checkpoint);

private:
  Td3Config config_;
  Td3Policy<float> policy_;
  TwinCritic<float> critic_;
  std::vector<float> weights_, target_, critic_weights_, critic_target_;
  nn::Adam<float> adam_, critic_adam_;
  std::int64_t updates_ = 0;
  Rng rng_;
  Td3Policy<float>::Workspace acting_, workspace_;
  TwinCritic<float>::Workspace critic_workspace_;
  std::vector<float> blurred_, gradient_, critic_gradient_, target_values_;
};

/// Trains in this thread until the run says stop, then evaluates the policy without noise.
/// Checkpoints hold the replay too. Errors: those of the parts; bad_space when actions are not a
/// bounded box; bad_value when the run has workers.
TrainResult train_td3(const Td3Config& config, Run& run);

} // namespace rl
