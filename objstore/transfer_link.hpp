#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include <zmq.hpp>

#include "objstore/transfer.hpp"
#include "objstore/transfer_wire.hpp"

namespace caf_ray::objstore {

/// How sockets behave on both sides; as in transfer_options.
struct link_options {
  curve_keys keys;
  unsigned connections = 1;
  /// The largest frame that is taken in.
  std::size_t max_frame_bytes = wire::max_chunk_bytes;
  std::chrono::milliseconds heartbeat_interval{1'000};
  std::chrono::milliseconds heartbeat_timeout{5'000};
  std::chrono::milliseconds handshake_timeout{5'000};
};

/// What both ends of a connection have in common: no lingering, heartbeats, deadlines, a bound on
/// frames; our key pair.
void configure(zmq::socket_t& socket, const link_options& options);

/// Our side of a few connections to one source. Fails as a whole and once, when any of them does:
/// then make a new one, which has nothing to do with answers to the old. One thread.
class transfer_link {
public:
  /// Starts to connect. Throws zmq::error_t: no socket left, or an address that is none.
  transfer_link(zmq::context_t& context, const transfer_source& source,
                const link_options& options);

  /// Queues it, also before the connection is there. False when the link takes nothing more.
  bool send(const wire::header& request);

  struct answer {
    wire::header head;
    /// Empty but for a chunk.
    zmq::message_t bytes;
  };
  /// The next answer, if there is one. Errors: version_mismatch, corrupt (not what a transfer
  /// says): the link is of no use any more.
  std::optional<result<answer>> receive();

  /// What happened to the connections since the last call.
  struct news {
    /// Both sides have proved who they are, on some connection.
    bool ready = false;
    /// It turned our key away.
    bool refused = false;
    /// Why the link failed, after "host:port".
    std::optional<std::string> failure;
  };
  news read_events();

  /// To be polled for input; each has its own of the two calls above.
  zmq::socket_t& socket() { return socket_; }
  zmq::socket_t& events() { return events_; }

private:
  struct stop_watching {
    void operator()(void* socket) const { zmq_socket_monitor(socket, nullptr, 0); }
  };

  zmq::socket_t socket_;
  zmq::socket_t events_;
  /// Ends first: libzmq's I/O thread waits for ever when it has news and `events_` is gone.
  std::unique_ptr<void, stop_watching> watch_;
};

} // namespace caf_ray::objstore
