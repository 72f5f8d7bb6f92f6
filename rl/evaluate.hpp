// How good a policy is: whole episodes in environments of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace rl {

/// Writes the action for one observation. It must keep no state that training shares.
using Act = std::function<void(std::span<const float> observation, std::span<float> action)>;

/// Undiscounted returns over the episodes.
struct Evaluation {
  std::int64_t episodes = 0;
  std::int64_t steps = 0;
  double mean = 0;
  double deviation = 0; ///< standard deviation over episodes
  double lowest = 0;
  double highest = 0;
};

/// Plays `episodes` (at least 1) whole episodes of the named environment. Episode i starts from a
/// seed that depends on `seed` and i alone and is never used in training. Actions are clipped to
/// the action space.
Evaluation evaluate(const std::string& env, std::uint64_t seed, int episodes, const Act& act);

/// What training leaves behind, whichever algorithm it was.
struct TrainResult {
  std::vector<float> weights;
  std::int64_t steps = 0;
  double seconds = 0;
  Evaluation evaluation; ///< of the trained policy, greedy, over RunOptions::evaluation_episodes
};

} // namespace rl
