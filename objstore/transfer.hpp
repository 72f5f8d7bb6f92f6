#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gcs/types/error.hpp"
#include "gcs/types/ids.hpp"
#include "objstore/store.hpp"

/// Bulk transfer: brings objects from the stores of other hosts into ours, over ZeroMQ.
///
///   auto mine = transfer::start({.objects = store, .keys = *make_curve_keys()}).value();
///   mine->admit(their_public_key, "node 7");              // they may pull from us
///   mine->pull(id, size, {their_endpoint}, 30s, [](result<void> how) { ... });
///
/// Bytes go from the source's arena to the socket without a copy, and from what ZeroMQ received
/// into our arena with one. Both sides prove who they are by CURVE keys; see the README of this
/// folder for what that costs. Small values never come this way.
namespace caf_ray::objstore {

/// A CURVE key pair, each 40 characters of Z85. The secret one is for nobody else.
struct curve_keys {
  std::string public_key;
  std::string secret_key;
};

/// A new pair from the system's random source. Errors: not_supported (libzmq without CURVE).
result<curve_keys> make_curve_keys();

/// Where a copy of an object is to be had: another transfer's `endpoint`.
struct transfer_source {
  std::string host;
  std::uint16_t port = 0;
  /// The key that the host must prove to have; 40 characters of Z85.
  std::string public_key;

  auto operator<=>(const transfer_source&) const = default;
};

struct transfer_options {
  /// Required. What is served, and where to put what is pulled.
  std::shared_ptr<store> objects;
  /// Address to listen on, a number or a name of this host.
  std::string host = "127.0.0.1";
  /// 0: any free one.
  std::uint16_t port = 0;
  curve_keys keys;

  // -- pulling --
  /// What is asked for at once: 64 KiB to 16 MiB. Smaller ones cost more messages, larger ones more
  /// cache and more time until a broken link is noticed.
  std::size_t chunk_bytes = 512 * 1024;
  /// Asked of one source and not here yet, at most; at least a chunk.
  std::size_t window_bytes = 8 * 1024 * 1024;
  /// The same over all sources: the memory that ZeroMQ may fill for us.
  std::size_t flight_bytes = 64 * 1024 * 1024;
  /// Objects in our store that are being filled, at most; later pulls wait. A larger one is filled
  /// alone.
  std::size_t filling_bytes = 512 * 1024 * 1024;
  /// TCP connections to one source, 1 to 16.
  unsigned connections = 2;
  /// Failures in a row after which a pull leaves a source alone; links that broke after they had
  /// brought something do not count. And how long a source rests after its link failed: doubles
  /// from the first to the last.
  unsigned attempts = 3;
  std::chrono::milliseconds first_backoff{100};
  std::chrono::milliseconds last_backoff{1'000};
  /// A link that nobody has needed for so long is closed.
  std::chrono::milliseconds link_idle{30'000};

  // -- serving --
  /// Bytes that one peer has asked for and not taken from us, at most: what its pins may hold.
  std::size_t owed_bytes = 64 * 1024 * 1024;
  /// How long reading a spilled object back may wait for space.
  std::chrono::milliseconds restore_patience{10'000};

  // -- both --
  /// ZeroMQ's threads; encryption runs in them, a connection each in one.
  unsigned io_threads = 2;
  /// Every so often something must be heard from a peer, or its link ends after the second.
  std::chrono::milliseconds heartbeat_interval{1'000};
  std::chrono::milliseconds heartbeat_timeout{5'000};
  /// Who connects must have proved who he is by then.
  std::chrono::milliseconds handshake_timeout{5'000};
  /// For tests of the start: without the handler that knows whom to admit, libzmq admits everybody,
  /// so `start` must fail.
  bool with_gate = true;
};

/// Since the start, but for those that say "now".
struct transfer_stats {
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t pulls_done = 0;
  std::uint64_t pulls_failed = 0;
  /// Now, waiting ones included.
  std::uint64_t pulls_open = 0;
  /// Times a pull turned to another source, or to the same once more.
  std::uint64_t retries = 0;
  /// Chunks whose bytes did not have their checksum; chunks that two sources have differently.
  std::uint64_t damaged_chunks = 0;
  std::uint64_t different_chunks = 0;
  /// Connections that were turned away, the start's own stranger among them; and messages that were
  /// dropped: not understood, from a peer that is not admitted any more, or for one that takes
  /// nothing.
  std::uint64_t strangers_refused = 0;
  std::uint64_t messages_dropped = 0;
  /// Now: bytes that peers have asked for and not taken; links to sources.
  std::uint64_t owed_bytes = 0;
  std::uint64_t link_count = 0;
};

class transfer_loop;

/// Thread-safe, but for its end.
class transfer {
public:
  /// Listens, starts the threads, and tries the door: a client with a new random key must be turned
  /// away, and one with our own key get an answer. Errors: invalid_argument (an option outside its
  /// range, keys that are none), in_use (the port), io_failed (no such address, no descriptors; the
  /// door does not hold), not_supported.
  static result<std::unique_ptr<transfer>> start(transfer_options options);

  /// Pulls that are under way end with shut_down; takes as long as a read from disk that is under
  /// way, else well under 0.5 s. Not to be called from a `done`.
  ~transfer();
  transfer(const transfer&) = delete;
  transfer& operator=(const transfer&) = delete;

  /// For others, to pull from us.
  const transfer_source& endpoint() const { return endpoint_; }

  /// Whoever proves to have this key may pull from us from now on; `name` stands for him in texts.
  /// Errors: invalid_argument (not a key).
  result<void> admit(std::string_view public_key, std::string name);
  /// And no more: new connections are refused, old ones get nothing from here on but what was
  /// already on its way. Unknown keys are ignored.
  void expel(std::string_view public_key);

  /// Called once for each `pull`, on the transfer's own thread, which does nothing else meanwhile:
  /// be quick, do not throw. May call `pull` and `cancel`.
  using done = std::function<void(result<void>)>;

  /// Brings an object of exactly `size_bytes` into our store, sealed, from any of these sources.
  /// Done at once if the store has it. Pulls of one object join: their sources are added up and the
  /// longest patience counts for all. Errors: invalid_argument (a source is none, or a pull of the
  /// object says another size); object_lost (no source is left; the text says why of each);
  /// corrupt (bytes did not have their checksum, twice); store_full, io_failed (as of
  /// store::create); timed_out; cancelled; shut_down.
  void pull(object_id id, std::size_t size_bytes, std::vector<transfer_source> sources,
            std::chrono::milliseconds patience, done callback);

  /// All who joined the pull of this object get cancelled. Unknown ones are ignored.
  void cancel(object_id id);

  transfer_stats stats() const;

private:
  transfer(std::unique_ptr<transfer_loop> loop, transfer_source endpoint);

  std::unique_ptr<transfer_loop> loop_;
  transfer_source endpoint_;
};

} // namespace caf_ray::objstore
