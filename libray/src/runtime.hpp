#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "libray/src/actor_entry.hpp"
#include "libray/src/env_vars.hpp"
#include "libray/src/flags.hpp"
#include "libray/src/group_book.hpp"
#include "libray/src/host.hpp"
#include "libray/src/native_registry.hpp"
#include "libray/src/object_table.hpp"
#include "libray/src/pending_task.hpp"
#include "libray/src/task_context.hpp"
#include "ray/api/ray_runtime.h"

namespace caf_ray {

namespace cluster {
class attached_host;
struct attach_options;
} // namespace cluster
struct node_callbacks;
namespace transport {
class connection;
}

using ray::internal::ActorCreationOptions;
using ray::internal::CallOptions;
using ray::internal::PackedValue;
using ray::internal::RayRuntime;
using ray::internal::TaskCall;
using ray::internal::ValueBytes;

/// What the public API does, from Init to Shutdown: names tasks and objects, hands tasks to the
/// local scheduler, runs what is dispatched, keeps values, waits.
///
/// Thread-safe. A runtime is closed once; calls that wait then throw RayShutdownException, tasks
/// that have not started never run.
class runtime final : public RayRuntime {
public:
  /// A node of its own inside this process, or a driver of the node that `given.address` names.
  /// Throws RayException.
  explicit runtime(settings given);
  /// A worker, started by a node that has given it the other end of `connection`.
  runtime(transport::connection connection, std::uint64_t token);
  ~runtime() override;

  // -- objects (runtime_objects.cpp)
  EntryPtr Put(const PackedValue& value) override;
  EntryPtr CreateInPlace(std::size_t size, char*& data) override;
  void SealInPlace(ObjectEntry& entry) override;
  ValueBytes Get(ObjectEntry& entry, int timeout_ms) override;
  void GetAll(const std::vector<ObjectEntry*>& entries, int timeout_ms) override;
  std::vector<bool> Wait(const std::vector<ObjectEntry*>& entries, int count,
                         int timeout_ms) override;
  EntryPtr FindObject(const std::string& binary_id) override;

  // -- tasks (runtime_tasks.cpp)
  void SubmitTask(TaskCall& call, const CallOptions& options, EntryPtr* results) override;
  void Cancel(ObjectEntry& entry, bool force) override;
  std::string Why(ObjectEntry& entry) override;

  // -- actors (runtime_actors.cpp)
  ActorEntry* CreateActor(TaskCall& call, const ActorCreationOptions& options) override;
  void SubmitMethod(ActorEntry& actor, TaskCall& call, const CallOptions& options,
                    EntryPtr* results) override;
  ActorEntry* FindActor(const std::string& binary_id) override;
  ActorEntry* FindNamedActor(const std::string& name, const std::string& ray_namespace) override;
  void KillActor(ActorEntry& actor, bool no_restart) override;

  // -- for the runtime's own parts

  /// Shutdown has begun: actors end and start no more; what their destructors call still works.
  bool closing() const noexcept { return closing_.load(std::memory_order_acquire); }
  /// Nothing new starts, whoever waits comes back.
  bool closed() const noexcept { return closed_.load(std::memory_order_acquire); }
  caf_ray::host& host() noexcept { return *host_; }
  native_registry& natives() noexcept { return *natives_; }
  const std::string& ray_namespace() const noexcept { return namespace_; }
  job_id job() const noexcept { return job_; }
  const std::string& program() const noexcept { return job_record_.entry_point; }

  /// The context of this thread: of its task, else of the driver.
  task_context& context() noexcept;

  /// Runs a plain task that was claimed, on this thread, and resolves its results.
  void run_claimed(const pending_task_ptr& task);
  /// A task actor's work: claims and runs it, unless somebody else has.
  void run_dispatched(const pending_task_ptr& task);

  /// Stores a packed value under `id`: inside the process when small, in the store when large.
  /// Throws RayObjectStoreFullException.
  stored_value store_value(object_id id, const PackedValue& value);
  /// Removes what `store_value` stored when nobody will ask for it.
  void drop_value(object_id id, const stored_value& value);
  /// Gives an object its value or error, and tells who waits.
  void deliver(ObjectEntry& entry, stored_value value);
  void deliver(ObjectEntry& entry, const error& e);
  /// All results of a task end with `e`. For whoever has its claim.
  void fail_task(pending_task& task, const error& e);
  /// The same for everybody else: by the ids, as the task may be about to let its results go.
  void fail_results(const task_spec& spec, const error& e);
  /// The same for a task that is running.
  void fail_running(const pending_task& task, const error& e);
  /// The task's results are resolved: lets its objects go.
  void end_task(pending_task& task);
  /// Reads the value of an object that is ready. Errors: its own, or the store's.
  result<ValueBytes> try_read(ObjectEntry& entry);
  /// The same; throws the error.
  ValueBytes read(ObjectEntry& entry);
  /// Before waiting for an object: the node shall tell what it is.
  void ask_for(ObjectEntry& entry);
  /// The node ends an actor that lives in this process.
  void end_hosted_actor(actor_id id, const std::string& cause);
  /// A task that was sent to this process: runs it when its turn comes.
  void start_foreign(const pending_task_ptr& task);
  /// The node is gone, and with it whatever this process waits for.
  void node_lost(const error& why);
  /// The last reference of an object that this runtime made is gone.
  void object_died(ObjectEntry& entry);

  /// Waits in `wait()` with the slot and CPUs of this thread lent out.
  void block(const std::function<void()>& wait);

  // -- actors, from their CAF actors (actor_host.cpp)
  void start_actor(const pending_task_ptr& creation);
  void actor_alive(ActorEntry& actor);
  /// Ends the actor, or, with `only`, nothing unless that is its present life.
  void actor_ended(ActorEntry& actor, const std::string& cause, bool may_restart,
                   const actor_incarnation* only = nullptr);
  void notify(ActorEntry& actor);
  /// For actor_incarnation: counts it.
  void life_began();
  void life_ended();

  // -- placement groups (placement_group.cpp)
  group_book& groups() noexcept { return groups_; }
  /// The record as it is once the group is created or gone, or after `patience`; the state
  /// `removed` without bundles: unknown, or removed. Throws RaySystemException,
  /// RayShutdownException.
  group_record await_group(group_id id, std::chrono::milliseconds patience);
  /// Throws RayException when there is no such group, or when `bundle` is neither one of its
  /// bundles nor -1. Asks nobody where the group is in the book.
  void check_group(group_id id, std::int32_t bundle);
  /// Actors and tasks inside a removed placement group end; results of code that still runs are
  /// dropped.
  void group_removed(group_id id);

  /// Spawns an actor that runs user code.
  template <class Actor, class... Ts>
  caf::actor spawn_user(Ts&&... xs) {
    caf::actor_config config{&host_->threads().task_unit()};
    return host_->system().spawn_class<Actor, caf::hidden>(config, std::forward<Ts>(xs)...);
  }

  /// Ends it all within about two seconds.
  void close();
  /// After `close`: nothing refers to this runtime any more.
  bool ended() const noexcept { return !host_; }

  /// Appends the system's own figures in Prometheus' text format (metric_system.cpp).
  void write_metrics(std::string& out);

  /// For a worker: until the node asks it to end, or is gone.
  void await_end();

private:
  static std::string program_path();
  /// For a node inside this process.
  node_callbacks callbacks();
  void attach(cluster::attach_options options);
  void register_job();
  void end_actors();
  void await_lives(std::chrono::milliseconds patience);

  /// Submitted and not ended. One that ends before it is counted does no harm.
  std::uint64_t in_flight() const noexcept {
    auto ended = ended_.load(std::memory_order_acquire);
    auto submitted = submitted_.load(std::memory_order_relaxed);
    return submitted > ended ? submitted - ended : 0;
  }
  pending_task_ptr make_task(TaskCall& call, task_kind kind, EntryPtr* results);
  bool reuse_results(task_id id, TaskCall& call, EntryPtr* results);
  void fill_arguments(TaskCall& call, pending_task& task);
  void wait_for_room();
  bool try_run_in_place(ObjectEntry& entry);
  bool try_run_method_in_place(const pending_task_ptr& call);
  bool wait_until(ObjectEntry& entry, int timeout_ms);
  void submit(const pending_task_ptr& task);
  void record_actor(const ActorEntry& actor);
  /// Tells people, by the events table.
  void record_event(const std::string& text);
  static pending_task_ptr again(const pending_task& creation);
  ActorEntry* take_name(ActorEntry& entry, bool or_find);
  bool made_by_earlier_attempt(ActorEntry& entry);
  void withdraw(ActorEntry& entry);
  /// An entry for an actor that lives in another process, with a reference.
  ActorEntry* remote_actor_entry(actor_id id);
  void host_actor(const pending_task_ptr& creation);
  void take_call(const pending_task_ptr& call);
  /// The living actor of that name, with a reference, or null.
  ActorEntry* find_named(const std::string& name, const std::string& where);
  /// A reference to the entry of that id, or null; to all entries.
  ActorEntry* known_actor(actor_id id);
  std::vector<actor_ptr> known_actors();
  /// As Why; asks the local scheduler for at most `patience`.
  std::string why(ObjectEntry& entry, std::chrono::milliseconds patience);
  void publish_functions();
  std::shared_ptr<const task_options> convert(const CallOptions& options);
  std::shared_ptr<task_options> convert(const ActorCreationOptions& options);

  settings settings_;
  /// Before the threads of the host, and after them.
  std::unique_ptr<env_vars_scope> environment_;
  std::string namespace_;
  job_id job_ = 0;
  job_record job_record_;
  std::atomic<bool> closing_{false};
  std::atomic<bool> closed_{false};
  task_context driver_;
  /// Actors' objects, from before their factory to after their destructor.
  std::atomic<std::uint64_t> lives_{0};
  std::mutex lives_mutex_;
  std::condition_variable lives_ended_;
  /// Tasks and methods that were submitted, and those of them that have ended.
  std::atomic<std::uint64_t> submitted_{0};
  std::atomic<std::uint64_t> ended_{0};
  std::unique_ptr<caf_ray::host> host_;
  /// The host's node is another process.
  bool attached_ = false;
  /// CAF's own, which end with the system.
  std::size_t detached_of_caf_ = 0;

  group_book groups_;
  std::shared_ptr<native_registry> natives_ = std::make_shared<native_registry>();
};

/// Where the API finds the runtime, and how Shutdown knows that nobody uses it any more.
class runtime_gate {
public:
  /// Null when there is none. Counts the caller in; call `leave` afterwards in any case.
  static runtime* enter() noexcept {
    users_.fetch_add(1, std::memory_order_seq_cst);
    return current_.load(std::memory_order_seq_cst);
  }
  static void leave() noexcept { users_.fetch_sub(1, std::memory_order_release); }

  static bool open() noexcept { return current_.load(std::memory_order_acquire) != nullptr; }
  static void publish(runtime* r) noexcept { current_.store(r, std::memory_order_seq_cst); }
  /// No runtime from here on; waits at most `patience` for those inside to leave.
  static runtime* retire();
  static bool await_leavers(std::chrono::milliseconds patience);

private:
  static inline std::atomic<runtime*> current_{nullptr};
  static inline std::atomic<std::int64_t> users_{0};
};

} // namespace caf_ray
