#include <chrono>
#include <future>
#include <optional>
#include <string>

#include <csignal>
#include <poll.h>
#include <sys/socket.h>

#include <boost/test/unit_test.hpp>

#include <caf/node_id.hpp>
#include <caf/scoped_actor.hpp>

#include "libray/src/transport/listener.hpp"
#include "tests/libray/transport/host.hpp"
#include "tests/libray/transport/links.hpp"
#include "tests/support/child.hpp"
#include "tests/support/temp_folder.hpp"

using namespace caf_ray;
using namespace caf_ray::transport;
using caf_ray::test::child;
using caf_ray::test::temp_folder;
using transport::test::answerer;
using transport::test::ask;
using transport::test::attack_bytes;
using transport::test::basp_header;
using transport::test::descriptors_fall_to;
using transport::test::host;
using transport::test::milliseconds;
using transport::test::open_descriptors;
using transport::test::patient;
using transport::test::quick;
using transport::test::resident_bytes;
using transport::test::round_trip;
using transport::test::seconds;
using transport::test::seconds_since;
using transport::test::soon;
using clock_type = std::chrono::steady_clock;

namespace {

/// A child that serves an answerer over an inherited socket.
struct serving_child {
  child_socket socket;
  child process;

  explicit serving_child(const link_timing& timing,
                         child_socket s = std::move(*make_child_socket()))
    : socket(std::move(s)),
      process(CAF_RAY_TRANSPORT_CHILD,
              {"serve-fd", std::to_string(socket.theirs.get()),
               std::to_string(timing.heartbeat.count()), std::to_string(timing.timeout.count())}) {
    socket.theirs.reset();
  }

  caf::actor join_from(host& here, const link_limits& limits = {}) {
    auto published = join(here.system, std::move(socket.ours), soon, limits);
    BOOST_TEST_REQUIRE(published.has_value(), (published ? "" : published.error().what));
    return caf::actor_cast<caf::actor>(*published);
  }
};

/// Seconds until the down message, negative if none comes.
double wait_for_down(host& here, const caf::actor& who, clock_type::time_point start) {
  double result = -1;
  caf::scoped_actor self(here.system);
  self->monitor(who);
  self->receive([&](const caf::down_msg&) { result = seconds_since(start); },
                caf::after(soon) >> [] {});
  return result;
}

/// The peer whose link was closed for breaking a limit, and why.
struct violation {
  std::promise<std::string> why;
  link_limits limits;

  violation() {
    limits.closed = [this](const peer&, const std::string& text) { why.set_value(text); };
  }
  std::string wait() {
    auto text = why.get_future();
    return text.wait_for(soon) == std::future_status::ready ? text.get() : "none";
  }
};

/// A connected pair of which one end is served here; the test speaks raw bytes at the other.
struct raw_peer {
  connection mine;

  raw_peer(host& here, const caf::actor& published, const link_limits& limits)
    : raw_peer(here, published, limits, std::move(*make_child_socket())) {}
  raw_peer(host& here, const caf::actor& published, const link_limits& limits, child_socket pair)
    : mine(std::move(pair.ours)) {
    serve(here.system, std::move(*adopt_unix(pair.theirs.release())),
          caf::actor_cast<caf::strong_actor_ptr>(published), limits);
  }

  void send(const std::string& bytes) {
    BOOST_TEST(::send(mine.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL)
               == static_cast<ssize_t>(bytes.size()));
  }

  bool ends() {
    auto give_up = clock_type::now() + soon;
    char bytes[512];
    while (clock_type::now() < give_up) {
      pollfd readable{mine.fd(), POLLIN, 0};
      if (poll(&readable, 1, 1000) == 1 && read(mine.fd(), bytes, sizeof(bytes)) <= 0)
        return true;
    }
    return false;
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(basp_links)

BOOST_AUTO_TEST_CASE(requests_are_answered_both_ways_over_an_inherited_pair) {
  host here(patient);
  serving_child other(patient);
  auto theirs = other.join_from(here);
  BOOST_TEST((ask<int>(here, theirs, 41) == 42));
  auto ours = here.spawn(answerer);
  BOOST_TEST((ask<int>(here, theirs, ours, 1) == 2));
}

BOOST_AUTO_TEST_CASE(requests_are_answered_both_ways_over_a_listening_path) {
  host here(patient);
  temp_folder folder;
  std::promise<caf::actor> joined;
  auto ours = here.spawn([&](caf::event_based_actor*) -> caf::behavior {
    return {
      [&joined](const caf::actor& who) { joined.set_value(who); },
      [](int x) { return 10 * x; },
    };
  });
  auto door = listener::start([&](connection link) {
    serve(here.system, std::move(link), caf::actor_cast<caf::strong_actor_ptr>(ours));
  });
  auto path = folder.path / "run" / "node.sock";
  BOOST_TEST_REQUIRE(door.value()->listen_unix(path).has_value());
  child other(CAF_RAY_TRANSPORT_CHILD, {"join-path", path.string(), "1000", "600000"});
  auto theirs = joined.get_future();
  BOOST_TEST_REQUIRE((theirs.wait_for(soon) == std::future_status::ready));
  auto who = theirs.get();
  BOOST_TEST((ask<int>(here, who, 41) == 42));
  BOOST_TEST((ask<int>(here, who, ours, 5) == 50));
}

BOOST_AUTO_TEST_CASE(a_link_outlives_two_heartbeat_timeouts_without_messages) {
  constexpr link_timing calm{milliseconds(250), milliseconds(2500)};
  host here(calm);
  serving_child other(calm);
  auto theirs = other.join_from(here);
  caf::scoped_actor self(here.system);
  self->monitor(theirs);
  auto down = false;
  self->receive([&](const caf::down_msg&) { down = true; },
                caf::after(2 * calm.timeout + calm.heartbeat) >> [] {});
  BOOST_TEST(!down);
  BOOST_TEST((ask<int>(here, theirs, 1) == 2));
}

BOOST_AUTO_TEST_CASE(the_death_of_a_peer_is_seen_at_once) {
  host here(patient); // heartbeats would take ten minutes
  serving_child other(patient);
  auto theirs = other.join_from(here);
  BOOST_TEST((ask<int>(here, theirs, 1) == 2));
  auto start = clock_type::now();
  other.process.kill();
  auto seen = wait_for_down(here, theirs, start);
  BOOST_TEST(seen >= 0);
  BOOST_TEST_MESSAGE("kill -9 to down message: " << seen * 1e3 << " ms");
}

BOOST_AUTO_TEST_CASE(a_frozen_peer_is_seen_by_its_missing_heartbeats) {
  host here(quick);
  serving_child other(quick);
  auto before = open_descriptors() - 1; // without the link
  auto theirs = other.join_from(here);
  auto start = clock_type::now();
  kill(other.process.pid(), SIGSTOP);
  auto seen = wait_for_down(here, theirs, start);
  BOOST_TEST(seen >= 1.0);
  BOOST_TEST(descriptors_fall_to(before)); // the link is gone, not only forgotten
  BOOST_TEST_MESSAGE("SIGSTOP to down message: " << seen << " s");
}

BOOST_AUTO_TEST_CASE(a_frame_over_the_limit_ends_its_link_and_no_other) {
  host here(patient);
  serving_child good(patient), bad(patient);
  auto theirs = good.join_from(here);
  violation seen;
  auto offender = bad.join_from(here, seen.limits);
  auto ours = here.spawn(answerer);
  caf::anon_send(offender, ours, std::uint64_t(2 * max_control_message_bytes));
  BOOST_TEST(wait_for_down(here, offender, clock_type::now()) >= 0);
  BOOST_TEST(seen.wait().find("the limit is") != std::string::npos);
  BOOST_TEST((ask<int>(here, theirs, 1) == 2));
}

BOOST_AUTO_TEST_CASE(a_message_of_the_largest_allowed_size_passes) {
  host here(patient);
  serving_child other(patient);
  auto theirs = other.join_from(here);
  std::string largest(max_control_message_bytes, 'x');
  BOOST_TEST((ask<std::uint64_t>(here, theirs, largest) == largest.size()));
}

BOOST_AUTO_TEST_CASE(nothing_is_allocated_for_a_frame_that_only_claims_to_be_large) {
  host here(patient);
  auto ours = here.spawn(answerer);
  auto before = resident_bytes();
  for (auto i = 0; i < 4; ++i) {
    violation seen;
    raw_peer liar(here, ours, seen.limits);
    liar.send(basp_header(1, 0xf0000000));
    BOOST_TEST(liar.ends());
    BOOST_TEST(seen.wait().find("4026531840") != std::string::npos);
  }
  BOOST_TEST(resident_bytes() < before + attack_bytes);
}

BOOST_AUTO_TEST_CASE(a_handshake_without_content_ends_its_link_and_not_the_process) {
  host here(patient);
  serving_child other(patient);
  auto theirs = other.join_from(here);
  auto ours = here.spawn(answerer);
  for (unsigned char operation : {0, 1}) {
    raw_peer killer(here, ours, {});
    killer.send(basp_header(operation, 0));
    BOOST_TEST(killer.ends());
  }
  BOOST_TEST((ask<int>(here, theirs, 1) == 2));
}

BOOST_AUTO_TEST_CASE(silent_peers_disturb_nobody_and_are_dropped) {
  constexpr link_timing usual;
  host here(usual);
  serving_child other(usual);
  auto theirs = other.join_from(here);
  auto ours = here.spawn(answerer);
  std::vector<raw_peer> silent;
  for (auto i = 0; i < 100; ++i)
    silent.emplace_back(here, ours, link_limits{});
  BOOST_TEST((ask<int>(here, theirs, 1) == 2));
  for (auto& peer : silent)
    BOOST_TEST(peer.ends());
  BOOST_TEST((ask<int>(here, theirs, 1) == 2));
}

BOOST_AUTO_TEST_CASE(a_peer_that_does_not_read_loses_its_link_when_too_much_waits_for_it) {
  host here(patient);
  serving_child good(patient), frozen(patient);
  auto theirs = good.join_from(here);
  violation seen;
  seen.limits.max_buffer_bytes = 8 * 1024 * 1024;
  auto deaf = frozen.join_from(here, seen.limits);
  kill(frozen.process.pid(), SIGSTOP);
  auto before = resident_bytes();
  for (auto i = 0; i < 64; ++i)
    caf::anon_send(deaf, std::string(max_control_message_bytes, 'x'));
  BOOST_TEST(wait_for_down(here, deaf, clock_type::now()) >= 0);
  BOOST_TEST(seen.wait().find("outgoing bytes wait") != std::string::npos);
  BOOST_TEST((ask<int>(here, theirs, 1) == 2));
  BOOST_TEST_MESSAGE("resident memory grew by " << (resident_bytes() - before) / 1024 << " KiB");
}

BOOST_AUTO_TEST_CASE(a_system_ends_although_a_frozen_peer_does_not_take_its_last_messages) {
  auto start = clock_type::now();
  std::optional<host> here(std::in_place, patient);
  serving_child frozen(patient);
  auto deaf = frozen.join_from(*here);
  BOOST_TEST((ask<int>(*here, deaf, 1) == 2));
  kill(frozen.process.pid(), SIGSTOP);
  for (auto i = 0; i < 8; ++i)
    caf::anon_send(deaf, std::string(max_control_message_bytes, 'x'));
  deaf = nullptr;
  here.reset();
  BOOST_TEST(seconds_since(start) < soon.count());
}

BOOST_AUTO_TEST_CASE(last_messages_reach_a_peer_that_reads) {
  std::optional<host> here(std::in_place, patient);
  host there(patient);
  std::promise<std::string> last;
  auto theirs = there.spawn([&](caf::event_based_actor*) -> caf::behavior {
    return {[&last](const std::string& text) { last.set_value(text); }};
  });
  auto pair = std::move(*make_child_socket());
  serve(there.system, std::move(*adopt_unix(pair.theirs.release())),
        caf::actor_cast<caf::strong_actor_ptr>(theirs));
  auto remote = join(here->system, std::move(pair.ours), soon);
  BOOST_TEST_REQUIRE(remote.has_value(), (remote ? "" : remote.error().what));
  caf::anon_send(caf::actor_cast<caf::actor>(*remote), std::string("goodbye"));
  remote->reset();
  here.reset();
  auto text = last.get_future();
  BOOST_TEST((text.wait_for(soon) == std::future_status::ready));
}

// CAF by itself ends the link at the first heartbeat.
BOOST_AUTO_TEST_CASE(a_peer_that_takes_several_heartbeats_to_serve_is_joined_all_the_same) {
  constexpr link_timing often{milliseconds(100), seconds(10)};
  host here(often), there(often);
  auto theirs = there.spawn(answerer);
  auto pair = std::move(*make_child_socket());
  auto joined =
    std::async(std::launch::async, [&] { return join(here.system, std::move(pair.ours), soon); });
  caf::scoped_actor self(here.system);
  self->receive([](int) {}, caf::after(milliseconds(500)) >> [] {});
  serve(there.system, std::move(*adopt_unix(pair.theirs.release())),
        caf::actor_cast<caf::strong_actor_ptr>(theirs));
  auto published = joined.get();
  BOOST_TEST(published.has_value(), (published ? "" : published.error().what));
}

BOOST_AUTO_TEST_CASE(joining_a_mute_peer_times_out) {
  host here(quick);
  auto pair = std::move(*make_child_socket());
  auto start = clock_type::now();
  auto published = join(here.system, std::move(pair.ours), milliseconds(200));
  BOOST_TEST((published.error().code == errc::timed_out), published.error().what);
  BOOST_TEST(seconds_since(start) >= 0.2);
}

BOOST_AUTO_TEST_CASE(joining_a_peer_that_stops_in_the_middle_times_out) {
  host here(patient);
  auto pair = std::move(*make_child_socket());
  auto bytes = basp_header(0, 100);
  BOOST_TEST(write(pair.theirs.get(), bytes.data(), bytes.size()) == 32);
  auto published = join(here.system, std::move(pair.ours), milliseconds(500));
  BOOST_TEST(!published.has_value());
}

BOOST_AUTO_TEST_CASE(joining_a_peer_that_hangs_up_fails) {
  host here(patient);
  auto pair = std::move(*make_child_socket());
  pair.theirs.reset();
  auto published = join(here.system, std::move(pair.ours), soon);
  BOOST_TEST((published.error().code == errc::io_failed), published.error().what);
}

BOOST_AUTO_TEST_CASE(joining_a_process_twice_keeps_the_first_link) {
  host here(patient), there(patient);
  auto theirs = there.spawn(answerer);
  caf::actor first;
  for (auto i = 0; i < 3; ++i) {
    auto pair = std::move(*make_child_socket());
    serve(there.system, std::move(*adopt_unix(pair.theirs.release())),
          caf::actor_cast<caf::strong_actor_ptr>(theirs));
    auto published = join(here.system, std::move(pair.ours), soon);
    BOOST_TEST_REQUIRE(published.has_value(), (published ? "" : published.error().what));
    auto again = caf::actor_cast<caf::actor>(*published);
    if (i == 0)
      first = again;
    BOOST_TEST((again == first));
    for (auto n = 0; n < 20; ++n)
      BOOST_TEST((ask<int>(here, first, n) == n + 1));
    auto ours = here.spawn(answerer);
    BOOST_TEST((ask<int>(here, first, ours, 1) == 2));
  }
}

BOOST_AUTO_TEST_CASE(another_version_of_the_protocol_is_refused) {
  caf::actor_system_config config;
  BOOST_TEST_REQUIRE(configure(config).has_value());
  config.set("middleman.app-identifiers", std::vector<std::string>{"caf-ray-0"});
  caf::actor_system old(config);
  host here(patient);
  auto theirs = old.spawn(answerer);
  auto pair = std::move(*make_child_socket());
  serve(old, std::move(*adopt_unix(pair.theirs.release())),
        caf::actor_cast<caf::strong_actor_ptr>(theirs));
  auto published = join(here.system, std::move(pair.ours), soon);
  caf::anon_send_exit(theirs, caf::exit_reason::kill);
  BOOST_TEST_REQUIRE(!published.has_value());
  BOOST_TEST((published.error().code == errc::version_mismatch), published.error().what);
}

BOOST_AUTO_TEST_CASE(every_system_has_a_random_node_id) {
  host one(quick), two(quick);
  auto stock = caf::node_id::default_data::local(caf::actor_system_config());
  auto text = [](const caf::node_id& id) { return to_string(id).substr(0, 38); };
  BOOST_TEST(text(one.system.node()) != text(two.system.node()));
  BOOST_TEST(text(one.system.node()) != text(stock));
  auto actor = one.spawn(answerer);
  BOOST_TEST((actor->node() == one.system.node()));
}

BOOST_AUTO_TEST_CASE(timing_that_would_break_healthy_links_is_refused) {
  caf::actor_system_config config;
  BOOST_TEST((configure(config, {seconds(1), seconds(2)}).error().code == errc::invalid_argument));
  BOOST_TEST((configure(config, {seconds(0), seconds(2)}).error().code == errc::invalid_argument));
}

BOOST_AUTO_TEST_CASE(a_round_trip_takes_microseconds) {
  host here(patient);
  serving_child other(patient);
  auto theirs = other.join_from(here);
  auto seconds = round_trip(here, theirs, 3000);
  BOOST_TEST_MESSAGE("round trip over a unix socket: " << seconds * 1e6 << " us");
}

BOOST_AUTO_TEST_SUITE_END()
