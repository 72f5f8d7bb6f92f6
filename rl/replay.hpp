// Experience replay: the latest transitions, drawn at random, all alike (Mnih et al. 2015) or those
// more often from which more is to be learnt (Schaul et al. 2016, "PER").
//
//   rl::Replay replay({.capacity = 100'000, .observation_size = 4, .action_size = 1, .alpha =
//   0.6}); replay.add(transitions); replay.sample(64, 0.4, rng, minibatch);
//   ...                                            // learn from minibatch.rows, weighed
//   replay.update(minibatch.numbers, errors);      // what is new about them
//
// Transitions are numbered from 0 in the order in which they came; number i lies in slot i modulo
// the capacity until number i + capacity takes its place. So a number says by itself whether the
// transition is still there, and a priority that comes too late changes nothing.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "rl/bytes.hpp"
#include "rl/rng.hpp"
#include "rl/run/checkpoint.hpp"
#include "rl/sum_tree.hpp"
#include "rl/transitions.hpp"

namespace rl {

struct ReplayOptions {
  std::size_t capacity = 0;         ///< transitions that are kept, at least 1
  std::size_t observation_size = 0; ///< floats
  std::size_t action_size = 0;      ///< floats
  /// How much priorities count, from 0 (not at all: drawn alike, no tree is kept) to 1 (PER: 0.6).
  double alpha = 0;
  /// Added to every |TD error|, so that what was once learnt is seen again (PER, section 3.3).
  double epsilon = 1e-6;
};

/// Transitions that were drawn.
struct ReplaySample {
  Transitions rows;
  /// [row], what the row counts in the loss: (N P(i))^-beta over the largest of the sample (PER,
  /// section 3.4). All 1 when drawn alike.
  std::vector<float> importance;
  std::vector<std::uint64_t> numbers; ///< [row], for Replay::update
};

/// One thread at a time.
class Replay {
public:
  /// Throws Error{bad_value} for a capacity of 0.
  explicit Replay(const ReplayOptions& options);

  std::size_t size() const { return std::min<std::uint64_t>(added_, options_.capacity); }
  std::size_t capacity() const { return options_.capacity; }
  bool prioritised() const { return tree_.has_value(); }
  /// Transitions that ever came.
  std::uint64_t added() const { return added_; }

  /// Keeps these transitions, in place of the oldest where there is no room. `errors` [row] are
  /// their TD errors; without them they count as much as the most surprising one so far, so that
  /// each is seen at least once (PER, algorithm 1, line 6). Throws Error{bad_value} when the sizes
  /// of rows differ from the options, Error{not_finite} when an error is not finite.
  void add(const Transitions& rows, std::span<const float> errors = {});

  /// Draws `count` transitions, with replacement, into `out`: uniformly, or one from each of
  /// `count` equal shares of the priorities (PER, appendix B.2.1). `beta`, from 0 to 1, is how far
  /// `importance` makes up for the unequal draws. Throws Error{bad_value} when empty.
  void sample(std::size_t count, double beta, Rng& rng, ReplaySample& out) const;

  /// New TD errors of transitions that were drawn; those that have been replaced meanwhile are
  /// skipped. Returns how many were not. Does nothing when drawn alike. Throws Error{not_finite}.
  std::size_t update(std::span<const std::uint64_t> numbers, std::span<const float> errors);

  /// All of it: a copy that draws the same from the same stream. load throws Error{bad_checkpoint}
  /// when capacity or sizes differ.
  void save(ByteWriter& out) const;
  void load(ByteReader& in);

private:
  double priority(float error) const;

  ReplayOptions options_;
  Transitions columns_; // by slot, grown as they come
  std::uint64_t added_ = 0;
  double largest_ = 1; // priority^alpha
  std::optional<SumTree> tree_;
};

/// A replay and the stream that it is drawn from, as the parts "replay" and "draws" of a
/// checkpoint.
void save_replay(Checkpoint& checkpoint, const Replay& replay, const Rng& draws);
void load_replay(const Checkpoint& checkpoint, Replay& replay, Rng& draws);

} // namespace rl
