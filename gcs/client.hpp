#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gcs/types/operations.hpp"

/// The GCS as one table set, seen from any thread of a process. `client_port.hpp` makes one.
namespace caf_ray::gcs {

struct client_options {
  /// Bytes of writes per shard that may wait for acknowledgement before writers wait too.
  std::size_t max_pending_bytes = 16 * 1024 * 1024;
  /// Batches per shard on their way at the same time.
  std::size_t max_unacknowledged = 8;
  /// A batch is closed at these; the last keeps LMDB's free list in small pieces.
  std::size_t max_batch_bytes = 512 * 1024;
  std::size_t max_batch_ops = 10'000;
  std::size_t max_batch_erases = 1'000;
  /// Sent again when nothing has come back for this long; doubles up to 16 times that.
  std::chrono::milliseconds retry_after{500};
  /// How often deadlines are looked at.
  std::chrono::milliseconds sweep_interval{50};
  /// For calls that do not say; also how long an asynchronous write waits for room.
  std::chrono::milliseconds timeout{10'000};
};

/// Thread-safe. Blocking calls wait inside a `blocking_scope` and come back at their deadline at
/// the latest. Callbacks run on the port actor, one at a time: they must be short, and must not
/// call what blocks; an asynchronous write from a callback never waits for room.
///
/// Order: writes of one thread to one key take effect in order, and its later reads see them.
/// Errors of every call: gcs_unavailable (shard gone and not back by the deadline), timed_out (the
/// operation may still take effect), shut_down, invalid_argument (key or value too long),
/// store_full (the shard takes erases only), io_failed (the shard's disk).
class client {
public:
  using milliseconds = std::chrono::milliseconds;
  using write_callback = std::function<void(result<bool>)>;
  using get_callback = std::function<void(result<std::optional<std::string>>)>;
  using scan_callback = std::function<void(result<std::vector<entry>>)>;
  using change_callback = std::function<void(const std::vector<change>&)>;

  class core;
  explicit client(std::shared_ptr<core> c);
  /// Waits for what was written, at most the default timeout, then fails what is left (shut_down).
  ~client();

  // -- Asynchronous: comes back at once unless too much is pending. Failures show at `flush`. ----

  result<void> put(table_kind table, std::string_view key, std::string_view value, job_id job = 0);
  result<void> erase(table_kind table, std::string_view key);

  /// All writes made before by any thread are committed. Error: the first that failed since the
  /// last flush, or timed_out.
  result<void> flush(std::optional<milliseconds> timeout = {});

  // -- With a callback. `on_done` gets true when the write took effect; false when put_if_absent
  //    found the key or erase did not. ------------------------------------------------------------

  void write(const write_op& op, write_callback on_done, std::optional<milliseconds> timeout = {});
  void get(table_kind table, std::string_view key, get_callback on_value,
           std::optional<milliseconds> timeout = {});
  /// As the blocking one below.
  void scan(table_kind table, std::string_view prefix, std::size_t limit, scan_callback on_entries,
            std::optional<milliseconds> timeout = {});

  // -- Blocking. ---------------------------------------------------------------------------------

  /// Committed when it returns.
  result<bool> write(const write_op& op, std::optional<milliseconds> timeout = {});
  /// False when the key was there.
  result<bool> put_if_absent(table_kind table, std::string_view key, std::string_view value,
                             std::optional<milliseconds> timeout = {});
  result<std::optional<std::string>> get(table_kind table, std::string_view key,
                                         std::optional<milliseconds> timeout = {});
  /// Up to `limit` entries of all shards. Sorted by key, except `tasks` and `events`, which keep
  /// each shard's order. In `tasks` the prefix is a job's number, 4 bytes big endian, or empty.
  result<std::vector<entry>> scan(table_kind table, std::string_view prefix = {},
                                  std::size_t limit = SIZE_MAX,
                                  std::optional<milliseconds> timeout = {});

  // -- Subscriptions. ----------------------------------------------------------------------------

  /// Changes committed from about now on, per shard in the order of commit. A read after the call
  /// misses nothing that `on_change` does not tell. `key` as in `watch_request`.
  std::uint64_t subscribe(table_kind table, std::string_view key, change_callback on_change);
  /// `on_change` may be running meanwhile.
  void unsubscribe(std::uint64_t subscription);

  /// A snapshot for people and tests.
  struct counters {
    std::size_t pending_bytes = 0;
    std::size_t unacknowledged_batches = 0;
    std::size_t pending_reads = 0;
    /// Single writes, since the start.
    std::uint64_t writes = 0;
    std::uint64_t batches = 0;
    std::uint64_t retries = 0;
  };
  counters status() const;

  std::uint32_t shard_count() const noexcept;
  const client_options& options() const noexcept;

  /// For client_port.hpp.
  const std::shared_ptr<core>& shared_core() const noexcept { return core_; }

private:
  std::shared_ptr<core> core_;
};

} // namespace caf_ray::gcs
