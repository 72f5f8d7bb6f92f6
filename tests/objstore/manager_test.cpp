#include "objstore/manager.hpp"

#include <caf/scheduler/test_coordinator.hpp>

#include "tests/objstore/support.hpp"

namespace caf_ray::objstore {

using namespace test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t mib = 1024 * 1024;

struct config : caf::actor_system_config {
  config() {
    add_message_types<caf::id_block::caf_ray>();
    set("scheduler.policy", caf::atom("testing"));
  }
};

/// A manager on simulated time.
struct fixture {
  folder disk;
  std::shared_ptr<store> objects;
  std::vector<store_stats> reports;
  config cfg;
  caf::actor_system system{cfg};
  caf::scoped_actor self{system};

  fixture() {
    store_options options;
    options.capacity_bytes = 8 * mib;
    options.spill_directory = disk.path();
    objects = store::open(options).value();
  }

  caf::scheduler::test_coordinator& scheduler() {
    return dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler());
  }

  manager_options options() {
    manager_options result;
    result.objects = objects;
    result.step_bytes = mib;
    result.report = [this](const store_stats& stats) { reports.push_back(stats); };
    return result;
  }

  void pass(std::chrono::milliseconds time) {
    for (; time.count() > 0; time -= 100ms) {
      scheduler().advance_time(100ms);
      scheduler().run();
    }
  }

  void put(std::uint64_t n, std::size_t size_bytes) {
    auto w = objects->create(number(n), size_bytes, long_time).value();
    fill(w.data(), number(n));
    w.seal();
  }

  /// What the manager answers to a message.
  template <class Answer, class... Args>
  Answer ask(const manager_actor& manager, Args... args) {
    auto request = self->request(manager, 1s, args...);
    scheduler().run();
    std::optional<Answer> result;
    request.receive([&](Answer& answer) { result = std::move(answer); },
                    [](caf::error& e) { BOOST_FAIL(caf::to_string(e)); });
    return std::move(*result);
  }

  void end(manager_actor& manager) {
    self->send_exit(manager, caf::exit_reason::user_shutdown);
    scheduler().run();
    manager = nullptr;
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(manager_, fixture)

BOOST_AUTO_TEST_CASE(says_what_is_in_the_store) {
  auto m = system.spawn(manager, options());
  put(1, 100);
  put(2, 300);
  put(3, 200);
  BOOST_TEST((ask<store_stats>(m, status_atom_v) == objects->stats()));
  auto two = ask<std::vector<object_info>>(m, list_atom_v, std::uint32_t{2});
  BOOST_REQUIRE_EQUAL(two.size(), 2u);
  BOOST_TEST((two[0].id == number(2)));
  BOOST_TEST((two[1].id == number(3)));
  auto all = ask<std::vector<object_info>>(m, list_atom_v, std::uint32_t{1000});
  BOOST_TEST(all.size() == 3u);
  end(m);
}

BOOST_AUTO_TEST_CASE(spills_from_the_high_mark_down_to_the_low_one) {
  auto m = system.spawn(manager, options());
  for (std::uint64_t n = 0; n < 6; ++n)
    put(n, mib);
  pass(200ms);
  BOOST_TEST(objects->stats().spilled_bytes_total == 0u);
  put(6, mib);
  pass(200ms);
  auto stats = objects->stats();
  BOOST_TEST(stats.used_bytes <= 8 * mib * 6 / 10);
  BOOST_TEST(stats.spilled_count == 3u);
  end(m);
}

BOOST_AUTO_TEST_CASE(waits_for_the_timer_while_everything_is_in_use) {
  auto m = system.spawn(manager, options());
  std::vector<pinned> pins;
  for (std::uint64_t n = 0; n < 7; ++n) {
    put(n, mib);
    pins.push_back(objects->get(number(n)).value());
  }
  pass(300ms);
  BOOST_TEST(objects->stats().spilled_bytes_total == 0u);
  pins.clear();
  pass(200ms);
  BOOST_TEST(objects->stats().used_bytes <= 8 * mib * 6 / 10);
  end(m);
}

BOOST_AUTO_TEST_CASE(reports_at_once_and_then_in_its_interval) {
  auto m = system.spawn(manager, options());
  scheduler().run();
  BOOST_TEST(reports.size() == 1u);
  pass(900ms);
  BOOST_TEST(reports.size() == 1u);
  pass(2100ms);
  BOOST_TEST(reports.size() == 4u);
  end(m);
}

BOOST_AUTO_TEST_CASE(quits_when_its_options_make_no_sense) {
  auto bad = options();
  bad.low_mark = 0.9;
  auto m = system.spawn(manager, bad);
  self->monitor(m);
  scheduler().run();
  self->receive([](caf::down_msg& down) { BOOST_TEST(bool(down.reason)); });
  bad.objects = nullptr;
  auto other = system.spawn(manager, bad);
  self->monitor(other);
  scheduler().run();
  self->receive([](caf::down_msg& down) { BOOST_TEST(bool(down.reason)); });
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace caf_ray::objstore
