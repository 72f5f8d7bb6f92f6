// Pilots written by hand for the tasks on Box2D: a policy to compare with, to learn from, and to
// judge the tasks by. Source: those that come with Gymnasium's tasks.
#pragma once

#include <span>

namespace rl {

/// Lands most times. Writes the action that answers an observation of LunarLander: one of 0 to 3
/// where `action` has one number, both engines in [-1, 1] where it has two.
void lunar_lander_pilot(std::span<const float> observation, std::span<float> action);

/// Walks some way, without a sense of balance. It remembers which leg moves: one object an episode.
/// Its first action is none, as in Gymnasium's loop; where it acts at once it falls earlier.
class BipedalWalkerPilot {
public:
  /// Writes four torques in [-1, 1] that answer an observation of BipedalWalker.
  void act(std::span<const float> observation, std::span<float> action);

private:
  enum class Phase { stand_on_one_leg, put_other_down, push_off };

  bool first_ = true;
  Phase phase_ = Phase::stand_on_one_leg;
  int moving_ = 0; // leg
  double supporting_knee_ = 0.1;
};

} // namespace rl
