#pragma once

#include <cstddef>
#include <sys/types.h>

namespace caf_ray::bench {

/// The least that a task in another process costs: bytes from this process through a second one to
/// a third and back, over unix sockets, by processes that do nothing else. Make it while this
/// process has one thread.
class relay_peer {
public:
  relay_peer();
  ~relay_peer();
  relay_peer(const relay_peer&) = delete;
  relay_peer& operator=(const relay_peer&) = delete;

  /// Microseconds from sending a message of 64 bytes until it is back, both relays sleeping when it
  /// comes; the mean of `count`.
  double round_trip_us(std::size_t count) const;
  /// Messages of 200 bytes a second, 100 in a write, that go there and back.
  double messages_per_second(std::size_t count) const;

private:
  int socket_ = -1;
  pid_t middle_ = 0;
  pid_t end_ = 0;
};

} // namespace caf_ray::bench
