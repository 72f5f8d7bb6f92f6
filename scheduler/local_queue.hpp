#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "scheduler/resource_pool.hpp"
#include "scheduler/scheduled_task.hpp"

/// What a local scheduler decides: which task may run now, which has to wait for what, which should
/// go elsewhere. Pure: no actor, no clock, no randomness.
namespace caf_ray::scheduler {

struct queue_options {
  /// A ready task that lacks resources lets this many later ones take what it lacks; then they are
  /// held back until it has run.
  std::uint32_t overtake_limit = 64;
  /// Tasks of one class that may be with the global scheduler at once.
  std::size_t max_away_per_class = 1024;
};

/// A task outside the queue that keeps its place in it.
struct numbered_task {
  task_ptr task;
  /// Position in the order in which tasks became ready; smaller is earlier.
  std::uint64_t ticket = 0;
};

/// Tasks from submission to dispatch.
///
///   submit --> waiting --object_ready--> ready --take_ready--> (dispatched)
///         \--> parked: this node can never satisfy it --hand_up--> (away) --come_back--> ready
///                                       ready, too many --hand_up-->
///
/// Ready tasks stand in classes: same priority, resources, group and bundle. Order: higher
/// priority first; then by ticket, a class that lacks resources letting the later ones pass.
///
/// No starvation: a class counts how many later tasks took what its first task lacks. From
/// `overtake_limit` on, later tasks get nothing of that until it has run. This holds only while
/// the tasks that now run, and neither wait nor are actors, will free enough: otherwise what it
/// waits for may be one of those that would be held back (a nested task), or nothing would ever
/// free it (an actor), and holding back would stop the node. Higher priorities may starve lower
/// ones: that is what they are for.
///
/// A task whose claim somebody else turned is passed over when its turn comes; `withdraw` lets go
/// of it earlier. Cost of a task without inputs and resources: a push and a pop, no lookup.
/// Invariant: the classes other than `plain_` exist only while they have tasks, here or away.
class local_queue {
public:
  explicit local_queue(resource_set total = {}, queue_options options = {});

  resource_pool& pool() noexcept { return pool_; }
  const resource_pool& pool() const noexcept { return pool_; }

  /// Could this node ever run it?
  bool feasible(const scheduled_task& task) const;

  /// Takes a task in; `missing` are the inputs that are not here, each once. One that is not
  /// feasible is parked, whatever it misses.
  void submit(task_ptr task, std::span<const object_id> missing);
  /// True when some task waits for this object, so that its `object_ready` is sure to come.
  bool awaits(object_id object) const { return waiters_.contains(object); }
  void object_ready(object_id object);

  /// Events of dispatched tasks; without effect for tasks that hold nothing.
  void finished(const scheduled_task& task);
  void blocked(const scheduled_task& task);
  void unblocked(const scheduled_task& task);

  /// Lets go of a task that will not run from here; false: it is not in the queue.
  bool withdraw(scheduled_task& task);

  /// Appends up to `max` tasks that shall run now; their resources are held for them. Each is
  /// marked as dispatched. Whoever gets them claims them.
  void take_ready(std::size_t max, std::vector<task_ptr>& into);

  /// Appends up to `max` tasks that another node should run: parked ones, and those ready ones
  /// above `threshold` that have not been away yet, the youngest of the least priority. Each ends
  /// with `come_back` or `settle`.
  void hand_up(std::size_t max, std::size_t threshold, std::vector<numbered_task>& into);
  /// It shall run here after all. When nothing is missing it takes its old place and is not handed
  /// up again. Parked, when this node still is not able to run it.
  void come_back(numbered_task back, std::span<const object_id> missing);
  /// It will not come back.
  void settle(const scheduled_task& gone);

  /// Takes out the parked tasks that have become feasible (a bundle was committed): their inputs
  /// were never asked for, so submit them again.
  void unpark(std::vector<task_ptr>& into);

  /// By scanning; null: not in the queue.
  task_ptr find(task_id id) const;
  /// A sentence on what the task waits for; empty: it is neither in the queue nor holds resources.
  std::string why(task_id id) const;

  std::size_t waiting() const noexcept { return waiting_count_; }
  std::size_t ready() const noexcept { return ready_count_; }
  std::size_t parked() const noexcept { return parked_count_; }
  std::size_t held() const noexcept { return waiting_count_ + ready_count_ + parked_count_; }
  /// Dispatched tasks that hold resources.
  std::size_t holders() const noexcept { return running_.size(); }

private:
  /// Where a task stands: values of scheduled_task::missing. From 1 up to `is_ready` it counts the
  /// missing inputs; 0 is a task that has not been seen yet.
  enum mark : std::uint32_t {
    is_ready = 0xffff'fff0,
    is_parked,
    /// Withdrawn; an entry of it may still be in a queue.
    is_left,
    /// Dispatched, away or gone.
    is_outside,
  };

  /// A counter's value before the first.
  static constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

  using fifo = std::deque<numbered_task>;

  /// Tasks are of one class when their options agree in what this orders by; higher priorities
  /// come first. Compares what the pointers point to.
  struct class_order {
    using is_transparent = void;
    using owner = std::shared_ptr<const task_options>;
    bool operator()(const owner& a, const owner& b) const { return before(*a, *b); }
    bool operator()(const owner& a, const task_options& b) const { return before(*a, b); }
    bool operator()(const task_options& a, const owner& b) const { return before(a, *b); }
    static bool before(const task_options& a, const task_options& b);
  };

  struct task_class {
    demand need;
    std::int32_t priority = 0;
    /// By ticket: those that may be handed up, and those that were away already.
    fifo fresh;
    fifo settled;
    /// Not feasible here.
    fifo parked;
    /// Entries of withdrawn tasks in `fresh` and `settled`, and in `parked`.
    std::size_t left = 0;
    std::size_t left_parked = 0;
    std::size_t away = 0;
    /// How often the first one was overtaken by tasks that took what it lacks.
    std::uint32_t overtaken = 0;
    /// Which of the amounts of `need` the first one did not get, as `resource_pool::lacking` says
    /// it; it need not try again while the pool has freed nothing since.
    std::uint64_t lacks = 0;
    std::uint64_t stuck_at = never;
    /// `feasible` as of this generation of the pool.
    std::uint64_t generation = never;
    bool feasible = true;

    bool has_ready() const noexcept { return !fresh.empty() || !settled.empty(); }
    bool idle() const noexcept { return !has_ready() && parked.empty() && away == 0; }
    // Of `fresh` and `settled`, the one whose first task is the next; and that task's ticket.
    // Not for classes without ready tasks.
    fifo& first() noexcept;
    std::uint64_t first_ticket() const noexcept;
  };
  using class_map = std::map<std::shared_ptr<const task_options>, task_class, class_order>;

  /// Tasks that miss one object, in order of submission.
  struct waiting_list {
    std::vector<task_ptr> tasks;
    /// Entries of withdrawn tasks.
    std::size_t left = 0;
  };

  struct holder {
    std::shared_ptr<const task_options> options;
    resource_pool::lease lease;
  };

  static bool is_plain(const task_spec& spec) noexcept;
  static bool is_taken(const scheduled_task& task) noexcept;
  task_class& class_of(const task_spec& spec);
  void drop_if_idle(const task_spec& spec);
  bool feasible(task_class& in);
  void enter(task_class& in, task_ptr task);
  void park(task_class& in, numbered_task task);
  void wait_for(const task_ptr& task, std::span<const object_id> missing);
  void leave_waiting(const scheduled_task& task);
  /// Removes what an earlier withdrawal of this task left.
  void purge(scheduled_task& task);
  static void compact(task_class& in);

  /// Moves ready tasks of classes that have become infeasible.
  void park_infeasible();
  static bool comes_before(const task_class* a, const task_class* b);
  /// Lets the first task of `in` run or passes over it; false: it has to stay.
  bool advance(task_class& in, std::vector<task_ptr>& into);
  bool acquire(task_class& in, const scheduled_task& task);
  void get_stuck(task_class& in);
  /// Which of the amounts of `later` are among those that `stuck` lacks; 0 when it is not later.
  static std::uint64_t overlap(const task_class& stuck, const task_class& later);
  /// False: an entry that a withdrawal left, or somebody else's by now; it is settled here.
  static bool still_ours(const numbered_task& entry, std::size_t& left, std::size_t& count);
  std::size_t overflow(task_class& from, std::size_t max, std::vector<numbered_task>& into);
  void drop_idle_classes();
  void shrink();
  template <class Visit>
  void each_class(Visit visit) const;
  std::string why_waiting(task_id id) const;
  std::string why_queued(const task_class& in, task_id id) const;

  queue_options options_;
  resource_pool pool_;
  /// Tasks that need nothing at priority 0: nearly all.
  task_class plain_;
  class_map classes_;
  /// By the object that is missing; a task in several lists counts down.
  std::unordered_map<object_id, waiting_list> waiters_;
  std::unordered_map<task_id, holder> running_;
  std::uint64_t next_ticket_ = 1;
  std::size_t waiting_count_ = 0;
  std::size_t ready_count_ = 0;
  std::size_t parked_count_ = 0;
  std::size_t peak_ = 0;

  /// As of this generation of the pool, no class with ready tasks is infeasible.
  std::uint64_t parked_at_ = 0;

  // One round's; kept for their memory only. A heap, best first; the classes whose first task did
  // not get what it needs; and those among them that have been overtaken too often.
  std::vector<task_class*> runnable_;
  std::vector<task_class*> stuck_;
  std::vector<task_class*> due_;
};

} // namespace caf_ray::scheduler
