#include <boost/test/unit_test.hpp>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <caf/all.hpp>

#include "libray/src/executor.hpp"

namespace {

using namespace caf_ray;
using namespace std::chrono_literals;

struct fixture {
  fixture() {
    config.set("scheduler.max-threads", std::size_t{2});
    config.load<executor>();
    system = std::make_unique<caf::actor_system>(config);
    threads = static_cast<executor*>(&system->scheduler());
  }
  caf::actor_system_config config;
  std::unique_ptr<caf::actor_system> system;
  executor* threads;
};

/// Counts up; a thread can wait for a figure.
struct tally {
  void up() {
    std::lock_guard guard(mutex);
    ++count;
    changed.notify_all();
  }
  bool reach(int n) {
    std::unique_lock guard(mutex);
    return changed.wait_for(guard, 20s, [&] { return count >= n; });
  }
  std::mutex mutex;
  std::condition_variable changed;
  int count = 0;
};

} // namespace

BOOST_AUTO_TEST_SUITE(executor_threads)

BOOST_FIXTURE_TEST_CASE(runs_every_job_once, fixture) {
  tally done;
  for (int i = 0; i < 20'000; ++i)
    system->spawn([&](caf::event_based_actor*) { done.up(); });
  BOOST_TEST(done.reach(20'000));
}

BOOST_FIXTURE_TEST_CASE(blocked_jobs_do_not_stop_others, fixture) {
  tally arrived, done;
  tally door;
  for (int i = 0; i < 200; ++i)
    system->spawn([&](caf::event_based_actor*) {
      arrived.up();
      {
        blocking_scope scope;
        door.reach(1);
      }
      done.up();
    });
  BOOST_TEST(arrived.reach(200));
  const auto until = std::chrono::steady_clock::now() + 20s;
  while (threads->count().blocked < 200 && std::chrono::steady_clock::now() < until)
    std::this_thread::yield();
  BOOST_TEST(threads->count().blocked == 200u);
  tally other;
  system->spawn([&](caf::event_based_actor*) { other.up(); });
  BOOST_TEST(other.reach(1));
  door.up();
  BOOST_TEST(done.reach(200));
  BOOST_TEST(threads->count().blocked == 0u);
}

BOOST_FIXTURE_TEST_CASE(never_more_than_its_slots_compute, fixture) {
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  tally done;
  for (int i = 0; i < 500; ++i)
    system->spawn([&](caf::event_based_actor*) {
      for (int k = 0; k < 3; ++k) {
        auto now = ++inside;
        int seen = most;
        while (now > seen && !most.compare_exchange_weak(seen, now)) {
        }
        std::this_thread::yield();
        --inside;
        blocking_scope scope;
      }
      done.up();
    });
  BOOST_TEST(done.reach(500));
  BOOST_TEST(most <= 2);
}

BOOST_FIXTURE_TEST_CASE(system_actors_answer_while_user_code_holds_every_slot, fixture) {
  std::atomic<bool> stop{false};
  tally started, ended;
  for (int i = 0; i < 2; ++i)
    system->spawn([&](caf::event_based_actor*) {
      started.up();
      while (!stop) {
      }
      ended.up();
    });
  BOOST_REQUIRE(started.reach(2));
  tally answers;
  auto echo = system->spawn<caf::hidden>(
    [&](caf::event_based_actor*) -> caf::behavior { return {[&](int) { answers.up(); }}; });
  for (int i = 0; i < 5; ++i) {
    caf::anon_send(echo, i);
    BOOST_TEST(answers.reach(i + 1));
  }
  stop = true;
  BOOST_TEST(ended.reach(2));
  caf::anon_send_exit(echo, caf::exit_reason::user_shutdown);
}

BOOST_FIXTURE_TEST_CASE(quiesce_waits_for_user_code_and_starts_no_more, fixture) {
  tally started, door;
  system->spawn([&](caf::event_based_actor*) {
    started.up();
    blocking_scope scope;
    door.reach(1);
  });
  BOOST_REQUIRE(started.reach(1));
  BOOST_TEST(!threads->quiesce(20ms));
  std::atomic<bool> late{false};
  system->spawn([&](caf::event_based_actor*) { late = true; });
  door.up();
  BOOST_TEST(threads->quiesce(20s));
  system->await_actors_before_shutdown(false);
  system.reset();
  BOOST_TEST(!late);
}

BOOST_FIXTURE_TEST_CASE(idle_threads_sleep_and_wake_again, fixture) {
  for (int round = 0; round < 300; ++round) {
    tally done;
    system->spawn([&](caf::event_based_actor*) { done.up(); });
    BOOST_REQUIRE(done.reach(1));
  }
}

BOOST_AUTO_TEST_SUITE_END()
