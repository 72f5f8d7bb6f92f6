#pragma once

/// What the templates of the public API ask of the runtime. Not for users.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "ray/api/function_manager.h"
#include "ray/api/serializer.h"
#include "ray/api/task_options.h"
#include "ray/internal/object.h"
#include "ray/internal/packed_value.h"

namespace ray {
namespace internal {

/// The process's view of one actor. Defined by the runtime; reference counted.
struct ActorEntry;
void Retain(ActorEntry* entry) noexcept;
void Release(ActorEntry* entry) noexcept;
const std::string& BinaryId(ActorEntry* entry);

/// Arguments of one call, on their way from `Remote` to the runtime.
struct TaskCall {
  struct Slot {
    enum class Kind : std::uint8_t { Value, Object, Gather };
    Kind kind;
    /// Value: where in `bytes`. Gather: `size` objects follow.
    std::uint32_t offset = 0;
    std::uint32_t size = 0;
    EntryPtr object;
  };

  const RemoteFunction* function = nullptr;
  std::uint32_t return_count = 1;
  /// The results are the elements of the tuple or vector that the function returns.
  bool split = false;
  std::string bytes;
  std::vector<Slot> slots;
  std::vector<EntryPtr> contained;
};

/// Thread-safe. Every function may throw RayException or what its comment names.
class RayRuntime {
public:
  /// Stores a value; the result holds the first reference.
  virtual EntryPtr Put(const PackedValue& value) = 0;
  /// Memory in the store for a value of `size` bytes that will lie at `data`.
  virtual EntryPtr CreateInPlace(std::size_t size, char*& data) = 0;
  virtual void SealInPlace(ObjectEntry& entry) = 0;

  /// Starts a task; `results` receives `call.return_count` entries.
  virtual void SubmitTask(TaskCall& call, const CallOptions& options, EntryPtr* results) = 0;
  virtual ActorEntry* CreateActor(TaskCall& call, const ActorCreationOptions& options) = 0;
  virtual void SubmitMethod(ActorEntry& actor, TaskCall& call, const CallOptions& options,
                            EntryPtr* results) = 0;

  /// Waits until `entry` has a value; throws its error, or RayTimeoutException.
  /// `timeout_ms` -1: for ever.
  virtual ValueBytes Get(ObjectEntry& entry, int timeout_ms) = 0;
  /// Waits for all of them, then nothing: Get each.
  virtual void GetAll(const std::vector<ObjectEntry*>& entries, int timeout_ms) = 0;
  /// For each entry whether it is among the first `count` that became ready.
  virtual std::vector<bool> Wait(const std::vector<ObjectEntry*>& entries, int count,
                                 int timeout_ms) = 0;
  virtual void Cancel(ObjectEntry& entry, bool force) = 0;
  /// Why the object is not there yet, in a sentence.
  virtual std::string Why(ObjectEntry& entry) = 0;

  /// The entry of a binary id, made if this process has not met it.
  virtual EntryPtr FindObject(const std::string& binary_id) = 0;
  virtual ActorEntry* FindActor(const std::string& binary_id) = 0;
  /// Null when no living actor has this name.
  virtual ActorEntry* FindNamedActor(const std::string& name, const std::string& ray_namespace) = 0;
  virtual void KillActor(ActorEntry& actor, bool no_restart) = 0;

protected:
  virtual ~RayRuntime() = default;
};

} // namespace internal
} // namespace ray
