// LunarLander-v3 and LunarLanderContinuous-v3: land between two flags, with little fuel.
// Source: O. Klimov's task in OpenAI Gym, with Gymnasium's constants and order of random draws, on
// Box2D 2.4.1. Gymnasium has Box2D 2.3, whose solver differs in details: single trajectories drift
// apart, the mean returns of the task's heuristic pilot agree (tests/rl/env/box2d_test.cpp).
#pragma once

#include <memory>

#include "rl/env/env.hpp"
#include "rl/rng.hpp"

namespace rl {

/// Observation: place relative to the pad (halves of the screen), velocity, angle (rad), angular
/// velocity, and whether each leg touches; bounds are Gymnasium's, and a lander that flies far up
/// leaves them before the episode ends. Reward: progress towards a soft upright landing, minus 0.3
/// for the main and 0.03 for a side engine a step; 100 for coming to rest, -100 for a crash or for
/// leaving sideways, each of which terminates. reset takes one step without engines, as
/// Gymnasium's. The registered environments add a limit of 1000 steps.
class LunarLander final : public Env {
public:
  enum class Control {
    discrete,   ///< 0 nothing, 1 left engine, 2 main engine, 3 right engine
    continuous, ///< main engine in (0, 1] from half to full power; side engines beyond +-0.5
  };

  explicit LunarLander(Control control);
  ~LunarLander() override;

  const Space& observation_space() const override;
  const Space& action_space() const override;
  void reset(std::optional<std::uint64_t> seed, std::span<float> observation) override;
  Step step(std::span<const float> action, std::span<float> observation) override;
  bool draw(Picture& picture) const override;

private:
  struct World;

  Control control_;
  std::unique_ptr<World> world_; // of the running episode, or the last one
  Rng rng_;
  bool running_ = false;
};

} // namespace rl
