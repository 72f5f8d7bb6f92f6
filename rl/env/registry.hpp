// Environments by name. A user's own environment joins with one line:
//
//   static const bool known = rl::register_env(
//     {"Maze-v0", [] { return std::make_unique<Maze>(); }, 200});
//
// At namespace scope that line also runs in every worker process, so workers know the name too.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rl/env/env.hpp"

namespace rl {

/// What is known about a named environment.
struct EnvEntry {
  /// Name with version, such as "CartPole-v1".
  std::string name;
  /// Makes the bare environment, without the time limit.
  std::function<std::unique_ptr<Env>()> make;
  /// Steps until an episode is truncated; 0 for none.
  int max_episode_steps = 0;
  /// The mean return over 100 episodes at which the task counts as solved, where its authors gave
  /// one.
  std::optional<double> solved_return = std::nullopt;
};

/// Adds an environment, for all threads. Returns true. Throws Error{bad_value} when the name is
/// empty or taken, or there is no factory.
bool register_env(EnvEntry entry);

/// The entry of that name. Throws Error{unknown_name} with the known names and the nearest.
EnvEntry find_env(std::string_view name);

/// A new environment of that name, inside its time limit. Throws as find_env, what the factory
/// throws, and Error{bad_environment} when that made nothing.
std::unique_ptr<Env> make_env(std::string_view name);

/// The same for networks: observations are always a box. Discrete ones become one-hot vectors
/// (transform.hpp), all others are as they were. What VectorEnv, evaluations and the algorithms
/// make.
std::unique_ptr<Env> make_network_env(std::string_view name);

/// All names, sorted.
std::vector<std::string> env_names();

} // namespace rl
