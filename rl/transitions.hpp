// Transitions: what off-policy algorithms learn from, and how steps become them.
//
// A transition says: in this observation this action gave so much reward over n steps, and led to
// that observation, whose value counts this much. How the episode went on decides that last number
// once, where it is known, so that learners only compute reward + discount * value(next):
//   gamma^n          the episode went on
//   gamma^k, k <= n  somebody stopped it (a time limit) after k steps: it has a future, seen from
//                    its final observation (Pardo et al. 2018)
//   0                the task itself ended: nothing follows
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "rl/bytes.hpp"

namespace rl {

/// Transitions, column by column; all columns have size() rows.
struct Transitions {
  std::size_t observation_size = 0;    ///< floats of one observation
  std::size_t action_size = 0;         ///< floats of one action
  std::vector<float> observation = {}; ///< [row, feature]
  std::vector<float> action = {};      ///< [row, feature]
  std::vector<float> reward = {};      ///< [row], sum of gamma^i r_{t+i} over the steps of the row
  std::vector<float> discount = {};    ///< [row], what the value of `next_observation` counts
  std::vector<float> next_observation = {}; ///< [row, feature]

  std::size_t size() const { return reward.size(); }

  /// Forgets the rows; their memory is kept.
  void clear();
  /// Makes room for `rows`; their contents are unspecified.
  void resize(std::size_t rows);
};

/// Makes n-step transitions (Sutton 1988; Hessel et al. 2018, section 3) of the steps of one
/// environment: a window over its latest n steps. Where an episode ends, the steps that are still
/// in the window become transitions of fewer steps, so that none is lost and none reaches into the
/// next episode.
class NStepWindow {
public:
  /// `steps` is n, at least 1; `gamma` the discount of one step. Throws Error{bad_value}.
  NStepWindow(std::size_t steps, double gamma, std::size_t observation_size,
              std::size_t action_size);

  /// One step, as the environment gave it: `next` is the observation that it led to, before any
  /// reset. Appends the transitions that are now complete to `out`, oldest first.
  struct Taken {
    std::span<const float> observation, action;
    float reward = 0;
    bool terminated = false, truncated = false;
    std::span<const float> next;
  };
  void push(const Taken& step, Transitions& out);

  /// The steps that wait for later ones. load throws Error{bad_checkpoint} when they are of another
  /// window or of other sizes.
  void save(ByteWriter& out) const;
  void load(ByteReader& in);

private:
  void emit(const Taken& last, Transitions& out);

  std::size_t steps_;
  double gamma_;
  std::size_t observation_size_, action_size_;
  // A ring: waiting_ steps from head_ on.
  std::size_t head_ = 0, waiting_ = 0;
  std::vector<float> observation_, action_, reward_; // [steps, feature]
};

} // namespace rl
