// A transfer among links that fail.

#include "objstore/transfer_loop.hpp"

#include "tests/objstore/cutting_proxy.hpp"
#include "tests/objstore/fake_source.hpp"
#include "tests/objstore/transfer_support.hpp"

namespace caf_ray::objstore {

using namespace test;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(transfer_loop_)

BOOST_FIXTURE_TEST_CASE(a_link_that_breaks_again_and_again_only_takes_longer, two_hosts) {
  cutting_proxy proxy(theirs.source().port, seed(), mib, 8 * mib);
  put(*theirs.objects, 1, 40 * mib + 1);
  BOOST_TEST(ours.pull_code(1, 40 * mib + 1, {through(proxy, theirs)}) == errc::none);
  check(*ours.objects, 1, 40 * mib + 1);
  BOOST_TEST(proxy.cut_count() > 3);
  BOOST_TEST(ours.link->stats().retries > 3u);
  // What had come before a cut does not come again.
  BOOST_TEST(ours.link->stats().bytes_in == 40 * mib + 1);
}

BOOST_AUTO_TEST_CASE(between_two_sources_with_bad_links_it_arrives_whole) {
  std::mt19937_64 seeds(seed());
  auto options = quick_options();
  // Five share the links: one of them may see several break that have brought only the others'.
  options.attempts = 20;
  host ours(64 * mib, options), theirs, other;
  theirs.admit(ours);
  other.admit(ours);
  cutting_proxy first(theirs.source().port, seeds(), mib, 4 * mib);
  cutting_proxy second(other.source().port, seeds(), mib, 4 * mib);
  for (std::uint64_t n = 1; n <= 5; ++n) {
    put(*theirs.objects, n, 8 * mib);
    put(*other.objects, n, 8 * mib);
  }
  std::vector<std::future<result<void>>> pulls;
  for (std::uint64_t n = 1; n <= 5; ++n)
    pulls.push_back(ours.begin_pull(n, 8 * mib, {through(first, theirs), through(second, other)}));
  for (std::uint64_t n = 1; n <= 5; ++n) {
    BOOST_TEST(code_of(pulls[n - 1].get()) == errc::none);
    check(*ours.objects, n, 8 * mib);
  }
}

BOOST_FIXTURE_TEST_CASE(a_source_that_says_nothing_is_left_after_the_heartbeat_timeout, two_hosts) {
  fake_source mute([](auto&) { return fake_source::frames{}; });
  put(*theirs.objects, 1, mib);
  BOOST_TEST(ours.pull_code(1, mib, {mute.source(), theirs.source()}) == errc::none);
  check(*ours.objects, 1, mib);
  BOOST_TEST(ours.link->stats().retries == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_patience_that_is_over_is_timed_out, two_hosts) {
  fake_source mute([](auto&) { return fake_source::frames{}; });
  auto how = ours.pull(1, mib, {mute.source()}, 50ms);
  BOOST_REQUIRE(!how);
  BOOST_TEST(how.error().code == errc::timed_out);
  BOOST_TEST(how.error().what.find(to_string(number(1))) != std::string::npos);
  BOOST_TEST(!ours.objects->contains(number(1)));
}

BOOST_FIXTURE_TEST_CASE(a_source_that_does_not_admit_us_says_so_and_may_do_it_later, two_hosts) {
  host closed;
  put(*closed.objects, 1, mib);
  auto how = ours.pull(1, mib, {closed.source()});
  BOOST_REQUIRE(!how);
  BOOST_TEST(how.error().code == errc::object_lost);
  BOOST_TEST(how.error().what.find("does not admit our key") != std::string::npos);
  BOOST_TEST(closed.link->stats().bytes_out == 0u);
  closed.admit(ours);
  BOOST_TEST(ours.pull_code(1, mib, {closed.source()}) == errc::none);
}

BOOST_FIXTURE_TEST_CASE(a_source_with_another_key_than_named_gets_no_request, two_hosts) {
  auto wrong = theirs.source();
  wrong.public_key = make_curve_keys().value().public_key;
  put(*theirs.objects, 1, mib);
  BOOST_TEST(ours.pull_code(1, mib, {wrong}, 5s * caf_ray::test::slowdown) != errc::none);
  BOOST_TEST(ours.pull_code(1, mib, {wrong, theirs.source()}) == errc::none);
}

BOOST_FIXTURE_TEST_CASE(nobody_at_the_port_is_found_out_at_once, two_hosts) {
  std::optional<host> gone(std::in_place);
  auto source = gone->source();
  gone.reset();
  auto how = ours.pull(1, mib, {source});
  BOOST_REQUIRE(!how);
  BOOST_TEST(how.error().code == errc::object_lost);
  BOOST_TEST(how.error().what.find("cannot be reached") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(links_that_nobody_needs_are_closed) {
  auto options = quick_options();
  options.link_idle = 1ms;
  host ours(64 * mib, options), theirs;
  theirs.admit(ours);
  put(*theirs.objects, 1, 100);
  BOOST_TEST(ours.pull_code(1, 100, {theirs.source()}) == errc::none);
  BOOST_TEST(eventually([&] { return ours.link->stats().link_count == 0; }));
  put(*theirs.objects, 2, 100);
  BOOST_TEST(ours.pull_code(2, 100, {theirs.source()}) == errc::none);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace caf_ray::objstore
