#pragma once

#include <cstdint>
#include <string>

#include "gcs/types/ids.hpp"

/// What an object store says about itself and its objects.
namespace caf_ray::objstore {

///             seal              make_room                 written
///   created --------> sealed ------------------> spilling -------> spilled --+
///      |               ^ ^ |                        |                 ^      |
///    abort             | | +-- make_room, if on disk already ---------+      | begin_restore
///      v               | |                          |                 |      v
///    (gone)            | +- not written, or pinned -+               failed  restoring
///                      |    meanwhile                                 |      |
///                      +------------------------- read ---------------+------+
///
/// `erase` is possible in every state: the id is free at once, the rest goes when the last pin does
/// and no I/O is under way.
enum class object_state : std::uint8_t { created, sealed, spilling, spilled, restoring };

constexpr const char* to_string(object_state state) noexcept {
  switch (state) {
    case object_state::created: return "created";
    case object_state::sealed: return "sealed";
    case object_state::spilling: return "spilling";
    case object_state::spilled: return "spilled";
    case object_state::restoring: return "restoring";
  }
  return "unknown";
}

/// One line of a listing.
struct object_info {
  object_id id;
  std::uint64_t size_bytes = 0;
  object_state state = object_state::created;
  std::uint32_t pin_count = 0;
  /// A copy lies on disk, whether or not one is in memory.
  bool on_disk = false;

  bool operator==(const object_info&) const = default;
  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, object_info& x) {
    return f(x.id, x.size_bytes, x.state, x.pin_count, x.on_disk);
  }
};

/// In numbers, at one moment. Bytes count what was asked for; `used_bytes` adds the allocator's
/// overhead.
struct store_stats {
  std::uint64_t capacity_bytes = 0;
  /// Faulted in; never shrinks.
  std::uint64_t committed_bytes = 0;
  std::uint64_t used_bytes = 0;
  /// In memory, erased objects that are still pinned included.
  std::uint64_t memory_bytes = 0;
  std::uint64_t pinned_bytes = 0;
  /// Only on disk.
  std::uint64_t spilled_bytes = 0;
  /// Spill files, what erased objects occupy in them included.
  std::uint64_t spill_file_bytes = 0;
  std::uint64_t object_count = 0;
  std::uint64_t pinned_count = 0;
  std::uint64_t spilled_count = 0;
  /// Threads that wait for space now.
  std::uint64_t waiting_count = 0;
  /// Since the start.
  std::uint64_t created_total = 0;
  std::uint64_t evicted_total = 0;
  std::uint64_t spill_writes_total = 0;
  std::uint64_t spilled_bytes_total = 0;
  std::uint64_t restored_bytes_total = 0;
  /// Why the disk refused the last spill; empty when it did not.
  std::string disk_error;

  bool operator==(const store_stats&) const = default;
  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, store_stats& x) {
    return f(x.capacity_bytes, x.committed_bytes, x.used_bytes, x.memory_bytes, x.pinned_bytes,
             x.spilled_bytes, x.spill_file_bytes, x.object_count, x.pinned_count, x.spilled_count,
             x.waiting_count, x.created_total, x.evicted_total, x.spill_writes_total,
             x.spilled_bytes_total, x.restored_bytes_total, x.disk_error);
  }
};

} // namespace caf_ray::objstore
