#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>

#include "gcs/client.hpp"
#include "gcs/types/task_spec.hpp"

/// Lineage off the critical path (Lineage Stash, SOSP'19): a task's spec is kept in memory first
/// and written to the GCS a little later, unless nobody can ask for it any more by then.
namespace caf_ray::gcs {

struct lineage_options {
  /// How long a spec stays in memory before it is written.
  std::chrono::milliseconds flush_interval{50};
  /// Specs in memory that trigger a flush at once.
  std::size_t flush_count = 16'384;
  /// Specs in memory at which `append` waits for the flush, at most the client's timeout; then the
  /// spec is dropped, and what depends on it cannot be rebuilt.
  std::size_t max_count = 262'144;
};

/// Thread-safe; `append` and `forget` cost a short lock. Writes happen on a thread of its own.
class lineage_log {
public:
  explicit lineage_log(client& store, lineage_options options = {});
  /// Writes what is still needed, erases what was forgotten, waits for both at most the client's
  /// timeout.
  ~lineage_log();

  /// Remember `spec`. When `unneeded` (may be null; may point into a larger object) is true at the
  /// flush, it is never written. A spec of the same id replaces the earlier one.
  void append(task_spec_ptr spec, std::shared_ptr<const std::atomic<bool>> unneeded = nullptr);

  /// Nobody asks for these any more: what is in memory is dropped, what was written is erased.
  /// Unknown ids are ignored. Every id appended must be forgotten some day, or it stays.
  void forget(task_id id);
  void forget(std::span<const task_id> ids);

  /// The job is over, nobody will ask for any of it: what is in memory is dropped unwritten, and
  /// what is written is left to whoever clears the store. `append` and `forget` do nothing after.
  void abandon();

  /// The spec, if it is still in memory; otherwise ask the `tasks` table.
  task_spec_ptr find(task_id id) const;

  /// All appended before is written and all forgotten before is erased. Errors: those of client.
  result<void> flush(std::chrono::milliseconds timeout);

  struct counters {
    /// In memory only.
    std::uint64_t buffered = 0;
    /// In the GCS and not forgotten.
    std::uint64_t recorded = 0;
    /// Ever written.
    std::uint64_t written = 0;
    /// Never written, because forgotten or unneeded in time.
    std::uint64_t skipped = 0;
    /// Not written: the record is longer than the GCS takes.
    std::uint64_t too_long = 0;
    /// Not written: the GCS was away or failed, and memory was full.
    std::uint64_t dropped = 0;
  };
  counters status() const;

private:
  class impl;
  std::unique_ptr<impl> impl_;
};

} // namespace caf_ray::gcs
