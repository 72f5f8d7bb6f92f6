#include "libray/src/transport/frame_guard.hpp"

#include <algorithm>
#include <cstring>

namespace caf_ray::transport {

namespace {

// BASP: one byte of operation, two of padding, one of flags, then the payload's length, big endian.
constexpr unsigned char last_handshake = 1; // 0 and 1 are the server's and the client's
constexpr std::size_t length_at = 4;

} // namespace

bool frame_guard::accept(const char* bytes, std::size_t count) {
  while (count > 0 && reason_.empty()) {
    std::size_t step;
    if (to_skip_ > 0) {
      step = std::min(to_skip_, count);
      to_skip_ -= step;
    } else {
      step = std::min(header_bytes - collected_, count);
      std::memcpy(header_.data() + collected_, bytes, step);
      collected_ += step;
      if (collected_ == header_bytes)
        look_at_header();
    }
    bytes += step;
    count -= step;
  }
  return reason_.empty();
}

void frame_guard::look_at_header() {
  collected_ = 0;
  std::uint32_t length = 0;
  for (auto i = length_at; i < length_at + sizeof(length); ++i)
    length = length << 8 | header_[i];
  auto handshake = header_[0] <= last_handshake;
  if (!handshake && !shaken_hands_)
    reason_ = "its first frame is no handshake";
  else if (handshake && length == 0)
    reason_ = "it sent a handshake without content";
  else if (length > max_payload_bytes_)
    reason_ = "it announced a frame of " + std::to_string(length) + " bytes, the limit is "
              + std::to_string(max_payload_bytes_);
  shaken_hands_ = true;
  to_skip_ = length;
}

} // namespace caf_ray::transport
