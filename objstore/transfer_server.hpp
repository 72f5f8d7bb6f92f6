#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <unordered_map>

#include <zmq.hpp>

#include "objstore/store.hpp"
#include "objstore/transfer_errands.hpp"
#include "objstore/transfer_gate.hpp"
#include "objstore/transfer_wire.hpp"

namespace caf_ray::objstore {

/// The serving side: answers each request for a chunk with the chunk, straight from the arena, or
/// with why not. Remembers nothing of a pull. One thread.
///
/// What a peer can make us hold: pins on the objects it has asked for and not taken, `owed_bytes`
/// at most; then it is told that we are busy, and of that many times also not more. Spilled objects
/// are read back by an errand, and the peer asks again meanwhile.
class transfer_server {
public:
  using clock = std::chrono::steady_clock;

  struct options {
    std::shared_ptr<store> objects;
    std::size_t owed_bytes = 64 * 1024 * 1024;
    std::chrono::milliseconds restore_patience{10'000};
  };

  /// `gate` and `errands` must live longer. `post` has something done on the server's thread, or
  /// not at all when that ends; thread-safe.
  transfer_server(options opts, const transfer_gate* gate, transfer_errands& errands,
                  std::function<void(std::function<void()>)> post);
  /// Errands that wait are stopped.
  ~transfer_server();

  /// Reads one request from a ROUTER socket with ROUTER_MANDATORY and answers it. False when there
  /// is none.
  bool receive(zmq::socket_t& router);

  /// Lets go of what nobody has asked for lately. To be called now and then.
  void sweep(clock::time_point now);

  // Thread-safe.
  std::uint64_t bytes_out() const { return bytes_out_.load(std::memory_order_relaxed); }
  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }
  std::uint64_t owed_bytes() const { return owed_bytes_->load(std::memory_order_relaxed); }

private:
  using counter = std::atomic<std::size_t>;

  /// An object that was read back for a peer: pinned until nobody has asked for some time, because
  /// it would be the first to be evicted.
  struct restored {
    /// Nothing yet, or what the read came to: `chunk` with the object, or `not_found`.
    std::optional<wire::kind> verdict;
    pinned object;
    clock::time_point last_used;
  };
  struct found {
    pinned object;
    /// When there is no object.
    wire::kind why = wire::kind::not_found;
  };

  void answer(zmq::socket_t& router, zmq::message_t& route, const std::string& peer,
              wire::header head);
  found find(object_id id);
  void restore(object_id id);
  void send(zmq::socket_t& router, zmq::message_t& route, const wire::header& head,
            zmq::message_t* bytes);
  std::shared_ptr<counter>& owed_to(const std::string& peer);

  options options_;
  const transfer_gate* gate_;
  transfer_errands& errands_;
  std::function<void(std::function<void()>)> post_;
  std::stop_source stop_;
  std::unordered_map<object_id, restored> restored_;
  /// By key. ZeroMQ's threads count down when a chunk is sent, or dropped with its connection.
  std::map<std::string, std::shared_ptr<counter>> owed_;
  std::shared_ptr<counter> owed_bytes_ = std::make_shared<counter>(0);
  std::atomic<std::uint64_t> bytes_out_{0};
  std::atomic<std::uint64_t> dropped_{0};
};

} // namespace caf_ray::objstore
