// What workers bring back: a fragment of experience, column by column.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "rl/env/vector_env.hpp"

namespace rl {

/// The sizes of a batch.
struct BatchShape {
  std::size_t steps = 0;
  std::size_t envs = 0;
  std::size_t observation = 0; ///< floats of one observation
  std::size_t action = 0;      ///< floats of one action
  bool operator==(const BatchShape&) const = default;
};

/// An episode that ended inside a batch, and the observation it ended with.
struct BatchEnd {
  std::size_t time = 0; ///< row of the step that ended it
  std::size_t env = 0;  ///< column
  EpisodeEnd episode;
};

/// A batch that somebody else holds, such as one that lies in the object store. Columns as in
/// Batch.
struct BatchView {
  BatchShape shape;
  std::span<const float> observation;
  std::span<const float> action;
  std::span<const float> log_prob;
  std::span<const float> reward;
  std::span<const std::uint8_t> terminated;
  std::span<const std::uint8_t> truncated;
  std::span<const BatchEnd> ends;
  std::span<const float> final_observation;
};

/// Fragments of `envs` environments over `steps` steps. Each column is one contiguous row-major
/// array. A fragment neither begins nor ends with an episode: row t+1 of `observation` is what the
/// action of row t+1 answers, the first of a new episode where row t ended one.
struct Batch {
  BatchShape shape;
  std::vector<float> observation; ///< [time + 1, env, feature]; the last row follows the last step
  std::vector<float> action;      ///< [time, env, feature], as drawn: not clipped to the space
  std::vector<float> log_prob;    ///< [time, env], of the action under the policy that drew it
  std::vector<float> reward;      ///< [time, env]
  std::vector<std::uint8_t> terminated; ///< [time, env], 0 or 1
  std::vector<std::uint8_t> truncated;  ///< [time, env], 0 or 1
  std::vector<BatchEnd> ends;           ///< episodes that ended here, by time, then environment
  std::vector<float> final_observation; ///< [end, feature], beside `ends`

  /// Makes room for `shape` and forgets the ends. Contents of the columns are unspecified.
  void resize(const BatchShape& shape);

  /// Environment steps in it.
  std::size_t size() const { return shape.steps * shape.envs; }

  /// The row of observations before step `time`, columns `env` on.
  std::span<float> observation_row(std::size_t time, std::size_t env = 0);

  /// All of it, to read while this object is not changed.
  BatchView view() const;

  /// Copies `part` into the columns from `env` on; it has as many steps, and its environments count
  /// from 0. Call sort_ends() after the last part. Throws Error{bad_value} when it does not fit.
  void insert(const BatchView& part, std::size_t env);

  /// Brings `ends` and `final_observation` into order of time, then environment.
  void sort_ends();
};

} // namespace rl
