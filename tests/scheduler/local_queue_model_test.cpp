// The queue against a naive one that keeps all tasks in a list and scans it. Random operations; a
// failure prints its seed.

#include <algorithm>
#include <map>
#include <set>

#include "scheduler/local_queue.hpp"
#include "tests/scheduler/support.hpp"

using namespace caf_ray;
using namespace caf_ray::scheduler;
using namespace caf_ray::scheduler::test;

namespace {

enum class stage { waiting, ready, parked, away, dispatched, ended, withdrawn };

struct known_task {
  task_ptr task;
  stage at = stage::waiting;
  std::set<object_id> missing;
  std::uint64_t ticket = 0;
  bool settled = false;
  bool blocked = false;
  std::optional<resource_pool::lease> lease;
  numbered_task away;
};

struct model {
  std::vector<known_task> tasks;
  resource_pool pool;
  std::uint64_t ticket = 1;

  using class_name = std::tuple<std::int32_t, group_id, std::int32_t, std::string>;
  static class_name class_of(const known_task& x) {
    auto& options = x.task->spec.opts();
    return {-options.priority, options.group, options.group ? options.bundle : -1,
            to_string(options.resources)};
  }

  bool feasible(const known_task& x) const { return pool.feasible(demand_of(x.task->spec)); }

  std::size_t count(stage at) const {
    return static_cast<std::size_t>(
      std::count_if(tasks.begin(), tasks.end(), [at](auto& x) { return x.at == at; }));
  }

  void enter(known_task& x) {
    x.ticket = ticket++;
    x.at = feasible(x) ? stage::ready : stage::parked;
  }

  void ready(object_id object) {
    for (auto& x : tasks)
      if (x.at == stage::waiting && x.missing.erase(object) && x.missing.empty())
        enter(x);
  }

  std::vector<known_task*> in_order() {
    std::vector<known_task*> result;
    for (auto& x : tasks)
      if (x.at == stage::ready)
        result.push_back(&x);
    std::sort(result.begin(), result.end(), [](auto* a, auto* b) {
      auto key = [](auto* x) { return std::make_tuple(-x->task->spec.opts().priority, x->ticket); };
      return key(a) < key(b);
    });
    return result;
  }

  void park_infeasible() {
    for (auto& x : tasks)
      if (x.at == stage::ready && !feasible(x))
        x.at = stage::parked;
  }

  /// Without a limit on overtaking: in order, passing over classes that lack something.
  numbers take(std::size_t max) {
    numbers result;
    park_infeasible();
    std::set<class_name> stuck;
    for (auto* x : in_order()) {
      if (result.size() == max)
        break;
      if (stuck.contains(class_of(*x)))
        continue;
      auto need = demand_of(x->task->spec);
      x->lease = pool.acquire(need, x->task->spec.kind == task_kind::actor_creation);
      if (!x->lease) {
        stuck.insert(class_of(*x));
        continue;
      }
      x->at = stage::dispatched;
      result.push_back(number_of(x->task));
    }
    return result;
  }
};

/// The kinds of tasks that the random runs mix.
std::vector<task_options> kinds() {
  std::vector<task_options> result(1);
  for (auto priority : {0, 0, 3, -2}) {
    for (auto& resources : {amounts({}), amounts({{"CPU", 1}}), amounts({{"CPU", 3}}),
                            amounts({{"CPU", 1}, {"GPU", 1}}), amounts({{"TPU", 1}})}) {
      task_options x;
      x.priority = priority;
      x.resources = resources;
      result.push_back(x);
    }
  }
  for (std::int32_t bundle : {-1, 0, 1}) {
    auto x = needs({{"CPU", 1}});
    x.group = group(1);
    x.bundle = bundle;
    result.push_back(x);
  }
  return result;
}

/// One random run of queue and model side by side. `exact`: the model knows which tasks come out
/// in which order; else only that what comes out may.
struct side_by_side {
  std::mt19937_64 random;
  local_queue queue;
  model naive;
  bool exact;
  std::vector<task_options> options = kinds();
  std::set<object_id> unborn;

  side_by_side(std::uint64_t seed, bool exact)
    : random(seed), queue(amounts({{"CPU", 4}, {"GPU", 2}}),
                          {.overtake_limit = exact ? 1u << 30 : 3, .max_away_per_class = 1000}),
      exact(exact) {
    naive.pool = resource_pool{amounts({{"CPU", 4}, {"GPU", 2}})};
    for (std::uint64_t i = 0; i < 20; ++i)
      unborn.insert(object(i));
  }

  std::uint64_t pick(std::uint64_t n) { return random() % n; }

  known_task* some(stage at) {
    std::vector<known_task*> found;
    for (auto& x : naive.tasks)
      if (x.at == at)
        found.push_back(&x);
    return found.empty() ? nullptr : found[pick(found.size())];
  }

  void submit() {
    known_task x;
    x.task = make_task(naive.tasks.size(), options[pick(options.size())]);
    if (pick(10) == 0)
      x.task->spec.kind = task_kind::actor_creation;
    for (auto count = pick(3); count > 0; --count) {
      auto id = object(pick(25));
      x.task->spec.arguments.push_back({argument_kind::object, 0, 0, id});
      if (unborn.contains(id) && naive.feasible(x))
        x.missing.insert(id);
    }
    std::vector<object_id> missing(x.missing.begin(), x.missing.end());
    queue.submit(x.task, missing);
    if (x.missing.empty())
      naive.enter(x);
    naive.tasks.push_back(std::move(x));
  }

  void take() {
    auto max = pick(4) == 0 ? 1000 : 1 + pick(6);
    auto got = test::take(queue, max);
    if (exact) {
      BOOST_TEST_REQUIRE(numbers_of(got) == naive.take(max));
      return;
    }
    naive.park_infeasible();
    std::map<model::class_name, std::uint64_t> last;
    for (auto& task : got) {
      auto& x = naive.tasks[number_of(task)];
      BOOST_TEST_REQUIRE((x.at == stage::ready));
      auto name = model::class_of(x);
      for (auto& other : naive.tasks) // first of its class
        BOOST_TEST_REQUIRE(
          !(other.at == stage::ready && model::class_of(other) == name && other.ticket < x.ticket));
      x.lease =
        naive.pool.acquire(demand_of(task->spec), task->spec.kind == task_kind::actor_creation);
      BOOST_TEST_REQUIRE(x.lease.has_value());
      x.at = stage::dispatched;
    }
  }

  void end(known_task& x) {
    queue.finished(*x.task);
    naive.pool.release(x.task->spec.opts().resources, *x.lease);
    x.at = stage::ended;
  }

  void toggle_blocked(known_task& x) {
    auto& resources = x.task->spec.opts().resources;
    if (std::exchange(x.blocked, !x.blocked)) {
      queue.unblocked(*x.task);
      naive.pool.take_back(resources, *x.lease);
    } else {
      queue.blocked(*x.task);
      naive.pool.lend(resources, *x.lease);
    }
  }

  void withdraw(known_task& x) {
    x.task->try_claim(scheduled_task::claim_state::cancelled);
    bool expected = x.at == stage::ready || x.at == stage::waiting || x.at == stage::parked;
    BOOST_TEST_REQUIRE(queue.withdraw(*x.task) == expected);
    if (expected)
      x.at = stage::withdrawn;
  }

  void hand_up() {
    auto threshold = pick(2) ? SIZE_MAX : pick(20);
    std::vector<numbered_task> up;
    queue.hand_up(pick(2) ? 1000 : pick(4), threshold, up);
    naive.park_infeasible();
    for (auto& entry : up) {
      auto& x = naive.tasks[number_of(entry.task)];
      BOOST_TEST_REQUIRE(
        ((x.at == stage::parked) || (x.at == stage::ready && !x.settled && threshold != SIZE_MAX)));
      x.at = stage::away;
      x.away = std::move(entry);
    }
  }

  void answer(known_task& x) {
    if (pick(3) == 0) {
      queue.settle(*x.task);
      x.at = stage::ended;
      return;
    }
    queue.come_back(std::exchange(x.away, {}), {});
    if (x.task->claim != scheduled_task::claim_state::free) {
      x.at = stage::withdrawn;
      return;
    }
    x.at = naive.feasible(x) ? stage::ready : stage::parked;
    x.settled |= x.at == stage::ready;
  }

  void change_group() {
    for (auto* pool : {&queue.pool(), &naive.pool})
      if (pool->has_group(group(1)))
        pool->remove(group(1));
      else if (pool->prepare(group(1), {{0, amounts({{"CPU", 1}})}, {1, amounts({{"CPU", 1}})}}))
        pool->commit(group(1));
    unpark();
  }

  void unpark() {
    std::vector<task_ptr> tasks;
    queue.unpark(tasks);
    for (auto& task : tasks) {
      auto& x = naive.tasks[number_of(task)];
      BOOST_TEST_REQUIRE((x.at == stage::parked));
      queue.submit(task, {});
      naive.enter(x);
    }
    for (auto& x : naive.tasks)
      BOOST_TEST_REQUIRE(!(x.at == stage::parked && naive.feasible(x)));
  }

  void make_object() {
    auto id = object(pick(20));
    unborn.erase(id);
    queue.object_ready(id);
    naive.ready(id);
  }

  void step() {
    auto with = [this](stage at, auto what) {
      if (auto* x = some(at))
        (this->*what)(*x);
    };
    switch (pick(16)) {
      case 0:
      case 1:
      case 2:
      case 3: return submit();
      case 4:
      case 5:
      case 6: return take();
      case 7:
      case 8:
      case 9: return with(stage::dispatched, &side_by_side::end);
      case 10: return with(stage::dispatched, &side_by_side::toggle_blocked);
      case 11: return with(static_cast<stage>(pick(7)), &side_by_side::withdraw);
      case 12: return hand_up();
      case 13: return with(stage::away, &side_by_side::answer);
      case 14: return pick(20) ? void() : change_group();
      case 15: return pick(20) ? void() : make_object();
    }
  }

  void check() {
    std::size_t queued = naive.count(stage::ready) + naive.count(stage::parked);
    BOOST_TEST_REQUIRE(queue.ready() + queue.parked() == queued);
    BOOST_TEST_REQUIRE(queue.waiting() == naive.count(stage::waiting));
    BOOST_TEST_REQUIRE((queue.pool().available() == naive.pool.available()));
    for (auto& [name, units] : queue.pool().available().entries())
      BOOST_TEST_REQUIRE((units >= 0 || name == "CPU"));
  }

  /// With every object made and every task ending at once, all that is feasible runs.
  void drain() {
    for (auto* pool : {&queue.pool(), &naive.pool})
      pool->remove(group(1));
    for (std::uint64_t i = 0; i < 20; ++i) {
      queue.object_ready(object(i));
      naive.ready(object(i));
    }
    while (auto* x = some(stage::away))
      answer(*x);
    for (int round = 0; round < 1000 && naive.count(stage::ready) > 0; ++round) {
      while (auto* x = some(stage::dispatched))
        end(*x);
      take();
    }
    check();
    BOOST_TEST(queue.ready() == 0u);
    BOOST_TEST(queue.waiting() == 0u);
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(local_queue_model)

BOOST_AUTO_TEST_CASE(it_decides_as_a_scan_over_all_tasks_does) {
  auto first = seed();
  for (std::uint64_t run = 0; run < 20; ++run)
    BOOST_TEST_CONTEXT("seed " << first + run) {
      side_by_side both{first + run, true};
      for (int i = 0; i < 1000; ++i) {
        both.step();
        both.check();
      }
      both.drain();
    }
}

BOOST_AUTO_TEST_CASE(with_holding_back_it_loses_nothing_and_oversubscribes_nothing) {
  auto first = seed();
  for (std::uint64_t run = 0; run < 20; ++run)
    BOOST_TEST_CONTEXT("seed " << first + run) {
      side_by_side both{first + run, false};
      for (int i = 0; i < 1000; ++i) {
        both.step();
        both.check();
      }
      both.drain();
    }
}

BOOST_AUTO_TEST_SUITE_END()
