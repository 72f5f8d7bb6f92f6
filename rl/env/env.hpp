// The contract of an environment: Gymnasium's meaning, without its dictionaries.
//
//   auto env = rl::make_env("CartPole-v1");
//   std::vector<float> observation(rl::value_size(env->observation_space()));
//   env->reset(123, observation);
//   auto [reward, terminated, truncated] = env->step(action, observation);
//
// Your own environment is one class that derives from Env, and one line that names it
// (registry.hpp); check_env (checker.hpp) says which rule it breaks. Rules of every environment:
// - Equal seeds and equal actions give equal observations, rewards and flags. Restoring a saved run
//   and replacing a dead worker rely on it: both replay the actions of the running episode.
// - All randomness comes from the seed given to reset.
// - One thread at a time uses an object; different objects share nothing that changes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "rl/space.hpp"

namespace rl {

class Picture; // picture.hpp

/// What one step gives besides the observation.
struct Step {
  double reward = 0;
  /// The task itself ended (fell over, arrived): the value of what would follow is 0.
  bool terminated = false;
  /// Somebody stopped it (a time limit): what would follow still has a value.
  bool truncated = false;
};

class Env {
public:
  virtual ~Env() = default;

  /// The spaces never change during an object's life.
  virtual const Space& observation_space() const = 0;
  virtual const Space& action_space() const = 0;

  /// Begins an episode and writes its first observation. With a seed, the environment's random
  /// stream starts anew from it; without, the stream goes on (from seed 0 in a new object).
  /// `observation` has value_size(observation_space()) floats; so has step's.
  virtual void reset(std::optional<std::uint64_t> seed, std::span<float> observation) = 0;

  /// Takes one action and writes the observation that follows it. After terminated or truncated,
  /// only reset may follow. Errors: bad_value when the action is not in the action space and the
  /// task has no meaning for it (NaN never has one); bad_environment when no episode is running.
  virtual Step step(std::span<const float> action, std::span<float> observation) = 0;

  /// Draws the present state, in a size that is always the same; false when this environment has no
  /// picture (`picture` is then unchanged). Changes nothing of the environment.
  virtual bool draw(Picture& picture) const;
};

inline bool Env::draw(Picture&) const {
  return false;
}

} // namespace rl
