#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gcs/types/operations.hpp"

/// The tables of one shard, on one LMDB environment. No actors; one thread at a time.
namespace caf_ray::gcs {

/// When a write survives the power going off. It survives the process's death in all three.
enum class durability : std::uint8_t {
  /// Each transaction is on the disk before it is acknowledged.
  every_commit,
  /// On the disk at most `sync_interval` later; until then a power cut may lose the newest writes
  /// or, as LMDB warns, leave the folder unreadable.
  interval,
  /// Never forced out. For temporary folders.
  none,
};

struct table_options {
  /// Holds a folder per shard; made if it is not there. Must be on a local disk.
  std::filesystem::path folder;
  std::uint32_t shard_index = 0;
  std::uint32_t shard_count = 1;
  durability sync = durability::every_commit;
  std::chrono::milliseconds sync_interval{100};
  /// Size of the map at first; it is a sparse file. Doubles between transactions when 70 % are
  /// used, up to the second figure. At 90 % of that one, only erases are taken.
  std::size_t map_bytes = std::size_t{1} << 30;
  std::size_t max_map_bytes = std::size_t{64} << 30;
  /// Events kept; older ones go.
  std::size_t max_events = 100'000;
  /// Clients whose last batches are remembered; the ones unheard of longest go.
  std::size_t max_clients = 4096;
};

/// What a transaction did with one batch of a client.
struct batch_outcome {
  enum kind_type : std::uint8_t {
    applied,
    /// Was applied before: `notes` are those of that time.
    duplicate,
    /// One before it has not arrived: not applied, to be sent again in order.
    out_of_order,
  };
  kind_type kind = applied;
  std::vector<op_note> notes;
};

/// Invariants:
/// - One process, one `tables` per folder: a lock file says so, and the kernel drops the lock when
///   the process dies.
/// - After an I/O error nothing more is written (fail-stop) until the folder is opened again;
///   reads go on.
/// - No LMDB transaction outlives a call.
class tables {
public:
  /// Errors: in_use (names the process), version_mismatch (another format or number of shards),
  /// not_supported (network file system), corrupt, io_failed, invalid_argument.
  static result<std::unique_ptr<tables>> open(const table_options& options);

  ~tables();

  // -- Single operations, each its own transaction. ---------------------------------------------
  // Errors of all writes: store_full (map), io_failed (disk), invalid_argument (key or value).

  result<void> put(table_kind table, std::string_view key, std::string_view value, job_id job = 0);
  /// False when the key was there; its value is unchanged then.
  result<bool> put_if_absent(table_kind table, std::string_view key, std::string_view value,
                             job_id job = 0);
  /// False when the key was not there.
  result<bool> erase(table_kind table, std::string_view key);
  /// Nothing when the key is absent. Errors: io_failed, corrupt.
  result<std::optional<std::string>> get(table_kind table, std::string_view key) const;
  /// Entries whose key starts with `prefix`, in the table's order, at most `limit`, and not many
  /// more than `max_bytes`. `after` is the `next` of the page before. In `tasks` the prefix is of
  /// the order, not of the key: a job's number, 4 bytes big endian, or empty.
  result<scan_page> scan(table_kind table, std::string_view prefix, std::string_view after,
                         std::size_t limit,
                         std::size_t max_bytes = max_control_message_bytes / 2) const;

  // -- Many in one transaction. -----------------------------------------------------------------

  /// One outcome per op. `refused` only near a full map.
  result<std::vector<op_outcome>> apply(std::span<const write_op> ops);

  /// Batches of clients, in one transaction, each applied once whatever is sent again. One outcome
  /// per batch. On an error none of them was applied. Their lists must have passed `check`.
  result<std::vector<batch_outcome>> apply(std::span<const write_batch> batches);

  /// Sequence of the batch of this client that was applied last; 0 if none was.
  std::uint64_t last_sequence(std::uint64_t client) const;

  /// Forces out what commits have left in memory. Error: io_failed, and fail-stop with it.
  result<void> sync();

  /// Frees reader slots of processes that died while they looked into the folder.
  void check_readers();

  /// Without the fields that only the actor knows.
  shard_status status() const;

  const table_options& options() const noexcept;

private:
  class impl;
  explicit tables(std::unique_ptr<impl> p);
  result<bool> apply_one(const write_op& op);

  std::unique_ptr<impl> impl_;
};

} // namespace caf_ray::gcs
