#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace caf_ray::transport {

/// Reads the headers of incoming BASP frames before CAF does, and says when a link must end. CAF
/// 0.17.6 allocates what a header claims, up to 4 GiB, and dereferences null at a handshake without
/// payload. Bytes may come split anywhere. Pure: no socket, no CAF.
class frame_guard {
public:
  /// Of a BASP header on the wire.
  static constexpr std::size_t header_bytes = 32;

  explicit frame_guard(std::size_t max_payload_bytes) : max_payload_bytes_(max_payload_bytes) {}

  /// Looks at the next bytes of the stream. False from the first header on that claims more than
  /// allowed, or is a handshake without payload, or comes before any handshake.
  bool accept(const char* bytes, std::size_t count);

  /// Why `accept` said no, for people; empty before.
  const std::string& reason() const noexcept { return reason_; }

private:
  void look_at_header();

  std::size_t max_payload_bytes_;
  std::array<unsigned char, header_bytes> header_;
  std::size_t collected_ = 0; // of the header
  std::size_t to_skip_ = 0;   // of the payload
  bool shaken_hands_ = false;
  std::string reason_;
};

} // namespace caf_ray::transport
