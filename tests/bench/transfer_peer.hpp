#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace caf_ray::bench {

/// Bytes over one TCP connection of this host, by nothing but the socket: what loopback gives.
class tcp_stream {
public:
  tcp_stream();
  ~tcp_stream();
  tcp_stream(const tcp_stream&) = delete;
  tcp_stream& operator=(const tcp_stream&) = delete;

  /// Seconds until all has arrived in `into`, which is as large. Throws std::runtime_error.
  double move(std::span<const std::byte> from, std::span<std::byte> into);

private:
  int ends_[2];
};

/// Messages over ZeroMQ on loopback, sent without a copy and dropped as they arrive: what ZeroMQ
/// gives at most, because no receiver does less with them.
class zmq_stream {
public:
  /// As many connections, with one I/O thread each on both sides.
  zmq_stream(bool curve, unsigned connections);
  ~zmq_stream();
  zmq_stream(const zmq_stream&) = delete;
  zmq_stream& operator=(const zmq_stream&) = delete;

  /// Seconds until all has arrived, in messages of `message_bytes`.
  double move(std::span<const std::byte> from, std::size_t message_bytes);

private:
  struct sockets;
  std::unique_ptr<sockets> sockets_;
};

} // namespace caf_ray::bench
