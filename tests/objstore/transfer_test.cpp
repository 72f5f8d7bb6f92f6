#include "objstore/transfer.hpp"

#include <atomic>

#include "tests/objstore/transfer_support.hpp"

namespace caf_ray::objstore {

using namespace test;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(transfer_)

BOOST_FIXTURE_TEST_CASE(an_object_of_any_size_arrives_as_it_was_and_sealed, two_hosts) {
  std::uint64_t n = 0;
  for (std::size_t size : {std::size_t{0}, std::size_t{1}, 100 * kib, 512 * kib - 1, 512 * kib,
                           512 * kib + 1, 20 * mib + 12345}) {
    put(*theirs.objects, ++n, size);
    BOOST_TEST(ours.pull_code(n, size, {theirs.source()}) == errc::none);
    check(*ours.objects, n, size);
    ours.objects->erase(number(n));
    theirs.objects->erase(number(n));
  }
  auto stats = ours.link->stats();
  BOOST_TEST(stats.pulls_done == n);
  BOOST_TEST(stats.pulls_open == 0u);
  BOOST_TEST(stats.bytes_in == theirs.link->stats().bytes_out);
  // Nothing is left: no pin here, none there.
  BOOST_TEST(eventually([&] { return theirs.link->stats().owed_bytes == 0; }));
  BOOST_TEST(eventually([&] { return theirs.objects->stats().memory_bytes == 0; }));
  BOOST_TEST(ours.objects->stats().memory_bytes == 0u);
}

BOOST_FIXTURE_TEST_CASE(many_pulls_at_once_all_arrive, two_hosts) {
  constexpr std::uint64_t count = 200;
  std::vector<std::future<result<void>>> pulls;
  for (std::uint64_t n = 0; n < count; ++n)
    put(*theirs.objects, n, 100 * kib + n);
  for (std::uint64_t n = 0; n < count; ++n)
    pulls.push_back(ours.begin_pull(n, 100 * kib + n, {theirs.source()}));
  for (std::uint64_t n = 0; n < count; ++n) {
    BOOST_TEST(code_of(pulls[n].get()) == errc::none);
    check(*ours.objects, n, 100 * kib + n);
  }
}

BOOST_AUTO_TEST_CASE(both_may_pull_from_each_other_at_once) {
  host a, b;
  a.admit(b);
  b.admit(a);
  put(*a.objects, 1, 10 * mib);
  put(*b.objects, 2, 10 * mib);
  auto there = b.begin_pull(1, 10 * mib, {a.source()});
  auto back = a.begin_pull(2, 10 * mib, {b.source()});
  BOOST_TEST(code_of(there.get()) == errc::none);
  BOOST_TEST(code_of(back.get()) == errc::none);
  check(*b.objects, 1, 10 * mib);
  check(*a.objects, 2, 10 * mib);
}

BOOST_FIXTURE_TEST_CASE(an_object_that_is_here_is_pulled_from_nowhere, two_hosts) {
  put(*ours.objects, 1, 100);
  BOOST_TEST(ours.pull_code(1, 100, {}) == errc::none);
  ours.objects->spill_down_to(0).value();
  BOOST_TEST(ours.pull_code(1, 100, {}) == errc::none);
  BOOST_TEST(ours.link->stats().bytes_in == 0u);
}

BOOST_FIXTURE_TEST_CASE(an_object_that_is_being_written_here_is_waited_for, two_hosts) {
  auto w = ours.objects->create(number(1), 1000, long_time).value();
  auto pull = ours.begin_pull(1, 1000, {theirs.source()});
  fill(w.data(), number(1));
  w.seal();
  BOOST_TEST(code_of(pull.get()) == errc::none);
  BOOST_TEST(ours.link->stats().bytes_in == 0u);
}

BOOST_FIXTURE_TEST_CASE(when_the_writer_here_gives_up_it_is_pulled, two_hosts) {
  put(*theirs.objects, 1, 1000);
  std::optional w{ours.objects->create(number(1), 1000, long_time).value()};
  auto pull = ours.begin_pull(1, 1000, {theirs.source()});
  w.reset();
  BOOST_TEST(code_of(pull.get()) == errc::none);
  check(*ours.objects, 1, 1000);
}

BOOST_FIXTURE_TEST_CASE(pulls_of_one_object_join_and_its_bytes_come_once, two_hosts) {
  put(*theirs.objects, 1, 10 * mib);
  std::vector<std::future<result<void>>> pulls;
  for (int i = 0; i < 10; ++i)
    pulls.push_back(ours.begin_pull(1, 10 * mib, {theirs.source()}));
  for (auto& pull : pulls)
    BOOST_TEST(code_of(pull.get()) == errc::none);
  BOOST_TEST(ours.link->stats().bytes_in == 10 * mib);
}

BOOST_FIXTURE_TEST_CASE(a_spilled_object_is_read_back_and_served, two_hosts) {
  put(*theirs.objects, 1, 10 * mib);
  theirs.objects->spill_down_to(0).value();
  BOOST_TEST((theirs.objects->state(number(1)) == object_state::spilled));
  BOOST_TEST(ours.pull_code(1, 10 * mib, {theirs.source()}) == errc::none);
  check(*ours.objects, 1, 10 * mib);
  // What was read back does not stay pinned.
  BOOST_TEST(eventually([&] { return theirs.objects->stats().pinned_count == 0; }));
}

BOOST_FIXTURE_TEST_CASE(the_next_source_has_what_the_first_has_not, two_hosts) {
  host empty;
  empty.admit(ours);
  put(*theirs.objects, 1, mib);
  BOOST_TEST(ours.pull_code(1, mib, {empty.source(), theirs.source()}) == errc::none);
  check(*ours.objects, 1, mib);
}

BOOST_FIXTURE_TEST_CASE(an_object_that_is_being_written_there_is_not_there, two_hosts) {
  auto w = theirs.objects->create(number(1), 1000, long_time).value();
  BOOST_TEST(ours.pull_code(1, 1000, {theirs.source()}) == errc::object_lost);
}

BOOST_FIXTURE_TEST_CASE(without_a_source_the_object_is_lost_and_the_text_says_why, two_hosts) {
  BOOST_TEST(ours.pull_code(1, 1000, {}) == errc::object_lost);
  auto how = ours.pull(2, 1000, {theirs.source()});
  BOOST_REQUIRE(!how);
  BOOST_TEST(how.error().code == errc::object_lost);
  BOOST_TEST(how.error().what.find(to_string(number(2))) != std::string::npos);
  BOOST_TEST(how.error().what.find(std::to_string(theirs.source().port) + " does not have it")
             != std::string::npos);
  BOOST_TEST(!ours.objects->contains(number(2)));
}

BOOST_FIXTURE_TEST_CASE(a_source_that_has_another_size_is_none, two_hosts) {
  put(*theirs.objects, 1, 1000);
  auto how = ours.pull(1, 1001, {theirs.source()});
  BOOST_REQUIRE(!how);
  BOOST_TEST(how.error().code == errc::object_lost);
  BOOST_TEST(how.error().what.find("has 1000 bytes") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(a_source_that_is_none_is_invalid, two_hosts) {
  auto bad = theirs.source();
  bad.public_key.pop_back();
  BOOST_TEST(ours.pull_code(1, 1000, {bad}) == errc::invalid_argument);
  bad = theirs.source();
  bad.port = 0;
  BOOST_TEST(ours.pull_code(1, 1000, {theirs.source(), bad}) == errc::invalid_argument);
  bad = theirs.source();
  bad.host = "no such host";
  BOOST_TEST(ours.pull_code(1, 1000, {bad}) == errc::object_lost);
}

BOOST_FIXTURE_TEST_CASE(a_pull_waits_for_space_and_says_when_there_is_none, two_hosts) {
  host small{8 * mib};
  theirs.admit(small);
  put(*theirs.objects, 1, 6 * mib);
  std::optional<pinned> in_the_way = put(*small.objects, 2, 6 * mib);
  BOOST_TEST(small.pull_code(1, 6 * mib, {theirs.source()}, 100ms) == errc::store_full);
  auto pull = small.begin_pull(1, 6 * mib, {theirs.source()});
  BOOST_TEST(one_waits(*small.objects));
  in_the_way.reset();
  BOOST_TEST(code_of(pull.get()) == errc::none);
  check(*small.objects, 1, 6 * mib);
  BOOST_TEST(small.pull_code(3, 100 * mib, {theirs.source()}) == errc::store_full);
}

BOOST_FIXTURE_TEST_CASE(a_cancelled_pull_ends_for_all_and_leaves_nothing, two_hosts) {
  host small{8 * mib};
  theirs.admit(small);
  put(*theirs.objects, 1, 6 * mib);
  auto in_the_way = put(*small.objects, 2, 6 * mib);
  auto first = small.begin_pull(1, 6 * mib, {theirs.source()});
  auto second = small.begin_pull(1, 6 * mib, {theirs.source()});
  BOOST_TEST(one_waits(*small.objects));
  small.link->cancel(number(1));
  small.link->cancel(number(77));
  BOOST_TEST(code_of(first.get()) == errc::cancelled);
  BOOST_TEST(code_of(second.get()) == errc::cancelled);
  BOOST_TEST(eventually([&] { return !small.objects->contains(number(1)); }));
  in_the_way = {};
  BOOST_TEST(small.pull_code(1, 6 * mib, {theirs.source()}) == errc::none);
}

BOOST_FIXTURE_TEST_CASE(the_end_ends_every_pull_soon, two_hosts) {
  host small{8 * mib};
  theirs.admit(small);
  put(*theirs.objects, 1, 6 * mib);
  auto in_the_way = put(*small.objects, 2, 6 * mib);
  std::vector<std::future<result<void>>> pulls;
  // One waits for space, the others for their turn.
  for (int i = 0; i < 5; ++i)
    pulls.push_back(small.begin_pull(1, 6 * mib, {theirs.source()}));
  BOOST_TEST(one_waits(*small.objects));
  // One more that is only asked for from a callback of those above.
  std::promise<result<void>> late;
  auto* ending = small.link.get();
  ending->pull(number(1), 6 * mib, {theirs.source()}, long_time, [&](result<void>) {
    ending->pull(number(9), 1, {theirs.source()}, long_time,
                 [&](result<void> how) { late.set_value(how); });
  });
  auto begin = std::chrono::steady_clock::now();
  small.link.reset();
  BOOST_TEST((std::chrono::steady_clock::now() - begin < 500ms * caf_ray::test::slowdown));
  for (auto& pull : pulls)
    BOOST_TEST(code_of(pull.get()) == errc::shut_down);
  BOOST_TEST(code_of(late.get_future().get()) == errc::shut_down);
  BOOST_TEST(!small.objects->contains(number(1)));
}

BOOST_FIXTURE_TEST_CASE(a_host_may_go_while_others_pull_from_it, two_hosts) {
  host other;
  other.admit(ours);
  put(*theirs.objects, 1, 50 * mib);
  put(*other.objects, 1, 50 * mib);
  auto pull = ours.begin_pull(1, 50 * mib, {theirs.source(), other.source()});
  BOOST_TEST(eventually([&] { return ours.link->stats().bytes_in > 0; }));
  theirs.link.reset();
  BOOST_TEST(code_of(pull.get()) == errc::none);
  check(*ours.objects, 1, 50 * mib);
  BOOST_TEST(ours.link->stats().retries == 1u);
}

BOOST_AUTO_TEST_CASE(keys_are_pairs_and_never_twice_the_same) {
  auto a = make_curve_keys().value(), b = make_curve_keys().value();
  BOOST_TEST(a.public_key.size() == 40u);
  BOOST_TEST(a.secret_key.size() == 40u);
  BOOST_TEST(a.public_key != b.public_key);
}

BOOST_AUTO_TEST_CASE(options_that_make_no_sense_are_invalid) {
  auto objects = std::shared_ptr<store>{store_fixture{}.open(8 * mib)};
  auto code = [&](auto change) {
    auto options = quick_options();
    options.objects = objects;
    change(options);
    auto started = transfer::start(options);
    return started ? errc::none : started.error().code;
  };
  BOOST_TEST(code([](auto&) {}) == errc::none);
  BOOST_TEST(code([](auto& x) { x.objects = nullptr; }) == errc::invalid_argument);
  BOOST_TEST(code([](auto& x) { x.keys = {}; }) == errc::invalid_argument);
  BOOST_TEST(code([](auto& x) { std::swap(x.keys.public_key, x.keys.secret_key); })
             == errc::invalid_argument);
  BOOST_TEST(code([](auto& x) { x.chunk_bytes = 1000; }) == errc::invalid_argument);
  BOOST_TEST(code([](auto& x) { x.chunk_bytes = 17 * mib; }) == errc::invalid_argument);
  BOOST_TEST(code([](auto& x) { x.window_bytes = 1000; }) == errc::invalid_argument);
  BOOST_TEST(code([](auto& x) { x.flight_bytes = 1000; }) == errc::invalid_argument);
  BOOST_TEST(code([](auto& x) { x.owed_bytes = 1000; }) == errc::invalid_argument);
  BOOST_TEST(code([](auto& x) { x.connections = 0; }) == errc::invalid_argument);
  BOOST_TEST(code([](auto& x) { x.io_threads = 0; }) == errc::invalid_argument);
  BOOST_TEST(code([](auto& x) { x.attempts = 0; }) == errc::invalid_argument);
  BOOST_TEST(code([](auto& x) { x.heartbeat_timeout = x.heartbeat_interval; })
             == errc::invalid_argument);
  BOOST_TEST(code([](auto& x) { x.last_backoff = 1ms; }) == errc::invalid_argument);
  BOOST_TEST(code([](auto& x) { x.host = "*"; }) == errc::invalid_argument);
  BOOST_TEST(code([](auto& x) { x.host = "192.0.2.1"; }) == errc::io_failed); // not of this host
}

BOOST_AUTO_TEST_CASE(a_port_that_is_taken_is_in_use) {
  host first;
  auto options = quick_options();
  options.objects = first.objects;
  options.port = first.source().port;
  auto second = transfer::start(options);
  BOOST_REQUIRE(!second);
  BOOST_TEST(second.error().code == errc::in_use);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace caf_ray::objstore
