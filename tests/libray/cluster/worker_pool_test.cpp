#include "libray/src/cluster/worker_pool.hpp"

#include <algorithm>
#include <array>

#include "tests/libray/cluster/support.hpp"

using namespace caf_ray;
using namespace caf_ray::cluster;
using namespace caf_ray::cluster::test;
using namespace std::chrono_literals;

namespace {

using time_point = worker_pool::time_point;

constexpr job_id job = 7;
constexpr job_id other_job = 8;
constexpr time_point start{};

/// A pool with these workers of `job`, numbered from 1.
worker_pool pool_of(unsigned workers, worker_pool_options options = {}) {
  options.workers_per_job = std::max(options.workers_per_job, workers);
  worker_pool pool(options);
  for (auto id = 1u; id <= workers; ++id)
    pool.join(id, job, start);
  return pool;
}

/// What the pool sends a worker until it has no room, one worker being all it has.
unsigned room_of(const worker_pool& pool) {
  auto copy = pool;
  unsigned sent = 0;
  while (auto id = copy.pick(job)) {
    copy.sent(*id);
    ++sent;
  }
  return sent;
}

/// One task of this time has run on worker 1.
void run_one(worker_pool& pool, std::chrono::nanoseconds run_time, time_point now = start) {
  pool.sent(1);
  pool.ended(1, run_time, now);
}

using clients = std::vector<client_id>;

bool nobody(client_id) {
  return false;
}

} // namespace

BOOST_AUTO_TEST_SUITE(worker_pools)

// -- which worker

BOOST_AUTO_TEST_CASE(there_is_no_worker_before_one_joins_and_after_it_leaves) {
  worker_pool pool({});
  BOOST_TEST(!pool.pick(job));
  BOOST_TEST(!pool.any(job));
  pool.join(1, job, start);
  BOOST_TEST((pool.pick(job) == 1u));
  BOOST_TEST((pool.any(job) == 1u));
  pool.leave(1);
  BOOST_TEST(!pool.pick(job));
  BOOST_TEST(!pool.any(job));
  BOOST_TEST(pool.size() == 0u);
}

BOOST_AUTO_TEST_CASE(a_job_never_gets_a_worker_of_another) {
  auto pool = pool_of(2);
  pool.join(3, other_job, start);
  pool.sent(3);
  BOOST_TEST(!pool.pick(other_job), "the only one of its own is busy");
  BOOST_TEST((pool.any(other_job) == 3u));
  BOOST_TEST(!pool.pick(9));
  BOOST_TEST(!pool.any(9));
  pool.sent(1);
  pool.sent(2);
  pool.ended(3, 1s, start);
  BOOST_TEST(!pool.pick(job));
  BOOST_TEST((pool.pick(other_job) == 3u));
}

BOOST_AUTO_TEST_CASE(the_worker_with_least_to_do_is_picked) {
  struct row {
    std::array<unsigned, 3> tasks;
    std::array<unsigned, 3> blocked;
    client_id picked;
  };
  const row rows[] = {
    {{0, 0, 0}, {0, 0, 0}, 1}, {{1, 0, 0}, {0, 0, 0}, 2}, {{2, 1, 3}, {0, 0, 0}, 2},
    {{2, 2, 1}, {0, 0, 0}, 3}, {{3, 1, 1}, {3, 0, 0}, 1}, {{2, 2, 5}, {0, 0, 4}, 3},
  };
  for (auto& row : rows) {
    auto pool = pool_of(3);
    run_one(pool, 1us); // short tasks: there is room for many
    for (client_id id = 1; id <= 3; ++id) {
      for (auto i = 0u; i < row.tasks[id - 1]; ++i)
        pool.sent(id);
      for (auto i = 0u; i < row.blocked[id - 1]; ++i)
        pool.blocked(id, true);
    }
    BOOST_TEST((pool.pick(job) == row.picked), "row " << &row - rows);
  }
}

// -- how much it is sent in advance

BOOST_AUTO_TEST_CASE(before_any_task_has_ended_a_worker_gets_one) {
  BOOST_TEST(room_of(pool_of(1)) == 1u);
}

BOOST_AUTO_TEST_CASE(the_shorter_the_tasks_the_more_are_sent_in_advance) {
  struct row {
    std::chrono::nanoseconds run_time;
    unsigned room;
  };
  const row rows[] = {{10s, 1},    {2ms, 1},   {1ms, 2},  {500us, 4},
                      {20us, 100}, {1us, 256}, {0ns, 256}};
  for (auto& row : rows) {
    auto pool = pool_of(1); // 2 ms ahead, 256 tasks at most
    run_one(pool, row.run_time);
    BOOST_TEST(room_of(pool) == row.room, row.run_time.count() << " ns");
  }
}

BOOST_AUTO_TEST_CASE(the_last_tasks_decide_how_long_one_takes) {
  auto pool = pool_of(1);
  run_one(pool, 1us);
  run_one(pool, 1s); // one long task among short ones is enough to be careful
  BOOST_TEST(room_of(pool) == 1u);
  for (int i = 0; i < 200; ++i)
    run_one(pool, 1us);
  BOOST_TEST(room_of(pool) == 256u);
}

BOOST_AUTO_TEST_CASE(a_worker_without_room_has_some_when_a_task_ends) {
  auto pool = pool_of(1);
  pool.sent(1);
  BOOST_TEST(!pool.pick(job));
  pool.ended(1, 1s, start);
  BOOST_TEST((pool.pick(job) == 1u));
}

BOOST_AUTO_TEST_CASE(a_worker_whose_task_waits_gets_another) {
  auto pool = pool_of(1);
  pool.sent(1);
  pool.blocked(1, true);
  BOOST_TEST((pool.pick(job) == 1u));
  pool.sent(1); // perhaps the one that the first waits for
  BOOST_TEST(!pool.pick(job));
  pool.blocked(1, true);
  BOOST_TEST((pool.pick(job) == 1u));
  pool.blocked(1, false);
  BOOST_TEST(!pool.pick(job));
}

BOOST_AUTO_TEST_CASE(what_is_said_of_workers_that_have_left_changes_nothing) {
  auto pool = pool_of(1);
  pool.sent(9);
  pool.blocked(9, true);
  pool.ended(9, 1s, start);
  pool.leave(9);
  pool.blocked(1, false); // and a worker that goes on without having waited has no more room
  pool.ended(1, 1s, start);
  BOOST_TEST(pool.size() == 1u);
  BOOST_TEST(room_of(pool) == 1u);
}

// -- when processes start

BOOST_AUTO_TEST_CASE(processes_start_for_ready_tasks_up_to_the_limit) {
  struct row {
    unsigned workers, starting;
    std::size_t ready;
    unsigned to_start;
  };
  const row rows[] = {
    {0, 0, 0, 0},   {0, 0, 1, 1}, {0, 0, 3, 3}, {0, 0, 100, 4}, {2, 0, 1, 1}, {2, 0, 9, 2},
    {4, 0, 100, 0}, {0, 1, 1, 0}, {0, 2, 1, 0}, {0, 1, 2, 1},   {1, 2, 9, 1}, {2, 2, 9, 0},
  };
  for (auto& row : rows) {
    worker_pool_options options;
    options.workers_per_job = 4;
    auto pool = pool_of(row.workers, options);
    for (auto i = 0u; i < row.starting; ++i)
      pool.starting(job);
    BOOST_TEST(pool.to_start(job, row.ready) == row.to_start, "row " << &row - rows);
  }
}

BOOST_AUTO_TEST_CASE(processes_of_one_job_take_no_place_of_another) {
  auto pool = pool_of(1);
  pool.starting(other_job);
  BOOST_TEST(pool.to_start(job, 5) == 0u);
  BOOST_TEST(pool.to_start(other_job, 5) == 0u);
  BOOST_TEST(pool.to_start(9, 5) == 1u);
}

BOOST_AUTO_TEST_CASE(a_process_that_ended_before_it_joined_may_be_started_again) {
  worker_pool pool({});
  pool.starting(job);
  BOOST_TEST(pool.to_start(job, 1) == 0u);
  pool.started(job);
  BOOST_TEST(pool.to_start(job, 1) == 1u);
  pool.started(job); // of a process that nobody counted
  BOOST_TEST(pool.to_start(job, 1) == 1u);
}

BOOST_AUTO_TEST_CASE(a_worker_that_died_is_replaced) {
  auto pool = pool_of(1);
  pool.sent(1);
  pool.leave(1);
  BOOST_TEST(pool.to_start(job, 1) == 1u);
}

// -- when they end

BOOST_AUTO_TEST_CASE(workers_without_tasks_end_after_a_while_but_for_one_of_each_job) {
  auto pool = pool_of(3);
  pool.join(4, other_job, start);
  BOOST_TEST(pool.retire_idle(start + 60s, nobody).empty(), "not before the limit");
  BOOST_TEST((pool.retire_idle(start + 61s, nobody) == clients{1, 2}));
}

// It ends when it hears of it; what was sent to it meanwhile died with it.
BOOST_AUTO_TEST_CASE(a_worker_that_is_to_end_gets_no_more_tasks) {
  auto pool = pool_of(2);
  BOOST_TEST((pool.retire_idle(start + 61s, nobody) == clients{1}));
  BOOST_TEST((pool.pick(job) == 2u));
  BOOST_TEST((pool.any(job) == 2u));
  BOOST_TEST(pool.retire_idle(start + 62s, nobody).empty(), "it is asked to end once");
  BOOST_TEST(pool.to_start(job, 1) == 1u);
  pool.leave(1);
  BOOST_TEST(pool.size() == 1u);
}

// An actor that shares a worker runs no plain tasks there.
BOOST_AUTO_TEST_CASE(an_idle_worker_that_hosts_an_actor_is_not_ended) {
  auto pool = pool_of(3);
  auto hosts = [](client_id id) { return id == 2; };
  BOOST_TEST((pool.retire_idle(start + 61s, hosts) == clients{1, 3}));
  BOOST_TEST(pool.retire_idle(start + 62s, hosts).empty());
  BOOST_TEST((pool.pick(job) == 2u));
}

BOOST_AUTO_TEST_CASE(a_worker_with_tasks_is_not_idle_even_if_they_wait) {
  auto pool = pool_of(2);
  for (client_id id : {1, 2}) {
    pool.sent(id);
    pool.blocked(id, true);
  }
  BOOST_TEST(pool.retire_idle(start + 100s, nobody).empty());
}

BOOST_AUTO_TEST_CASE(a_worker_is_idle_from_the_end_of_its_last_task) {
  auto pool = pool_of(2);
  pool.sent(1);
  pool.sent(1);
  pool.sent(2);
  pool.ended(1, 1s, start + 5s);
  pool.ended(1, 1s, start + 20s);
  pool.ended(2, 1s, start + 2s);
  BOOST_TEST(pool.retire_idle(start + 62s, nobody).empty());
  BOOST_TEST((pool.retire_idle(start + 63s, nobody) == clients{2}));
}

BOOST_AUTO_TEST_CASE(the_busy_worker_of_a_job_is_the_one_that_stays) {
  auto pool = pool_of(2);
  pool.sent(2);
  BOOST_TEST((pool.retire_idle(start + 61s, nobody) == clients{1}));
}

BOOST_AUTO_TEST_SUITE_END()
