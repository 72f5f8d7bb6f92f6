#include "scheduler/bundles.hpp"

#include <functional>
#include <optional>
#include <set>

#include "tests/scheduler/support.hpp"

using namespace caf_ray;
using namespace caf_ray::scheduler;
using namespace caf_ray::scheduler::test;

namespace {

using sets = std::vector<resource_set>;

resource_set cpus(double n) {
  return amounts({{"CPU", n}});
}

std::vector<bundle_host> hosts_of(const sets& available) {
  std::vector<bundle_host> hosts;
  for (std::size_t i = 0; i < available.size(); ++i)
    hosts.push_back({node(i), available[i], available[i]});
  return hosts;
}

std::set<node_id> different(const group_plan& plan) {
  return {plan.places.begin(), plan.places.end()};
}

bool is_valid(group_strategy strategy, const sets& bundles, const sets& available,
              const group_plan& plan) {
  auto left = available;
  for (std::size_t i = 0; i < bundles.size(); ++i) {
    auto& host = left[plan.places[i].low];
    if (!host.covers(bundles[i]))
      return false;
    host.subtract(bundles[i]);
  }
  return (strategy != group_strategy::strict_pack || different(plan).size() == 1)
         && (strategy != group_strategy::strict_spread || different(plan).size() == bundles.size());
}

/// By trying everything.
bool exists(group_strategy strategy, const sets& bundles, const sets& available) {
  group_plan plan;
  plan.places.resize(bundles.size());
  std::function<bool(std::size_t)> place = [&](std::size_t at) {
    if (at == bundles.size())
      return is_valid(strategy, bundles, available, plan);
    for (std::size_t host = 0; host < available.size(); ++host) {
      plan.places[at] = node(host);
      if (place(at + 1))
        return true;
    }
    return false;
  };
  return place(0);
}

} // namespace

BOOST_AUTO_TEST_SUITE(bundles)

BOOST_AUTO_TEST_CASE(it_finds_a_valid_placement_whenever_there_is_one) {
  std::mt19937_64 random{seed()};
  auto pick = [&](std::uint64_t n) { return static_cast<double>(random() % n); };
  int placed = 0, refused = 0;
  for (int round = 0; round < 2000; ++round) {
    sets bundles(1 + random() % 4), available(1 + random() % 4);
    for (auto& x : bundles)
      x = amounts({{"CPU", 1 + pick(4)}, {"GPU", pick(2)}});
    for (auto& x : available)
      x = amounts({{"CPU", 1 + pick(8)}, {"GPU", pick(3)}});
    for (auto strategy : {group_strategy::pack, group_strategy::spread, group_strategy::strict_pack,
                          group_strategy::strict_spread}) {
      auto plan = place_bundles(strategy, bundles, hosts_of(available));
      BOOST_TEST_REQUIRE(!plan.places.empty() == exists(strategy, bundles, available));
      BOOST_TEST_REQUIRE(plan.places.empty() == !plan.reason.empty());
      if (plan.places.empty()) {
        ++refused;
        continue;
      }
      ++placed;
      BOOST_TEST_REQUIRE(is_valid(strategy, bundles, available, plan));
    }
  }
  BOOST_TEST(placed > 100);
  BOOST_TEST(refused > 100);
}

BOOST_AUTO_TEST_CASE(strategies_use_as_many_nodes_as_they_promise) {
  struct row {
    group_strategy strategy;
    sets bundles;
    sets available;
    std::size_t nodes; // 0: does not fit
  };
  const sets three = {cpus(4), cpus(4), cpus(4)};
  const row rows[] = {
    {group_strategy::pack, {cpus(1), cpus(1), cpus(2)}, three, 1},
    {group_strategy::pack, {cpus(3), cpus(3)}, three, 2},
    {group_strategy::pack, sets(6, cpus(2)), three, 3},
    {group_strategy::pack, {cpus(2), cpus(2)}, {cpus(1), cpus(8), cpus(4)}, 1},
    {group_strategy::spread, {cpus(1), cpus(1)}, three, 2},
    {group_strategy::spread, sets(5, cpus(1)), three, 3},
    {group_strategy::spread, {cpus(4), cpus(1)}, {cpus(4), cpus(1)}, 2},
    {group_strategy::strict_pack, {cpus(2), cpus(2)}, three, 1},
    {group_strategy::strict_pack, {cpus(3), cpus(2)}, three, 0},
    {group_strategy::strict_spread, {cpus(4), cpus(4), cpus(4)}, three, 3},
    {group_strategy::strict_spread, sets(4, cpus(1)), three, 0},
    {group_strategy::strict_spread, {cpus(1), cpus(4)}, {cpus(4), cpus(1)}, 2},
  };
  for (auto& x : rows)
    BOOST_TEST_CONTEXT("row " << &x - rows) {
      auto plan = place_bundles(x.strategy, x.bundles, hosts_of(x.available));
      BOOST_TEST(different(plan).size() == x.nodes);
    }
}

BOOST_AUTO_TEST_CASE(strict_pack_takes_the_node_where_least_is_left_over) {
  auto plan = place_bundles(group_strategy::strict_pack, sets{cpus(2)},
                            hosts_of({cpus(8), cpus(3), cpus(4)}));
  BOOST_TEST((plan.places.at(0) == node(1)));
}

BOOST_AUTO_TEST_CASE(the_reason_tells_never_from_not_now) {
  auto hosts = hosts_of({cpus(4), cpus(4)});
  auto busy = hosts;
  for (auto& host : busy)
    host.available = cpus(1);
  auto reason = [](group_strategy strategy, const sets& bundles, auto& on) {
    return place_bundles(strategy, bundles, on).reason;
  };
  BOOST_TEST(reason(group_strategy::pack, {amounts({{"GPU", 1}})}, hosts)
             == "bundle 0 needs {GPU: 1}, which no node has");
  BOOST_TEST(reason(group_strategy::pack, {cpus(1), cpus(2)}, busy)
             == "bundle 1 needs {CPU: 2}, which no node has free now");
  BOOST_TEST(reason(group_strategy::strict_pack, {cpus(3), cpus(3)}, hosts)
             == "all bundles on one node need {CPU: 6}, which no node has");
  BOOST_TEST(reason(group_strategy::strict_spread, sets(3, cpus(1)), hosts)
             == "3 bundles on different nodes need as many nodes; there are 2");
  BOOST_TEST(reason(group_strategy::spread, sets(3, cpus(1)), busy)
             == "the bundles together need {CPU: 3}, more than the nodes have free now");
  BOOST_TEST(place_bundles(group_strategy::pack, sets{cpus(1)}, {}).reason
             == "no node is known yet");
}

BOOST_AUTO_TEST_CASE(hundreds_of_bundles_do_not_start_a_search) {
  auto plan = place_bundles(group_strategy::pack, sets(500, cpus(1)), hosts_of(sets(100, cpus(4))));
  BOOST_TEST(plan.places.empty());
  plan = place_bundles(group_strategy::spread, sets(400, cpus(1)), hosts_of(sets(100, cpus(4))));
  BOOST_TEST(different(plan).size() == 100u);
}

BOOST_AUTO_TEST_SUITE_END()
