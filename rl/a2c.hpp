// Advantage actor-critic, synchronous (Mnih et al. 2016, arXiv 1602.01783, algorithm S3 without its
// threads: all environments take their steps, then one gradient step follows).
//
//   rl::A2cConfig config;
//   rl::Run run({.env = "CartPole-v1", .stop_steps = 500'000}, "a2c", config.fields());
//   auto workers = rl::SerialWorkers(rl::a2c_workers(config, run.options()));
//   auto trained = rl::train_a2c(config, run, workers);
//
// What it does beyond the paper's text, each with its source:
// - lambda-returns; at lambda 1 they are the paper's n-step returns (Schulman et al. 2016)
// - RMSProp, as Adam without its first moment (the same but for the bias correction)
// - separate networks, orthogonal start, gradient clipped by global norm, a time limit
//   bootstrapped through, observations and rewards at unit scale: as in ppo.hpp
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rl/batch.hpp"
#include "rl/config.hpp"
#include "rl/evaluate.hpp"
#include "rl/learner.hpp"
#include "rl/nn/adam.hpp"
#include "rl/normaliser.hpp"
#include "rl/policy.hpp"
#include "rl/run/run.hpp"
#include "rl/workers.hpp"

namespace rl {

struct A2cConfig {
  std::int64_t envs = 16;
  std::int64_t horizon = 5;
  double learning_rate = 7e-4;
  bool anneal = true;
  double gamma = 0.99;
  double lambda = 1.0;
  double value_weight = 0.5;
  double entropy_weight = 0.01;
  double max_gradient_norm = 0.5;
  double reward_scale = 1.0;
  bool normalise_observations = false;
  bool normalise_rewards = false;
  std::vector<std::int64_t> filters = {};
  std::vector<std::int64_t> hidden = {64, 64};
  std::string activation = "tanh";

  std::vector<Field> fields();
};

/// What an actor-critic learns from: rows of a batch, and what they turned out to be worth.
template <class S>
struct A2cRows {
  std::span<const S> observation;  ///< [row, feature]
  std::span<const float> action;   ///< [row, feature]
  std::span<const S> advantage;    ///< [row]
  std::span<const S> value_target; ///< [row]
};

/// What the loss was made of.
struct A2cLosses {
  double policy = 0;
  double value = 0;
  double entropy = 0;
  double gradient_norm = 0; ///< before clipping
};

/// The loss -log pi(a|s) A + c1 (V - target)^2 / 2 - c2 H, the mean over rows; adds its gradient to
/// `gradient`. IMPALA's is the same with other advantages and targets (vtrace.hpp).
template <class S>
A2cLosses a2c_loss(const ActorCritic<S>& policy, std::span<const S> parameters,
                   const A2cRows<S>& rows, double value_weight, double entropy_weight,
                   std::span<S> gradient, typename ActorCritic<S>::Workspace& workspace);

/// The learner: parameters and optimiser. Knows nothing of environments.
class A2c {
public:
  A2c(const A2cConfig& config, const PolicySpec& spec, std::uint64_t seed);

  const ActorCritic<float>& policy() const { return policy_; }
  std::span<const float> weights() const { return weights_; }

  /// Learns from a batch sampled with weights(). `left` is what is left of the run, from 1 to 0:
  /// the step size is scaled by it. Throws Error{not_finite} as PPO does.
  A2cLosses update(const Batch& batch, double left = 1);

  void save(Checkpoint& checkpoint) const;
  void load(const Checkpoint& checkpoint);

private:
  A2cConfig config_;
  ActorCritic<float> policy_;
  std::vector<float> weights_;
  Normaliser scale_;
  nn::Adam<float> adam_;
  ActorCritic<float>::Workspace workspace_;
  std::vector<float> gradient_;
  BatchValues value_;
  std::vector<float> reward_, advantage_, target_; // [time, env]
};

/// What the workers of an A2C run need to know.
WorkersSpec a2c_workers(const A2cConfig& config, const RunOptions& options);

/// Trains until the run says stop, then evaluates. Errors: those of the parts.
TrainResult train_a2c(const A2cConfig& config, Run& run, Workers& workers);

} // namespace rl
