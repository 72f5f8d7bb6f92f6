// A collector: environments that an off-policy algorithm steps, and the transitions that come of
// it.
//
//   rl::Collector collector({.env = "CartPole-v1", .seed = 1, .envs = 1, .steps = 3, .gamma =
//   0.99}); network.act(weights, collector.observation(), epsilons, collector.rngs(), action,
//   workspace); collector.step(action, action, replay_rows);
//
// What an environment lives through, and what is drawn to act in it, follow from the run's seed and
// its index, as with the other workers (workers.hpp).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "rl/env/vector_env.hpp"
#include "rl/rng.hpp"
#include "rl/transitions.hpp"

namespace rl {

struct CollectorOptions {
  std::string env;           ///< registered name
  std::uint64_t seed = 0;    ///< of the run
  int first = 0;             ///< index of the first environment in the run
  int envs = 1;              ///< how many there are
  std::size_t steps = 1;     ///< n of the transitions
  double gamma = 0.99;       ///< discount of one step
  double reward_scale = 1.0; ///< factor on rewards in transitions; ended() tells true returns
};

/// One thread at a time.
class Collector {
public:
  /// Errors: as VectorEnv and NStepWindow.
  explicit Collector(const CollectorOptions& options);

  int count() const { return envs_.count(); }
  std::size_t observation_size() const { return observation_size_; }
  std::size_t action_size() const { return action_size_; }
  const Space& action_space() const { return envs_.action_space(); }

  /// What the next actions answer, [env, feature].
  std::span<const float> observation() const { return envs_.observation(); }
  /// What each environment's actions are drawn from.
  std::span<Rng> rngs() { return rngs_; }

  /// Steps every environment. `given` [env, feature] is what the environments get, `kept` what the
  /// transitions remember of it: the same, or the action before it was stretched to the space.
  /// Appends the transitions that are complete. Errors: as VectorEnv::step.
  void step(std::span<const float> given, std::span<const float> kept, Transitions& out);

  /// The episodes that ended in the latest step, by environment.
  std::span<const EpisodeEnd> ended() const { return envs_.ended(); }

  /// Where each environment stands: one byte string an environment. load throws
  /// Error{bad_checkpoint} when they are of another run.
  std::vector<std::string> save() const;
  void load(std::span<const std::string> states);

private:
  double reward_scale_;
  VectorEnv envs_;
  std::size_t observation_size_, action_size_;
  std::vector<Rng> rngs_;            // [env]
  std::vector<NStepWindow> windows_; // [env]
  std::vector<float> before_;        // [env, feature]
  std::vector<float> reward_;        // [env]
  std::vector<std::uint8_t> terminated_, truncated_;
};

/// Uniform points in [-1, 1], [row, feature], row i from rngs[i]: how algorithms for boxes explore
/// before they have learnt anything.
void draw_in_unit_box(std::span<Rng> rngs, std::span<float> action);

} // namespace rl
