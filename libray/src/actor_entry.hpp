#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include <caf/actor_control_block.hpp>

#include "gcs/types/records.hpp"
#include "libray/src/pending_task.hpp"
#include "ray/api/ray_runtime.h"

namespace caf_ray {

class runtime;

/// One life of an actor, from the moment its factory may start. A running method holds it, so the
/// object is deleted when the actor has ended and no method runs on it any more; its destructor
/// runs as a task of its own and may use the API while the runtime is open.
struct actor_incarnation {
  actor_incarnation(runtime& owner, pending_task_ptr creation);
  ~actor_incarnation();
  actor_incarnation(const actor_incarnation&) = delete;
  actor_incarnation& operator=(const actor_incarnation&) = delete;

  runtime& owner;
  const pending_task_ptr creation;
  void* object = nullptr;
  const ray::internal::RemoteFunction* factory = nullptr;
  bool restarted = false;
};

} // namespace caf_ray

namespace ray::internal {

/// One actor as this process knows it: its state, the calls that wait for it, and the CAF actor
/// that runs them. Lives while a handle, a pending call or the living actor itself refers to it.
///
/// Invariants (under `mutex`): calls are in `inbox` or `running`, never both; `dead` implies both
/// are empty; `notified` says that a drain message is on its way to `host`; `life` is there while
/// the actor is starting or alive, and whoever acts for a life compares it with its own.
struct ActorEntry {
  caf_ray::actor_id id;
  std::string binary_id;
  std::atomic<std::uint32_t> references{1};

  mutable std::mutex mutex;
  caf_ray::actor_record record;
  /// What creates it, and creates it anew.
  caf_ray::pending_task_ptr creation;
  bool holds_resources = false;
  caf::strong_actor_ptr host;
  bool notified = false;
  std::shared_ptr<caf_ray::actor_incarnation> life;
  std::deque<caf_ray::pending_task_ptr> inbox;
  std::vector<caf_ray::pending_task_ptr> running;
  /// The last method sent from this process, for the stateful edge.
  std::uint64_t method_count = 0;
  caf_ray::task_id last_method;
  /// The object is in this process. Else everything but the id is with its node.
  bool hosted = true;
  /// A method called ExitActor: no other one starts.
  bool exiting = false;

  std::int32_t max_concurrency() const noexcept {
    return creation ? creation->spec.opts().max_concurrency : 1;
  }
};

} // namespace ray::internal

namespace caf_ray {

using ray::internal::ActorEntry;

/// Key of an actor's id in the `names` table. The byte between cannot be in a namespace that was
/// typed.
inline std::string actor_name_key(const std::string& ray_namespace, const std::string& name) {
  return ray_namespace + '\0' + name;
}

/// What calls of an actor that is dead end with.
inline error dead_actor(actor_id id, const actor_record& record) {
  return {errc::actor_died, "actor " + record.class_name
                              + (record.name.empty() ? "" : " \"" + record.name + "\"") + " ("
                              + to_string(id) + ") is dead: " + record.death_cause};
}

/// All actors that this process refers to, by id. One per process, never destroyed: handles may
/// outlive every runtime, and the last one takes its entry out whatever has become of it.
struct actor_table {
  std::mutex mutex;
  std::unordered_map<actor_id, ActorEntry*> entries;

  static actor_table& instance() {
    static auto table = new actor_table;
    return *table;
  }
};

/// For Release: takes the entry out of the process's table.
void forget_actor(ActorEntry& entry);

/// A counted pointer to an ActorEntry for inside the runtime.
class actor_ptr {
public:
  actor_ptr() noexcept = default;
  static actor_ptr share(ActorEntry& entry) noexcept {
    ray::internal::Retain(&entry);
    return actor_ptr(&entry);
  }
  static actor_ptr adopt(ActorEntry* entry) noexcept { return actor_ptr(entry); }
  actor_ptr(const actor_ptr& other) noexcept : entry_(other.entry_) {
    if (entry_)
      ray::internal::Retain(entry_);
  }
  actor_ptr(actor_ptr&& other) noexcept : entry_(std::exchange(other.entry_, nullptr)) {}
  actor_ptr& operator=(actor_ptr other) noexcept {
    std::swap(entry_, other.entry_);
    return *this;
  }
  ~actor_ptr() {
    if (entry_)
      ray::internal::Release(entry_);
  }
  ActorEntry* get() const noexcept { return entry_; }
  ActorEntry* operator->() const noexcept { return entry_; }
  ActorEntry& operator*() const noexcept { return *entry_; }
  explicit operator bool() const noexcept { return entry_ != nullptr; }

private:
  explicit actor_ptr(ActorEntry* entry) noexcept : entry_(entry) {}
  ActorEntry* entry_ = nullptr;
};

} // namespace caf_ray
