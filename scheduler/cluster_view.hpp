#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "gcs/types/placement.hpp"
#include "scheduler/bundles.hpp"
#include "scheduler/policy.hpp"

/// The cluster as one global replica sees it: nodes from heartbeats, placement groups, and what it
/// has placed itself since. Pure.
namespace caf_ray::scheduler {

class cluster_view {
public:
  explicit cluster_view(policy_options options = {}) : options_(options) {}

  /// True when a pending request may now have another answer: a node joined, went, or offers
  /// something else.
  bool update(const node_updates& changes);
  /// True when tasks of the group may now have another answer.
  bool update(group_id group, const group_record& record);

  placement place(const placement_request& request, std::mt19937_64& random);
  group_plan plan(group_strategy strategy, std::span<const resource_set> bundles) const;

  /// A transfer between nodes was seen.
  void observe_transfer(std::uint64_t bytes, double us) {
    if (us > 0)
      bandwidth_.add(static_cast<double>(bytes) / us);
  }

  std::size_t node_count() const noexcept { return nodes_.size(); }
  std::size_t group_count() const noexcept { return groups_.size(); }

private:
  struct known_node {
    node_record record;
    /// Tasks placed there since the record came.
    std::uint64_t placed = 0;
  };

  /// How many removed groups are remembered, so that late tasks of theirs fail instead of waiting.
  static constexpr std::size_t remembered_removals = 1024;

  placement place_among(const placement_request& request, std::span<const candidate> nodes,
                        std::mt19937_64& random);
  placement place_in_group(const placement_request& request, std::mt19937_64& random);

  policy_options options_;
  std::map<node_id, known_node> nodes_;
  std::map<group_id, group_record> groups_;
  std::deque<group_id> removed_;
  estimator bandwidth_;
};

} // namespace caf_ray::scheduler
