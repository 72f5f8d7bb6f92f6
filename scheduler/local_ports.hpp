#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "gcs/mailbag.hpp"
#include "gcs/types/limits.hpp"
#include "scheduler/scheduled_task.hpp"

namespace caf_ray::scheduler {

/// What happens to a task after dispatch, or to an object a task waits for; told to the local
/// scheduler through its mailbag by any thread.
struct task_event {
  enum class kind : std::uint8_t {
    /// The task ended and gives its resources back. Only for tasks that hold some; also for one
    /// that the executor got but did not run, because somebody else had claimed it.
    finished,
    /// It waits inside user code: its CPU is lent out (other resources stay).
    blocked,
    /// It goes on: its CPU is taken back at once, even below zero.
    unblocked,
    /// `object` is here now (value or error).
    object_ready,
    /// Started tasks made room in the dispatch window; see dispatch_gauge.
    room,
    /// Take `task` out of the queues if it is still there: it was cancelled, or ran in place.
    withdrawn,
  };
  kind what;
  task_ptr task;
  object_id object;
};

/// Counts shared with the executor's side, so that a task without resources costs no event.
/// The difference dispatched - started is what the window bounds: `started` counts every task that
/// the executor got to, also one whose claim was gone. It is counted before `hungry` is looked at,
/// both sequentially consistent, else the last start may miss that the scheduler waits for it.
struct dispatch_gauge {
  std::atomic<std::uint64_t> dispatched{0};
  std::atomic<std::uint64_t> started{0};
  std::atomic<std::uint64_t> finished{0};
  std::atomic<std::uint64_t> run_ns{0};
  /// The window was full: the start that brings it down to half sends one `room` event.
  std::atomic<bool> hungry{false};
  /// One more was started, or is not waiting for that any more. True: the caller sends a `room`
  /// event.
  bool start_one() noexcept {
    auto now = started.fetch_add(1) + 1;
    return hungry.load() && dispatched.load() - now <= dispatch_window / 2
           && hungry.exchange(false);
  }

  /// Tasks that the local scheduler holds (waiting, ready or away); for back-pressure.
  std::atomic<std::uint64_t> held{0};
};

/// How a process reaches its local scheduler, and the scheduler the process: queues one way,
/// functions the other. Shared by both; outlives the actor.
struct local_ports {
  mailbag<task_ptr> submissions;
  mailbag<task_event> events;
  dispatch_gauge gauge;
  /// True when the object is here; else an `object_ready` event will follow. Thread-safe.
  std::function<bool(object_id)> watch;
  /// Runs the tasks: their resources are held. Called on the local scheduler's thread.
  std::function<void(std::vector<task_ptr>&)> start;
};

} // namespace caf_ray::scheduler
