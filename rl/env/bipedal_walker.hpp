// BipedalWalker-v3 and BipedalWalkerHardcore-v3: walk on two legs with four motors, over gentle
// ground or over stumps, stairs and pits.
// Source: O. Klimov's task in OpenAI Gym, with Gymnasium's constants, on Box2D 2.4.1; what
// lunar_lander.hpp says about trajectories holds here too.
#pragma once

#include <memory>

#include "rl/env/env.hpp"
#include "rl/rng.hpp"

namespace rl {

/// Observation [24]: hull angle, angular velocity, velocity x and y; of each leg hip angle, hip
/// speed, knee angle, knee speed, ground contact; 10 lidar distances as fractions of 160/30 m.
/// Action [4]: torque of hip and knee of each leg, in [-1, 1] (clipped). Reward: forward movement
/// (some 300 over the whole course), minus 5 times the change of the hull's |angle|, minus 0.028
/// times the torques; falling, or leaving to the left, terminates with -100, and the far end
/// terminates. reset takes one step without torque, as Gymnasium's. The registered environments add
/// a limit of 1600 (hardcore: 2000) steps.
class BipedalWalker final : public Env {
public:
  enum class Course { gentle, hardcore };

  explicit BipedalWalker(Course course);
  ~BipedalWalker() override;

  const Space& observation_space() const override;
  const Space& action_space() const override;
  void reset(std::optional<std::uint64_t> seed, std::span<float> observation) override;
  Step step(std::span<const float> action, std::span<float> observation) override;
  bool draw(Picture& picture) const override;

private:
  struct World;

  Course course_;
  std::unique_ptr<World> world_;
  Rng rng_;
  bool running_ = false;
};

} // namespace rl
