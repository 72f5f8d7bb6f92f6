// CartPole-v1: keep a pole upright by pushing its cart left or right.
// Source: Barto, Sutton, Anderson (1983), with Gymnasium's constants and explicit Euler steps;
// equal to Gymnasium's trajectories (tests/rl/reference).
#pragma once

#include <array>

#include "rl/env/env.hpp"
#include "rl/rng.hpp"

namespace rl {

/// Observation: cart position (m), cart velocity (m/s), pole angle (rad), pole velocity (rad/s).
/// Action: 0 pushes left, 1 pushes right, with 10 N for 0.02 s. Reward: 1 each step, the last one
/// included. Terminates when the cart leaves 2.4 m or the pole leaves 12 degrees. No time limit of
/// its own: the registered environment adds 500 steps.
class CartPole final : public Env {
public:
  const Space& observation_space() const override;
  const Space& action_space() const override;
  void reset(std::optional<std::uint64_t> seed, std::span<float> observation) override;
  Step step(std::span<const float> action, std::span<float> observation) override;
  bool draw(Picture& picture) const override;

  /// Position, velocity, angle, angular velocity in full precision.
  const std::array<double, 4>& state() const { return state_; }

private:
  std::array<double, 4> state_{};
  bool running_ = false;
  Rng rng_;
};

} // namespace rl
