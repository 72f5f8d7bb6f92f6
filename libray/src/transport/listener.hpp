#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>

#include "gcs/types/error.hpp"
#include "libray/src/transport/connection.hpp"
#include "libray/src/transport/credentials.hpp"
#include "libray/src/transport/tls.hpp"
#include "libray/src/transport/unix_door.hpp"

namespace caf_ray::transport {

struct listener_options {
  /// A TLS handshake must be over after this long.
  std::chrono::milliseconds patience{5000};

  /// TLS handshakes at a time. One more crowds out the oldest: those who know how need a moment,
  /// those who only wait would shut the door for everybody.
  std::size_t max_pending = 64;

  /// Told, in the listener's thread, of each connection that was turned away, and why.
  std::function<void(const error&)> turned_away;
};

/// How often something happened since the start.
struct listener_counts {
  std::uint64_t accepted = 0;    ///< handed to the callback
  std::uint64_t turned_away = 0; ///< wrong user or certificate, garbage, too slow, crowded out
  std::uint64_t pauses = 0;      ///< accepting stopped for a moment for want of descriptors
};

/// Accepts connections and finishes their handshakes in one thread of its own; hands over those
/// whose peer is proved. Without descriptors left it pauses accepting (100 ms at a time) and goes
/// on by itself; callers wait in the kernel's queue meanwhile. All functions from any thread.
class listener {
public:
  /// Called in the listener's thread; must not block, throw or destroy the listener.
  using handler = std::function<void(connection)>;

  /// Error: io_failed.
  static result<std::unique_ptr<listener>> start(handler, listener_options = {});

  /// Stops at once: closes what listens and what is not handed over; later connects are refused.
  ~listener();
  listener(const listener&) = delete;
  listener& operator=(const listener&) = delete;

  /// Listens at a path, for processes of our user; see `unix_door::open` for what is made and for
  /// the errors.
  result<void> listen_unix(const std::filesystem::path&);

  /// What TLS handshakes show and ask for from now on; links that are there stay.
  void use(const credentials&);

  /// Listens for other hosts at an IP address ("0.0.0.0": all of this host's) and returns the port;
  /// 0 takes a free one. Errors: not_supported (no credentials given yet), invalid_argument (no IP
  /// address), in_use, io_failed.
  result<std::uint16_t> listen_tcp(const std::string& address, std::uint16_t port);

  listener_counts counts() const;

private:
  using clock = std::chrono::steady_clock;
  using key = std::uint64_t;

  /// One of the two.
  struct door {
    std::optional<unix_door> local;
    file_descriptor tcp;

    int fd() const { return local ? local->fd() : tcp.get(); }
  };

  /// A TLS handshake that goes on.
  struct arrival {
    handshake hands;
    clock::time_point deadline;
  };

  listener(handler, listener_options, file_descriptor epoll, file_descriptor wake);

  result<void> add(door);
  result<void> watch(int fd, key, std::uint32_t events, int operation);

  // In the thread only:
  void run();
  int wait_limit() const;
  void accept_from(const door&);
  void begin_handshake(file_descriptor, const std::string& address);
  void go_on(std::map<key, arrival>::iterator);
  void end_handshakes_before(clock::time_point);
  void hand_over(connection);
  void turn_away(const error&);
  void pause();
  void resume_if_due();

  const handler handler_;
  const listener_options options_;
  const file_descriptor epoll_;
  const file_descriptor wake_;
  std::atomic<bool> stopping_ = false;
  std::atomic<key> last_key_ = 0;
  std::atomic<std::uint64_t> accepted_ = 0;
  std::atomic<std::uint64_t> turned_away_ = 0;
  std::atomic<std::uint64_t> pauses_ = 0;

  std::mutex mutex_; // guards the next two; never held in the callback
  std::optional<credentials> credentials_;
  std::unordered_map<key, door> doors_; // only grows

  // Of the thread. The oldest comes first, and its deadline is the next one.
  std::map<key, arrival> arrivals_;
  clock::time_point paused_until_{}; // zero when not paused

  std::thread thread_; // last, so that it sees the rest
};

} // namespace caf_ray::transport
