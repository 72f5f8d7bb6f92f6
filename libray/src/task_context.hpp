#pragma once

#include <atomic>
#include <cstdint>

#include "gcs/types/ids.hpp"
#include "libray/src/pending_task.hpp"

namespace caf_ray {

class runtime;

/// Who is running on this thread: what a call is counted for and what blocking lends out. A
/// driver's threads share one (counters are atomic), a task has its own, on its stack.
struct task_context {
  runtime* owner = nullptr;
  task_id id;
  std::atomic<std::uint64_t> calls{0};
  std::atomic<std::uint64_t> puts{0};
  /// Null on a driver.
  pending_task_ptr task;
  /// The actor whose factory or method this is; null in plain tasks.
  ActorEntry* actor = nullptr;
  bool actor_restarted = false;
  /// What this one runs on top of, when a waiting thread runs the task it waits for.
  task_context* below = nullptr;
  unsigned depth = 0;

  static inline thread_local task_context* current = nullptr;
};

/// Makes `context` the current one for a scope.
class context_scope {
public:
  explicit context_scope(task_context& context) noexcept {
    context.below = task_context::current;
    context.depth = context.below ? context.below->depth + 1 : 0;
    task_context::current = &context;
  }
  ~context_scope() { task_context::current = task_context::current->below; }
  context_scope(const context_scope&) = delete;
  context_scope& operator=(const context_scope&) = delete;
};

} // namespace caf_ray
