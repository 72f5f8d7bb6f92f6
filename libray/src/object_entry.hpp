#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "gcs/types/error.hpp"
#include "gcs/types/ids.hpp"
#include "ray/internal/object.h"

namespace caf_ray {
class object_table;
struct pending_task;

/// Called once when an object becomes ready, under the object's lock: must be short and must not
/// touch the object. A node of the object's own list; whoever registered it keeps it alive until it
/// was called or taken out.
struct ready_listener {
  ready_listener* previous = nullptr;
  ready_listener* next = nullptr;
  bool linked = false;
  virtual void on_ready() = 0;

protected:
  ~ready_listener() = default;
};

/// A value on its way to an object: packed bytes in process memory, or in the store under the
/// object's id.
struct stored_value {
  ray::internal::BytesRef owner;
  const char* data = nullptr;
  std::size_t size = 0;
  bool in_store = false;
  /// Objects that the value names: alive as long as it is.
  std::vector<ray::internal::EntryPtr> contained;
};

} // namespace caf_ray

namespace ray::internal {

/// One object as this process knows it. Lives while somebody refers to it: refs of user code,
/// tasks that wait for it or will make it, values that contain it.
///
///   pending --resolve--> ready | failed          (once; everything but the lists is then constant)
///
/// `state` is published with release order: who reads `ready` or `failed` may read the value
/// without the lock.
struct ObjectEntry {
  enum class State : std::uint8_t { pending, ready, failed };

  caf_ray::object_id id;
  std::atomic<std::uint32_t> references{1};
  std::atomic<State> state{State::pending};

  // Guarded by the lock of the entry (see lock_of) until the state is no longer pending.
  /// The local scheduler wants to hear when this is ready.
  bool watched = false;
  /// The node of this host was asked to tell what it is.
  bool wanted = false;
  /// How often the node has sent the id to this process and counts it; 0: it does not know the
  /// object. Only where the node is another process.
  std::uint32_t receipts = 0;
  caf_ray::ready_listener* listeners = nullptr;
  /// The task that will make it, as far as it is in this process; for lineage, also afterwards.
  std::shared_ptr<caf_ray::pending_task> producer;

  caf_ray::stored_value value;
  /// Shared, since one cause may end a million objects.
  std::shared_ptr<const caf_ray::error> error;

  // Guarded by the table's shard.
  bool in_table = false;
  ObjectEntry* next_in_bucket = nullptr;

  /// Made on demand; see BinaryId.
  std::atomic<const std::string*> binary_id{nullptr};

  bool pending() const noexcept { return state.load(std::memory_order_acquire) == State::pending; }
};

} // namespace ray::internal

namespace caf_ray {

using ray::internal::EntryPtr;
using ray::internal::ObjectEntry;

/// One lock of a small pool, the same for the same entry.
std::mutex& lock_of(const ObjectEntry& entry) noexcept;

/// Puts `listener` into the list, or returns false when the object is ready already.
bool listen(ObjectEntry& entry, ready_listener& listener);
/// Takes it out again. On return it has been called or never will be.
void unlisten(ObjectEntry& entry, ready_listener& listener);

/// Gives the object its value or its error; later attempts change nothing and return false.
/// `was_watched` tells whether the local scheduler wants to hear of it. A value that came too late
/// is left where it was.
bool resolve(ObjectEntry& entry, stored_value& value, bool& was_watched);
bool resolve(ObjectEntry& entry, std::shared_ptr<const error> e, bool& was_watched);

} // namespace caf_ray
