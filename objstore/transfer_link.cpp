#include "objstore/transfer_link.hpp"

#include <atomic>
#include <cstdint>
#include <cstring>
#include <utility>

namespace caf_ray::objstore {

namespace {

int to_int(std::chrono::milliseconds x) {
  return static_cast<int>(x.count());
}

constexpr int watched = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH
                        | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL
                        | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CLOSED;

/// Each link's events need a name of their own.
std::string next_events_endpoint() {
  static std::atomic<std::uint64_t> last{0};
  return "inproc://transfer-link-" + std::to_string(++last);
}

bool receive_now(zmq::socket_t& socket, zmq::message_t& into) {
  return socket.recv(into, zmq::recv_flags::dontwait).has_value();
}

} // namespace

void configure(zmq::socket_t& socket, const link_options& options) {
  socket.set(zmq::sockopt::linger, 0);
  socket.set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(options.max_frame_bytes));
  socket.set(zmq::sockopt::heartbeat_ivl, to_int(options.heartbeat_interval));
  socket.set(zmq::sockopt::heartbeat_timeout, to_int(options.heartbeat_timeout));
  // The other side judges us by this, too: a ping cannot be sent behind data that is not taken.
  socket.set(zmq::sockopt::heartbeat_ttl, to_int(options.heartbeat_timeout));
  socket.set(zmq::sockopt::tcp_maxrt, to_int(options.heartbeat_timeout));
  socket.set(zmq::sockopt::handshake_ivl, to_int(options.handshake_timeout));
  socket.set(zmq::sockopt::curve_secretkey, options.keys.secret_key);
}

transfer_link::transfer_link(zmq::context_t& context, const transfer_source& source,
                             const link_options& options)
  : socket_(context, zmq::socket_type::dealer), events_(context, zmq::socket_type::pair) {
  configure(socket_, options);
  // Requests are bounded by the window, and answers by requests.
  socket_.set(zmq::sockopt::sndhwm, 0);
  socket_.set(zmq::sockopt::rcvhwm, 0);
  // A link that failed is made anew, by us.
  socket_.set(zmq::sockopt::reconnect_ivl, -1);
  socket_.set(zmq::sockopt::connect_timeout, to_int(options.handshake_timeout));
  socket_.set(zmq::sockopt::curve_publickey, options.keys.public_key);
  socket_.set(zmq::sockopt::curve_serverkey, source.public_key);
  auto endpoint = next_events_endpoint();
  if (zmq_socket_monitor(socket_.handle(), endpoint.c_str(), watched) != 0)
    throw zmq::error_t{};
  watch_.reset(socket_.handle());
  events_.set(zmq::sockopt::linger, 0);
  events_.connect(endpoint);
  auto address = "tcp://" + source.host + ':' + std::to_string(source.port);
  for (unsigned i = 0; i < options.connections; ++i)
    socket_.connect(address);
}

bool transfer_link::send(const wire::header& request) {
  auto bytes = wire::encode(request);
  return socket_.send(zmq::buffer(bytes), zmq::send_flags::dontwait).has_value();
}

std::optional<result<transfer_link::answer>> transfer_link::receive() {
  zmq::message_t head;
  if (!receive_now(socket_, head))
    return std::nullopt;
  answer out;
  bool more = head.more();
  // A message is there as a whole or not at all.
  if (more && receive_now(socket_, out.bytes))
    more = out.bytes.more();
  if (more) {
    for (zmq::message_t rest; more && receive_now(socket_, rest);)
      more = rest.more();
    return fail(errc::corrupt, "sent a message of more than two frames");
  }
  auto decoded = wire::decode({head.data<std::byte>(), head.size()});
  if (!decoded)
    return tl::unexpected{std::move(decoded).error()};
  out.head = *decoded;
  auto expected = out.head.kind == wire::kind::chunk ? out.head.length_bytes : 0u;
  if (out.bytes.size() != expected)
    return fail(errc::corrupt, "sent " + std::to_string(out.bytes.size()) + " bytes instead of "
                                 + std::to_string(expected));
  return out;
}

transfer_link::news transfer_link::read_events() {
  news out;
  zmq::message_t event, address;
  while (receive_now(events_, event)) {
    if (event.more())
      (void)receive_now(events_, address);
    std::uint16_t what = 0;
    if (event.size() < sizeof(what))
      continue;
    std::memcpy(&what, event.data(), sizeof(what));
    std::string failure;
    switch (what) {
      case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: out.ready = true; continue;
      case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
        out.refused = true;
        failure = "does not admit our key";
        break;
      case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
      case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
        failure = "ended the handshake; has it the key that was named?";
        break;
      case ZMQ_EVENT_DISCONNECTED: failure = "ended the connection"; break;
      case ZMQ_EVENT_CLOSED: failure = "cannot be reached"; break;
      default: continue;
    }
    if (!out.failure)
      out.failure = std::move(failure);
  }
  return out;
}

} // namespace caf_ray::objstore
