#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include <zmq.hpp>

#include "gcs/types/error.hpp"

namespace caf_ray::objstore {

/// 32 bytes, the binary form of a CURVE key.
using curve_key = std::array<std::byte, 32>;

/// Nothing when `text` is not 40 characters of Z85.
std::optional<curve_key> parse_key(std::string_view text);
std::string to_text(const curve_key& key);

/// Who may connect. Answers libzmq's questions (ZAP, RFC 27) on a thread of its own for all sockets
/// of one context, and says no to whatever it does not understand. Must exist before any of them
/// binds, since libzmq admits everybody while nobody answers.
class transfer_gate {
public:
  /// What libzmq writes on each message of an admitted peer as its "User-Id": the key's text.
  /// Throws zmq::error_t when the context has a gate already or no socket left.
  explicit transfer_gate(zmq::context_t& context);
  /// The context must have been shut down.
  ~transfer_gate();
  transfer_gate(const transfer_gate&) = delete;
  transfer_gate& operator=(const transfer_gate&) = delete;

  // Thread-safe:
  void admit(const curve_key& key, std::string name);
  void expel(const curve_key& key);
  /// The name of the peer, if it is admitted now.
  std::optional<std::string> name_of(std::string_view user_id) const;

  std::uint64_t refused_total() const { return refused_.load(std::memory_order_relaxed); }

private:
  void run();
  void answer();

  mutable std::mutex mutex_;
  std::map<curve_key, std::string> admitted_;
  std::atomic<std::uint64_t> refused_{0};
  zmq::socket_t socket_;
  std::thread thread_;
};

} // namespace caf_ray::objstore
