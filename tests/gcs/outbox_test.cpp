#include "gcs/outbox.hpp"

#include <thread>

#include "tests/gcs/support.hpp"

using namespace caf_ray;
using namespace caf_ray::gcs;
using namespace caf_ray::gcs::test;

namespace {

struct fixture {
  client_options options;
  std::optional<outbox> box;
  outbox::time_point now{};
  outbox::completions finished;

  fixture() {
    options.max_unacknowledged = 2;
    options.max_batch_ops = 10;
    options.retry_after = 100ms;
    box.emplace(options, 7, 0);
  }

  void add(std::string_view key, outbox::write_done done = nullptr,
           std::chrono::milliseconds timeout = 1000ms) {
    must_have(box->add({table_kind::kv, write_kind::put, key, "v", 0}, std::move(done),
                       now + timeout, 0ms));
  }

  void acknowledge(std::uint64_t sequence, std::vector<op_note> notes = {}, error err = {}) {
    box->acknowledge({0, 7, sequence, std::move(err), std::move(notes)}, now, finished);
    run();
  }

  void run() {
    for (auto& f : std::exchange(finished, {}))
      f();
  }

  std::vector<std::uint64_t> sequences() {
    std::vector<std::uint64_t> all;
    for (auto& b : box->take(now).batches)
      all.push_back(b.sequence);
    return all;
  }
};

using numbers = std::vector<std::uint64_t>;

} // namespace

BOOST_FIXTURE_TEST_SUITE(client_outbox, fixture)

BOOST_AUTO_TEST_CASE(writes_gather_into_batches_within_the_window) {
  for (int i = 0; i < 35; ++i)
    add("k");
  BOOST_TEST((sequences() == numbers{1, 2}));
  BOOST_TEST((sequences() == numbers{}));
  acknowledge(1);
  BOOST_TEST((sequences() == numbers{3}));
  acknowledge(3); // out of order: the window moves when 2 is settled
  BOOST_TEST((sequences() == numbers{}));
  acknowledge(2);
  BOOST_TEST((sequences() == numbers{4}));
}

BOOST_AUTO_TEST_CASE(a_batch_ends_at_the_limit_of_erases) {
  options.max_batch_erases = 3;
  options.max_batch_ops = 100;
  options.max_unacknowledged = 100;
  outbox other(options, 7, 0);
  for (int i = 0; i < 10; ++i)
    must_have(other.add({table_kind::kv, write_kind::erase, "k", {}, 0}, nullptr, now, 0ms));
  auto p = other.take(now);
  BOOST_TEST(p.batches.size() == 4u);
  for (auto& b : p.batches)
    BOOST_TEST(b.ops->erase_count() <= 3u);
}

BOOST_AUTO_TEST_CASE(silence_makes_the_same_batches_go_again_less_and_less_often) {
  add("a");
  BOOST_TEST((sequences() == numbers{1}));
  for (int i = 0; i < 15; ++i)
    add("b");
  BOOST_TEST((sequences() == numbers{2}));
  now += 99ms;
  BOOST_TEST((sequences() == numbers{}));
  now += 1ms;
  BOOST_TEST((sequences() == numbers{1, 2}));
  now += 100ms;
  BOOST_TEST((sequences() == numbers{}));
  now += 100ms;
  BOOST_TEST((sequences() == numbers{1, 2}));
  acknowledge(1); // heard of it: patient anew, and the rest is young
  BOOST_TEST((sequences() == numbers{3}));
  now += 100ms;
  auto again = box->take(now).batches;
  BOOST_TEST_REQUIRE(again.size() == 2u);
  BOOST_TEST(again[0].sequence == 2u);
  BOOST_TEST(again[0].oldest == 2u);
  BOOST_TEST(again[1].oldest == 2u);
  client::counters c;
  box->count(c);
  BOOST_TEST(c.retries == 6u);
}

BOOST_AUTO_TEST_CASE(each_completion_gets_the_outcome_of_its_write) {
  std::vector<std::string> results(4);
  for (std::size_t i = 0; i < 4; ++i)
    add("k", [&results, i](result<bool> r) {
      results[i] = r ? (*r ? "true" : "false") : to_string(r.error().code);
    });
  sequences();
  acknowledge(1, {{1, op_outcome::unchanged}, {3, op_outcome::refused}});
  BOOST_TEST((results == std::vector<std::string>{"true", "false", "true", "store_full"}));
  acknowledge(1, {{0, op_outcome::unchanged}}); // a late duplicate changes nothing
  BOOST_TEST(results[0] == "true");
}

BOOST_AUTO_TEST_CASE(a_failed_batch_shows_at_the_next_flush_and_only_there) {
  add("k");
  sequences();
  acknowledge(1, {}, {errc::io_failed, "disk"});
  auto until = std::chrono::steady_clock::now();
  BOOST_TEST(code_of(box->flush(until)) == errc::io_failed);
  BOOST_TEST(code_of(box->flush(until)) == errc::none);
}

BOOST_AUTO_TEST_CASE(a_read_goes_after_the_writes_before_it) {
  for (int i = 0; i < 25; ++i)
    add("k"); // three batches, two of which may fly
  must_have(box->add(
    read_op{1, read_kind::get, table_kind::kv, "k", {}, 0}, [](result<scan_page>) {}, now + 1s));
  auto first = box->take(now);
  BOOST_TEST(first.batches.size() == 2u);
  BOOST_TEST(first.reads.ops.empty());
  acknowledge(1);
  auto second = box->take(now);
  BOOST_TEST(second.batches.size() == 1u);
  BOOST_TEST(second.reads.ops.size() == 1u);
  BOOST_TEST(second.reads.after_sequence == 3u); // for the shard to check
}

BOOST_AUTO_TEST_CASE(what_is_late_fails_and_its_answer_is_ignored) {
  std::vector<errc> codes;
  add(
    "k", [&](result<bool> r) { codes.push_back(code_of(r)); }, 50ms);
  must_have(box->add(
    read_op{1, read_kind::get, table_kind::kv, "k", {}, 0},
    [&](result<scan_page> r) { codes.push_back(code_of(r)); }, now + 70ms));
  box->take(now);
  box->expire(now + 49ms, finished);
  run();
  BOOST_TEST(codes.empty());
  box->expire(now + 50ms, finished);
  run();
  BOOST_TEST((codes == std::vector{errc::timed_out}));
  box->set_available(false);
  box->expire(now + 70ms, finished);
  run();
  BOOST_TEST((codes == std::vector{errc::timed_out, errc::gcs_unavailable}));
  acknowledge(1);
  box->answer({1, {}, {}}, now, finished);
  run();
  BOOST_TEST(codes.size() == 2u);
  BOOST_TEST(!box->busy());
}

BOOST_AUTO_TEST_CASE(a_shard_that_is_back_gets_everything_again_at_once) {
  add("k");
  sequences();
  box->set_available(false);
  BOOST_TEST((sequences() == numbers{}));
  box->set_available(true);
  BOOST_TEST((sequences() == numbers{1}));
}

BOOST_AUTO_TEST_CASE(a_writer_waits_for_room_until_its_deadline) {
  options.max_pending_bytes = 1000;
  outbox small(options, 7, 0);
  std::string value(600, 'v');
  write_op op{table_kind::kv, write_kind::put, "k", value, 0};
  must_have(small.add(op, nullptr, now, 0ms));
  BOOST_TEST(code_of(small.add(op, nullptr, now, 1ms)) == errc::timed_out);
  small.set_available(false);
  BOOST_TEST(code_of(small.add(op, nullptr, now, 1ms)) == errc::gcs_unavailable);
  BOOST_TEST(code_of(small.add(op, nullptr, now, std::nullopt)) == errc::none);
  std::thread waiting([&] { must_have(small.add(op, nullptr, now, long_time)); });
  small.take(now);
  for (std::uint64_t i = 1; i <= 2; ++i)
    small.acknowledge({0, 7, i, {}, {}}, now, finished);
  waiting.join();
}

BOOST_AUTO_TEST_CASE(closing_fails_everything_and_wakes_who_waits) {
  std::vector<errc> codes;
  add("a", [&](result<bool> r) { codes.push_back(code_of(r)); });
  sequences();
  add("b", [&](result<bool> r) { codes.push_back(code_of(r)); });
  must_have(box->add(
    read_op{1, read_kind::get, table_kind::kv, "k", {}, 0},
    [&](result<scan_page> r) { codes.push_back(code_of(r)); }, now + 1s));
  std::thread waiting([&] {
    BOOST_TEST(code_of(box->flush(std::chrono::steady_clock::now() + long_time))
               == errc::shut_down);
  });
  box->close({errc::shut_down, "over"}, finished);
  waiting.join();
  run();
  BOOST_TEST((codes == std::vector(3, errc::shut_down)));
  BOOST_TEST(code_of(box->add({table_kind::kv, write_kind::put, "k", "v", 0}, nullptr, now, 0ms))
             == errc::shut_down);
}

BOOST_AUTO_TEST_SUITE_END()
