#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>

#include <caf/actor_control_block.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include "gcs/types/error.hpp"
#include "gcs/types/limits.hpp"
#include "libray/src/transport/connection.hpp"

/// Ready connections handed to CAF's network layer (BASP): actors of two processes then talk as if
/// they were in one, and a lost link is a down message.
namespace caf_ray::transport {

/// How soon silence is a failure. Both sides of a link need the same.
struct link_timing {
  /// A sign of life is sent this often.
  std::chrono::milliseconds heartbeat{1000};
  /// A link is lost when nothing complete came for this long; seen at most one heartbeat later.
  /// At least three heartbeats.
  std::chrono::milliseconds timeout{5000};
};

/// What a link may cost before it is closed. The rest of the system goes on; those who monitor
/// actors behind the link get down messages.
struct link_limits {
  /// Payload of one incoming frame; nothing is allocated for a larger one. The room above a control
  /// message is for what CAF adds to it.
  std::size_t max_frame_bytes = max_control_message_bytes + 64 * 1024;

  /// Outgoing bytes that the peer has not taken from us.
  std::size_t max_buffer_bytes = 64 * 1024 * 1024;

  /// Told, in CAF's network thread, which link was closed for breaking a limit, and why.
  std::function<void(const peer&, const std::string& why)> closed;
};

/// Loads CAF's network module into a system that is not made yet: heartbeats on, no deserialiser
/// threads (half the round trip), no connection that we did not make, an id that is random, since
/// CAF's own repeats across containers, and a version of our own in handshakes. Opens no port.
/// Error: invalid_argument (timing).
result<void> configure(caf::actor_system_config&, const link_timing& = {});

/// Gives the peer of a connection access to this system, which was made with `configure`; the peer
/// gets `published` as its first handle.
/// CAF then keeps `published` until it quits. Returns at once; a link that fails later is closed,
/// and the peer's side sees it. Any thread.
void serve(caf::actor_system&, connection, const caf::strong_actor_ptr& published,
           const link_limits& = {});

/// The other side of `serve`: what the peer publishes. Waits, so not for threads of CAF's
/// scheduler. Joining a process twice is no error: the older link stays, the new one closes.
/// Errors: timed_out, io_failed (closed by the peer), version_mismatch, not_found (the peer
/// publishes no actor).
result<caf::strong_actor_ptr> join(caf::actor_system&, connection,
                                   std::chrono::milliseconds patience, const link_limits& = {});

} // namespace caf_ray::transport
