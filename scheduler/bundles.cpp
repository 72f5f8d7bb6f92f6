#include "scheduler/bundles.hpp"

#include <algorithm>
#include <functional>
#include <numeric>
#include <optional>

namespace caf_ray::scheduler {

namespace {

/// Index of a host for each bundle.
using assignment = std::vector<std::size_t>;
using amounts = std::vector<resource_set>;
using sets = std::span<const resource_set>;

constexpr std::size_t nowhere = static_cast<std::size_t>(-1);

/// What a search may try before it gives up, and for how many bundles it is worth starting.
constexpr std::size_t max_steps = 20'000;
constexpr std::size_t max_searched_bundles = 64;

std::int64_t size_of(const resource_set& x) {
  std::int64_t sum = 0;
  for (auto& [name, units] : x.entries())
    sum += units;
  return sum;
}

resource_set sum_of(sets bundles) {
  resource_set sum;
  for (auto& bundle : bundles)
    sum.add(bundle);
  return sum;
}

/// Large bundles first: what is hard to place finds the most room.
std::vector<std::size_t> largest_first(sets bundles) {
  std::vector<std::size_t> order(bundles.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [bundles](std::size_t a, std::size_t b) {
    return size_of(bundles[a]) > size_of(bundles[b]);
  });
  return order;
}

/// The host on which the sum leaves the least over.
std::optional<assignment> on_one_host(sets bundles, const amounts& free) {
  auto sum = sum_of(bundles);
  auto left_over = [&sum](const resource_set& x) {
    std::int64_t left = 0;
    for (auto& [name, units] : sum.entries())
      left += x.get(name) - units;
    return left;
  };
  auto best = nowhere;
  for (std::size_t host = 0; host < free.size(); ++host)
    if (free[host].covers(sum)
        && (best == nowhere || left_over(free[host]) < left_over(free[best])))
      best = host;
  if (best == nowhere)
    return std::nullopt;
  return assignment(bundles.size(), best);
}

/// As many bundles as possible on hosts of their own: a maximum matching by augmenting paths. The
/// others are `nowhere`.
assignment on_own_hosts(sets bundles, const amounts& free) {
  assignment bundle_on(free.size(), nowhere);
  std::vector<bool> tried;
  std::function<bool(std::size_t)> find_host = [&](std::size_t bundle) {
    for (std::size_t host = 0; host < free.size(); ++host) {
      if (tried[host] || !free[host].covers(bundles[bundle]))
        continue;
      tried[host] = true;
      if (bundle_on[host] == nowhere || find_host(bundle_on[host])) {
        bundle_on[host] = bundle;
        return true;
      }
    }
    return false;
  };
  for (auto bundle : largest_first(bundles)) {
    tried.assign(free.size(), false);
    find_host(bundle);
  }
  assignment result(bundles.size(), nowhere);
  for (std::size_t host = 0; host < free.size(); ++host)
    if (bundle_on[host] != nowhere)
      result[bundle_on[host]] = host;
  return result;
}

/// Any placement, by trying; nothing when there is none or when it takes too long.
std::optional<assignment> by_search(sets bundles, amounts free) {
  if (bundles.size() > max_searched_bundles)
    return std::nullopt;
  auto order = largest_first(bundles);
  assignment result(bundles.size(), nowhere);
  std::size_t steps = 0;
  std::function<bool(std::size_t)> place = [&](std::size_t at) {
    if (at == order.size())
      return true;
    for (std::size_t host = 0; host < free.size(); ++host) {
      auto& bundle = bundles[order[at]];
      if (++steps > max_steps)
        return false;
      if (!free[host].covers(bundle))
        continue;
      free[host].subtract(bundle);
      result[order[at]] = host;
      if (place(at + 1))
        return true;
      free[host].add(bundle);
    }
    return false;
  };
  if (!place(0))
    return std::nullopt;
  return result;
}

/// Fills one host after the other, each time the one that takes the most of what is left.
std::optional<assignment> pack(sets bundles, const amounts& available) {
  if (auto one = on_one_host(bundles, available))
    return one;
  assignment result(bundles.size(), nowhere);
  auto left = largest_first(bundles);
  std::vector<bool> used(available.size(), false);
  while (!left.empty()) {
    auto best = nowhere;
    std::vector<std::size_t> most;
    for (std::size_t host = 0; host < available.size(); ++host) {
      std::vector<std::size_t> fit;
      auto free = available[host];
      for (auto bundle : left)
        if (!used[host] && free.covers(bundles[bundle])) {
          free.subtract(bundles[bundle]);
          fit.push_back(bundle);
        }
      if (fit.size() > most.size()) {
        most = std::move(fit);
        best = host;
      }
    }
    if (best == nowhere)
      return by_search(bundles, available);
    used[best] = true;
    for (auto bundle : most)
      result[bundle] = best;
    std::erase_if(left, [&](std::size_t bundle) { return result[bundle] == best; });
  }
  return result;
}

std::optional<assignment> spread(sets bundles, const amounts& available) {
  auto result = on_own_hosts(bundles, available);
  auto free = available;
  std::vector<std::size_t> load(free.size(), 0);
  auto put = [&](std::size_t bundle, std::size_t host) {
    result[bundle] = host;
    free[host].subtract(bundles[bundle]);
    ++load[host];
  };
  for (std::size_t bundle = 0; bundle < bundles.size(); ++bundle)
    if (result[bundle] != nowhere)
      put(bundle, result[bundle]);
  for (auto bundle : largest_first(bundles)) {
    if (result[bundle] != nowhere)
      continue;
    auto best = nowhere;
    for (std::size_t host = 0; host < free.size(); ++host)
      if (free[host].covers(bundles[bundle]) && (best == nowhere || load[host] < load[best]))
        best = host;
    if (best == nowhere)
      return by_search(bundles, available);
    put(bundle, best);
  }
  return result;
}

std::optional<assignment> strict_spread(sets bundles, const amounts& free) {
  auto result = on_own_hosts(bundles, free);
  if (std::find(result.begin(), result.end(), nowhere) != result.end())
    return std::nullopt;
  return result;
}

std::optional<assignment> place(group_strategy strategy, sets bundles, const amounts& free) {
  switch (strategy) {
    case group_strategy::pack: return pack(bundles, free);
    case group_strategy::spread: return spread(bundles, free);
    case group_strategy::strict_pack: return on_one_host(bundles, free);
    case group_strategy::strict_spread: return strict_spread(bundles, free);
  }
  return std::nullopt;
}

/// Why they cannot all be placed when the hosts have this much.
std::string explain(group_strategy strategy, sets bundles, const amounts& hosts,
                    const std::string& when) {
  for (std::size_t i = 0; i < bundles.size(); ++i) {
    auto fits = [&](const resource_set& x) { return x.covers(bundles[i]); };
    if (std::none_of(hosts.begin(), hosts.end(), fits))
      return "bundle " + std::to_string(i) + " needs " + to_string(bundles[i])
             + ", which no node has" + when;
  }
  if (strategy == group_strategy::strict_pack)
    return "all bundles on one node need " + to_string(sum_of(bundles)) + ", which no node has"
           + when;
  if (strategy == group_strategy::strict_spread && hosts.size() < bundles.size())
    return std::to_string(bundles.size()) + " bundles on different nodes need as many nodes; there "
           + (hosts.size() == 1 ? "is " : "are ") + std::to_string(hosts.size());
  return "the bundles together need " + to_string(sum_of(bundles)) + ", more than the nodes have"
         + when;
}

} // namespace

group_plan place_bundles(group_strategy strategy, std::span<const resource_set> bundles,
                         std::span<const bundle_host> hosts) {
  if (hosts.empty())
    return {{}, "no node is known yet"};
  amounts total, available;
  for (auto& host : hosts) {
    total.push_back(host.total);
    available.push_back(host.available);
  }
  group_plan result;
  if (auto found = place(strategy, bundles, available)) {
    for (auto host : *found)
      result.places.push_back(hosts[host].id);
    return result;
  }
  bool ever = place(strategy, bundles, total).has_value();
  result.reason = explain(strategy, bundles, ever ? available : total, ever ? " free now" : "");
  return result;
}

} // namespace caf_ray::scheduler
