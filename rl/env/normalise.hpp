// Wrappers that bring observations and rewards to unit scale by what they have seen so far.
//
// Their statistics outlive the episode. Until they are frozen, such an environment does not repeat
// itself from its seed (env.hpp): a VectorEnv can neither save nor replay it. For training over
// workers keep a RunningMoments (moments.hpp) a worker and merge them; these wrappers are for a
// loop in one thread, and for evaluation with frozen statistics of either.
#pragma once

#include <memory>

#include "rl/env/moments.hpp"
#include "rl/env/wrapper.hpp"

namespace rl {

/// Shows (x - mean) / sqrt(variance + 1e-8) of each feature, clipped to [-bound, bound]; mean and
/// variance are of all observations so far, this one included. Throws Error{bad_space} when
/// observations are no box and Error{bad_value} when bound is not above 0.
class NormaliseObservation final : public Wrapper {
public:
  explicit NormaliseObservation(std::unique_ptr<Env> env, double bound = 10);

  const Space& observation_space() const override { return space_; }
  void reset(std::optional<std::uint64_t> seed, std::span<float> observation) override;
  Step step(std::span<const float> action, std::span<float> observation) override;

  /// While frozen, observations are normalised but no longer counted: for evaluation.
  void freeze(bool frozen = true) { frozen_ = frozen; }
  bool frozen() const { return frozen_; }

  RunningMoments& moments() { return moments_; }
  const RunningMoments& moments() const { return moments_; }

private:
  void normalise(std::span<float> observation);

  double bound_;
  Space space_;
  RunningMoments moments_;
  bool frozen_ = false;
};

/// Divides rewards by the standard deviation of the discounted sum of rewards so far,
/// R' = gamma R (1 - terminated) + r: Gymnasium's rule, by which a time limit does not cut R, and a
/// reset does not either. Throws Error{bad_value} when gamma is outside [0, 1] or bound not above
/// 0.
class NormaliseReward final : public Wrapper {
public:
  explicit NormaliseReward(std::unique_ptr<Env> env, double gamma = 0.99, double bound = 10);

  Step step(std::span<const float> action, std::span<float> observation) override;

  void freeze(bool frozen = true) { frozen_ = frozen; }
  bool frozen() const { return frozen_; }

  /// Of R, one feature.
  RunningMoments& moments() { return moments_; }
  const RunningMoments& moments() const { return moments_; }

private:
  double gamma_, bound_;
  double discounted_ = 0;
  RunningMoments moments_{1};
  bool frozen_ = false;
};

} // namespace rl
