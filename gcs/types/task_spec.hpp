#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gcs/types/ids.hpp"
#include "gcs/types/resources.hpp"

/// What a task is: everything another process needs to run it, and to run it again.
namespace caf_ray {

enum class task_kind : std::uint8_t {
  /// A stateless function call.
  plain,
  /// Runs the factory of an actor; its node keeps the actor.
  actor_creation,
  /// A method call: ordered after the caller's previous one by a stateful edge.
  actor_method,
};

enum class argument_kind : std::uint8_t {
  /// Packed in `task_spec::argument_bytes`, at [offset, offset + size).
  value,
  /// The value that the object `ref` will have.
  object,
  /// A vector, filled from the `size` arguments that follow; all of them objects.
  gather,
};

/// One argument. The members that its kind does not name are zero.
struct task_argument {
  argument_kind kind = argument_kind::value;
  std::uint32_t offset = 0;
  std::uint32_t size = 0;
  object_id ref;

  bool operator==(const task_argument&) const = default;

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, task_argument& x) {
    return f(x.kind, x.offset, x.size, x.ref);
  }
};

/// What few tasks set; shared by the calls of one caller, so that a plain spec stays small.
struct task_options {
  /// Shown to people; empty: the function's name.
  std::string name;
  resource_set resources;
  /// Nil: no placement group. Bundle -1: any of the group.
  group_id group;
  std::int32_t bundle = -1;
  /// Runs again after a worker or node died; -1: for ever.
  std::int32_t max_retries = 3;
  /// Runs again after the function threw, too.
  bool retry_exceptions = false;
  /// Larger runs first among the ready tasks of a node.
  std::int32_t priority = 0;
  /// Environment variables; need a process of their own.
  std::vector<std::pair<std::string, std::string>> env_vars;

  // For actor creation only.
  std::string actor_name;
  std::string actor_namespace;
  std::int32_t max_restarts = 0;
  std::int32_t max_concurrency = 1;
  bool detached = false;
  /// May share its process with other actors and tasks of its job.
  bool shared_process = false;

  bool operator==(const task_options&) const = default;

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, task_options& x) {
    return f(x.name, x.resources, x.group, x.bundle, x.max_retries, x.retry_exceptions, x.priority,
             x.env_vars, x.actor_name, x.actor_namespace, x.max_restarts, x.max_concurrency,
             x.detached, x.shared_process);
  }
};

/// Immutable once submitted; shared by pointer inside a process, by value between processes.
///
/// Edges of the task graph: `parent` (control), the refs among `arguments` (data), `previous`
/// (stateful: the method of the same actor that the same caller sent before).
struct task_spec {
  task_id id;
  task_id parent;
  job_id job = 0;
  task_kind kind = task_kind::plain;
  /// Results; each becomes an object, `result_of(id, 1..return_count)`.
  std::uint32_t return_count = 1;
  /// The results are the elements of what the function returns; else all of it is the only one.
  bool split = false;
  /// Name under which RAY_REMOTE registered it.
  std::string function;
  std::vector<task_argument> arguments;
  std::string argument_bytes;
  /// Refs inside argument values: not waited for, but kept alive while the task is pending.
  std::vector<object_id> contained;
  /// Null: all defaults.
  std::shared_ptr<const task_options> options;
  /// The actor that is created or called; nil for a plain task.
  actor_id actor;
  /// Order among the caller's methods of this actor, from 0.
  std::uint64_t method_count = 0;
  task_id previous;

  const task_options& opts() const noexcept {
    static const task_options defaults;
    return options ? *options : defaults;
  }

  /// What errors and listings call it.
  const std::string& display_name() const noexcept {
    return opts().name.empty() ? function : opts().name;
  }

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, task_spec& x) {
    task_options options = x.opts();
    if constexpr (Inspector::reads_state) {
      return f(x.id, x.parent, x.job, x.kind, x.return_count, x.split, x.function, x.arguments,
               x.argument_bytes, x.contained, options, x.actor, x.method_count, x.previous);
    } else {
      auto r = f(x.id, x.parent, x.job, x.kind, x.return_count, x.split, x.function, x.arguments,
                 x.argument_bytes, x.contained, options, x.actor, x.method_count, x.previous);
      x.options = std::make_shared<const task_options>(std::move(options));
      return r;
    }
  }
};

using task_spec_ptr = std::shared_ptr<const task_spec>;

} // namespace caf_ray
