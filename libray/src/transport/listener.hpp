#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "gcs/types/error.hpp"
#include "libray/src/transport/connection.hpp"
#include "libray/src/transport/unix_door.hpp"

namespace caf_ray::transport {

struct listener_options {
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

  listener_counts counts() const;

private:
  using clock = std::chrono::steady_clock;
  using key = std::uint64_t;

  listener(handler, listener_options, file_descriptor epoll, file_descriptor wake);

  void run();
  void accept_from(unix_door&);
  void pause();
  void resume_if_due();
  result<void> watch(int fd, key, std::uint32_t events, int operation);
  void turn_away(const error&);

  const handler handler_;
  const listener_options options_;
  const file_descriptor epoll_;
  const file_descriptor wake_;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::uint64_t> accepted_ = 0;
  std::atomic<std::uint64_t> turned_away_ = 0;
  std::atomic<std::uint64_t> pauses_ = 0;
  clock::time_point paused_until_{}; // of the thread; zero when not paused

  std::mutex mutex_; // guards what follows; held while accepting, never in the callback
  key last_key_ = 0;
  std::unordered_map<key, unix_door> doors_;

  std::thread thread_; // last, so that it sees the rest
};

} // namespace caf_ray::transport
