// Augmented random search (Mania, Guy, Recht 2018, arXiv 1803.07055): a linear policy, moved along
// those random directions that did best.
//
//   rl::ArsConfig config;
//   rl::Run run({.env = "Swimmer-v4", .stop_steps = 1'000'000}, "ars", config.fields());
//   auto workers = rl::make_es_workers(rl::ars_spec(config, run.options()), 0);
//   auto trained = rl::train_ars(config, run, *workers);
//
// As in the paper: version V2-t (the policy sees observations at unit scale by all that was seen so
// far; only the `top` directions count); with normalise_observations=false V1-t. The step is
// divided by the deviation of the returns that are used, those of the top directions. Weights
// start at 0, and there is no bias. Directions, episodes and sums of noise are those of ES
// (es.hpp), on the same workers, with the same result for any number of them. Choices are the
// largest output. Left out: the paper's subtraction of the survival bonus in Hopper, Walker2d, Ant
// and Humanoid.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "rl/config.hpp"
#include "rl/es.hpp"
#include "rl/normaliser.hpp"
#include "rl/policy.hpp"
#include "rl/run/run.hpp"

namespace rl {

struct ArsConfig {
  std::int64_t directions = 8;
  std::int64_t top = 4;
  double step_size = 0.02;
  double noise = 0.03;
  std::int64_t episodes = 1;
  bool normalise_observations = true;

  std::vector<Field> fields();
};

/// What the workers of an ARS run need to know: a policy without hidden layers, whose w is noisy.
EsSpec ars_spec(const ArsConfig& config, const RunOptions& options);

/// The learner: the linear policy M.
class Ars {
public:
  /// Throws Error{bad_value} when more directions are to be used than there are.
  Ars(const ArsConfig& config, const EsSpec& spec, std::uint64_t seed);

  const ActorCritic<float>& policy() const { return policy_; }
  std::span<const float> weights() const { return weights_; }

  /// The directions of update number `update`.
  std::vector<EsJob> jobs(std::int64_t update) const {
    return es_jobs(seed_, update, config_.directions);
  }

  /// What each direction counts in the step: (r+ - r-) / (b sigma_R) for the top b by
  /// max(r+, r-), of equal ones the first; 0 for all others, and for all when sigma_R is 0. Throws
  /// as es_returns.
  std::vector<double> shares(std::span<const EsJob> jobs, std::span<const EsScore> scores) const;

  /// M += alpha times the sum of what the directions count; then counts what was seen, which the
  /// policy sees by from the next update on. Returns the step's length.
  double step(std::span<const float> direction, std::span<const EsScore> scores);

  void save(Checkpoint& checkpoint) const;
  void load(const Checkpoint& checkpoint);

private:
  ArsConfig config_;
  EsSpec spec_;
  std::uint64_t seed_;
  ActorCritic<float> policy_;
  std::vector<float> weights_;
  Normaliser scale_;
};

/// Trains until the run says stop, then evaluates M. Errors: those of the parts.
TrainResult train_ars(const ArsConfig& config, Run& run, EsWorkers& workers);

} // namespace rl
