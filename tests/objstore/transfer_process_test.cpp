// Hosts that are processes of their own, and are killed or frozen.

#include "objstore/transfer.hpp"

#include <sstream>

#include "tests/objstore/transfer_support.hpp"
#include "tests/support/child.hpp"

namespace caf_ray::objstore {

using namespace test;
using namespace std::chrono_literals;

namespace {

constexpr auto size = 200 * mib;

/// A process that serves object 1 to a host.
struct serving_process : caf_ray::test::child {
  explicit serving_process(const host& to)
    : child(CAF_RAY_OBJSTORE_CHILD, {"serve", std::to_string(size), to.source().public_key}) {
    std::istringstream text(line());
    text >> source.port >> source.public_key;
    source.host = "127.0.0.1";
    BOOST_REQUIRE_MESSAGE(source.port != 0, "the child did not start");
  }

  transfer_source source;
};

bool is_on_its_way(const host& h) {
  return eventually([&] { return h.link->stats().bytes_in > 0; });
}

} // namespace

BOOST_AUTO_TEST_SUITE(transfer_process)

BOOST_AUTO_TEST_CASE(when_a_source_is_killed_the_next_goes_on_at_once) {
  host ours(size + 16 * mib);
  serving_process first(ours), second(ours);
  auto pull = ours.begin_pull(1, size, {first.source, second.source});
  BOOST_TEST(is_on_its_way(ours));
  first.kill();
  BOOST_TEST(code_of(pull.get()) == errc::none);
  check(*ours.objects, 1, size);
  // What had come from the first was compared, and did not come again.
  BOOST_TEST(ours.link->stats().bytes_in == size);
  BOOST_TEST(ours.link->stats().different_chunks == 0u);
}

BOOST_AUTO_TEST_CASE(when_the_only_source_is_killed_the_object_is_lost) {
  host ours(size + 16 * mib);
  serving_process only(ours);
  auto pull = ours.begin_pull(1, size, {only.source});
  BOOST_TEST(is_on_its_way(ours));
  only.kill();
  auto how = pull.get();
  BOOST_REQUIRE(!how);
  BOOST_TEST(how.error().code == errc::object_lost);
  BOOST_TEST(how.error().what.find(std::to_string(only.source.port)) != std::string::npos);
  BOOST_TEST(!ours.objects->contains(number(1)));
  BOOST_TEST(ours.objects->stats().pinned_count == 0u);
}

BOOST_AUTO_TEST_CASE(when_a_source_freezes_the_next_goes_on_after_the_heartbeat_timeout) {
  host ours(size + 16 * mib);
  serving_process first(ours), second(ours);
  auto pull = ours.begin_pull(1, size, {first.source, second.source});
  BOOST_TEST(is_on_its_way(ours));
  kill(first.pid(), SIGSTOP);
  BOOST_TEST(code_of(pull.get()) == errc::none);
  check(*ours.objects, 1, size);
  ours.objects->erase(number(1));
  // Awake again, it serves as if nothing had been.
  kill(first.pid(), SIGCONT);
  BOOST_TEST(ours.pull_code(1, size, {first.source}) == errc::none);
  check(*ours.objects, 1, size);
}

BOOST_AUTO_TEST_CASE(a_frozen_source_that_wakes_in_time_is_used_further) {
  auto options = quick_options();
  options.heartbeat_timeout = 30s;
  host ours(size + 16 * mib, options);
  serving_process only(ours);
  auto pull = ours.begin_pull(1, size, {only.source});
  BOOST_TEST(is_on_its_way(ours));
  kill(only.pid(), SIGSTOP);
  BOOST_TEST((pull.wait_for(300ms) == std::future_status::timeout));
  kill(only.pid(), SIGCONT);
  BOOST_TEST(code_of(pull.get()) == errc::none);
  check(*ours.objects, 1, size);
}

BOOST_AUTO_TEST_CASE(a_puller_that_freezes_or_dies_pins_nothing_for_long) {
  for (int signal : {SIGSTOP, SIGKILL}) {
    host ours(size + 16 * mib);
    put(*ours.objects, 1, size);
    auto keys = make_curve_keys().value();
    BOOST_REQUIRE(ours.link->admit(keys.public_key, "child").has_value());
    caf_ray::test::child puller(CAF_RAY_OBJSTORE_CHILD,
                                {"pull", std::to_string(size), std::to_string(ours.source().port),
                                 ours.source().public_key, keys.public_key, keys.secret_key});
    BOOST_TEST(eventually([&] { return ours.link->stats().bytes_out > 0; }));
    kill(puller.pid(), signal);
    BOOST_TEST(ours.link->stats().bytes_out < size);
    BOOST_TEST(eventually([&] { return ours.link->stats().owed_bytes == 0; }));
    BOOST_TEST(eventually([&] { return ours.objects->stats().pinned_count == 0; }));
  }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace caf_ray::objstore
