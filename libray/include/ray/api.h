#pragma once

/// Tasks, actors and objects.
///
///   int Square(int x) { return x * x; }
///   RAY_REMOTE(Square);
///   int main() { ray::Init(); std::cout << *ray::Task(Square).Remote(7).Get(); ray::Shutdown(); }

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include <boost/optional.hpp>

#include "ray/api/actor_creator.h"
#include "ray/api/actor_handle.h"
#include "ray/api/actor_task_caller.h"
#include "ray/api/arguments.h"
#include "ray/api/array.h"
#include "ray/api/common_types.h"
#include "ray/api/function_manager.h"
#include "ray/api/logging.h"
#include "ray/api/msgpack_adaptor.h"
#include "ray/api/object_ref.h"
#include "ray/api/overload.h"
#include "ray/api/ray_config.h"
#include "ray/api/ray_exception.h"
#include "ray/api/ray_remote.h"
#include "ray/api/ray_runtime.h"
#include "ray/api/ray_runtime_holder.h"
#include "ray/api/runtime_env.h"
#include "ray/api/serializer.h"
#include "ray/api/static_check.h"
#include "ray/api/task_caller.h"
#include "ray/api/task_options.h"
#include "ray/api/type_traits.h"
#include "ray/api/wait_result.h"
#include "ray/api/xlang_function.h"

namespace ray {

/// Starts the runtime; with no address inside this process. A second call without Shutdown between
/// does nothing. Flags of `argv` go before `config`, and before RAY_ADDRESS; unknown ones are left
/// alone. Throws RayException that names the setting and what is wrong with it.
void Init(RayConfig& config, int argc, char** argv);
void Init(RayConfig& config);
void Init();

/// True between Init and Shutdown.
bool IsInitialized();

/// Ends the runtime within 2 seconds, whatever runs, blocks or waits: blocked calls throw
/// RayShutdownException; user code that goes on computing is left behind in its thread.
/// Refs and handles may outlive it. May be called at any time, and twice.
void Shutdown();

/// Stores a copy of `obj`.
template <typename T>
ObjectRef<T> Put(const T& obj) {
  internal::RuntimeUse runtime;
  internal::PackBuffer packed;
  internal::Pack(obj, *packed);
  return ObjectRef<T>(runtime->Put(*packed));
}

/// Waits for the value. Throws what the task ended with.
template <typename T>
std::shared_ptr<T> Get(const ObjectRef<T>& object) {
  return object.Get();
}
/// Waits at most `timeout_ms` (-1: for ever), then throws RayTimeoutException.
template <typename T>
std::shared_ptr<T> Get(const ObjectRef<T>& object, const int& timeout_ms) {
  return object.Get(timeout_ms);
}
inline void Get(const ObjectRef<void>& object) {
  object.Get();
}
inline void Get(const ObjectRef<void>& object, const int& timeout_ms) {
  object.Get(timeout_ms);
}

namespace internal {

template <typename T>
std::vector<ObjectEntry*> EntriesOf(const std::vector<ObjectRef<T>>& refs, const char* caller) {
  std::vector<ObjectEntry*> entries;
  entries.reserve(refs.size());
  for (auto& ref : refs) {
    if (!ref.entry())
      throw RayException(std::string(caller)
                         + ": an ObjectRef names no object (it was "
                           "default-constructed or moved from)");
    entries.push_back(ref.entry());
  }
  return entries;
}

} // namespace internal

/// All values, in order; throws the error of the first that failed.
template <typename T>
std::vector<std::shared_ptr<T>> Get(const std::vector<ObjectRef<T>>& objects,
                                    const int& timeout_ms) {
  internal::RuntimeUse runtime;
  runtime->GetAll(internal::EntriesOf(objects, "Get object error"), timeout_ms);
  std::vector<std::shared_ptr<T>> values;
  values.reserve(objects.size());
  for (auto& object : objects)
    values.push_back(object.Get(timeout_ms));
  return values;
}
template <typename T>
std::vector<std::shared_ptr<T>> Get(const std::vector<ObjectRef<T>>& objects) {
  return Get<T>(objects, -1);
}
inline void Get(const std::vector<ObjectRef<void>>& objects, const int& timeout_ms = -1) {
  internal::RuntimeUse runtime;
  runtime->GetAll(internal::EntriesOf(objects, "Get object error"), timeout_ms);
  for (auto& object : objects)
    object.Get(timeout_ms);
}

/// By binary ids.
template <typename T>
std::vector<std::shared_ptr<T>> Get(const std::vector<std::string>& ids, const int& timeout_ms) {
  return Get<T>(std::vector<ObjectRef<T>>(ids.begin(), ids.end()), timeout_ms);
}
template <typename T>
std::vector<std::shared_ptr<T>> Get(const std::vector<std::string>& ids) {
  return Get<T>(ids, -1);
}

template <typename T>
std::vector<std::string> ObjectRefsToObjectIDs(const std::vector<ObjectRef<T>>& object_refs) {
  std::vector<std::string> ids;
  for (auto& ref : object_refs)
    ids.push_back(ref.ID());
  return ids;
}

/// Waits until `num_objects` of them are ready (value or error) or `timeout_ms` has passed (0: just
/// looks, -1: for ever). Throws RayException for a number outside 1..size and for duplicates.
template <typename T>
WaitResult<T> Wait(const std::vector<ObjectRef<T>>& objects, int num_objects, int timeout_ms) {
  internal::RuntimeUse runtime;
  auto ready =
    runtime->Wait(internal::EntriesOf(objects, "Wait object error"), num_objects, timeout_ms);
  WaitResult<T> result;
  for (std::size_t i = 0; i < objects.size(); ++i)
    (ready[i] ? result.ready : result.unready).push_back(objects[i]);
  return result;
}

/// A function registered with RAY_REMOTE. Throws RayException when it is not.
template <typename F>
internal::TaskCaller<F> Task(F func) {
  static_assert(!internal::is_x_lang_v<F>, "Must be a cpp function.");
  static_assert(!std::is_member_function_pointer_v<F>,
                "Incompatible type: member function cannot be called with ray::Task.");
  return internal::TaskCaller<F>(internal::FindRegistered(func));
}

/// Other languages' functions and classes can be named, so that programs compile; using one throws
/// RayException.
template <typename R>
internal::TaskCaller<PyFunction<R>> Task(PyFunction<R> func) {
  func();
  return {};
}
template <typename R>
internal::TaskCaller<JavaFunction<R>> Task(JavaFunction<R> func) {
  func();
  return {};
}
inline internal::ActorCreator<PyActorClass> Actor(PyActorClass func) {
  func();
  return {};
}
inline internal::ActorCreator<JavaActorClass> Actor(JavaActorClass func) {
  func();
  return {};
}

/// A factory registered with RAY_REMOTE. Throws RayException when it is not.
template <typename F>
internal::ActorCreator<F> Actor(F create_func) {
  return internal::ActorCreator<F>(internal::FindRegistered(create_func));
}

/// The living actor of that name in this job's namespace.
template <typename T>
boost::optional<ActorHandle<T>> GetActor(const std::string& actor_name,
                                         const std::string& ray_namespace) {
  auto found = internal::RuntimeUse()->FindNamedActor(actor_name, ray_namespace);
  if (!found)
    return boost::none;
  return ActorHandle<T>(internal::ActorPtr(found));
}
template <typename T>
boost::optional<ActorHandle<T>> GetActor(const std::string& actor_name) {
  return GetActor<T>(actor_name, "");
}
inline boost::optional<ActorHandleXlang> GetActor(const std::string& actor_name,
                                                  const std::string& ray_namespace = "") {
  auto found = internal::RuntimeUse()->FindNamedActor(actor_name, ray_namespace);
  if (!found)
    return boost::none;
  return ActorHandleXlang(internal::ActorPtr(found));
}

/// Ends the actor whose method calls it: later calls fail with RayActorException, it does not
/// restart. Throws std::logic_error anywhere else.
[[noreturn]] void ExitActor();

/// Makes sure that the task of `ref` does not start, if it has not; its ref then throws
/// RayTaskCancelledException. A task that runs goes on: with `force`, its ref fails at once and its
/// result is dropped.
template <typename T>
void Cancel(const ObjectRef<T>& ref, bool force = false) {
  if (ref.entry())
    internal::RuntimeUse()->Cancel(*ref.entry(), force);
}

/// Why the object is not there yet, in a sentence; "ready" when it is.
template <typename T>
std::string Why(const ObjectRef<T>& ref) {
  return ref.entry() ? internal::RuntimeUse()->Why(*ref.entry()) : "names no object";
}

/// Reserves resources; returns before they are. Throws RayException (name taken, bad bundles).
PlacementGroup CreatePlacementGroup(const PlacementGroupCreationOptions& create_options);
/// Ends what runs in it. Removing twice is no error.
void RemovePlacementGroup(const std::string& placement_group_id);
/// Removed ones included.
std::vector<PlacementGroup> GetAllPlacementGroups();
/// Empty when unknown.
PlacementGroup GetPlacementGroupById(const std::string& id);
/// By name in this job's namespace; empty when unknown or removed.
PlacementGroup GetPlacementGroup(const std::string& name);

/// Inside an actor (factory included): whether it has been restarted. False elsewhere.
bool WasCurrentActorRestarted();

/// The job's namespace.
std::string GetNamespace();

/// Memory in the object store to be filled in place: writes go straight to where readers will read.
/// Move-only; without Seal the memory is given back.
template <class T>
class ArrayWriter {
public:
  ArrayWriter(ArrayWriter&&) = default;
  ArrayWriter& operator=(ArrayWriter&&) = default;

  T* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }
  T* begin() const noexcept { return data_; }
  T* end() const noexcept { return data_ + size_; }
  T& operator[](std::size_t i) const noexcept { return data_[i]; }

  /// Immutable from here on. Call once; do not write afterwards.
  ObjectRef<Array<T>> Seal() {
    if (!entry_)
      throw internal::RayException("ArrayWriter::Seal was called twice");
    internal::RuntimeUse()->SealInPlace(*entry_);
    return ObjectRef<Array<T>>(std::move(entry_));
  }

private:
  template <class U>
  friend ArrayWriter<U> CreateArray(std::size_t size);
  ArrayWriter() = default;

  internal::EntryPtr entry_;
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

/// `size` numbers, not initialised. Throws RayObjectStoreFullException when they cannot fit.
template <class T>
ArrayWriter<T> CreateArray(std::size_t size) {
  using namespace internal;
  static_assert(is_raw_element_v<T>, "ray::CreateArray holds numbers");
  if (size > PTRDIFF_MAX / sizeof(T))
    throw RayObjectStoreFullException("ray::CreateArray: " + std::to_string(size) + " elements of "
                                      + std::to_string(sizeof(T))
                                      + " bytes are more than any memory holds");
  PackBuffer packed;
  msgpack::packer<msgpack::sbuffer> out(packed->envelope);
  char body[8] = {static_cast<char>(ElementCode<T>())};
  out.pack_ext(8, kArraySegment);
  out.pack_ext_body(body, 8);
  packed->segments.push_back(size * sizeof(T));
  ArrayWriter<T> writer;
  char* blob = nullptr;
  writer.entry_ = RuntimeUse()->CreateInPlace(BlobSize(*packed), blob);
  writer.data_ = reinterpret_cast<T*>(blob + WriteBlobHead(*packed, blob));
  writer.size_ = size;
  return writer;
}

} // namespace ray
