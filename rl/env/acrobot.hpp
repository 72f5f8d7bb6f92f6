// Acrobot-v1: swing the free end of two linked bars above a line, driving only the joint between.
// Source: Sutton (1996) with the equations of Sutton and Barto's book and Gymnasium's constants;
// equal to Gymnasium's trajectories (tests/rl/reference).
#pragma once

#include <array>

#include "rl/env/env.hpp"
#include "rl/rng.hpp"

namespace rl {

/// Observation: cosine and sine of the first angle (0 hangs down), cosine and sine of the second
/// (relative to the first), both velocities in rad/s (at most 4 pi and 9 pi). Action: 0, 1, 2 for a
/// torque of -1, 0, 1 N m for 0.2 s. Reward: -1 each step, 0 for the one that arrives. Terminates
/// when the end is more than one bar above the axis. The registered environment adds a limit of 500
/// steps.
class Acrobot final : public Env {
public:
  const Space& observation_space() const override;
  const Space& action_space() const override;
  void reset(std::optional<std::uint64_t> seed, std::span<float> observation) override;
  Step step(std::span<const float> action, std::span<float> observation) override;
  bool draw(Picture& picture) const override;

  /// Both angles in [-pi, pi], both velocities, in full precision.
  const std::array<double, 4>& state() const { return state_; }

private:
  void observe(std::span<float> observation) const;

  std::array<double, 4> state_{};
  bool running_ = false;
  Rng rng_;
};

} // namespace rl
