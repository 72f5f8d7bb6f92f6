#include "scheduler/policy.hpp"

#include <algorithm>
#include <limits>
#include <sstream>

namespace caf_ray::scheduler {

namespace {

/// Nodes that a sentence lists.
constexpr std::size_t listed_nodes = 8;

std::string amount(const std::string& name, std::int64_t units) {
  std::ostringstream out;
  out << name << ": " << static_cast<double>(units) / static_cast<double>(resource_unit);
  return out.str();
}

std::string what_it_lacks(const resource_set& need, const resource_set& total) {
  std::string text;
  for (auto& [name, units] : need.entries())
    if (total.get(name) < units)
      text += (text.empty() ? "has " : ", ") + amount(name, total.get(name));
  return text;
}

std::string list(const std::vector<std::pair<node_id, std::string>>& turned_down) {
  std::string text;
  for (auto& [node, why] : turned_down)
    text += (text.empty() ? "node " : "; node ") + to_string(node) + " " + why;
  return text;
}

} // namespace

double estimated_wait_us(const placement_request& request, const candidate& node, double task_us,
                         double bandwidth) {
  auto& record = *node.record;
  double tasks = static_cast<double>(record.queue_length + node.placed);
  if (!request.group && !record.available.covers(request.resources))
    tasks += 1;
  double bytes = 0;
  for (auto& input : request.inputs)
    if (std::find(input.nodes.begin(), input.nodes.end(), node.id) == input.nodes.end())
      bytes += static_cast<double>(input.size_bytes);
  return tasks * task_us + bytes / bandwidth;
}

std::string explain_infeasible(const resource_set& need, std::span<const candidate> nodes) {
  if (nodes.empty())
    return "no node is known yet";
  std::string absent;
  for (auto& [name, units] : need.entries()) {
    auto has = [&, &name = name, units = units](const candidate& x) {
      return x.record->total.get(name) >= units;
    };
    if (std::none_of(nodes.begin(), nodes.end(), has))
      absent += (absent.empty() ? "" : ", ") + amount(name, units);
  }
  return absent.empty() ? "no single node has " + to_string(need) : "no node has " + absent;
}

node_choice choose_node(const placement_request& request, std::span<const candidate> nodes,
                        const estimator& bandwidth, const policy_options& options,
                        std::mt19937_64& random) {
  node_choice result;
  std::vector<node_id> best;
  double least = std::numeric_limits<double>::infinity();
  for (auto& node : nodes) {
    if (!node.record->total.covers(request.resources)) {
      if (result.turned_down.size() < listed_nodes)
        result.turned_down.emplace_back(node.id,
                                        what_it_lacks(request.resources, node.record->total));
      continue;
    }
    auto mean = node.record->mean_task_us;
    auto wait = estimated_wait_us(request, node, mean > 0 ? mean : options.default_task_us,
                                  bandwidth.value_or(options.default_bandwidth));
    if (wait < least)
      best.clear();
    least = std::min(least, wait);
    if (wait == least)
      best.push_back(node.id);
  }
  if (best.empty()) {
    result.reason = explain_infeasible(request.resources, nodes);
    if (!result.turned_down.empty())
      result.reason += " (" + list(result.turned_down) + ")";
    return result;
  }
  result.node = best[std::uniform_int_distribution<std::size_t>(0, best.size() - 1)(random)];
  return result;
}

} // namespace caf_ray::scheduler
