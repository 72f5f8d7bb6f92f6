#include <future>

#include "tests/objstore/store_support.hpp"

/// What happens when there is not enough memory, disk or patience.
namespace caf_ray::objstore {

using namespace test;
using namespace std::chrono_literals;

BOOST_FIXTURE_TEST_SUITE(store_space_, store_fixture)

BOOST_AUTO_TEST_CASE(an_object_larger_than_the_store_is_refused_at_once) {
  auto s = open(8 * mib);
  BOOST_TEST(create_code(*s, 1, 8 * mib, long_time) == errc::store_full);
  BOOST_TEST(create_code(*s, 1, SIZE_MAX, long_time) == errc::store_full);
  put(*s, 2, 8 * mib - 4 * kib);
}

BOOST_AUTO_TEST_CASE(producers_wait_while_it_is_full) {
  auto s = open(8 * mib, 0);
  auto first = put(*s, 1, 5 * mib);
  auto producer = std::async(std::launch::async, [&] { put(*s, 2, 5 * mib); });
  BOOST_TEST(one_waits(*s));
  s->erase(number(1));
  first = {};
  producer.get();
  check(*s, 2, 5 * mib);
}

BOOST_AUTO_TEST_CASE(a_producer_that_waited_in_vain_gets_a_typed_error) {
  auto s = open(8 * mib);
  auto first = put(*s, 1, 5 * mib);
  BOOST_TEST(create_code(*s, 2, 5 * mib, 10ms) == errc::store_full);
  BOOST_TEST(!s->contains(number(2)));
  first = {};
  put(*s, 2, 5 * mib);
}

BOOST_AUTO_TEST_CASE(a_reader_of_more_pins_than_memory_gets_a_typed_error) {
  auto s = open(8 * mib);
  for (std::uint64_t n = 0; n < 16; ++n)
    put(*s, n, mib);
  std::vector<pinned> pins;
  for (std::uint64_t n = 0; pins.size() == n; ++n)
    if (auto p = s->get(number(n), 10ms)) {
      pins.push_back(*p);
    } else {
      BOOST_TEST(p.error().code == errc::store_full);
    }
  BOOST_TEST(pins.size() >= 6u);
  pins.clear();
  check(*s, 15, mib);
}

BOOST_AUTO_TEST_CASE(one_who_waits_for_much_does_not_stop_those_who_hold_its_memory) {
  auto s = open(8 * mib);
  auto held = put(*s, 1, 5 * mib);
  auto large = std::async(std::launch::async, [&] { put(*s, 2, 6 * mib); });
  BOOST_TEST(one_waits(*s));
  put(*s, 3, mib);
  held = {};
  large.get();
  check(*s, 2, 6 * mib);
}

BOOST_AUTO_TEST_CASE(a_reached_spill_limit_is_a_full_store) {
  auto s = open(8 * mib, 4 * mib);
  std::uint64_t n = 0;
  auto before = std::chrono::steady_clock::now();
  while (put_code(*s, n, mib) == errc::none)
    ++n;
  BOOST_TEST((std::chrono::steady_clock::now() - before < 20s));
  BOOST_TEST(n >= 10u);
  BOOST_TEST(s->stats().spill_file_bytes <= 4 * mib);
  for (std::uint64_t i = n; i-- > 0;)
    if (auto p = s->try_get(number(i)))
      BOOST_TEST(is_filled(p->bytes(), number(i)));
  s->erase(number(n - 1));
  for (std::uint64_t i = 0; i + 1 < n; ++i)
    check(*s, i, mib);
}

BOOST_AUTO_TEST_CASE(a_full_spill_disk_is_a_full_store_until_there_is_space) {
  small_disk small{"8m"};
  if (!small)
    return;
  store_options options;
  options.capacity_bytes = 8 * mib;
  options.spill_directory = small.path();
  auto s = store::open(options).value();
  auto ballast = small.fill_up();
  std::uint64_t n = 0;
  for (; n < 7; ++n)
    put(*s, n, mib);
  auto before = std::chrono::steady_clock::now();
  BOOST_TEST(create_code(*s, 7, mib, long_time) == errc::store_full);
  BOOST_TEST((std::chrono::steady_clock::now() - before < 2s));
  BOOST_TEST(!s->stats().disk_error.empty());
  for (std::uint64_t i = 0; i < n; ++i)
    check(*s, i, mib);
  std::filesystem::remove(ballast);
  for (; n < 10; ++n)
    put(*s, n, mib);
  for (std::uint64_t i = 0; i < n; ++i)
    check(*s, i, mib);
}

BOOST_AUTO_TEST_CASE(full_shared_memory_is_a_smaller_store_and_never_a_signal) {
  small_disk small{"8m"};
  if (!small)
    return;
  store_options options;
  options.capacity_bytes = 64 * mib;
  options.arena_directory = small.path();
  options.spill_directory = disk.path();
  auto s = store::open(options).value();
  for (std::uint64_t n = 0; n < 32; ++n)
    put(*s, n, mib);
  for (std::uint64_t n = 0; n < 32; ++n)
    check(*s, n, mib);
  auto stats = s->stats();
  BOOST_TEST(stats.committed_bytes <= 8 * mib);
  auto held = put(*s, 100, 5 * mib);
  auto w = s->create(number(101), 5 * mib, 300ms);
  BOOST_REQUIRE(!w);
  BOOST_TEST(w.error().code == errc::store_full);
}

BOOST_AUTO_TEST_CASE(no_shared_memory_at_all_is_a_full_store) {
  small_disk small{"1m"};
  if (!small)
    return;
  small.fill_up();
  store_options options;
  options.capacity_bytes = 64 * mib;
  options.arena_directory = small.path();
  auto s = store::open(options);
  BOOST_REQUIRE(!s);
  BOOST_TEST(s.error().code == errc::store_full);
}

BOOST_AUTO_TEST_CASE(spilling_ahead_stops_at_the_target) {
  auto s = open(8 * mib);
  for (std::uint64_t n = 0; n < 7; ++n)
    put(*s, n, mib);
  auto held = s->get(number(0)).value();
  auto done = s->spill_down_to(4 * mib).value();
  BOOST_TEST(done >= 3 * mib);
  BOOST_TEST(s->stats().used_bytes <= 4 * mib);
  BOOST_TEST(s->spill_down_to(0).has_value());
  BOOST_TEST(s->stats().memory_bytes == mib);
  for (std::uint64_t n = 0; n < 7; ++n)
    check(*s, n, mib);
}

BOOST_AUTO_TEST_CASE(memory_is_faulted_in_ahead_when_asked) {
  store_options options;
  options.capacity_bytes = 16 * mib;
  options.prefault_bytes = 8 * mib;
  auto s = store::open(options).value();
  BOOST_TEST(eventually([&] { return s->stats().committed_bytes >= 8 * mib; }));
}

BOOST_AUTO_TEST_CASE(small_objects_are_spilled_in_large_writes) {
  auto s = open(8 * mib);
  for (std::uint64_t n = 0; n < 20'000; ++n)
    put(*s, n, kib);
  auto stats = s->stats();
  BOOST_TEST(stats.spilled_bytes_total / stats.spill_writes_total >= mib - kib);
  for (std::uint64_t n = 0; n < 20'000; n += 97)
    check(*s, n, kib);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace caf_ray::objstore
