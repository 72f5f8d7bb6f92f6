#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include <poll.h>
#include <sys/socket.h>

#include <boost/test/unit_test.hpp>

#include "libray/src/transport/credentials.hpp"
#include "libray/src/transport/listener.hpp"
#include "libray/src/transport/tcp_socket.hpp"
#include "libray/src/transport/tls_session.hpp"
#include "tests/libray/transport/arrivals.hpp"
#include "tests/libray/transport/exhaustion.hpp"
#include "tests/libray/transport/forged.hpp"
#include "tests/support/temp_folder.hpp"

namespace fs = std::filesystem;
using namespace caf_ray;
using namespace caf_ray::transport;
using caf_ray::test::temp_folder;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::system_clock;
using transport::test::arrivals;
using transport::test::call_without_descriptors;
using transport::test::dial;
using transport::test::forge;
using transport::test::identity;
using transport::test::is_closed;
using transport::test::is_refused;
using transport::test::read_identity;
using transport::test::soon;

namespace {

/// Two clusters of the same name, of which the second is an impostor's.
struct made_clusters {
  temp_folder folder;
  fs::path ours = folder.path / "ours";
  fs::path foreign = folder.path / "foreign";

  made_clusters() {
    auto now = system_clock::now(); // long enough ago for members that have expired
    BOOST_TEST_REQUIRE(keygen(ours, "blue", {now - hours(72), now + hours(72)}).has_value());
    BOOST_TEST_REQUIRE(keygen(foreign, "blue").has_value());
  }
};

credentials load(const fs::path& folder, wall_time now = system_clock::now()) {
  auto loaded = credentials::load(folder, now);
  BOOST_TEST_REQUIRE(loaded.has_value(), (loaded ? "" : loaded.error().what));
  return *loaded;
}

struct listening {
  made_clusters clusters;
  arrivals seen;
  std::unique_ptr<listener> door;
  std::uint16_t port = 0;

  explicit listening(milliseconds patience = soon, std::size_t max_pending = 64) {
    auto options = seen.options();
    options.patience = patience;
    options.max_pending = max_pending;
    door = listener::start(seen.callback(), options).value();
    door->use(load(clusters.ours / "node"));
    port = door->listen_tcp("127.0.0.1", 0).value();
  }

  result<connection> call(const fs::path& who) {
    return connect_tls("127.0.0.1", port, load(who), soon);
  }

  /// The server's end of the call that comes next.
  connection accepted() {
    BOOST_TEST_REQUIRE(seen.wait_for(1));
    return std::move(seen.take_links().at(0));
  }
};

bool passes(const connection& from, const connection& to, const std::string& text) {
  std::size_t moved = 0;
  if (from.session()->write(text.data(), text.size(), moved) != io_step::done
      || moved != text.size())
    return false;
  std::string got;
  auto give_up = std::chrono::steady_clock::now() + soon;
  while (got.size() < text.size() && std::chrono::steady_clock::now() < give_up) {
    pollfd readable{to.fd(), POLLIN, 0};
    poll(&readable, 1, 100);
    char bytes[100];
    if (to.session()->read(bytes, sizeof(bytes), moved) == io_step::broken)
      return false;
    got.append(bytes, moved);
  }
  return got == text;
}

} // namespace

BOOST_AUTO_TEST_SUITE(tls_connections)

BOOST_AUTO_TEST_CASE(nodes_and_drivers_of_the_cluster_get_in_and_both_sides_know_who_is_there) {
  listening here;
  for (auto [folder, kind] :
       {std::pair("node", peer_kind::node), std::pair("driver", peer_kind::driver)}) {
    auto who = here.clusters.ours / folder;
    auto theirs = here.call(who);
    BOOST_TEST_REQUIRE(theirs.has_value(), (theirs ? "" : theirs.error().what));
    auto ours = here.accepted();
    BOOST_TEST((ours.who().kind == kind));
    BOOST_TEST(ours.who().fingerprint == load(who).fingerprint());
    BOOST_TEST(ours.who().names.size() == 2U);
    BOOST_TEST((theirs->who().kind == peer_kind::node));
    BOOST_TEST(theirs->who().fingerprint == load(here.clusters.ours / "node").fingerprint());
    BOOST_TEST(passes(*theirs, ours, "ping"));
    BOOST_TEST(passes(ours, *theirs, "pong"));
  }
}

BOOST_AUTO_TEST_CASE(a_member_issued_later_gets_in) {
  listening here;
  auto third = here.clusters.folder.path / "third";
  BOOST_TEST_REQUIRE(issue(here.clusters.ours / "authority", third, peer_kind::node).has_value());
  BOOST_TEST(here.call(third).has_value());
}

BOOST_AUTO_TEST_CASE(a_member_of_a_foreign_authority_is_refused_by_its_own_check_of_us) {
  listening here;
  auto answer = here.call(here.clusters.foreign / "node");
  BOOST_TEST((answer.error().code == refused));
  BOOST_TEST(here.seen.wait_for(0, 1));
}

// What the server says of strangers who do not check it, and who would go on to speak BASP.
BOOST_AUTO_TEST_CASE(strangers_are_refused_whatever_they_show) {
  listening here;
  auto authority = here.clusters.ours / "authority";
  auto expired = here.clusters.folder.path / "expired";
  auto now = system_clock::now();
  BOOST_TEST_REQUIRE(
    issue(authority, expired, peer_kind::node, {now - hours(48), now - hours(24)}).has_value());

  auto foreign = read_identity(here.clusters.foreign / "node", "own.crt", "own.key");
  auto old = read_identity(expired, "own.crt", "own.key");
  auto elsewhere = forge(authority, "DNS:caf-ray-red,DNS:node.caf-ray-red");
  auto no_role = forge(authority, "DNS:caf-ray-blue");
  auto other_role = forge(authority, "DNS:caf-ray-blue,DNS:boss.caf-ray-blue");
  auto other_node = forge(authority, "DNS:caf-ray-blue,DNS:node.caf-ray-red");
  auto wildcard = forge(authority, "DNS:*,DNS:node.caf-ray-blue");
  auto good = forge(authority, "DNS:caf-ray-blue,DNS:node.caf-ray-blue");
  struct row {
    const char* what;
    const identity* shown;
    int version;
  };
  std::string killer(32, '\0');
  killer[15] = 1;
  std::size_t refusals = 0;
  for (auto& r :
       {row{"no certificate", nullptr, TLS1_3_VERSION},
        row{"a foreign authority", &foreign, TLS1_3_VERSION},
        row{"an expired certificate", &old, TLS1_3_VERSION},
        row{"another cluster", &elsewhere, TLS1_3_VERSION},
        row{"no role", &no_role, TLS1_3_VERSION},
        row{"an unknown role", &other_role, TLS1_3_VERSION},
        row{"a role of another cluster", &other_node, TLS1_3_VERSION},
        row{"a wildcard", &wildcard, TLS1_3_VERSION}, row{"TLS 1.2", &good, TLS1_2_VERSION}}) {
    BOOST_TEST(is_refused(here.port, r.shown, r.version, killer), r.what);
    BOOST_TEST(here.seen.wait_for(0, ++refusals), r.what);
    BOOST_TEST_MESSAGE(r.what << ": " << here.seen.refusals().back().what);
  }
  BOOST_TEST(here.seen.take_links().empty());

  // The same stranger with the right certificate is let in, so the refusals meant something.
  BOOST_TEST(!is_refused(here.port, &good, TLS1_3_VERSION, ""));
  BOOST_TEST(here.seen.wait_for(1));
}

BOOST_AUTO_TEST_CASE(a_caller_is_told_that_and_why_it_was_refused) {
  listening here;
  auto expired = here.clusters.folder.path / "expired";
  auto now = system_clock::now();
  BOOST_TEST_REQUIRE(issue(here.clusters.ours / "authority", expired, peer_kind::node,
                           {now - hours(48), now - hours(24)})
                       .has_value());
  auto answer = connect_tls("127.0.0.1", here.port, load(expired, now - hours(30)), soon);
  BOOST_TEST((answer.error().code == refused));
  BOOST_TEST(answer.error().what.find("expired") != std::string::npos, answer.error().what);
  BOOST_TEST(answer.error().what.find("127.0.0.1:" + std::to_string(here.port))
               != std::string::npos,
             answer.error().what);
}

BOOST_AUTO_TEST_CASE(a_driver_is_not_accepted_as_a_server) {
  listening here;
  here.door->use(load(here.clusters.ours / "driver"));
  auto answer = here.call(here.clusters.ours / "node");
  BOOST_TEST((answer.error().code == refused));
}

BOOST_AUTO_TEST_CASE(new_credentials_are_for_new_handshakes_and_links_stay) {
  listening here;
  auto theirs = here.call(here.clusters.ours / "node");
  auto ours = here.accepted();
  here.door->use(load(here.clusters.foreign / "node"));
  BOOST_TEST((here.call(here.clusters.ours / "node").error().code == refused));
  BOOST_TEST(here.call(here.clusters.foreign / "driver").has_value());
  BOOST_TEST(passes(*theirs, ours, "still"));
  BOOST_TEST(passes(ours, *theirs, "here"));
}

BOOST_AUTO_TEST_CASE(those_who_say_nothing_are_closed_after_the_patience) {
  listening here(milliseconds(300));
  auto start = std::chrono::steady_clock::now();
  std::vector<file_descriptor> silent;
  for (auto i = 0; i < 20; ++i)
    silent.push_back(dial(here.port));
  for (auto& fd : silent)
    BOOST_TEST(is_closed(fd.get()));
  BOOST_TEST((std::chrono::steady_clock::now() - start >= milliseconds(300)));
  BOOST_TEST(here.seen.wait_for(0, 20));
}

BOOST_AUTO_TEST_CASE(bytes_now_and_then_do_not_buy_time) {
  listening here(milliseconds(300));
  auto slow = dial(here.port);
  std::string hello = "\x16\x03\x01\x02"; // the beginning of a TLS record
  for (auto byte : hello) {
    send(slow.get(), &byte, 1, MSG_NOSIGNAL);
    pollfd closed{slow.get(), POLLIN, 0};
    poll(&closed, 1, 50);
  }
  BOOST_TEST(is_closed(slow.get()));
}

BOOST_AUTO_TEST_CASE(a_crowd_that_says_nothing_does_not_keep_members_out) {
  listening here(soon, 16);
  std::vector<file_descriptor> silent;
  for (auto i = 0; i < 100; ++i)
    silent.push_back(dial(here.port));
  auto start = std::chrono::steady_clock::now();
  BOOST_TEST(here.call(here.clusters.ours / "node").has_value());
  BOOST_TEST((std::chrono::steady_clock::now() - start < soon / 2));
  BOOST_TEST(here.seen.wait_for(1, 84));
}

BOOST_AUTO_TEST_CASE(the_end_of_a_listener_does_not_wait_for_handshakes) {
  listening here;
  std::vector<file_descriptor> silent;
  for (auto i = 0; i < 5; ++i)
    silent.push_back(dial(here.port));
  BOOST_TEST(here.call(here.clusters.ours / "node").has_value()); // so the five are begun
  auto start = std::chrono::steady_clock::now();
  here.door.reset();
  BOOST_TEST((std::chrono::steady_clock::now() - start < soon / 2));
  for (auto& fd : silent)
    BOOST_TEST(is_closed(fd.get()));
}

BOOST_AUTO_TEST_CASE(a_peer_that_hangs_up_raises_no_signal) {
  listening here;
  auto theirs = here.call(here.clusters.ours / "node");
  auto ours = here.accepted();
  theirs = tl::unexpected(error{});
  std::string much(1 << 20, 'x');
  std::size_t moved = 0;
  auto last = io_step::done;
  for (auto i = 0; i < 100 && last != io_step::broken; ++i) {
    last = ours.session()->write(much.data(), much.size(), moved);
    pollfd writable{ours.fd(), POLLOUT, 0};
    poll(&writable, 1, 100);
  }
  BOOST_TEST((last == io_step::broken)); // and we are alive to see it
}

BOOST_AUTO_TEST_CASE(without_descriptors_the_port_pauses_quietly_and_serves_members_later) {
  listening here;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(here.port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto waiting =
    call_without_descriptors(*here.door, reinterpret_cast<sockaddr*>(&address), sizeof(address));
  BOOST_TEST(here.call(here.clusters.ours / "node").has_value());
}

BOOST_AUTO_TEST_CASE(a_mute_server_is_given_up_at_the_deadline) {
  made_clusters clusters;
  auto mute = tcp_door::open("127.0.0.1", 0);
  auto answer =
    connect_tls("127.0.0.1", mute.value().port, load(clusters.ours / "node"), milliseconds(200));
  BOOST_TEST((answer.error().code == errc::timed_out), answer.error().what);
}

BOOST_AUTO_TEST_CASE(where_nobody_listens_the_error_says_so) {
  made_clusters clusters;
  std::uint16_t port = tcp_door::open("127.0.0.1", 0).value().port; // closed again
  auto answer = connect_tls("127.0.0.1", port, load(clusters.ours / "node"), soon);
  BOOST_TEST((answer.error().code == errc::not_found), answer.error().what);
  BOOST_TEST(answer.error().what.find(std::to_string(port)) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_host_that_does_not_exist_is_named_before_the_deadline) {
  made_clusters clusters;
  auto start = std::chrono::steady_clock::now();
  auto answer =
    connect_tls("no-such-host.invalid", 1, load(clusters.ours / "node"), milliseconds(3000));
  BOOST_TEST(answer.error().what.find("no-such-host.invalid") != std::string::npos);
  BOOST_TEST((std::chrono::steady_clock::now() - start < soon));
}

BOOST_AUTO_TEST_CASE(listening_needs_credentials_an_address_and_a_free_port) {
  listening here;
  arrivals unused;
  auto bare = listener::start(unused.callback()).value();
  BOOST_TEST((bare->listen_tcp("127.0.0.1", 0).error().code == errc::not_supported));
  BOOST_TEST((here.door->listen_tcp("localhost", 0).error().code == errc::invalid_argument));
  BOOST_TEST((here.door->listen_tcp("127.0.0.1", here.port).error().code == errc::in_use));
  BOOST_TEST((here.door->listen_tcp("192.0.2.1", 0).error().code == errc::io_failed));
}

BOOST_AUTO_TEST_SUITE_END()
