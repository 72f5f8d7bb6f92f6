#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "gcs/client.hpp"
#include "gcs/types/operations.hpp"

namespace caf_ray::gcs {

/// What one client wants of one shard and has not got yet. Threads add; the port actor takes
/// batches out, sends them, and puts acknowledgements in. No actors, no clock, no messages here:
/// the port says what time it is.
///
///     add -> queue_ -> take -> flying_ -> acknowledge -> settled
///                      ^         | nothing heard for `retry_after`
///                      +---------+ the same batches, the same sequence numbers, in order
///
/// A read is taken only after all writes that were added before it, so it sees them.
///
/// Thread-safe: every member takes the lock. Completions are handed out, never called inside.
class outbox {
public:
  using time_point = std::chrono::steady_clock::time_point;
  using write_done = std::function<void(result<bool>)>;
  using read_done = std::function<void(result<scan_page>)>;
  /// Completions whose time has come, each bound to its result.
  using completions = std::vector<std::function<void()>>;

  outbox(const client_options& options, std::uint64_t client, std::uint32_t shard);

  // -- Any thread. --------------------------------------------------------------------------------

  /// `done` may be null: a failure then shows at `flush`. When too much is pending, waits for room
  /// until `timeout` has passed (nullopt: adds it all the same). `deadline` is `done`'s.
  /// Errors: gcs_unavailable, timed_out, shut_down.
  result<void> add(const write_op& op, write_done done, time_point deadline,
                   std::optional<std::chrono::milliseconds> timeout);
  /// Error: shut_down.
  result<void> add(read_op op, read_done done, time_point deadline);
  /// Waits until all writes added before are settled. Errors: the first of a write without `done`
  /// since the last flush; gcs_unavailable, timed_out, shut_down.
  result<void> flush(std::chrono::steady_clock::time_point until);
  /// Adds to `to`.
  void count(client::counters& to) const;
  bool available() const;

  // -- The port actor. ----------------------------------------------------------------------------

  struct parcel {
    std::vector<write_batch> batches;
    /// To be sent after the batches.
    read_batch reads;
  };
  /// What may be sent now: within the window, and again what was not heard of for too long.
  parcel take(time_point now);
  void acknowledge(const write_ack& ack, time_point now, completions& finished);
  void answer(read_answer answer, time_point now, completions& finished);
  /// Fails what is past its deadline. A write that has failed so may still take effect.
  void expire(time_point now, completions& finished);
  /// The shard is gone or back; when it is back, everything is due to be sent again.
  void set_available(bool yes);
  /// Fails everything, now and from now on.
  void close(const error& why, completions& finished);
  /// Something is pending: `take` and `expire` want to be called again.
  bool busy() const;

private:
  struct waiting_write {
    std::uint32_t index = 0;
    write_done done;
    time_point deadline;
  };
  struct letter {
    write_list ops;
    std::vector<waiting_write> waiting;
  };
  struct flying_batch {
    std::uint64_t sequence = 0;
    std::shared_ptr<const write_list> ops;
    std::vector<waiting_write> waiting;
    bool settled = false;
  };
  struct waiting_read {
    read_op op;
    read_done done;
    time_point deadline;
    /// The value of `added_` when it came: sent when as much has been taken.
    std::uint64_t after = 0;
  };

  letter& open_letter(const write_op& op);
  void settle(flying_batch& batch, const write_ack& ack, completions& finished);
  error late() const;
  void expire_writes(std::vector<waiting_write>& waiting, time_point now, completions& finished);

  const client_options& options_;
  const std::uint64_t client_;
  const std::uint32_t shard_;

  mutable std::mutex mutex_;
  /// Something was settled, or the box was closed.
  std::condition_variable changed_;
  std::deque<letter> queue_;
  std::deque<flying_batch> flying_;
  /// Writes ever added, taken into batches, settled in order.
  std::uint64_t added_ = 0;
  std::uint64_t taken_ = 0;
  std::uint64_t settled_ = 0;
  std::size_t pending_bytes_ = 0;
  std::uint64_t sequence_ = 0;

  /// `after` and id of the reads not sent yet, in order.
  std::deque<std::pair<std::uint64_t, std::uint64_t>> unsent_reads_;
  std::unordered_map<std::uint64_t, waiting_read> reads_;

  /// When the shard was last heard of, or last had nothing to answer.
  time_point last_heard_{};
  std::chrono::milliseconds patience_;
  bool resend_ = false;
  bool available_ = true;
  /// No deadline is earlier than this.
  time_point earliest_ = time_point::max();
  std::optional<error> first_failure_;
  std::optional<error> closed_;
  std::uint64_t retries_ = 0;
};

} // namespace caf_ray::gcs
