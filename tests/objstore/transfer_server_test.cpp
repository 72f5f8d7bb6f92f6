// What others can do to a host that serves: peers that take nothing, and what is no peer at all.

#include "objstore/transfer_server.hpp"

#include <filesystem>
#include <fstream>
#include <future>

#include "objstore/transfer_link.hpp"
#include "tests/objstore/cutting_proxy.hpp"
#include "tests/objstore/transfer_support.hpp"

namespace caf_ray::objstore {

using namespace test;
using namespace std::chrono_literals;

namespace {

wire::header request(std::uint64_t n, std::size_t size_bytes, std::size_t length_bytes) {
  wire::header x;
  x.pull = n;
  x.object = number(n);
  x.size_bytes = size_bytes;
  x.length_bytes = static_cast<std::uint32_t>(length_bytes);
  return x;
}

/// A peer without a transfer: it asks what it likes.
struct raw_peer {
  zmq::context_t context;
  curve_keys keys = make_curve_keys().value();
  std::optional<transfer_link> link;

  explicit raw_peer(const host& target) {
    BOOST_REQUIRE(target.link->admit(keys.public_key, "raw").has_value());
    link.emplace(context, target.source(), link_options{.keys = keys});
  }

  transfer_link::answer answer() {
    std::optional<result<transfer_link::answer>> came;
    BOOST_REQUIRE(eventually([&] { return (came = link->receive()).has_value(); }));
    BOOST_REQUIRE_MESSAGE(came->has_value(), came->error().what);
    return std::move(**came);
  }
};

/// Reads until the other side closes; how many bytes came. Nothing after a long time.
std::optional<std::size_t> read_to_end(int fd) {
  timeval limit{60, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  char buffer[4096];
  for (std::size_t sum = 0;;) {
    auto got = recv(fd, buffer, sizeof(buffer), 0);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
      return std::nullopt;
    if (got <= 0)
      return sum;
    sum += static_cast<std::size_t>(got);
  }
}

std::size_t descriptor_count() {
  std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

std::size_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t total = 0, resident = 0;
  file >> total >> resident;
  return resident * 4096;
}

/// The first bytes of a ZMTP 3.1 connection with CURVE.
std::string greeting() {
  std::string x("\xff\0\0\0\0\0\0\0\1\x7f\3\1", 12);
  x += "CURVE";
  x.resize(64, '\0');
  return x;
}

} // namespace

BOOST_AUTO_TEST_SUITE(transfer_server_)

BOOST_AUTO_TEST_CASE(each_request_gets_one_answer_of_its_kind) {
  host h;
  put(*h.objects, 1, 1000);
  auto unsealed = h.objects->create(number(2), 1000, long_time).value();
  raw_peer peer(h);
  peer.link->send(request(1, 1000, 500));
  auto chunk = peer.answer();
  BOOST_TEST((chunk.head.kind == wire::kind::chunk));
  BOOST_TEST(chunk.bytes.size() == 500u);
  auto check = request(1, 1000, 500);
  check.kind = wire::kind::check;
  peer.link->send(check);
  auto same = peer.answer();
  BOOST_TEST((same.head.kind == wire::kind::same));
  BOOST_TEST(same.head.checksum == chunk.head.checksum);
  BOOST_TEST(same.bytes.size() == 0u);
  peer.link->send(request(1, 999, 500));
  auto other = peer.answer();
  BOOST_TEST((other.head.kind == wire::kind::other_size));
  BOOST_TEST(other.head.size_bytes == 1000u);
  for (std::uint64_t n : {2, 3}) {
    peer.link->send(request(n, 1000, 500));
    BOOST_TEST((peer.answer().head.kind == wire::kind::not_found));
  }
}

BOOST_AUTO_TEST_CASE(messages_that_are_no_requests_are_dropped) {
  host h;
  put(*h.objects, 1, 1000);
  raw_peer peer(h);
  auto bad = request(1, 1000, 500);
  bad.kind = wire::kind::chunk;
  peer.link->send(bad);
  peer.link->socket().send(zmq::str_buffer("hello"), zmq::send_flags::none);
  peer.link->socket().send(zmq::message_t{}, zmq::send_flags::none);
  bad = request(1, 1000, 500);
  bad.offset_bytes = 900;
  peer.link->send(bad);
  auto bytes = wire::encode(request(1, 1000, 500));
  peer.link->socket().send(zmq::buffer(bytes), zmq::send_flags::sndmore);
  peer.link->socket().send(zmq::str_buffer("more"), zmq::send_flags::none);
  peer.link->send(request(1, 1000, 500));
  BOOST_TEST((peer.answer().head.kind == wire::kind::chunk));
  BOOST_TEST(h.link->stats().messages_dropped == 5u);
}

BOOST_AUTO_TEST_CASE(a_peer_that_takes_nothing_holds_no_more_than_it_may) {
  auto options = quick_options();
  options.owed_bytes = 16 * mib;
  options.heartbeat_timeout = 120s; // it is not to be taken for dead
  host h(64 * mib, options);
  constexpr auto size = 4 * mib;
  for (std::uint64_t n = 0; n < 12; ++n)
    put(*h.objects, n, size);
  host honest;
  h.admit(honest);
  {
    // Asks for 40 GiB, and its side takes in one message.
    raw_peer greedy(h);
    greedy.link.reset();
    zmq::socket_t lazy(greedy.context, zmq::socket_type::dealer);
    configure(lazy, {.keys = greedy.keys, .heartbeat_timeout = 120s});
    lazy.set(zmq::sockopt::heartbeat_ivl, 0); // see transfer_loop::listen
    lazy.set(zmq::sockopt::rcvhwm, 1);
    lazy.set(zmq::sockopt::curve_publickey, greedy.keys.public_key);
    lazy.set(zmq::sockopt::curve_serverkey, h.source().public_key);
    lazy.connect("tcp://127.0.0.1:" + std::to_string(h.source().port));
    for (std::uint64_t i = 0; i < 10'000; ++i) {
      auto bytes = wire::encode(request(i % 12, size, size));
      lazy.send(zmq::buffer(bytes), zmq::send_flags::none);
    }
    BOOST_TEST(eventually([&] { return h.link->stats().owed_bytes > 12 * mib; }));
    auto before = resident_bytes();
    // Others are served meanwhile.
    for (std::uint64_t n = 0; n < 12; ++n)
      BOOST_TEST(honest.pull_code(n, size, {h.source()}) == errc::none);
    BOOST_TEST(h.link->stats().owed_bytes <= 16 * mib);
    BOOST_TEST(resident_bytes() < before + 12 * size + 64 * mib);
  }
  BOOST_TEST(eventually([&] { return h.link->stats().owed_bytes == 0; }));
  BOOST_TEST(eventually([&] { return h.objects->stats().pinned_count == 0; }));
}

// libzmq aborted: heartbeats of a connection that had broken with more requests than it takes in.
BOOST_AUTO_TEST_CASE(a_peer_that_goes_in_a_flood_of_requests_ends_nobody) {
  host h;
  put(*h.objects, 1, 1000);
  // The thread that reads requests is kept from it.
  std::promise<void> begun, gate;
  h.link->pull(number(1), 1000, {}, long_time, [&](result<void>) {
    begun.set_value();
    gate.get_future().wait();
  });
  begun.get_future().get();
  std::optional<cutting_proxy> proxy(std::in_place, h.source().port, 0, 0, 0);
  raw_peer flood(h);
  flood.link.emplace(flood.context, through(*proxy, h), link_options{.keys = flood.keys});
  BOOST_TEST(eventually([&] { return flood.link->read_events().ready; }));
  for (int i = 0; i < 20'000; ++i)
    flood.link->send(request(1, 1000, 500));
  BOOST_TEST(eventually([&] { return proxy->forwarded_bytes() > 1000 * wire::header_bytes; }));
  proxy.reset();
  // Three heartbeats.
  auto waits = h.begin_pull(1, 1000, {});
  BOOST_TEST((waits.wait_for(3 * 250ms) == std::future_status::timeout));
  gate.set_value();
  BOOST_TEST(code_of(waits.get()) == errc::none);
  raw_peer other(h);
  other.link->send(request(1, 1000, 500));
  BOOST_TEST((other.answer().head.kind == wire::kind::chunk));
}

BOOST_AUTO_TEST_CASE(an_expelled_peer_gets_nothing_more) {
  host h;
  put(*h.objects, 1, 1000);
  raw_peer peer(h);
  peer.link->send(request(1, 1000, 500));
  BOOST_TEST((peer.answer().head.kind == wire::kind::chunk));
  h.link->expel(peer.keys.public_key);
  peer.link->send(request(1, 1000, 500));
  BOOST_TEST(eventually([&] { return h.link->stats().messages_dropped == 1; }));
  BOOST_TEST(!peer.link->receive());
  // Nor does it get in again.
  peer.link.emplace(peer.context, h.source(), link_options{.keys = peer.keys});
  BOOST_TEST(eventually([&] { return peer.link->read_events().refused; }));
  // And whoever is nobody is no reason to stumble.
  h.link->expel("nobody");
  h.link->expel(h.source().public_key);
  BOOST_REQUIRE(!h.link->admit("nobody", "nobody").has_value());
}

BOOST_AUTO_TEST_CASE(an_expelled_host_cannot_finish_its_pull) {
  host theirs, ours;
  theirs.admit(ours);
  put(*theirs.objects, 1, 50 * mib);
  auto pull = ours.begin_pull(1, 50 * mib, {theirs.source()}, 5s * caf_ray::test::slowdown);
  BOOST_TEST(eventually([&] { return ours.link->stats().bytes_in > 0; }));
  theirs.link->expel(ours.source().public_key);
  BOOST_TEST(code_of(pull.get()) != errc::none);
  BOOST_TEST(theirs.link->stats().bytes_out < 50 * mib);
  BOOST_TEST(!ours.objects->contains(number(1)));
}

BOOST_AUTO_TEST_CASE(a_damaged_spill_file_is_as_good_as_no_copy) {
  host theirs, ours;
  theirs.admit(ours);
  put(*theirs.objects, 1, mib);
  theirs.objects->spill_down_to(0).value();
  for (const auto& path : theirs.disk.files())
    std::filesystem::resize_file(path, 100);
  BOOST_TEST(ours.pull_code(1, mib, {theirs.source()}) == errc::object_lost);
}

BOOST_AUTO_TEST_CASE(bytes_of_strangers_on_the_port_disturb_nobody) {
  auto options = quick_options();
  options.handshake_timeout = 300ms * caf_ray::test::slowdown;
  host theirs(64 * mib, options), ours;
  theirs.admit(ours);
  put(*theirs.objects, 1, 20 * mib);
  auto port = theirs.source().port;
  auto descriptors = descriptor_count();
  auto memory = resident_bytes();
  auto pull = ours.begin_pull(1, 20 * mib, {theirs.source()});

  std::mt19937_64 random(seed());
  std::string garbage(4 * mib, '\0');
  std::ranges::generate(garbage, [&] { return static_cast<char>(random()); });
  std::string huge_frame = greeting();
  huge_frame.append("\6\0\0\1\0\0\0\0\0", 9); // a command of 2^40 bytes
  std::string large_frame = greeting();
  large_frame.append("\6\0\0\0\0\x40\0\0\0", 9); // and one of 2^30
  large_frame.append(mib, 'x');
  std::vector<std::string> texts = {
    garbage, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", huge_frame, large_frame, greeting(), "", "\xff"};
  for (int i = 0; i < 200; ++i) {
    auto text = greeting();
    for (auto n = random() % 8; n > 0; --n)
      text[random() % text.size()] = static_cast<char>(random());
    text += garbage.substr(random() % mib, random() % 300);
    texts.push_back(text);
  }
  std::vector<int> open;
  for (const auto& text : texts) {
    int fd = connect_to(port);
    BOOST_REQUIRE(fd >= 0);
    for (std::size_t sent = 0; sent < text.size();) {
      auto n = send(fd, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (n <= 0)
        break; // it has hung up already
      sent += static_cast<std::size_t>(n);
    }
    open.push_back(fd);
  }
  // None of them gets more than a handshake, and none may stay.
  for (int fd : open) {
    auto got = read_to_end(fd);
    BOOST_TEST(got.has_value(), "a silent connection is left open");
    BOOST_TEST(got.value_or(0) < 1024u);
    close(fd);
  }
  BOOST_TEST(code_of(pull.get()) == errc::none);
  BOOST_TEST(ours.link->stats().retries == 0u);
  check(*ours.objects, 1, 20 * mib);
  BOOST_TEST(eventually([&] { return descriptor_count() <= descriptors + 10; }));
  if (caf_ray::test::slowdown == 1) // sanitizers keep what is freed
    BOOST_TEST(resident_bytes() < memory + 20 * mib + 48 * mib);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace caf_ray::objstore
