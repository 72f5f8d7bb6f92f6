#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <caf/all.hpp>

#include "gcs/client.hpp"
#include "libray/src/executor.hpp"
#include "libray/src/group_manager.hpp"
#include "libray/src/pending_task.hpp"
#include "objstore/handles.hpp"
#include "scheduler/local_ports.hpp"

namespace caf_ray {

/// The node of this host as a runtime uses it: inside this process (embedded_host), or in another
/// one (cluster::attached_host). Thread-safe.
///
/// A runtime tells it of every object it makes or has no reference to any more, and of every task;
/// and runs what it is given.
class host {
public:
  virtual ~host() = default;

  // -- parts of this process
  virtual caf::actor_system& system() noexcept = 0;
  virtual executor& threads() noexcept = 0;

  // -- the cluster
  virtual gcs::client& control() noexcept = 0;
  virtual group_manager_actor groups() const = 0;
  virtual node_id id() const noexcept = 0;
  /// The highest number that a job has had on this control store.
  virtual job_id last_job() = 0;

  // -- tasks
  /// To be run when inputs and resources are there, here or elsewhere. Never waits.
  virtual void submit(const pending_task_ptr& task) = 0;
  /// What has happened to a task after its dispatch. Dropped when it is of no interest.
  virtual void tell(scheduler::task_event event) = 0;
  virtual scheduler::dispatch_gauge& gauge() noexcept = 0;
  /// What the task waits for, in a sentence. `fallback` when nobody answers in time.
  virtual std::string why(task_id task, std::chrono::milliseconds patience,
                          std::string fallback) = 0;
  /// Notes how to make the task's results again; called when nobody can ask for them any more.
  virtual void record(const pending_task_ptr& task) = 0;
  virtual void forget(const pending_task& task) = 0;
  /// A task that was sent here (`pending_task::foreign`) has ended: with one value for each result,
  /// or with an error.
  virtual void completed(const pending_task& task, std::vector<stored_value> results,
                         const error& failure) = 0;

  /// An actor that was sent here lives, or has ended by itself.
  virtual void actor_alive(actor_id id, const std::string& class_name) = 0;
  virtual void actor_ended(actor_id id, const std::string& cause, bool may_restart) = 0;
  /// For any actor of the cluster.
  virtual void kill_actor(actor_id id, const std::string& cause, bool may_restart) = 0;
  /// True when the host sees to it; false: the task is nowhere but in this process.
  virtual bool cancel(const pending_task& task, bool force) = 0;

  // -- objects
  /// Memory for an object; waits for it. Errors: already_exists, store_full, shut_down.
  virtual result<objstore::writable> create(object_id id, std::size_t size_bytes,
                                            std::chrono::milliseconds patience) = 0;
  /// To read it in place; waits while it is on its way. Errors: not_found, timed_out, corrupt,
  /// io_failed, shut_down.
  virtual result<objstore::pinned> read(object_id id, std::chrono::milliseconds patience) = 0;
  /// An object of this process was sealed in the arena: others may know.
  virtual void stored(object_id id, std::size_t size_bytes) = 0;
  /// Takes an object of this process out of the arena, since nobody will ask for it.
  virtual void erase(object_id id) = 0;
  /// Somebody waits for an object that nobody in this process makes: have it told. Once for each
  /// entry.
  virtual void want(const ObjectEntry& entry) = 0;
  /// Somebody has met the id of an object that this process does not know, and the entry was just
  /// made. False: then nobody knows it.
  virtual bool borrow(ObjectEntry& entry) = 0;
  /// The process has no reference to it any more. The entry is about to be deleted.
  virtual void released(const ObjectEntry& entry) = 0;

  virtual objstore::store_stats store_stats() const = 0;

  // -- the end
  /// Lineage need not be kept any more, and whoever waits for memory comes back.
  virtual void begin_closing() = 0;
  virtual void close_store() = 0;
  /// Ends actors and threads. `user_code_ended` false: threads of user code still run; then this
  /// must be kept for ever.
  virtual void stop(bool user_code_ended) = 0;
};

} // namespace caf_ray
