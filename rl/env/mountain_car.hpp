// MountainCar-v0 and MountainCarContinuous-v0: leave a valley with an engine too weak to climb out.
// Source: Moore (1990), with Gymnasium's constants; equal to Gymnasium's trajectories
// (tests/rl/reference). The continuous task keeps its state as float32 between steps, as
// Gymnasium's does.
#pragma once

#include <array>

#include "rl/env/env.hpp"
#include "rl/rng.hpp"

namespace rl {

/// Observation: position in [-1.2, 0.6], velocity in [-0.07, 0.07]. Action: 0 pushes left, 1 does
/// nothing, 2 pushes right. Reward: -1 each step. Terminates at position 0.5. The registered
/// environment adds a limit of 200 steps.
class MountainCar final : public Env {
public:
  const Space& observation_space() const override;
  const Space& action_space() const override;
  void reset(std::optional<std::uint64_t> seed, std::span<float> observation) override;
  Step step(std::span<const float> action, std::span<float> observation) override;
  bool draw(Picture& picture) const override;

  /// Position and velocity in full precision.
  const std::array<double, 2>& state() const { return state_; }

private:
  std::array<double, 2> state_{};
  bool running_ = false;
  Rng rng_;
};

/// As above, but the action is a force in [-1, 1] (clipped), the goal lies at 0.45, and the reward
/// is -0.1 times the square of the force as given, plus 100 on arrival. The registered environment
/// adds a limit of 999 steps.
class MountainCarContinuous final : public Env {
public:
  const Space& observation_space() const override;
  const Space& action_space() const override;
  void reset(std::optional<std::uint64_t> seed, std::span<float> observation) override;
  Step step(std::span<const float> action, std::span<float> observation) override;
  bool draw(Picture& picture) const override;

  /// Position and velocity: float32 values, except right after reset.
  const std::array<double, 2>& state() const { return state_; }

private:
  std::array<double, 2> state_{};
  bool running_ = false;
  Rng rng_;
};

} // namespace rl
