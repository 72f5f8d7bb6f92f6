#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "gcs/types/ids.hpp"
#include "gcs/types/records.hpp"
#include "gcs/types/resources.hpp"
#include "gcs/types/task_spec.hpp"

/// What schedulers say to each other: the values that travel between local schedulers and the
/// global replicas. Who sends which, and when: scheduler/actors.hpp.
namespace caf_ray::scheduler {

/// An input of a task that looks for a node, as far as the asking node knows.
struct input_place {
  object_id id;
  /// 0: not known.
  std::uint64_t size_bytes = 0;
  /// Nodes that have a copy.
  std::vector<node_id> nodes;

  bool operator==(const input_place&) const = default;
  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, input_place& x) {
    return f(x.id, x.size_bytes, x.nodes);
  }
};

/// "Where shall this task run?" The spec stays with the asking node.
struct placement_request {
  task_id task;
  resource_set resources;
  /// Nil: no placement group. Bundle -1: any of the group.
  group_id group;
  std::int32_t bundle = -1;
  std::vector<input_place> inputs;

  bool operator==(const placement_request&) const = default;
  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, placement_request& x) {
    return f(x.task, x.resources, x.group, x.bundle, x.inputs);
  }
};

enum class placement_verdict : std::uint8_t {
  /// On `node`, which may be the one that asked.
  run_on,
  /// Nowhere yet, for `reason`; the replica keeps the request and answers again when that changes.
  pending,
  /// Nowhere, ever, for `reason` (its placement group was removed).
  never,
};

/// The answer to a placement_request.
struct placement {
  task_id task;
  placement_verdict verdict = placement_verdict::pending;
  node_id node;
  std::string reason;

  bool operator==(const placement&) const = default;
  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, placement& x) {
    return f(x.task, x.verdict, x.node, x.reason);
  }
};

/// A task on its way to the node that was chosen for it.
struct forwarded_task {
  task_spec spec;
  /// How often it has been started before.
  std::uint32_t attempt = 0;

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, forwarded_task& x) {
    return f(x.spec, x.attempt);
  }
};

/// A part of a placement group, to be set aside on one node.
struct bundle_request {
  std::int32_t index = 0;
  resource_set resources;

  bool operator==(const bundle_request&) const = default;
  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, bundle_request& x) {
    return f(x.index, x.resources);
  }
};

/// Node of each bundle, in the order of the bundles; or none, and why not.
struct group_plan {
  std::vector<node_id> places;
  std::string reason;

  bool operator==(const group_plan&) const = default;
  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, group_plan& x) {
    return f(x.places, x.reason);
  }
};

/// Nodes that have joined, changed or (alive = false) gone.
using node_updates = std::vector<std::pair<node_id, node_record>>;

} // namespace caf_ray::scheduler
