#include "objstore/store.hpp"

#include <csignal>
#include <future>
#include <stop_token>

#include <sys/wait.h>

#include "gcs/blocking.hpp"
#include "tests/objstore/store_support.hpp"

namespace caf_ray::objstore {

using namespace test;
using namespace std::chrono_literals;

BOOST_FIXTURE_TEST_SUITE(store_, store_fixture)

BOOST_AUTO_TEST_CASE(a_sealed_object_is_read_where_it_was_written) {
  auto s = open(8 * mib);
  auto w = s->create(number(1), 1000, long_time).value();
  BOOST_TEST(reinterpret_cast<std::uintptr_t>(w.data().data()) % 64 == 0u);
  fill(w.data(), number(1));
  auto written = w.data().data();
  auto mine = w.seal();
  auto theirs = s->get(number(1)).value();
  BOOST_TEST(theirs.bytes().data() == written);
  BOOST_TEST(is_filled(theirs.bytes(), number(1)));
  BOOST_TEST(!w);
}

BOOST_AUTO_TEST_CASE(an_empty_object_is_an_object) {
  auto s = open(8 * mib);
  put(*s, 1, 0);
  BOOST_TEST(s->get(number(1)).value().bytes().empty());
}

BOOST_AUTO_TEST_CASE(an_unknown_object_is_not_found) {
  auto s = open(8 * mib);
  BOOST_TEST(get_code(*s, 1, long_time) == errc::not_found);
  BOOST_TEST(!s->try_get(number(1)));
  s->erase(number(1));
}

BOOST_AUTO_TEST_CASE(an_id_is_created_once) {
  auto s = open(8 * mib);
  auto w = s->create(number(1), 10, long_time).value();
  BOOST_TEST(create_code(*s, 1, 10, long_time) == errc::already_exists);
  w.seal();
  BOOST_TEST(create_code(*s, 1, 10, long_time) == errc::already_exists);
}

BOOST_AUTO_TEST_CASE(get_waits_until_it_is_sealed) {
  auto s = open(8 * mib);
  auto w = s->create(number(1), 1000, long_time).value();
  BOOST_TEST(!s->try_get(number(1)));
  BOOST_TEST(get_code(*s, 1, 1ms) == errc::timed_out);
  auto reader = std::async(std::launch::async, [&] { check(*s, 1, 1000); });
  fill(w.data(), number(1));
  w.seal();
  reader.get();
}

BOOST_AUTO_TEST_CASE(an_object_whose_writer_gave_up_is_not_found) {
  auto s = open(8 * mib);
  std::optional w{s->create(number(1), 1000, long_time).value()};
  auto reader = std::async(std::launch::async, [&] { return get_code(*s, 1, long_time); });
  w.reset();
  BOOST_TEST(reader.get() == errc::not_found);
  BOOST_TEST(s->stats().memory_bytes == 0u);
  put(*s, 1, 1000);
}

BOOST_AUTO_TEST_CASE(erase_frees_at_once_what_nobody_reads) {
  auto s = open(8 * mib);
  auto before = s->stats().used_bytes;
  put(*s, 1, mib);
  s->erase(number(1));
  BOOST_TEST(!s->contains(number(1)));
  BOOST_TEST(s->stats().used_bytes == before);
}

BOOST_AUTO_TEST_CASE(a_pin_outlives_the_erasing) {
  auto s = open(8 * mib);
  auto before = s->stats().used_bytes;
  auto p = put(*s, 1, mib);
  s->erase(number(1));
  auto copy = p;
  p = pinned{};
  put(*s, 1, mib / 2);
  BOOST_TEST(is_filled(copy.bytes(), number(1)));
  copy = pinned{};
  s->erase(number(1));
  BOOST_TEST(s->stats().used_bytes == before);
}

BOOST_AUTO_TEST_CASE(an_object_erased_while_it_is_written_lives_for_its_writer_only) {
  auto s = open(8 * mib);
  auto w = s->create(number(1), 1000, long_time).value();
  fill(w.data(), number(1));
  s->erase(number(1));
  auto p = w.seal();
  BOOST_TEST(is_filled(p.bytes(), number(1)));
  BOOST_TEST(!s->contains(number(1)));
  p = {};
  BOOST_TEST(s->stats().memory_bytes == 0u);
}

BOOST_AUTO_TEST_CASE(handles_outlive_the_store) {
  auto s = open(8 * mib);
  auto p = put(*s, 1, mib);
  auto w = s->create(number(2), 1000, long_time).value();
  s.reset();
  BOOST_TEST(is_filled(p.bytes(), number(1)));
  fill(w.data(), number(2));
  auto q = w.seal();
  p = {};
  BOOST_TEST(is_filled(q.bytes(), number(2)));
}

BOOST_AUTO_TEST_CASE(what_is_held_beyond_the_capacity_is_spilled_and_reads_back_right) {
  auto s = open(8 * mib);
  for (std::uint64_t n = 0; n < 64; ++n)
    put(*s, n, mib - n);
  auto stats = s->stats();
  BOOST_TEST(stats.object_count == 64u);
  BOOST_TEST(stats.spilled_count >= 56u);
  BOOST_TEST(stats.used_bytes <= stats.capacity_bytes);
  for (int round = 0; round < 2; ++round)
    for (std::uint64_t n = 0; n < 64; ++n)
      check(*s, n, mib - n);
  BOOST_TEST(s->stats().evicted_total > 0u);
  for (std::uint64_t n = 0; n < 64; ++n)
    s->erase(number(n));
  BOOST_TEST(disk.files().size() == 0u);
}

BOOST_AUTO_TEST_CASE(closing_wakes_everybody) {
  auto s = open(8 * mib, 0);
  auto held = put(*s, 1, 5 * mib);
  auto w = s->create(number(3), 10, long_time).value();
  auto producer =
    std::async(std::launch::async, [&] { return create_code(*s, 2, 5 * mib, long_time); });
  auto reader = std::async(std::launch::async, [&] { return get_code(*s, 3, long_time); });
  BOOST_TEST(one_waits(*s));
  s->close();
  BOOST_TEST(producer.get() == errc::shut_down);
  BOOST_TEST(reader.get() == errc::shut_down);
  BOOST_TEST(create_code(*s, 4, 10, long_time) == errc::shut_down);
}

BOOST_AUTO_TEST_CASE(a_stop_request_ends_the_waits_it_was_made_for_and_no_other) {
  auto s = open(8 * mib);
  auto in_the_way = put(*s, 1, 6 * mib);
  auto unsealed = s->create(number(2), 10, long_time).value();
  std::stop_source stop;
  auto code = [](auto x) { return x ? errc::none : x.error().code; };
  auto create = [&](std::uint64_t n, std::stop_token given) {
    return std::async(std::launch::async, [&s, code, n, given] {
      return code(s->create(number(n), 4 * mib, long_time, given));
    });
  };
  // The first one works for its space, the others stand behind it.
  auto stopped = create(3, stop.get_token()), behind = create(4, stop.get_token());
  auto goes_on = create(5, {});
  auto reader = std::async(std::launch::async,
                           [&] { return code(s->get(number(2), long_time, stop.get_token())); });
  BOOST_TEST(eventually([&] { return s->stats().waiting_count == 3; }));
  stop.request_stop();
  BOOST_TEST(stopped.get() == errc::cancelled);
  BOOST_TEST(behind.get() == errc::cancelled);
  BOOST_TEST(reader.get() == errc::cancelled);
  BOOST_TEST(!s->contains(number(3)));
  in_the_way = {};
  BOOST_TEST(goes_on.get() == errc::none);
  // Calls that need not wait do not care.
  BOOST_TEST(code(s->create(number(6), 10, long_time, stop.get_token())) == errc::none);
}

BOOST_AUTO_TEST_CASE(the_state_of_an_object_is_told_without_waiting) {
  auto s = open(8 * mib);
  BOOST_TEST(!s->state(number(1)));
  auto w = s->create(number(1), mib, long_time).value();
  BOOST_TEST((s->state(number(1)) == object_state::created));
  w.seal();
  BOOST_TEST((s->state(number(1)) == object_state::sealed));
  s->spill_down_to(0).value();
  BOOST_TEST((s->state(number(1)) == object_state::spilled));
  s->erase(number(1));
  BOOST_TEST(!s->state(number(1)));
}

BOOST_AUTO_TEST_CASE(a_damaged_spill_file_is_corrupt_once_and_then_gone) {
  auto s = open(8 * mib);
  for (std::uint64_t n = 0; n < 16; ++n)
    put(*s, n, mib);
  for (const auto& path : disk.files())
    std::filesystem::resize_file(path, 100);
  BOOST_TEST(get_code(*s, 0, long_time) == errc::corrupt);
  BOOST_TEST(get_code(*s, 0, long_time) == errc::not_found);
  put(*s, 0, mib);
  check(*s, 0, mib);
}

BOOST_AUTO_TEST_CASE(spilled_objects_are_erased_from_the_disk) {
  auto s = open(8 * mib);
  for (std::uint64_t n = 0; n < 16; ++n)
    put(*s, n, mib);
  for (std::uint64_t n = 0; n < 16; ++n)
    s->erase(number(n));
  auto stats = s->stats();
  BOOST_TEST(stats.spill_file_bytes == 0u);
  BOOST_TEST(stats.memory_bytes == 0u);
  BOOST_TEST(disk.files().empty());
}

BOOST_AUTO_TEST_CASE(spill_files_of_a_killed_process_go_with_the_next_start) {
  auto child = fork();
  if (child == 0) {
    auto s = open(2 * mib);
    for (std::uint64_t n = 0; n < 8; ++n)
      put(*s, n, mib);
    raise(SIGKILL);
  }
  int status = 0;
  waitpid(child, &status, 0);
  BOOST_TEST(WIFSIGNALED(status));
  BOOST_TEST(disk.files().size() > 0u);
  auto s = open(2 * mib);
  BOOST_TEST(disk.files().size() == 0u);
}

BOOST_AUTO_TEST_CASE(only_calls_that_wait_give_their_slot_back) {
  struct counter final : blocking_observer {
    int count = 0;
    void enter_blocking() noexcept override { ++count; }
    void leave_blocking() noexcept override {}
  };
  auto s = open(8 * mib);
  put(*s, 1, 3 * mib);
  counter waits;
  this_thread_observer = &waits;
  put(*s, 2, kib);
  s->get(number(2)).value();
  s->erase(number(2));
  BOOST_TEST(waits.count == 0);
  put(*s, 3, 7 * mib);
  BOOST_TEST(waits.count > 0);
  this_thread_observer = nullptr;
}

BOOST_AUTO_TEST_CASE(a_listing_names_every_object_and_its_state) {
  auto s = open(8 * mib);
  put(*s, 1, mib);
  s->spill_down_to(0).value();
  auto p = put(*s, 2, 10);
  auto w = s->create(number(3), 20, long_time).value();
  auto all = s->objects();
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  BOOST_REQUIRE_EQUAL(all.size(), 3u);
  BOOST_TEST((all[0] == object_info{number(1), mib, object_state::spilled, 0, true}));
  BOOST_TEST((all[1] == object_info{number(2), 10, object_state::sealed, 1, false}));
  BOOST_TEST((all[2] == object_info{number(3), 20, object_state::created, 1, false}));
}

BOOST_AUTO_TEST_CASE(options_that_make_no_sense_are_invalid) {
  auto code = [](auto change) {
    store_options options;
    options.capacity_bytes = 8 * mib;
    change(options);
    auto s = store::open(options);
    return s ? errc::none : s.error().code;
  };
  BOOST_TEST(code([](auto& x) { x.capacity_bytes = 1; }) == errc::invalid_argument);
  BOOST_TEST(code([](auto& x) { x.commit_step_bytes = 0; }) == errc::invalid_argument);
  BOOST_TEST(code([](auto& x) { x.spill_batch_bytes = 0; }) == errc::invalid_argument);
  BOOST_TEST(code([](auto& x) { x.default_share = 0; }) == errc::invalid_argument);
  BOOST_TEST(code([](auto& x) { x.disk_full_patience = -1ms; }) == errc::invalid_argument);
  BOOST_TEST(code([](auto& x) { x.arena_directory = "/no/such/folder"; }) == errc::io_failed);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace caf_ray::objstore
