// Proximal policy optimisation, clipped objective (Schulman et al. 2017, arXiv 1707.06347).
//
//   rl::PpoConfig config;
//   rl::Run run({.env = "CartPole-v1", .stop_steps = 100'000}, "ppo", config.fields());
//   auto workers = rl::SerialWorkers(rl::ppo_workers(config, run.options()));
//   auto trained = rl::train_ppo(config, run, workers);
//
// What it does beyond the paper's text, each with its source:
// - orthogonal start with gains sqrt 2, 0.01, 1; Adam's epsilon 1e-5; step size and clip range fall
//   linearly; gradient clipped by global norm (OpenAI baselines; Andrychowicz et al. 2021)
// - advantages standardised in each minibatch (baselines)
// - separate networks for policy and value; log standard deviation independent of the state
//   (Schulman et al. 2015)
// - a time limit is bootstrapped through, not counted as an end (Pardo et al. 2018)
// - optionally observations and rewards at unit scale (baselines; normaliser.hpp)
//
// Left out on purpose: clipping of the value loss, which Andrychowicz et al. found to harm.
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

struct PpoConfig {
  std::int64_t envs = 8;
  std::int64_t horizon = 128;
  std::int64_t epochs = 4;
  std::int64_t minibatch = 256;
  double learning_rate = 2.5e-4;
  double clip = 0.2;
  bool anneal = true;
  double gamma = 0.99;
  double lambda = 0.95;
  double value_weight = 0.5;
  double entropy_weight = 0.0;
  double max_gradient_norm = 0.5;
  double reward_scale = 1.0;
  bool normalise_observations = false;
  bool normalise_rewards = false;
  std::vector<std::int64_t> filters = {};
  std::vector<std::int64_t> hidden = {64, 64};
  std::string activation = "tanh";

  std::vector<Field> fields();
};

/// What the loss was made of, averaged over the minibatches of an update.
struct PpoLosses {
  double policy = 0;
  double value = 0;
  double entropy = 0;
  double kl = 0;      ///< mean of (r - 1) - log r, an estimate of KL(old, new) (Schulman 2020)
  double clipped = 0; ///< fraction of samples whose ratio left the clip range
  double gradient_norm = 0; ///< before clipping
};

/// One minibatch, gathered: rows of the batch in the order of the update's permutation.
template <class S>
struct PpoMinibatch {
  std::vector<S> observation;  ///< [row, feature]
  std::vector<float> action;   ///< [row, feature]
  std::vector<S> log_prob;     ///< [row], of the policy that acted
  std::vector<S> advantage;    ///< [row], standardised
  std::vector<S> value_target; ///< [row]
};

/// The loss -L^CLIP + c1 L^VF - c2 S (equation 9; L^VF with the factor 1/2) on a minibatch; adds
/// its gradient to `gradient`. `clip` is epsilon now. S = double serves the numerical check of the
/// gradient.
template <class S>
PpoLosses ppo_loss(const ActorCritic<S>& policy, std::span<const S> parameters,
                   const PpoMinibatch<S>& minibatch, const PpoConfig& config, double clip,
                   std::span<S> gradient, typename ActorCritic<S>::Workspace& workspace);

/// The learner: parameters, optimiser and the order of minibatches. Knows nothing of environments.
class Ppo {
public:
  Ppo(const PpoConfig& config, const PolicySpec& spec, std::uint64_t seed);

  const ActorCritic<float>& policy() const { return policy_; }
  std::span<const float> weights() const { return weights_; }

  /// Learns from a batch sampled with weights(). `left` is what is left of the run, from 1 to 0:
  /// step size and clip range are scaled by it. Throws Error{not_finite} when the loss's gradient
  /// is not finite; the weights are then unchanged by it.
  PpoLosses update(const Batch& batch, double left = 1);

  void save(Checkpoint& checkpoint) const;
  void load(const Checkpoint& checkpoint);

private:
  void estimate_advantages(const Batch& batch); // equations 11 and 12
  void gather(const Batch& batch, std::span<const std::size_t> rows);

  PpoConfig config_;
  ActorCritic<float> policy_;
  std::vector<float> weights_;
  Normaliser scale_;
  nn::Adam<float> adam_;
  Rng rng_;
  ActorCritic<float>::Workspace workspace_;
  std::vector<float> gradient_;
  BatchValues value_;
  std::vector<float> reward_, advantage_; // [time, env]
  PpoMinibatch<float> minibatch_;
};

/// What the workers of a PPO run need to know.
WorkersSpec ppo_workers(const PpoConfig& config, const RunOptions& options);

/// Trains until the run says stop, then evaluates. Errors: those of the parts.
TrainResult train_ppo(const PpoConfig& config, Run& run, Workers& workers);

} // namespace rl
