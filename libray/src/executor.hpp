#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include <caf/actor_system.hpp>
#include <caf/detail/thread_safe_actor_clock.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>

#include "gcs/blocking.hpp"

namespace caf_ray {

/// A CAF scheduler module that knows blocking: N running slots, threads on demand.
///
/// A thread that is about to wait (blocking_scope) gives its slot back and another thread takes
/// it; when the wait is over it queues for a slot again, ahead of new work. So user code may block
/// in any number without stopping the rest, and never more than N threads compute.
///
/// Two lanes: system actors (spawned with caf::hidden; short handlers) go before user code (tasks,
/// user actors). One extra thread serves the system lane alone when user code holds every slot for
/// long, so that the system answers even while all slots compute.
///
///   idle --job--> running --blocking_scope--> blocked --scope ends--> returning --slot--> running
///
/// Invariants (under mutex_): running_ <= slots, but for system actors that came back from
/// blocking; a queued job and a free slot imply that a thread is spinning or was woken; the user
/// lane is FIFO.
class executor final : public caf::scheduler::abstract_coordinator {
public:
  /// How many slots, idle and blocked threads there are, at one moment.
  struct counts {
    std::size_t slots = 0;
    std::size_t running = 0;
    std::size_t blocked = 0;
    std::size_t threads = 0;
    std::size_t peak_threads = 0;
    std::size_t queued = 0;
    /// Threads inside user code, blocked ones included.
    std::size_t user_code = 0;
  };

  explicit executor(caf::actor_system& system);
  ~executor() override;

  /// Called by CAF when the module is loaded with `config.load<executor>()`.
  static caf::actor_system::module* make(caf::actor_system& system, caf::detail::type_list<>);

  /// Schedules an actor from a thread that is not one of ours. Thread-safe.
  void enqueue(caf::resumable* job) override;

  /// Host for tasks: their first run goes to the user lane whatever the calling thread is.
  caf::execution_unit& task_unit() noexcept { return task_unit_; }

  caf::actor_clock& clock() noexcept override { return clock_; }

  counts count() const;

  /// True when no user code runs or blocks any more; waits at most `patience` for that. From the
  /// first call on, no queued user job is started.
  bool quiesce(std::chrono::milliseconds patience);

protected:
  void start() override;
  /// Ends all threads. Only after `quiesce` returned true (or no user code was ever run).
  void stop() override;

private:
  class thread_state;

  struct lane_unit final : caf::execution_unit {
    lane_unit(caf::actor_system* system, executor* owner)
      : caf::execution_unit(system), owner(owner) {}
    void exec_later(caf::resumable* job) override { owner->enqueue_user(job); }
    executor* owner;
  };

  using lock = std::unique_lock<std::mutex>;

  static bool is_system(caf::resumable* job);
  void enqueue_user(caf::resumable* job);
  void push(caf::resumable* job, bool system);
  void push_locked(caf::resumable* job, bool system);
  /// Finds a thread for queued work where a slot is free. Returns one to notify, or null.
  thread_state* recruit(lock& guard);
  void spawn_thread(lock& guard);
  void run_thread();
  void run_system_thread();
  void run_job(caf::resumable* job, caf::execution_unit& unit, thread_state* self);
  caf::resumable* pop(bool& system);
  bool has_work() const { return !system_.empty() || (!user_.empty() && !halted_); }
  /// Waits for work and a slot; null when the thread is to end.
  caf::resumable* next_job(lock& guard, thread_state& self, bool& system);
  void give_slot_away(lock& guard);

  mutable std::mutex mutex_;
  std::deque<caf::resumable*> system_;
  std::deque<caf::resumable*> user_;
  std::vector<thread_state*> idle_;     // last in, first out: the warmest goes first
  std::deque<thread_state*> returning_; // waits for a slot after blocking
  std::condition_variable ended_;       // threads_ or user_busy_ went down
  std::condition_variable system_wake_;
  std::size_t running_ = 0;
  std::size_t blocked_ = 0;
  std::size_t user_busy_ = 0; // threads inside user code, blocked ones included
  std::size_t threads_ = 0;
  std::size_t peak_threads_ = 0;
  std::uint64_t system_pops_ = 0;
  bool watching_ = false; // the system thread looks after the system lane
  bool halted_ = false;
  bool stopping_ = false;
  std::atomic<int> spinners_{0};
  std::atomic<std::size_t> ready_{0}; // queued jobs, for spinners to look at without the lock

  lane_unit task_unit_;
  caf::detail::thread_safe_actor_clock clock_;
  std::thread timer_;
};

} // namespace caf_ray
