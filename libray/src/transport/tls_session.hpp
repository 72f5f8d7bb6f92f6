#pragma once

#include <cstddef>

namespace caf_ray::transport {

/// What a read or write that does not block came to.
enum class io_step { done, again, broken };

/// A TLS session over a socket that it does not own, the handshake done. Ends with a farewell to
/// the peer, as far as the socket takes it without blocking. Not thread-safe.
class tls_session {
public:
  virtual ~tls_session() = default;

  /// `moved`: bytes read or written, 0 unless `done`. `broken`: the peer is gone or not to be
  /// trusted any more.
  virtual io_step read(char* buffer, std::size_t size, std::size_t& moved) = 0;
  virtual io_step write(const char* bytes, std::size_t size, std::size_t& moved) = 0;

  /// Bytes are decrypted and wait here, so the socket need not become readable for the next read.
  virtual bool has_pending() const = 0;
};

} // namespace caf_ray::transport
