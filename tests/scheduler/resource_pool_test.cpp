#include "scheduler/resource_pool.hpp"

#include <map>

#include "tests/scheduler/support.hpp"

using namespace caf_ray;
using namespace caf_ray::scheduler;
using namespace caf_ray::scheduler::test;

namespace {

demand from_node(std::initializer_list<std::pair<const char*, double>> entries) {
  return {amounts(entries), {}, -1};
}

demand from_bundle(std::uint64_t g, std::int32_t bundle,
                   std::initializer_list<std::pair<const char*, double>> entries) {
  return {amounts(entries), group(g), bundle};
}

/// The same, by adding up everything anew each time.
struct naive_pool {
  struct part {
    resource_set total;
    bool committed = false;
  };
  struct held {
    resource_set amounts;
    int part;
    bool lent = false;
  };

  resource_set total;
  std::map<std::pair<std::uint64_t, std::int32_t>, int> names;
  std::map<int, part> parts; // bundles that exist, by serial
  std::map<int, held> tasks;
  int serial = 0;

  resource_set available(int which) const {
    auto result = which == 0 ? total : parts.at(which).total;
    for (auto& [id, x] : parts)
      if (which == 0)
        result.subtract(x.total);
    for (auto& [id, x] : tasks) {
      if ((parts.contains(x.part) ? x.part : 0) != which)
        continue;
      result.subtract(x.amounts);
      if (x.lent)
        result.set("CPU", result.get("CPU") + x.amounts.get("CPU"));
    }
    return result;
  }

  /// The part that would serve; -1: none.
  int serves(std::uint64_t g, std::int32_t bundle, const resource_set& need) const {
    if (g == 0)
      return available(0).covers(need) ? 0 : -1;
    for (auto& [name, which] : names)
      if (name.first == g && (bundle < 0 || bundle == name.second) && parts.at(which).committed
          && available(which).covers(need))
        return which;
    return -1;
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(resource_pool_suite)

BOOST_AUTO_TEST_CASE(it_agrees_with_adding_up) {
  std::mt19937_64 random{seed()};
  auto pick = [&](std::uint64_t n) { return random() % n; };
  const auto total = amounts({{"CPU", 8}, {"GPU", 2}});
  resource_pool pool{total};
  naive_pool model;
  model.total = total;
  struct lease {
    resource_set amounts;
    resource_pool::lease lease;
  };
  std::map<int, lease> leases;
  int next = 0;
  for (int step = 0; step < 20'000; ++step) {
    auto g = pick(4), index = pick(3);
    auto some = [&](auto& map) {
      return std::next(map.begin(), static_cast<long>(pick(map.size())));
    };
    switch (pick(9)) {
      case 0:
      case 1:
      case 2: {
        auto need = amounts({{"CPU", double(pick(5)) / 2}, {"GPU", double(pick(3)) / 2}});
        auto bundle = static_cast<std::int32_t>(pick(4)) - 1;
        auto expected = model.serves(g, bundle, need);
        auto got = pool.acquire({need, g ? group(g) : group_id{}, g ? bundle : -1}, pick(5) == 0);
        BOOST_TEST_REQUIRE(got.has_value() == (expected >= 0));
        if (!got)
          break;
        BOOST_TEST_REQUIRE((got->serial == 0) == (expected == 0));
        leases[next] = {need, *got};
        model.tasks[next++] = {need, expected};
        break;
      }
      case 3:
      case 4:
        if (!leases.empty()) {
          auto at = some(leases);
          pool.release(at->second.amounts, at->second.lease);
          model.tasks.erase(at->first);
          leases.erase(at);
        }
        break;
      case 5:
        if (!leases.empty()) {
          auto at = some(leases);
          auto& task = model.tasks.at(at->first);
          if (std::exchange(task.lent, !task.lent))
            pool.take_back(at->second.amounts, at->second.lease);
          else
            pool.lend(at->second.amounts, at->second.lease);
        }
        break;
      case 6: {
        auto size = amounts({{"CPU", double(pick(4))}});
        bool there = model.names.contains({g + 1, index});
        bool fits = there || model.available(0).covers(size);
        BOOST_TEST_REQUIRE(pool.prepare(group(g + 1), {{int(index), size}}) == fits);
        if (!there && fits) {
          model.parts[++model.serial] = {size};
          model.names[{g + 1, index}] = model.serial;
        }
        break;
      }
      case 7:
        for (auto& [name, which] : model.names)
          if (name.first == g + 1)
            model.parts.at(which).committed = true;
        pool.commit(group(g + 1));
        break;
      case 8: {
        bool all = pick(2) == 0;
        all ? pool.remove(group(g + 1)) : pool.abort(group(g + 1));
        std::erase_if(model.names, [&](auto& entry) {
          bool gone =
            entry.first.first == g + 1 && (all || !model.parts.at(entry.second).committed);
          if (gone)
            model.parts.erase(entry.second);
          return gone;
        });
      }
    }
    BOOST_TEST_REQUIRE((pool.available() == model.available(0)));
  }
}

BOOST_AUTO_TEST_CASE(amounts_come_back_exactly) {
  resource_pool pool{amounts({{"CPU", 1}})};
  auto tenth = from_node({{"CPU", 0.1}});
  std::vector<resource_pool::lease> leases;
  while (auto lease = pool.acquire(tenth, false))
    leases.push_back(*lease);
  BOOST_TEST(leases.size() == 10u);
  for (auto& lease : leases)
    pool.release(tenth.resources, lease);
  BOOST_TEST((pool.available() == pool.total()));
}

BOOST_AUTO_TEST_CASE(the_cpu_of_a_task_that_waits_is_lent_and_may_be_overdrawn) {
  resource_pool pool{amounts({{"CPU", 1}, {"GPU", 1}})};
  auto both = from_node({{"CPU", 1}, {"GPU", 1}});
  auto first = *pool.acquire(both, false);
  BOOST_TEST(!pool.acquire(from_node({{"CPU", 1}}), false));
  pool.lend(both.resources, first);
  BOOST_TEST(!pool.acquire(from_node({{"GPU", 1}}), false));
  auto second = *pool.acquire(from_node({{"CPU", 1}}), false);
  pool.take_back(both.resources, first);
  BOOST_TEST(pool.available().get("CPU") == -resource_unit);
  pool.release(amounts({{"CPU", 1}}), second);
  pool.release(both.resources, first);
  BOOST_TEST((pool.available() == pool.total()));
}

BOOST_AUTO_TEST_CASE(a_bundle_serves_only_after_its_commit) {
  resource_pool pool{amounts({{"CPU", 4}})};
  auto need = from_bundle(1, 0, {{"CPU", 1}});
  BOOST_TEST(pool.prepare(group(1), {{0, amounts({{"CPU", 3}})}}));
  BOOST_TEST(!pool.feasible(need));
  BOOST_TEST(pool.available().get("CPU") == resource_unit);
  BOOST_TEST(pool.commit(group(1)));
  BOOST_TEST(pool.feasible(need));
  BOOST_TEST(pool.feasible(from_bundle(1, -1, {{"CPU", 3}})));
  BOOST_TEST(!pool.feasible(from_bundle(1, 1, {{"CPU", 1}})));
  BOOST_TEST(!pool.feasible(from_bundle(2, -1, {})));
}

BOOST_AUTO_TEST_CASE(bundles_are_set_aside_all_or_none) {
  resource_pool pool{amounts({{"CPU", 4}})};
  BOOST_TEST(!pool.prepare(group(1), {{0, amounts({{"CPU", 3}})}, {1, amounts({{"CPU", 2}})}}));
  BOOST_TEST(!pool.has_group(group(1)));
  BOOST_TEST((pool.available() == pool.total()));
}

BOOST_AUTO_TEST_CASE(preparing_twice_takes_once) {
  resource_pool pool{amounts({{"CPU", 4}})};
  std::vector<bundle_request> bundles = {{0, amounts({{"CPU", 3}})}};
  BOOST_TEST(pool.prepare(group(1), bundles));
  BOOST_TEST(pool.prepare(group(1), bundles));
  BOOST_TEST(pool.available().get("CPU") == resource_unit);
}

BOOST_AUTO_TEST_CASE(what_tasks_hold_of_a_removed_bundle_returns_to_the_node) {
  resource_pool pool{amounts({{"CPU", 4}})};
  pool.prepare(group(1), {{0, amounts({{"CPU", 3}})}});
  pool.commit(group(1));
  auto need = from_bundle(1, 0, {{"CPU", 2}});
  auto lease = *pool.acquire(need, false);
  pool.remove(group(1));
  BOOST_TEST(pool.available().get("CPU") == 2 * resource_unit);
  pool.release(need.resources, lease);
  BOOST_TEST((pool.available() == pool.total()));
}

BOOST_AUTO_TEST_CASE(it_foresees_what_running_tasks_give_back_but_not_actors_and_waiting_ones) {
  resource_pool pool{amounts({{"CPU", 4}, {"GPU", 2}})};
  auto all = from_node({{"GPU", 2}}), one = from_node({{"GPU", 1}});
  auto task = *pool.acquire(one, false);
  BOOST_TEST(pool.will_fit(all));
  pool.lend(one.resources, task);
  BOOST_TEST(!pool.will_fit(all));
  pool.take_back(one.resources, task);
  auto actor = *pool.acquire(one, true);
  BOOST_TEST(!pool.will_fit(all));
  pool.release(one.resources, actor);
  BOOST_TEST(pool.will_fit(all));
}

BOOST_AUTO_TEST_CASE(it_says_what_is_lacking) {
  resource_pool pool{amounts({{"CPU", 2}})};
  auto need = from_node({{"CPU", 2}});
  BOOST_TEST(pool.explain(need) == "");
  auto lease = *pool.acquire(need, false);
  BOOST_TEST(pool.explain(need) == "CPU: 2 of 2 in use, 2 needed");
  pool.release(need.resources, lease);
  pool.prepare(group(1), {{1, amounts({{"CPU", 1}})}});
  pool.commit(group(1));
  auto in_bundle = from_bundle(1, 1, {{"CPU", 1}});
  pool.acquire(in_bundle, false);
  BOOST_TEST(contains(pool.explain(in_bundle), "bundle 1 of group " + to_string(group(1))));
}

BOOST_AUTO_TEST_SUITE_END()
