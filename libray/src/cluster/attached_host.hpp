#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "libray/src/cluster/actors.hpp"
#include "libray/src/cluster/outbox.hpp"
#include "libray/src/cluster/remote_memory.hpp"
#include "libray/src/cluster/start_marks.hpp"
#include "libray/src/host.hpp"
#include "libray/src/transport/connection.hpp"

namespace caf_ray {
class runtime;
}

namespace caf_ray::cluster {

struct attach_options {
  /// Ready to be handed to CAF.
  transport::connection connection;
  hello greeting;
  unsigned slots = 1;
  std::chrono::milliseconds patience{10'000};
};

/// The node of this host is another process: tasks, objects and memory of this one are spoken of
/// with it through a link (`wire.hpp`).
///
/// What the node says is carried out on CAF's I/O thread: values are given to their entries, tasks
/// that are sent here become task actors. When the node is gone, everything that waits ends with
/// node_died.
class attached_host final : public host {
public:
  /// Joins the node. `owner` is not used before `begin`. Throws RayException: the node refuses, is
  /// of another version, or does not answer.
  attached_host(runtime& owner, attach_options options);
  ~attached_host() override;

  /// What the node has said at the door.
  const welcome& entry() const noexcept { return entry_; }
  /// From now on tasks may come; what came before is carried out now.
  void begin();
  /// A driver's job: its workers belong to it.
  void set_job(job_id job, const std::string& ray_namespace);
  /// Waits until the node asks this process to end, or is gone.
  void await_end();

  caf::actor_system& system() noexcept override { return *system_; }
  executor& threads() noexcept override { return *executor_; }
  gcs::client& control() noexcept override { return *control_; }
  group_manager_actor groups() const override { return groups_; }
  node_id id() const noexcept override { return entry_.node; }
  job_id last_job() override;

  void submit(const pending_task_ptr& task) override;
  void tell(scheduler::task_event event) override;
  scheduler::dispatch_gauge& gauge() noexcept override { return gauge_; }
  std::string why(task_id task, std::chrono::milliseconds patience, std::string fallback) override;
  /// The node does both.
  void record(const pending_task_ptr&) override {}
  void forget(const pending_task&) override {}
  void completed(const pending_task& task, std::vector<stored_value> results,
                 const error& failure) override;

  void actor_alive(actor_id id, const std::string& class_name) override {
    out_.add(actor_op{id, true, false, class_name});
  }
  void actor_ended(actor_id id, const std::string& cause, bool may_restart) override {
    out_.add(actor_op{id, false, may_restart, cause});
  }
  void kill_actor(actor_id id, const std::string& cause, bool may_restart) override {
    out_.add(kill_actor_op{id, may_restart, cause});
  }
  bool cancel(const pending_task& task, bool force) override;

  result<objstore::writable> create(object_id id, std::size_t size_bytes,
                                    std::chrono::milliseconds patience) override {
    return memory_->create(id, size_bytes, patience);
  }
  result<objstore::pinned> read(object_id id, std::chrono::milliseconds patience) override {
    return memory_->read(id, patience);
  }
  void stored(object_id id, std::size_t size_bytes) override;
  void erase(object_id id) override;
  void want(const ObjectEntry& entry) override;
  bool borrow(ObjectEntry& entry) override;
  void released(const ObjectEntry& entry) override;
  objstore::store_stats store_stats() const override { return {}; }

  void begin_closing() override;
  void close_store() override;
  void stop(bool user_code_ended) override;

private:
  class link;
  friend class link;

  // -- on the I/O thread
  void welcomed(const std::string& bytes, std::vector<caf::strong_actor_ptr> services);
  void refused(const error& why);
  void receive(const std::string& batch);
  void lost();
  void on(run_op& op);
  void on(ready_op& op);
  void on(created_op& op) { memory_->created(op); }
  void on(pinned_op& op) { memory_->pinned(op); }
  void on(cancel_op& op);
  void on(kill_actor_op& op);
  template <class Op>
  void on(Op&) {}
  void asked_to_leave();

  /// An object that the node has named: it counts this.
  EntryPtr received(object_id id);
  /// Before the id of an object leaves this process, the node must know it.
  void publish(ObjectEntry& first);
  static result<void> check_names(const std::string& what, std::size_t count);

  runtime& owner_;
  std::unique_ptr<caf::actor_system_config> config_;
  std::unique_ptr<caf::actor_system> system_;
  executor* executor_ = nullptr;
  link_actor link_;
  caf::strong_actor_ptr hub_;
  outbox out_;
  start_mark* marks_ = nullptr;
  remote_memory* memory_ = nullptr;
  std::unique_ptr<gcs::client> control_;
  group_manager_actor groups_;
  scheduler::dispatch_gauge gauge_;

  std::mutex mutex_;
  std::condition_variable changed_;
  welcome entry_;
  std::vector<caf::strong_actor_ptr> services_;
  std::optional<error> refusal_;
  bool welcomed_ = false;
  bool begun_ = false;
  bool lost_ = false;
  bool leaving_ = false;
  /// Came before `begin`.
  std::vector<std::string> early_;

  /// Inputs of a task that comes next; on the I/O thread.
  std::vector<EntryPtr> early_inputs_;

  /// Sent here and not ended.
  std::mutex foreign_mutex_;
  std::unordered_map<task_id, pending_task_ptr> foreign_;
};

} // namespace caf_ray::cluster
