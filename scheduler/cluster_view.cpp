#include "scheduler/cluster_view.hpp"

#include <algorithm>

namespace caf_ray::scheduler {

namespace {

placement pending(const placement_request& request, std::string reason) {
  return {request.task, placement_verdict::pending, {}, std::move(reason)};
}

placement never(const placement_request& request, std::string reason) {
  return {request.task, placement_verdict::never, {}, std::move(reason)};
}

} // namespace

bool cluster_view::update(const node_updates& changes) {
  bool changed = false;
  for (auto& [id, record] : changes) {
    if (!record.alive) {
      changed |= nodes_.erase(id) > 0;
      continue;
    }
    auto [at, joined] = nodes_.try_emplace(id);
    changed |= joined || at->second.record.total != record.total;
    at->second = {record, 0};
  }
  return changed;
}

bool cluster_view::update(group_id group, const group_record& record) {
  if (record.state != group_state::removed) {
    auto [at, fresh] = groups_.try_emplace(group);
    bool changed = fresh || at->second != record;
    at->second = record;
    return changed;
  }
  groups_.erase(group);
  if (std::find(removed_.begin(), removed_.end(), group) != removed_.end())
    return false;
  removed_.push_back(group);
  if (removed_.size() > remembered_removals)
    removed_.pop_front();
  return true;
}

placement cluster_view::place(const placement_request& request, std::mt19937_64& random) {
  if (request.group)
    return place_in_group(request, random);
  std::vector<candidate> nodes;
  for (auto& [id, node] : nodes_)
    nodes.push_back({id, &node.record, node.placed});
  return place_among(request, nodes, random);
}

placement cluster_view::place_among(const placement_request& request,
                                    std::span<const candidate> nodes, std::mt19937_64& random) {
  auto choice = choose_node(request, nodes, bandwidth_, options_, random);
  if (!choice.node)
    return pending(request, std::move(choice.reason));
  ++nodes_.at(*choice.node).placed;
  return {request.task, placement_verdict::run_on, *choice.node, {}};
}

placement cluster_view::place_in_group(const placement_request& request, std::mt19937_64& random) {
  const auto name = "placement group " + to_string(request.group);
  auto at = groups_.find(request.group);
  if (at == groups_.end())
    return std::find(removed_.begin(), removed_.end(), request.group) != removed_.end()
             ? never(request, name + " was removed")
             : pending(request, name + " is not known");
  auto& group = at->second;
  if (group.state != group_state::created)
    return pending(request, name + " is not created yet"
                              + (group.pending_reason.empty() ? "" : ": " + group.pending_reason));
  bool fits = false;
  std::vector<candidate> nodes;
  for (std::size_t i = 0; i < group.bundles.size(); ++i) {
    bool asked_for = request.bundle < 0 || static_cast<std::size_t>(request.bundle) == i;
    if (!asked_for || !group.bundles[i].covers(request.resources))
      continue;
    fits = true;
    auto node = i < group.places.size() ? nodes_.find(group.places[i]) : nodes_.end();
    if (node != nodes_.end())
      nodes.push_back({node->first, &node->second.record, node->second.placed});
  }
  if (!fits)
    return never(request,
                 (request.bundle < 0 ? "no bundle" : "bundle " + std::to_string(request.bundle))
                   + std::string(" of ") + name + " has " + to_string(request.resources));
  if (nodes.empty())
    return pending(request, "the node of its bundle in " + name + " is gone");
  return place_among(request, nodes, random);
}

group_plan cluster_view::plan(group_strategy strategy,
                              std::span<const resource_set> bundles) const {
  std::vector<bundle_host> hosts;
  for (auto& [id, node] : nodes_)
    hosts.push_back({id, node.record.total, node.record.available});
  return place_bundles(strategy, bundles, hosts);
}

} // namespace caf_ray::scheduler
