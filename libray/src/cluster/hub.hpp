#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "libray/src/cluster/actors.hpp"
#include "libray/src/cluster/flow.hpp"
#include "libray/src/cluster/hub_core.hpp"
#include "libray/src/cluster/io_thread.hpp"
#include "libray/src/cluster/program_file.hpp"
#include "libray/src/cluster/worker_process.hpp"
#include "objstore/transfer.hpp"

namespace caf_ray::cluster {

struct hub_settings {
  std::shared_ptr<objstore::store> store;
  std::shared_ptr<scheduler::local_ports> ports;
  node_id node;
  unsigned slots = 1;
  /// GCS shards, and behind them the group manager: for the processes. Nodes that enter also get
  /// the global scheduler.
  std::vector<caf::strong_actor_ptr> services;
  caf::strong_actor_ptr global_scheduler;
  /// Output of workers goes to files in this folder; empty: to where the node's goes.
  std::string log_directory;
  std::function<void(actor_id, const actor_record&)> record_actor;
  /// What the control store has of an actor; `then` is called on any thread.
  std::function<void(actor_id, std::function<void(std::optional<actor_record>)> then)> find_actor;

  /// Programs that came from other nodes.
  std::filesystem::path program_folder;

  // -- other nodes
  /// What this one says of itself, but for the time.
  node_greeting self;
  /// The hub of the cluster's head, and where that is; null: this is the head.
  caf::strong_actor_ptr head;
  std::string head_address;
  /// Null: alone for ever.
  std::shared_ptr<objstore::transfer> transfer;
  caf::strong_actor_ptr local_scheduler;
  /// The hub at that address. May wait.
  std::function<result<caf::strong_actor_ptr>(const std::string& address)> connect;
  /// Its local scheduler when it is connected, null when it is gone.
  std::function<void(node_id, const caf::strong_actor_ptr&)> neighbour;
  /// On the head: that node is dead. On others: the head is, and with it the cluster (once).
  std::function<void(const node_greeting&)> node_died;
  std::function<void(const std::string& cause)> head_died;

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
    /// Of a node.
    node_greeting greeting;
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
  void worker_failed(job_id job, actor_id only, const std::string& cause);
  void end_worker(client_id worker);
  void kill_worker(client_id worker);
  void lose(const caf::actor_addr& who);
  void cut(client_id who, const std::string& cause);
  void run_posted();
  void reap();
  void bury();
  client_id client_of(const void* link) const;
  /// As hub_options::aside.
  void aside(std::function<void()> work, std::function<void()> then);
  /// Has this thread do something soon. From any thread; `work` is dropped when the hub has ended.
  std::function<void(std::function<void()> work)> poster();

  // -- programs (hub_programs.cpp)
  void know_job(client_id from, const job_op& op);
  void publish_program(job_id job, std::function<void(const program_op&)> then);
  void fetch_program(client_id from, const program_op& op);
  void got_program(job_id job, const result<std::filesystem::path>& where);
  void unpublish_program(job_id job);

  // -- other nodes (hub_neighbours.cpp)
  using enter_answer = std::tuple<error, std::string, std::vector<caf::strong_actor_ptr>>;
  enter_answer let_in(const std::string& bytes) const;
  /// Error: why that node cannot be a neighbour.
  result<node_greeting> read_greeting(const std::string& bytes) const;
  std::string greeting() const;
  void meet(const std::string& bytes, const caf::strong_actor_ptr& hub,
            const caf::strong_actor_ptr& local_scheduler);
  void hear_of(const scheduler::node_updates& changes);
  /// Calls the nodes that it is ours to call.
  void call_neighbours();
  void part(const peer& gone, const std::string& cause);
  const peer* neighbour(node_id node) const;
  /// Begins those transfers whose sources can be reached, gives up old ones.
  void begin_transfers();
  void look_up_actors();

  hub_settings settings_;
  /// Before the core, whose clients give theirs back. Null: no memory for them.
  std::unique_ptr<start_marks> marks_;
  hub_core core_;
  std::map<client_id, peer> peers_;
  std::map<const void*, client_id> by_link_;
  /// What workers of a job are started from; also after its driver has left, for its detached
  /// actors.
  struct job_start {
    std::string program;
    std::string ray_namespace;
    /// The program is not here yet: those that wait for it. Then why it did not come.
    bool fetching = false;
    std::vector<actor_id> starts;
    std::string failure;
    /// For other nodes to pull; while the job lives. And those that wait until it is so far.
    objstore::pinned published;
    program_op how;
    std::vector<std::function<void(const program_op&)>> askers;
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

  /// Nodes of the cluster that are alive, by what the control store says.
  struct known_node {
    std::string address;
    bool is_head = false;
    bool calling = false;
    std::chrono::steady_clock::time_point call_again;
  };
  std::map<node_id, known_node> known_;
  /// Objects to be brought from nodes that are not connected yet.
  struct transfer_wish {
    object_id object;
    std::uint64_t size_bytes = 0;
    std::vector<node_id> from;
    std::function<void(result<void>)> then;
    std::chrono::steady_clock::time_point until;
  };
  std::vector<transfer_wish> wishes_;
  /// Actors that the control store may not have heard of yet.
  struct actor_question {
    std::function<void(std::optional<actor_record>)> then;
    std::chrono::steady_clock::time_point until;
    bool asked = false;
  };
  std::map<actor_id, actor_question> questions_;

  /// From other threads; outlives this actor for those that are late.
  struct post_box {
    std::mutex mutex;
    std::vector<std::function<void()>> work;
  };
  std::shared_ptr<post_box> posted_ = std::make_shared<post_box>();
};

} // namespace caf_ray::cluster
