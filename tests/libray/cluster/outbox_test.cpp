#include "libray/src/cluster/outbox.hpp"

#include <atomic>
#include <chrono>
#include <future>
#include <map>
#include <semaphore>
#include <thread>
#include <vector>

#include "tests/libray/cluster/support.hpp"
#include "tests/support/patience.hpp"

using namespace caf_ray;
using namespace caf_ray::cluster;
using namespace caf_ray::cluster::test;

namespace {

constexpr std::chrono::seconds soon(20 * caf_ray::test::slowdown);

/// The objects that the want_ops of a batch name, in order.
std::vector<object_id> wanted(const std::string& batch) {
  std::vector<object_id> ids;
  auto read = read_ops(batch, [&](auto& op) {
    if constexpr (std::is_same_v<decltype(op), want_op&>)
      ids.push_back(op.object);
    else
      BOOST_ERROR("an operation that nobody wrote");
  });
  BOOST_TEST_REQUIRE(what_of(read) == "");
  return ids;
}

/// An operation of about this size.
put_op large(const std::string& bytes) {
  return {object(1), {value_kind::inlined, bytes, bytes.size(), {}, {}, {}}};
}

struct fixture {
  int rings = 0;
  outbox box{[this] { ++rings; }};
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(outboxes, fixture)

BOOST_AUTO_TEST_CASE(operations_come_in_the_order_of_adding) {
  for (auto i = 0u; i < 3; ++i)
    box.add(want_op{object(i)});
  BOOST_TEST((wanted(box.take()) == std::vector{object(0), object(1), object(2)}));
  BOOST_TEST(box.take() == "");
}

BOOST_AUTO_TEST_CASE(the_bell_rings_once_until_all_was_taken) {
  BOOST_TEST(box.take() == "");
  BOOST_TEST(rings == 0);
  box.add(want_op{object(1)});
  BOOST_TEST(rings == 1);
  box.add(want_op{object(2)});
  BOOST_TEST(rings == 1);
  BOOST_TEST(box.take() != "");
  box.add(want_op{object(3)}); // who has been rung for will come again for it
  BOOST_TEST(rings == 1);
  BOOST_TEST(box.take() != "");
  BOOST_TEST(box.take() == "");
  box.add(want_op{object(4)});
  BOOST_TEST(rings == 2);
}

BOOST_AUTO_TEST_CASE(a_batch_closes_when_it_is_large_enough) {
  const std::string bytes(50'000, 'x');
  std::string one;
  write_op(one, large(bytes));
  constexpr int count = 10;
  for (int i = 0; i < count; ++i)
    box.add(large(bytes));
  std::vector<std::string> batches;
  for (auto batch = box.take(); !batch.empty(); batch = box.take())
    batches.push_back(std::move(batch));
  std::size_t sum = 0;
  for (std::size_t i = 0; i < batches.size(); ++i) {
    sum += batches[i].size();
    BOOST_TEST(batches[i].size() < batch_bytes + one.size());
    if (i + 1 < batches.size())
      BOOST_TEST(batches[i].size() >= batch_bytes);
  }
  BOOST_TEST(batches.size() == 4u); // three of 50,000 bytes fill one
  BOOST_TEST(sum == count * one.size());
  BOOST_TEST(rings == 1);
}

BOOST_AUTO_TEST_CASE(closed_batches_come_before_the_one_that_grows) {
  box.add(want_op{object(1)});
  box.add(large(std::string(batch_bytes, 'x')));
  box.add(want_op{object(2)});
  BOOST_TEST(box.take().size() > batch_bytes);
  BOOST_TEST((wanted(box.take()) == std::vector{object(2)}));
}

BOOST_AUTO_TEST_CASE(what_is_written_together_stays_together) {
  box.add(large(std::string(batch_bytes - 100, 'x')));
  box.write([](std::string& batch) {
    for (auto i = 0u; i < 100; ++i)
      write_op(batch, seal_op{object(i)});
  });
  int seals = 0;
  auto read =
    read_ops(box.take(), [&](auto& op) { seals += std::is_same_v<decltype(op), seal_op&>; });
  BOOST_TEST(what_of(read) == "");
  BOOST_TEST(seals == 100);
}

BOOST_AUTO_TEST_CASE(who_has_nothing_to_say_rings_no_bell) {
  box.write([](std::string&) {});
  BOOST_TEST(rings == 0);
  box.add(want_op{object(1)});
  BOOST_TEST(rings == 1);
}

BOOST_AUTO_TEST_CASE(nothing_is_there_after_close) {
  box.add(large(std::string(batch_bytes, 'x')));
  box.add(want_op{object(1)});
  box.close();
  BOOST_TEST(box.take() == "");
  box.add(want_op{object(2)});
  box.write([](std::string&) { BOOST_ERROR("nobody is to write into a closed box"); });
  BOOST_TEST(box.take() == "");
  BOOST_TEST(rings == 1);
}

BOOST_AUTO_TEST_CASE(the_box_is_not_locked_while_the_bell_rings) {
  std::string batch;
  outbox* rung = nullptr;
  outbox own([&] {
    auto taken = std::async(std::launch::async, [&] { return rung->take(); });
    BOOST_TEST_REQUIRE((taken.wait_for(soon) == std::future_status::ready));
    batch = taken.get();
  });
  rung = &own;
  own.add(want_op{object(1)});
  BOOST_TEST((wanted(batch) == std::vector{object(1)}));
}

BOOST_AUTO_TEST_CASE(each_thread_finds_its_operations_in_its_own_order_and_none_is_lost) {
  constexpr std::uint64_t threads = 4;
  constexpr std::uint64_t each = 20'000;
  std::counting_semaphore<> bell(0);
  std::atomic<bool> ringing_twice{false};
  std::atomic<int> pending{0};
  outbox shared([&] {
    if (pending.fetch_add(1) != 0)
      ringing_twice = true;
    bell.release();
  });
  std::vector<std::thread> writers;
  for (std::uint64_t t = 0; t < threads; ++t)
    writers.emplace_back([&shared, t] {
      for (std::uint64_t i = 0; i < each; ++i)
        shared.add(want_op{{t, i}});
    });
  std::map<std::uint64_t, std::uint64_t> next;
  std::uint64_t count = 0;
  bool in_order = true;
  bool in_time = true;
  while (count < threads * each && in_time) {
    in_time = bell.try_acquire_for(soon);
    pending = 0;
    for (auto batch = shared.take(); !batch.empty(); batch = shared.take())
      for (auto& id : wanted(batch)) {
        in_order &= id.low == next[id.high]++;
        ++count;
      }
  }
  for (auto& writer : writers)
    writer.join();
  BOOST_TEST(in_time);
  BOOST_TEST(in_order);
  BOOST_TEST(count == threads * each);
  BOOST_TEST(!ringing_twice);
}

BOOST_AUTO_TEST_SUITE_END()
