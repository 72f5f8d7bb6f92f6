#pragma once

#include "libray/src/host.hpp"
#include "libray/src/node.hpp"

namespace caf_ray {

/// A node inside the process that uses it: no port is open, nothing is copied on the way.
class embedded_host final : public host {
public:
  /// As node's.
  embedded_host(const settings& given, node_callbacks callbacks)
    : node_(given, std::move(callbacks)) {}

  caf::actor_system& system() noexcept override { return node_.system(); }
  executor& threads() noexcept override { return node_.threads(); }
  gcs::client& control() noexcept override { return node_.control(); }
  group_manager_actor groups() const override { return node_.groups(); }
  node_id id() const noexcept override { return node_.id(); }
  job_id last_job() override { return node_.last_job(); }

  void submit(const pending_task_ptr& task) override { node_.ports().submissions.push(task); }
  void tell(scheduler::task_event event) override { node_.ports().events.push(std::move(event)); }
  scheduler::dispatch_gauge& gauge() noexcept override { return node_.ports().gauge; }
  std::string why(task_id task, std::chrono::milliseconds patience, std::string fallback) override;
  void record(const pending_task_ptr& task) override;
  void forget(const pending_task& task) override { node_.lineage().forget(task.spec.id); }
  /// No task is sent here.
  void completed(const pending_task&, std::vector<stored_value>, const error&) override {}

  /// All actors are in this process, which knows of them by itself.
  void actor_alive(actor_id, const std::string&) override {}
  void actor_ended(actor_id, const std::string&, bool) override {}
  void kill_actor(actor_id, const std::string&, bool) override {}
  bool cancel(const pending_task&, bool) override { return false; }

  result<objstore::writable> create(object_id id, std::size_t size_bytes,
                                    std::chrono::milliseconds patience) override {
    return node_.store().create(id, size_bytes, patience);
  }
  result<objstore::pinned> read(object_id id, std::chrono::milliseconds patience) override;
  void stored(object_id id, std::size_t size_bytes) override;
  void erase(object_id id) override;
  /// Every object that lives is known in this process.
  void want(const ObjectEntry&) override {}
  bool borrow(ObjectEntry&) override { return false; }
  void released(const ObjectEntry& entry) override;
  objstore::store_stats store_stats() const override { return node_.store().stats(); }

  void begin_closing() override;
  void close_store() override { node_.store().close(); }
  void stop(bool user_code_ended) override { node_.stop(user_code_ended); }

private:
  mutable node node_;
};

} // namespace caf_ray
