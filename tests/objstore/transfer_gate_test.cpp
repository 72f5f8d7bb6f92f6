#include "objstore/transfer_gate.hpp"

#include "objstore/transfer_link.hpp"
#include "tests/objstore/transfer_support.hpp"

namespace caf_ray::objstore {

using namespace test;
using namespace std::chrono_literals;

namespace {

/// A ROUTER with our keys, with a gate before it or without one.
struct door {
  zmq::context_t context;
  std::unique_ptr<transfer_gate> gate;
  curve_keys keys = make_curve_keys().value();
  zmq::socket_t socket;
  std::uint16_t port = 0;

  explicit door(bool gated) {
    if (gated)
      gate = std::make_unique<transfer_gate>(context);
    socket = zmq::socket_t{context, zmq::socket_type::router};
    configure(socket, {.keys = keys});
    socket.set(zmq::sockopt::curve_server, true);
    socket.set(zmq::sockopt::zap_domain, "caf-ray");
    socket.set(zmq::sockopt::rcvtimeo, 60'000);
    socket.bind("tcp://127.0.0.1:*");
    auto bound = socket.get(zmq::sockopt::last_endpoint);
    port = static_cast<std::uint16_t>(std::stoul(bound.substr(bound.rfind(':') + 1)));
  }
  ~door() {
    socket.close();
    context.shutdown();
  }

  transfer_source source() const { return {"127.0.0.1", port, keys.public_key}; }
};

/// What comes of a client with these keys: "in", "refused", or why its link failed otherwise.
std::string knock(door& at, const curve_keys& keys) {
  zmq::context_t own;
  transfer_link link(own, at.source(), {.keys = keys});
  transfer_link::news news;
  if (!eventually([&] {
        news = link.read_events();
        return news.ready || news.failure;
      }))
    return "nothing";
  return news.ready ? "in" : news.refused ? "refused" : *news.failure;
}

} // namespace

BOOST_AUTO_TEST_SUITE(transfer_gate_)

BOOST_AUTO_TEST_CASE(only_admitted_keys_get_in_and_only_as_long_as_they_are) {
  door d(true);
  auto friend_keys = make_curve_keys().value(), stranger = make_curve_keys().value();
  auto key = parse_key(friend_keys.public_key).value();
  BOOST_TEST(knock(d, friend_keys) == "refused");
  d.gate->admit(key, "a friend");
  BOOST_TEST(knock(d, friend_keys) == "in");
  BOOST_TEST(knock(d, stranger) == "refused");
  d.gate->expel(key);
  BOOST_TEST(knock(d, friend_keys) == "refused");
  BOOST_TEST(d.gate->refused_total() == 3u);
}

// Why there is a gate, and a test at the start of whether it works.
BOOST_AUTO_TEST_CASE(without_a_gate_libzmq_lets_everybody_in) {
  door d(false);
  BOOST_TEST(knock(d, make_curve_keys().value()) == "in");
}

BOOST_AUTO_TEST_CASE(messages_name_the_key_of_their_sender) {
  door d(true);
  auto keys = make_curve_keys().value();
  d.gate->admit(parse_key(keys.public_key).value(), "node 7");
  zmq::context_t own;
  transfer_link link(own, d.source(), {.keys = keys});
  BOOST_TEST(link.send({}));
  zmq::message_t route, body;
  BOOST_REQUIRE(d.socket.recv(route).has_value());
  BOOST_REQUIRE(d.socket.recv(body).has_value());
  std::string user = body.gets("User-Id");
  BOOST_TEST(user == keys.public_key);
  BOOST_TEST(d.gate->name_of(user).value() == "node 7");
  d.gate->expel(parse_key(keys.public_key).value());
  BOOST_TEST(!d.gate->name_of(user));
}

BOOST_AUTO_TEST_CASE(clients_without_curve_do_not_get_in) {
  door d(true);
  zmq::context_t own;
  zmq::socket_t client(own, zmq::socket_type::dealer), events(own, zmq::socket_type::pair);
  client.set(zmq::sockopt::linger, 0);
  BOOST_REQUIRE(zmq_socket_monitor(client.handle(), "inproc://events", ZMQ_EVENT_ALL) == 0);
  events.connect("inproc://events");
  client.connect("tcp://127.0.0.1:" + std::to_string(d.port));
  bool in = false, failed = false;
  BOOST_TEST(eventually([&] {
    zmq::message_t event, address;
    if (events.recv(event, zmq::recv_flags::dontwait)) {
      (void)events.recv(address);
      auto what = *event.data<std::uint16_t>();
      in |= what == ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
      failed |= what == ZMQ_EVENT_DISCONNECTED;
    }
    return failed;
  }));
  BOOST_TEST(!in);
  zmq_socket_monitor(client.handle(), nullptr, 0);
}

// What libzmq never sends, but whoever can reach the endpoint inside the process might.
BOOST_AUTO_TEST_CASE(questions_it_does_not_understand_are_answered_with_no) {
  door d(true);
  const std::vector<std::vector<std::string>> questions = {
    {},
    {"1.0"},
    {"1.0", "id", "caf-ray", "address", "", "CURVE"},
    {"1.0", "id", "caf-ray", "address", "", "CURVE", "short"},
    {"1.0", "id", "caf-ray", "address", "", "PLAIN", std::string(32, 'x')},
    {"2.0", "id", "caf-ray", "address", "", "CURVE", std::string(32, 'x')},
    {"1.0", "id", "caf-ray", "address", "", "CURVE", std::string(32, 'x'), "more"},
  };
  for (const auto& question : questions) {
    zmq::socket_t client(d.context, zmq::socket_type::req);
    client.set(zmq::sockopt::linger, 0);
    client.set(zmq::sockopt::rcvtimeo, 60'000);
    client.connect("inproc://zeromq.zap.01");
    for (const auto& frame : question)
      client.send(zmq::buffer(frame), zmq::send_flags::sndmore);
    client.send(zmq::message_t{}, zmq::send_flags::none);
    std::vector<std::string> reply;
    for (zmq::message_t frame; reply.empty() || frame.more();) {
      BOOST_REQUIRE(client.recv(frame).has_value());
      reply.push_back(frame.to_string());
    }
    BOOST_REQUIRE(reply.size() == 6u);
    BOOST_TEST(reply[2] == "400");
  }
}

BOOST_AUTO_TEST_CASE(a_context_has_one_gate) {
  door d(true);
  BOOST_CHECK_THROW(transfer_gate{d.context}, zmq::error_t);
}

BOOST_AUTO_TEST_CASE(keys_are_read_and_written_as_z85) {
  auto text = make_curve_keys().value().public_key;
  BOOST_TEST(to_text(parse_key(text).value()) == text);
  BOOST_TEST(!parse_key(""));
  BOOST_TEST(!parse_key(text.substr(1)));
  BOOST_TEST(!parse_key(text + text));
  BOOST_TEST(!parse_key(std::string(40, ' ')));
  BOOST_TEST(!parse_key(std::string(40, '\0')));
  BOOST_TEST(!parse_key(std::string(40, '\xff')));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace caf_ray::objstore
