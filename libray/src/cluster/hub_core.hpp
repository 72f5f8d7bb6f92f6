#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "gcs/types/placement.hpp"
#include "gcs/types/records.hpp"
#include "libray/src/cluster/directory.hpp"
#include "libray/src/cluster/start_marks.hpp"
#include "libray/src/cluster/wire.hpp"
#include "libray/src/cluster/worker_pool.hpp"
#include "objstore/store.hpp"
#include "scheduler/local_ports.hpp"

namespace caf_ray::cluster {

/// A task of some process of this host, or one that another node has sent, from then until its
/// results are known.
struct hub_task final : scheduled_task {
  /// Who was sent it, a worker or another node; 0: nobody yet.
  client_id worker = 0;
  /// Of that worker's marks, the one that says whether it has started.
  std::uint32_t mark = 0;
  /// Submitted by a process of this host: its results are this node's to know.
  bool own = false;
  /// The nodes that have sent it here, and wait.
  std::vector<client_id> homes;
};
using hub_task_ptr = std::shared_ptr<hub_task>;

/// Every object that a task needs, once for each place where it is named.
template <class F>
void for_each_input(const task_spec& spec, F f) {
  for (auto& argument : spec.arguments)
    if (argument.ref)
      f(argument.ref);
  for (auto& id : spec.contained)
    f(id);
}

enum class client_kind : std::uint8_t { driver, worker, node };

struct hub_options {
  node_id node;
  std::shared_ptr<objstore::store> store;
  std::shared_ptr<scheduler::local_ports> ports;
  worker_pool_options pool;

  /// Sends one batch to a process.
  std::function<void(client_id, std::string)> send;
  /// A driver has said which job is its own, or a node whose tasks it will send; and that again,
  /// for other nodes.
  std::function<void(client_id, const job_op&)> know_job;
  std::function<std::optional<job_op>(job_id)> describe_job;
  std::function<void(job_id)> job_ended;
  /// Makes the program of a job ready to be pulled; `then` is called on the hub's thread, not at
  /// once. And what another node has answered when it was asked (`ask_program`).
  std::function<void(job_id, std::function<void(const program_op&)> then)> publish_program;
  std::function<void(client_id, const program_op&)> program_published;
  /// Starts a worker process for this job: for one actor, or (nil) for plain tasks and actors that
  /// share. `join` or `worker_failed` follows, not at once.
  std::function<void(job_id, actor_id)> start_worker;
  /// Asks a process to end; ends it whatever it does, so that `leave` follows, not at once.
  std::function<void(client_id)> end_worker;
  std::function<void(client_id)> kill_worker;
  /// What has become of an actor.
  std::function<void(actor_id, const actor_record&)> record_actor;
  /// What the control store says of an actor; `then` is called on the hub's thread, not at once,
  /// with nothing when nobody knows it.
  std::function<void(actor_id, std::function<void(std::optional<actor_record>)> then)> find_actor;
  /// Brings an object from one of these nodes into the store; `then` as above.
  std::function<void(object_id, std::uint64_t size_bytes, const std::vector<node_id>& from,
                     std::function<void(result<void>)> then)>
    bring;
  /// Runs the first where it may wait, then the second on the hub's thread.
  std::function<void(std::function<void()> work, std::function<void()> then)> aside;
  std::function<std::chrono::steady_clock::time_point()> now;
};

/// What a node does for the processes of its host: knows their objects, gives their tasks to the
/// local scheduler and then to workers or other nodes, and their memory in the arena. No CAF, no
/// socket, no process: those are the functions of `hub_options`. One thread at a time, always the
/// same.
///
/// Another node is a client as processes are: who is sent a task by it serves it as a worker serves
/// its node, and who sends one is served.
///
/// Invariants: a task is in `tasks_` from its submission until its results are resolved; every
/// object it needs is held inside by it meanwhile. A task with a worker is in that client's
/// `running`. What has been written to a client's `out` is sent by the next `flush`.
class hub_core {
public:
  explicit hub_core(hub_options options);

  // -- processes
  /// The number that the next one to join will have.
  client_id next_client() const noexcept { return last_client_ + 1; }
  /// `only` is the actor that the process was started for.
  /// `marks` are those of a worker for plain tasks.
  client_id join(client_kind kind, job_id job, actor_id only = {}, mark_block marks = {});
  /// Another node, which may send tasks and be sent some.
  client_id join_node(node_id node);
  /// The process or node has died or said goodbye.
  void leave(client_id gone, const std::string& cause);
  /// A process that was started for this job ended before it joined.
  void worker_failed(job_id job, actor_id only, const std::string& cause);

  /// Carries out a batch. Error: corrupt; the process should be cut off.
  result<void> handle(client_id from, std::string_view batch);

  // -- the local scheduler (its functions, on this thread)
  bool watch(object_id object);
  void start(std::vector<task_ptr>& tasks);
  void drop(const task_ptr& task, const error& why);
  /// It shall run on that node. False: there is no way there now.
  bool forward(node_id to, const task_ptr& task);
  /// That node has told of a job whose program it shall send.
  void ask_program(client_id node, job_id job);
  /// Where this input lies, as far as is known here.
  void locate(scheduler::input_place& input) const;

  /// Ends idle workers, and calls of actors that cannot be reached.
  void tick();

  /// Sends what has gathered for every process.
  void flush();

  const directory& objects() const noexcept { return objects_; }
  std::size_t task_count() const noexcept { return tasks_.size(); }

private:
  struct client {
    client_kind kind = client_kind::driver;
    job_id job = 0;
    /// Of a node: which, the jobs that it was told of, and the inputs it has told of for its next
    /// task.
    node_id node;
    std::set<job_id> told_jobs;
    std::vector<object_id> early_inputs;
    mark_block marks;
    std::string out;
    bool in_dirty = false;
    /// Sent to it and not ended.
    std::unordered_map<task_id, hub_task_ptr> running;
    /// Objects that it writes, and memory that it reads.
    std::unordered_map<object_id, objstore::writable> writing;
    /// Written by it, and not announced to anybody.
    std::unordered_set<object_id> unannounced;
    struct pins {
      objstore::pinned pin;
      std::uint32_t count = 0;
    };
    std::unordered_map<object_id, pins> reading;
  };

  // -- operations of processes
  void on(client_id from, submit_op& op);
  void on(client_id from, done_op& op);
  void on(client_id from, blocked_op& op);
  void on(client_id from, want_op& op);
  void on(client_id from, borrow_op& op);
  void on(client_id from, release_op& op);
  void on(client_id from, put_op& op);
  void on(client_id from, create_op& op);
  void on(client_id from, seal_op& op);
  void on(client_id from, abort_op& op);
  void on(client_id from, pin_op& op);
  void on(client_id from, unpin_op& op);
  void on(client_id from, cancel_op& op);
  void on(client_id from, job_op& op);
  /// Everything that only a node says to its processes.
  template <class Op>
  void on(client_id, Op&) {
    refused_ = true;
  }

  // -- other nodes (hub_nodes.cpp)
  void on(client_id from, run_op& op);
  void on(client_id from, ready_op& op);
  void on(client_id from, end_job_op& op);
  void on(client_id from, want_program_op& op);
  void on(client_id from, program_op& op);
  /// Before the first task of a job goes to a node.
  void introduce(client_id node, job_id job);
  /// What a task of theirs has come to, for those that have sent it. The copies of stored results
  /// are held for them.
  void report(const hub_task& task, const std::vector<directory::value>& results,
              const error& failure);
  /// The node is gone: nobody waits for what it has sent here.
  void disown(client_id gone, const client& left);
  void bring(object_id object);
  bool is_node(client_id id);

  // -- actors (hub_actors.cpp)
  struct hosted_actor {
    actor_record record;
    /// Makes it, and makes it again. In `tasks_` until the actor is dead.
    hub_task_ptr creation;
    client_id worker = 0;
    /// Calls that came before it was alive.
    std::deque<hub_task_ptr> waiting;

    /// Of an actor that another node knows, its home: calls go there (`worker`) once it is known
    /// and connected, and are given up at some time.
    bool is_foreign = false;
    std::optional<kill_actor_op> kill;
    std::chrono::steady_clock::time_point until;
  };
  hosted_actor* find_actor(actor_id id);
  /// One that processes here call and this node has not created.
  hosted_actor& foreign_actor(actor_id id);
  void found_actor(actor_id id, const std::optional<actor_record>& record);
  void reach_foreign(hosted_actor& actor);
  void end_foreign(actor_id id, const error& why);
  error never_created(actor_id id) const;
  /// Its driver is here, or on another node and has not left; or an actor of it is left.
  bool job_lives(job_id job) const;
  bool hosts_actor(client_id worker) const;
  void create_actor(const hub_task_ptr& creation);
  void place_actor(const hub_task_ptr& creation);
  bool is_placed(actor_id id);
  bool settle_actor(actor_id id, client_id worker);
  void call_actor(const hub_task_ptr& call);
  void end_actor(actor_id id, const std::string& cause, bool may_restart, bool by_itself);
  void record(actor_id id, const hosted_actor& actor);
  void on(client_id from, actor_op& op);
  void on(client_id from, kill_actor_op& op);

  client* find(client_id id);
  template <class Op>
  void say(client_id to, const Op& op) {
    if (auto* c = find(to)) {
      write_op(c->out, op);
      added(to, *c);
    }
  }
  void added(client_id to, client& c);
  /// Carries out what follows from changes of objects.
  void perform(directory::actions& actions);
  void tell(client_id to, object_id object, bool held = false);

  void assign();
  /// A task that was dispatched is not in the hub's queues any more, whatever becomes of it: the
  /// local scheduler may dispatch another. Once for each.
  void leave_window();
  /// Sends the task to the worker; false when it was cancelled meanwhile.
  bool send_task(client_id worker, const hub_task_ptr& task);
  void fail(const hub_task_ptr& task, const error& why);
  /// Its results are resolved.
  void finish(const hub_task_ptr& task);
  /// Who was sent it is gone: again, or an error. One that had not started is not hurt.
  void lost(const hub_task_ptr& task, bool had_started, const error& why);
  void submit(const hub_task_ptr& task);
  /// A task of its own with the same ids, submitted in the place of one that has come to nothing,
  /// which the local scheduler may still have.
  hub_task_ptr try_again(const hub_task& task, std::uint32_t attempt);
  void give_back(const hub_task_ptr& task);
  /// Its driver, which is on another node, has left.
  void end_foreign_job(job_id job);
  /// Nothing will come of this job any more: what it has not got done ends.
  void end_job(job_id job);

  void made_memory(client_id to, object_id object, result<objstore::writable> memory);
  void got_pin(client_id to, object_id object, result<objstore::pinned> pin);

  hub_options options_;
  directory objects_;
  worker_pool pool_;
  std::unordered_map<task_id, hub_task_ptr> tasks_;
  std::map<client_id, client> clients_;
  client_id last_client_ = 0;
  /// Dispatched by the local scheduler, waiting for a worker with room.
  std::map<job_id, std::deque<hub_task_ptr>> ready_;
  /// Every actor that was created on this node, dead ones included; those that run here for other
  /// nodes; and those that are called from here.
  std::unordered_map<actor_id, hosted_actor> actors_;
  /// Placed, waiting for a process to share.
  std::map<job_id, std::vector<actor_id>> waiting_actors_;
  std::map<node_id, client_id> nodes_;
  /// Jobs that other nodes have told of, with the nodes of their drivers; and those that are over.
  std::map<job_id, node_id> foreign_jobs_;
  std::set<job_id> ended_jobs_;
  std::unordered_set<object_id> bringing_;
  std::vector<client_id> dirty_;
  bool refused_ = false;
};

} // namespace caf_ray::cluster
