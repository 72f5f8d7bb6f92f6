// IMPALA: importance weighted actor-learner architectures (Espeholt et al. 2018, arXiv 1802.01561).
//
//   rl::ImpalaConfig config;
//   rl::Run run({.env = "CartPole-v1", .stop_steps = 2'000'000}, "impala", config.fields());
//   auto workers = rl::make_async_workers(rl::impala_workers(config, run.options()), 2);
//   auto trained = rl::train_impala(config, run, *workers);
//
// Actors sample fragments all the time; the learner takes the first k of n that are there, and
// V-trace (vtrace.hpp) corrects for the updates that happened since a fragment was asked for. With
// workers this is as fast as the machine allows and never the same twice; without, one thread does
// it in turn, without lag, the same each time, and resumes to the bit.
//
// Beyond the paper's text: separate networks, orthogonal start, a time limit bootstrapped through,
// observations and rewards at unit scale (ppo.hpp names the sources); RMSProp as in a2c.hpp, with
// the paper's constants. Left out: frames shared among learners, the LSTM.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rl/a2c.hpp"
#include "rl/async_workers.hpp"
#include "rl/config.hpp"
#include "rl/learner.hpp"
#include "rl/nn/adam.hpp"
#include "rl/normaliser.hpp"
#include "rl/policy.hpp"
#include "rl/run/run.hpp"

namespace rl {

struct ImpalaConfig {
  std::int64_t envs = 32;
  std::int64_t groups = 8;
  std::int64_t fragments = 2;
  std::int64_t horizon = 20;
  double learning_rate = 2e-3;
  bool anneal = true;
  double gamma = 0.99;
  double lambda = 1.0;
  double rho_bar = 1.0;
  double c_bar = 1.0;
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

/// What an update was made of.
struct ImpalaLosses {
  A2cLosses loss;
  double rho = 0; ///< mean of min(rho_bar, pi/mu): 1 without lag
};

/// The learner: parameters and optimiser. Knows nothing of environments.
class Impala {
public:
  Impala(const ImpalaConfig& config, const PolicySpec& spec, std::uint64_t seed);

  const ActorCritic<float>& policy() const { return policy_; }
  std::span<const float> weights() const { return weights_; }

  /// Learns from fragments that earlier weights sampled; column i is environment `envs[i]`. `left`
  /// is what is left of the run, from 1 to 0: the step size is scaled by it. Throws
  /// Error{not_finite} as PPO does.
  ImpalaLosses update(const Batch& batch, std::span<const std::size_t> envs, double left = 1);

  void save(Checkpoint& checkpoint) const;
  void load(const Checkpoint& checkpoint);

private:
  ImpalaConfig config_;
  ActorCritic<float> policy_;
  std::vector<float> weights_;
  Normaliser scale_;
  nn::Adam<float> adam_;
  ActorCritic<float>::Workspace workspace_;
  std::vector<float> gradient_;
  BatchValues value_;
  std::vector<float> reward_, log_ratio_, entropy_, advantage_, target_; // [time, env]
};

/// What the workers of an IMPALA run need to know. Throws Error{bad_value} when an update is to
/// take more fragments than there are groups.
AsyncSpec impala_workers(const ImpalaConfig& config, const RunOptions& options);

/// Trains until the run says stop, then evaluates. Logs besides the losses: async/lag,
/// async/queue and async/lost (Arrivals); async/sampling_percent and async/simulation_percent: the
/// share of the workers' time that went into fragments taken, and into environments alone. Errors:
/// those of the parts.
TrainResult train_impala(const ImpalaConfig& config, Run& run, AsyncWorkers& workers);

} // namespace rl
