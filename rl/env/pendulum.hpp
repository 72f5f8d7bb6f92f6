// Pendulum-v1: swing a pendulum up and hold it, with less torque than it would need at once.
// Source: Gymnasium's task and constants; equal to its trajectories (tests/rl/reference).
#pragma once

#include <array>

#include "rl/env/env.hpp"
#include "rl/rng.hpp"

namespace rl {

/// Observation: cosine and sine of the angle (0 is upright), angular velocity in rad/s, at most 8.
/// Action: torque, clipped to 2 N m. Reward: minus (angle^2 + 0.1 velocity^2 + 0.001 torque^2) of
/// the state before the step, in [-16.28, 0]. Never terminates; the registered environment adds a
/// limit of 200 steps.
class Pendulum final : public Env {
public:
  const Space& observation_space() const override;
  const Space& action_space() const override;
  void reset(std::optional<std::uint64_t> seed, std::span<float> observation) override;
  Step step(std::span<const float> action, std::span<float> observation) override;
  bool draw(Picture& picture) const override;

  /// Angle (not wrapped, rad) and angular velocity in full precision.
  const std::array<double, 2>& state() const { return state_; }

private:
  void observe(std::span<float> observation);

  std::array<double, 2> state_{};
  double sine_ = 0; // of the angle, for the next step
  bool running_ = false;
  Rng rng_;
};

} // namespace rl
