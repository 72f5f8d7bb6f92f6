// Observations and rewards at unit scale, by what a training run has seen so far.
//
//   rl::Normaliser scale({.observations = true, .rewards = true, .gamma = 0.99}, policy, envs);
//   workers.sample(steps, batch);
//   scale.add(batch);          // what it tells counts from now on
//   scale.scale(reward);       // rewards, before advantages
//   ...learn from the batch...
//   scale.write(weights);      // what workers and networks see from the next batch on
//
// Batches hold observations as the environments gave them. The networks see them through the mean
// and deviation at the end of the policy's parameters, so a batch is sampled and learnt from with
// the same statistics, and an evaluation cannot change them. Everything is counted by the learner
// in order of time, then environment: the number of workers changes no bit.
// Sources: rewards as Gymnasium's NormalizeReward does it (R <- gamma R (1 - terminated) + r, by
// which a time limit does not cut R); what differs is that all rewards of a batch are divided by
// the deviation after it, where Gymnasium's changes with every step. Observations as in OpenAI's
// baselines, likewise batch by batch.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "rl/batch.hpp"
#include "rl/env/moments.hpp"
#include "rl/policy.hpp"
#include "rl/run/checkpoint.hpp"

namespace rl {

struct NormaliserOptions {
  bool observations = false;
  bool rewards = false;
  double gamma = 0.99; ///< discount of R
};

class Normaliser {
public:
  /// For the policy that acts in `envs` environments.
  Normaliser(const NormaliserOptions& options, const ActorCritic<float>& policy, std::size_t envs);

  /// Counts the observations and rewards of a batch. Column i is environment `envs[i]`, or i when
  /// there are none. What a switch leaves out is not counted.
  void add(const Batch& batch, std::span<const std::size_t> envs = {});

  /// Counts observations that somebody else has counted, of whole episodes (es.hpp).
  void add(const RunningMoments& observations);

  /// Divides rewards by the deviation of R, and clips them to [-10, 10].
  void scale(std::span<float> reward) const;

  /// Writes mean and 1 / deviation of each feature to the end of the policy's parameters; changes
  /// nothing before any observation was counted.
  void write(std::span<float> parameters) const;

  const RunningMoments& observations() const { return observation_; }

  /// load throws Error{bad_checkpoint} when the saved statistics are of another size.
  void save(Checkpoint& checkpoint) const;
  void load(const Checkpoint& checkpoint);

private:
  NormaliserOptions options_;
  RunningMoments observation_;
  RunningMoments total_{1};     // of R
  std::vector<double> running_; // R of each environment
};

} // namespace rl
