#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include "gcs/types/error.hpp"
#include "gcs/types/ids.hpp"
#include "gcs/types/objects.hpp"
#include "objstore/handles.hpp"

/// The object store of one host, as its threads see it: immutable objects in one shared-memory
/// arena, spilled to disk when memory runs short.
///
///   auto store = objstore::store::open({}).value();
///   auto w = store->create(id, n, 10s).value();         // may wait for space
///   streaming_copy(w.data().data(), source, n);
///   auto mine = std::move(w).seal();                    // immutable and readable from here on
///   auto theirs = store->get(id).value();               // pinned: stays where it is
///   store->erase(id);                                   // freed when mine and theirs are gone
namespace caf_ray::objstore {

struct store_options {
  /// Bytes of shared memory for objects, allocator overhead included. 0: `default_share` of the
  /// memory that is available at the start (see default_capacity_bytes).
  std::size_t capacity_bytes = 0;
  double default_share = 0.3;
  /// Largest step in which memory is taken from the system. Steps start at 4 MiB and double.
  std::size_t commit_step_bytes = 64 * 1024 * 1024;
  /// Bytes that a background thread faults in right after the start.
  std::size_t prefault_bytes = 0;
  /// Where the arena's file lies: empty for anonymous shared memory (memfd), else a folder on a
  /// tmpfs. The file never has a name there.
  std::filesystem::path arena_directory;

  /// Where spill files go, in a folder of our own below. Empty: the system's temporary folder.
  /// Created on the first spill; folders of dead owners are removed at the start.
  std::filesystem::path spill_directory;
  /// Bytes on disk at most; 0 turns spilling off.
  std::uint64_t spill_limit_bytes = UINT64_MAX;
  /// Victims are written together until this many bytes, where there are that many.
  std::size_t spill_batch_bytes = 64 * 1024 * 1024;
  /// How long a producer waits, within its own deadline, when the spill disk is full too.
  std::chrono::milliseconds disk_full_patience{1000};
};

class store_core;

/// Thread-safe. Whatever may wait or touch the disk does so inside a blocking_scope.
class store {
public:
  /// Maps the arena and sweeps spill folders of dead owners. Errors: invalid_argument (an option
  /// outside its range), store_full (not even the first step of memory can be had), io_failed.
  static result<std::unique_ptr<store>> open(store_options options);

  /// Calls in progress must have ended (see `close`). Handles may live on; the memory stays mapped
  /// until the last is gone. Spill files are removed.
  ~store();

  store(const store&) = delete;
  store& operator=(const store&) = delete;

  /// Space for a new object. While there is none: drops unpinned objects that are on disk anyway,
  /// spills unpinned ones, least recently used first, then waits until somebody unpins or erases,
  /// for at most `deadline`. Waiting producers are served in order of arrival.
  /// Errors: already_exists; store_full (larger than the store, deadline passed, no memory left in
  /// the system, or the spill disk is full too); io_failed (the disk failed); shut_down; cancelled
  /// (`stop` was requested while it waited).
  result<writable> create(object_id id, std::size_t size_bytes, std::chrono::milliseconds deadline,
                          std::stop_token stop = {});

  /// The object, pinned. Restores a spilled one, waits for one that is being written; both for at
  /// most `deadline`. Never waits for an object in memory.
  /// Errors: not_found (unknown, erased, or its writer gave up); timed_out (not sealed in time);
  /// store_full (no space to restore it in time); corrupt (its spill file was damaged; the object
  /// is gone); io_failed; shut_down; cancelled (`stop` was requested while it waited; a read from
  /// disk that is under way is finished first).
  result<pinned> get(object_id id, std::chrono::milliseconds deadline = std::chrono::minutes(1),
                     std::stop_token stop = {});

  /// The object if it is sealed and in memory. Never waits.
  std::optional<pinned> try_get(object_id id);

  /// In any state: being written, in memory or on disk.
  bool contains(object_id id) const;

  /// What there is to be had of it; nothing when it is unknown or erased. Never waits.
  std::optional<object_state> state(object_id id) const;

  /// The last reference is gone. Memory is free at once, or with the last pin; the id may be
  /// created anew right away. Unknown ids are ignored.
  void erase(object_id id);

  /// Spills unpinned objects, least recently used first, until at most `target_bytes` of the arena
  /// are in use, about `limit_bytes` were chosen, or nothing can be spilled. Returns the bytes that
  /// were chosen. For background spilling. Errors: store_full (the disk is full), io_failed,
  /// shut_down.
  result<std::size_t> spill_down_to(std::size_t target_bytes, std::size_t limit_bytes = SIZE_MAX);

  /// Calls that wait, and calls that would, end with shut_down from now on. Idempotent.
  void close();

  store_stats stats() const;

  /// The arena, for processes that map it: handles' addresses minus the base are offsets in the
  /// descriptor, which stays the store's.
  std::byte* memory_base() const noexcept;
  int memory_descriptor() const noexcept;

  /// All objects, in no order: for listings, costs a copy.
  std::vector<object_info> objects() const;

private:
  explicit store(store_core* core) noexcept : core_(core) {}

  store_core* core_;
};

} // namespace caf_ray::objstore
