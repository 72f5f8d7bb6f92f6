#include "objstore/transfer_errands.hpp"

#include <atomic>
#include <future>
#include <memory>
#include <optional>

#include "tests/objstore/support.hpp"

namespace caf_ray::objstore {

using namespace test;

BOOST_AUTO_TEST_SUITE(transfer_errands_)

BOOST_AUTO_TEST_CASE(one_that_waits_does_not_hold_up_the_next) {
  transfer_errands errands(2);
  std::promise<void> gate, second;
  errands.post([&] { gate.get_future().wait(); });
  errands.post([&] { second.set_value(); });
  second.get_future().get();
  gate.set_value();
}

BOOST_AUTO_TEST_CASE(all_are_done_in_order_by_one_thread) {
  std::vector<int> order;
  std::promise<void> last;
  transfer_errands errands(1);
  for (int i = 0; i < 1000; ++i)
    errands.post([&order, i] { order.push_back(i); });
  errands.post([&] { last.set_value(); });
  last.get_future().get();
  BOOST_TEST(order.size() == 1000u);
  BOOST_TEST(std::is_sorted(order.begin(), order.end()));
}

BOOST_AUTO_TEST_CASE(the_end_waits_for_what_runs_and_leaves_nothing_of_what_waits) {
  std::promise<void> started, gate;
  std::atomic<bool> ran{false};
  auto held = std::make_shared<int>(0);
  std::weak_ptr<int> watched = held;
  std::optional<transfer_errands> errands(std::in_place, 1);
  errands->post([&] {
    started.set_value();
    gate.get_future().wait();
    ran = true;
  });
  started.get_future().get();
  for (int i = 0; i < 100; ++i)
    errands->post([held] { ++*held; });
  held.reset();
  auto end = std::async(std::launch::async, [&] { errands.reset(); });
  gate.set_value();
  end.get();
  BOOST_TEST(ran);
  BOOST_TEST(watched.expired());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace caf_ray::objstore
