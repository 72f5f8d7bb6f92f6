// Workers that nobody waits for as a whole: groups of environments are sampled each on its own, and
// whoever learns takes the first k fragments of n that are there.
//
// The price is policy lag: a fragment was sampled with the weights that were the latest when it was
// asked for (an algorithm that corrects for it: impala.hpp). SerialAsyncWorkers samples in the
// caller's thread, group after group, when asked: without lag, and the same each time.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "rl/workers.hpp"

namespace rl {

/// What the asynchronous workers of one run have in common.
struct AsyncSpec {
  WorkersSpec workers;
  int groups = 1;         ///< n; at most one an environment
  std::size_t steps = 20; ///< of a fragment
};

/// Fragments that were taken together, and what became known about the sampling with them.
struct Arrivals {
  Batch batch;                   ///< the fragments' columns side by side
  std::vector<std::size_t> envs; ///< the environment of each column
  double lag = 0;                ///< mean number of set_weights since those they were sampled with
  std::int64_t queue = 0;        ///< fragments that were waiting when they were asked for
  std::int64_t lost = 0;         ///< since the beginning, with workers that died
  SamplingTimes times;           ///< of these fragments together
};

/// The interface. One thread at a time.
class AsyncWorkers {
public:
  virtual ~AsyncWorkers() = default;

  /// The weights of the fragments that are asked for from now on. They are copied or sent.
  virtual void set_weights(std::span<const float> weights) = 0;

  /// Has every idle group sample a fragment, waits until `count` (1 to groups) are there, and takes
  /// the ones that were asked for first.
  virtual void gather(int count, Arrivals& out) = 0;

  /// How many fragments are sampled at a time.
  virtual int lanes() const = 0;

  /// Where every environment stands after what was taken of it, by index; then whose turn it is.
  virtual std::vector<std::string> save() = 0;

  /// Continues from there; before the first gather. Throws Error{bad_checkpoint}.
  virtual void load(std::span<const std::string> states) = 0;
};

/// The environments of group `group`: as even as they can be.
struct GroupRange {
  int first = 0, count = 0;
};
GroupRange group_range(const AsyncSpec& spec, int group);

/// Throws Error{bad_value} unless there are 1 to `envs` groups.
void check_groups(const AsyncSpec& spec);

/// Lays `parts`, the first environment of each in `first`, side by side into `out`.
void join_parts(std::span<const BatchView> parts, std::span<const int> first, Arrivals& out);

/// All groups in the caller's thread.
class SerialAsyncWorkers final : public AsyncWorkers {
public:
  explicit SerialAsyncWorkers(const AsyncSpec& spec);

  void set_weights(std::span<const float> weights) override;
  void gather(int count, Arrivals& out) override;
  int lanes() const override { return 1; }
  std::vector<std::string> save() override;
  void load(std::span<const std::string> states) override;

private:
  AsyncSpec spec_;
  std::vector<RolloutWorker> groups_;
  std::vector<Batch> fragments_; // of each group
  std::vector<float> weights_;
  std::size_t turn_ = 0; // whose fragment is next
};

} // namespace rl
