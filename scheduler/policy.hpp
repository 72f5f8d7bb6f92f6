#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gcs/types/placement.hpp"
#include "scheduler/estimator.hpp"

/// Where a task should run: the choice of the global scheduler (Ray, OSDI'18, section 4.2.2). Pure.
namespace caf_ray::scheduler {

struct policy_options {
  /// Microseconds of a task on a node that has not run any.
  double default_task_us = 1000;
  /// Bytes per microsecond (MB/s) between nodes, until transfers have been observed.
  double default_bandwidth = 1000;
};

/// A node as the choice sees it.
struct candidate {
  node_id id;
  const node_record* record = nullptr;
  /// Tasks placed there since the record was made.
  std::uint64_t placed = 0;
};

/// The node, or why none: a sentence, and node by node.
struct node_choice {
  std::optional<node_id> node;
  std::string reason;
  std::vector<std::pair<node_id, std::string>> turned_down;
};

/// Microseconds until the task could run there: tasks before it x mean task time, one more mean
/// when the resources are not free now, and inputs not there / mean bandwidth.
double estimated_wait_us(const placement_request& request, const candidate& node, double task_us,
                         double bandwidth);

/// Among the nodes whose totals satisfy the request, the one with the least estimated wait; equal
/// ones by `random`. The group of the request is the caller's concern: it passes the nodes that
/// come into question.
node_choice choose_node(const placement_request& request, std::span<const candidate> nodes,
                        const estimator& bandwidth, const policy_options& options,
                        std::mt19937_64& random);

/// "no node has GPU: 1" or "no single node has {CPU: 4, GPU: 1}".
std::string explain_infeasible(const resource_set& need, std::span<const candidate> nodes);

} // namespace caf_ray::scheduler
