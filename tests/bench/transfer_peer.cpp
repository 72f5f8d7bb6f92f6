#include "tests/bench/transfer_peer.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.hpp>

#include "tests/bench/measure.hpp"

namespace caf_ray::bench {

namespace {

constexpr std::size_t mib = std::size_t{1} << 20;

/// Sent and not received, about.
constexpr std::size_t flight_bytes = 16 * mib;

[[noreturn]] void fail(const std::string& doing) {
  throw std::runtime_error("cannot " + doing + ": " + std::strerror(errno));
}

} // namespace

tcp_stream::tcp_stream() {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* any = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener, any, size) != 0 || listen(listener, 1) != 0
      || getsockname(listener, any, &size) != 0)
    fail("listen on loopback");
  ends_[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(ends_[0], any, size) != 0)
    fail("connect over loopback");
  ends_[1] = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  close(listener);
}

tcp_stream::~tcp_stream() {
  close(ends_[0]);
  close(ends_[1]);
}

double tcp_stream::move(std::span<const std::byte> from, std::span<std::byte> into) {
  stopwatch watch;
  std::thread sender([this, from] {
    for (std::size_t sent = 0; sent < from.size();) {
      auto n = send(ends_[0], from.data() + sent, std::min(mib, from.size() - sent), MSG_NOSIGNAL);
      if (n <= 0)
        return;
      sent += static_cast<std::size_t>(n);
    }
  });
  std::size_t got = 0;
  while (got < into.size()) {
    auto n = recv(ends_[1], into.data() + got, std::min(mib, into.size() - got), 0);
    if (n <= 0)
      break;
    got += static_cast<std::size_t>(n);
  }
  auto seconds = watch.seconds();
  if (got < into.size())
    shutdown(ends_[1], SHUT_RDWR); // so that the sender ends, too
  sender.join();
  if (got < into.size())
    fail("receive over loopback");
  return seconds;
}

struct zmq_stream::sockets {
  explicit sockets(int threads)
    : source(threads), target(threads), sender(source, zmq::socket_type::dealer),
      receiver(target, zmq::socket_type::dealer) {}

  zmq::context_t source, target;
  zmq::socket_t sender, receiver;
};

zmq_stream::zmq_stream(bool curve, unsigned connections)
  : sockets_(std::make_unique<sockets>(static_cast<int>(connections))) {
  auto& [source, target, sender, receiver] = *sockets_;
  for (auto* x : {&sender, &receiver}) {
    x->set(zmq::sockopt::linger, 0);
    // In messages; with ours of half a MiB, and shared by the connections.
    auto limit = std::max(1, static_cast<int>(flight_bytes / (mib / 2) / connections));
    x->set(zmq::sockopt::sndhwm, limit);
    x->set(zmq::sockopt::rcvhwm, limit);
  }
  if (curve) {
    char public_key[41], secret_key[41];
    zmq_curve_keypair(public_key, secret_key);
    sender.set(zmq::sockopt::curve_server, true);
    sender.set(zmq::sockopt::curve_secretkey, std::string{secret_key});
    receiver.set(zmq::sockopt::curve_serverkey, std::string{public_key});
    zmq_curve_keypair(public_key, secret_key);
    receiver.set(zmq::sockopt::curve_publickey, std::string{public_key});
    receiver.set(zmq::sockopt::curve_secretkey, std::string{secret_key});
  }
  sender.bind("tcp://127.0.0.1:*");
  for (unsigned i = 0; i < connections; ++i)
    receiver.connect(sender.get(zmq::sockopt::last_endpoint));
}

zmq_stream::~zmq_stream() = default;

double zmq_stream::move(std::span<const std::byte> from, std::size_t message_bytes) {
  stopwatch watch;
  std::thread sending([this, from, message_bytes] {
    for (std::size_t at = 0; at < from.size(); at += message_bytes) {
      auto piece = from.subspan(at, std::min(message_bytes, from.size() - at));
      zmq::message_t message{const_cast<std::byte*>(piece.data()), piece.size(),
                             [](void*, void*) {}, nullptr};
      sockets_->sender.send(message, zmq::send_flags::none);
    }
  });
  for (std::size_t got = 0; got < from.size();) {
    zmq::message_t message;
    (void)sockets_->receiver.recv(message);
    got += message.size();
  }
  auto seconds = watch.seconds();
  sending.join();
  return seconds;
}

} // namespace caf_ray::bench
