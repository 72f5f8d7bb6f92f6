#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "libray/src/cluster/actors.hpp"
#include "libray/src/cluster/flow.hpp"
#include "libray/src/cluster/hub_core.hpp"
#include "libray/src/cluster/io_thread.hpp"
#include "libray/src/cluster/worker_process.hpp"

namespace caf_ray::cluster {

struct hub_settings {
  std::shared_ptr<objstore::store> store;
  std::shared_ptr<scheduler::local_ports> ports;
  node_id node;
  unsigned slots = 1;
  /// GCS shards, and behind them the group manager: for the processes.
  std::vector<caf::strong_actor_ptr> services;
  /// Output of workers goes to files in this folder; empty: to where the node's goes.
  std::string log_directory;
  std::function<void(actor_id, const actor_record&)> record_actor;
  /// Called as the last thing, on the hub's thread.
  std::function<void()> on_end;
};

/// The actor around `hub_core`: lives in CAF's I/O thread, where the batches of processes arrive,
/// so that none waits for another thread to wake.
///
/// At start: its timer. At exit: ends the workers. When a process dies: its tasks are run again or
/// fail, what it held is let go.
class hub final : public io_hosted<hub_actor::base> {
public:
  hub(caf::actor_config& config, hub_settings settings);
  ~hub() override;

  const char* name() const override { return "hub"; }
  hub_actor::behavior_type make_behavior() override;
  void on_exit() override;

  /// For the local scheduler, on the same thread.
  hub_core& core() noexcept { return core_; }

private:
  struct peer {
    caf::strong_actor_ptr link;
    std::uint32_t pid = 0;
    std::string program;
    flow bytes;
    /// Behind the window.
    std::deque<std::string> waiting;
  };

  hub_options core_options();
  void welcome_process(const std::string& bytes, const caf::strong_actor_ptr& link);
  void refuse(const caf::strong_actor_ptr& link, error why);
  void receive(std::uint64_t total, const std::string& batch);
  void credit(std::uint64_t total);
  void send_batch(client_id to, std::string batch);
  void send_waiting(peer& to);
  void start_worker(job_id job, actor_id only);
  void end_worker(client_id worker);
  void kill_worker(client_id worker);
  void lose(const caf::actor_addr& who);
  void cut(client_id who, const std::string& cause);
  void run_posted();
  void reap();
  void bury();
  client_id client_of(const void* link) const;

  hub_settings settings_;
  hub_core core_;
  std::map<client_id, peer> peers_;
  std::map<const void*, client_id> by_link_;
  /// What workers of a job are started from; also after its driver has left, for its detached
  /// actors.
  struct job_start {
    std::string program;
    std::string ray_namespace;
  };
  std::map<job_id, job_start> jobs_;
  /// A worker that has not joined yet.
  struct start {
    worker_process process;
    job_id job = 0;
    std::string ray_namespace;
    actor_id only;
    std::chrono::steady_clock::time_point until;
  };
  /// By their token.
  std::map<std::uint64_t, start> starting_;
  std::map<client_id, worker_process> workers_;
  /// Lost their connection: how they ended is the cause that people see. Those that do not end are
  /// killed.
  struct dying {
    client_id who = 0;
    worker_process process;
    std::string cause;
    std::chrono::steady_clock::time_point until;
  };
  std::vector<dying> dying_;
  std::uint64_t last_token_ = 0;

  /// From other threads; outlives this actor for those that are late.
  struct post_box {
    std::mutex mutex;
    std::vector<std::function<void()>> work;
  };
  std::shared_ptr<post_box> posted_ = std::make_shared<post_box>();
};

} // namespace caf_ray::cluster
