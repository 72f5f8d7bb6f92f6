#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "scheduler/actors.hpp"
#include "scheduler/away_table.hpp"
#include "scheduler/estimator.hpp"
#include "scheduler/local_ports.hpp"
#include "scheduler/local_queue.hpp"

/// The local scheduler of a node: takes what its process submits, keeps it until inputs and
/// resources are there, dispatches it, and hands up what this node cannot or should not run.
namespace caf_ray::scheduler {

/// All functions are called on the actor's thread and must not block. Empty ones are skipped,
/// `ports`, its `watch` and its `start` are required.
struct local_options {
  std::shared_ptr<local_ports> ports;
  node_id node;
  /// Shown to people.
  std::string host;
  /// What the node offers.
  resource_set total;

  /// Ready tasks above this many are handed up, the youngest first, where the cluster has another
  /// node.
  std::size_t overflow_threshold = 10'000;
  /// So are those that would wait for longer than this, by the mean time of a task. And what is
  /// dispatched, and so bound to this node, is no more than gets done within the second. 0: not
  /// looked at.
  std::chrono::milliseconds overflow_wait{0};
  std::chrono::milliseconds dispatch_ahead{0};
  queue_options queue;

  /// The one timer: heartbeats, and how exactly deadlines are kept.
  std::chrono::milliseconds heartbeat_interval{100};
  /// A replica that has not answered by then is asked no more; another one is.
  std::chrono::milliseconds request_deadline{1000};
  /// A request that a replica keeps as pending is asked again after this time.
  std::chrono::milliseconds pending_refresh{10'000};
  /// Bundles that were prepared and not committed by then are given back.
  std::chrono::milliseconds prepare_deadline{10'000};

  /// Heartbeat: what this node is now.
  std::function<void(const node_record&)> report;
  /// Makes the task that another node sent. Empty: a plain scheduled_task.
  std::function<task_ptr(forwarded_task)> adopt;
  /// Sends a task to that node by other means than a message of ours, and claims it; false: there
  /// is no way there now. Empty: `run_atom`, and `taken_atom` back.
  std::function<bool(const task_ptr&, node_id)> forward;
  /// This task is in that node's queues now and is not held here any more. Its claim is taken.
  std::function<void(const task_ptr&, node_id)> moved;
  /// This task will never run: its claim was turned to cancelled. Codes: cancelled (by message),
  /// unschedulable (its placement group was removed).
  std::function<void(const task_ptr&, error)> drop;
  /// Fills in size and nodes of an input, if they are known without asking anybody.
  std::function<void(input_place&)> locate;

  /// For choosing among replicas.
  std::uint64_t seed = 0;
};

/// Invariant: a task that was submitted and is not yet dispatched, moved, dropped or withdrawn is
/// either in `queue` or in `away`.
struct local_state {
  static inline const char* name = "local-scheduler";
  using time_point = away_table::time_point;

  explicit local_state(local_actor::pointer self) : self(self) {}

  // -- tasks of this process
  /// Takes what is in the mailbags.
  void drain();
  /// Dispatches, hands up, and says how many are held: at the end of every message that may have
  /// changed something.
  void proceed();
  void accept(task_ptr task);
  /// Fills `missing`, and has the inputs brought; empty for a task that cannot run here.
  void find_missing(const scheduled_task& task);
  void handle(const task_event& event);
  void withdraw(const task_ptr& task);
  /// Dispatches what is ready while the window has room.
  void pump();
  std::size_t window_size() const;
  std::size_t window_room() const;
  /// Tasks that this node gets done in this time, as far as is known; at least one a slot.
  std::size_t tasks_within(std::chrono::microseconds span) const;
  /// Microseconds of a task: the mean, or how long none has ended, if that is longer.
  double task_us() const;
  bool is_idle() const;
  std::uint64_t dispatched_count() const;

  // -- tasks that go up
  void hand_up();
  /// Asks some replica for these tasks in `away`, and the one asked before to forget them. Without
  /// a replica those that can run here come back.
  void ask(const std::vector<task_id>& tasks);
  placement_request request_for(const task_spec& spec) const;
  void forget(const void* replica, const std::vector<task_id>& tasks);
  void answered(std::vector<placement>& answers);
  void fail_away(task_id task, std::string reason);
  void come_back(task_id task);

  // -- other nodes
  void forward(node_id to, const std::vector<task_id>& tasks);
  void hand_over(node_id to, const std::vector<task_id>& tasks);
  void wait_for_link(task_id task, node_id to);
  void taken(node_id by, const std::vector<task_id>& tasks);
  void adopt(std::vector<forwarded_task>& tasks);
  void update(const node_updates& changes);
  void connect(node_id node, const caf::strong_actor_ptr& peer);
  void peer_lost(node_id node);
  void use(std::vector<caf::strong_actor_ptr> new_replicas);
  void lost(const caf::actor_addr& who);

  // -- bundles
  error prepare(group_id group, const std::vector<bundle_request>& bundles);
  error commit(group_id group);
  void give_back(group_id group);

  // -- people
  std::string why(task_id task);
  bool cancel(task_id task);
  node_record describe() const;

  void tick();
  void publish_held();
  time_point now() const;

  local_actor::pointer self;
  local_options options;
  local_queue queue;
  /// What is with the global scheduler, or on its way to another node.
  away_table away;
  /// Other nodes that are alive, and how to reach the schedulers that are connected.
  std::map<node_id, node_record> others;
  std::map<node_id, caf::strong_actor_ptr> peers;
  std::vector<caf::strong_actor_ptr> replicas;
  /// Groups that are prepared but not committed, and until when.
  std::map<group_id, time_point> prepared;
  std::mt19937_64 random;

  /// Microseconds of a task, averaged over heartbeats; and the counters at the last one.
  estimator mean_task_us;
  std::uint64_t seen_finished = 0;
  std::uint64_t seen_run_ns = 0;
  /// When a task had ended at a heartbeat, or none was there to end.
  time_point last_progress{};
  std::uint64_t heartbeats = 0;

  // Kept between messages for their memory only.
  std::vector<task_ptr> submissions;
  std::vector<task_event> events;
  std::vector<task_ptr> batch;
  std::vector<object_id> missing;
};

/// At start: binds both mailbags of its ports to itself and starts its timer. At exit: dispatches
/// nothing more; tasks that it holds are let go, their submitter resolves them. When a replica
/// dies: asks another. When a peer dies: what was on its way there is placed anew. Ends by an exit
/// message only. Runs in the shared scheduler.
local_actor::behavior_type local_scheduler(local_actor::stateful_pointer<local_state> self,
                                           local_options options);

} // namespace caf_ray::scheduler
