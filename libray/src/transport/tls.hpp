#pragma once

#include <memory>
#include <string>

#include "gcs/types/error.hpp"
#include "libray/src/transport/connection.hpp"
#include "libray/src/transport/credentials.hpp"

namespace caf_ray::transport {

/// The way from a connected TCP socket to a proved connection, in steps that never block. TLS 1.3,
/// both sides show a certificate of the cluster; the accepting side must be a node, the connecting
/// one a node or driver. The accepting side ends with one byte of welcome, so that the connecting
/// one knows that it was let in, or why not: in TLS 1.3 its own part is over before that.
///
///     begin -> hello, certificates (OpenSSL) -> names and role checked -> welcome -> done
class handshake {
public:
  enum class side { accepting, connecting };
  enum class step { wants_read, wants_write, done, failed };

  /// Owns the socket, which must not block. `address`: of the peer, "HOST:PORT".
  handshake(const credentials&, file_descriptor, std::string address, side);
  handshake(handshake&&) noexcept;
  handshake& operator=(handshake&&) = delete;
  ~handshake();

  /// Goes as far as the socket allows. `done` and `failed` are final.
  step advance();

  int fd() const noexcept;
  const std::string& address() const noexcept;

  /// After `failed`: who was refused or refused us, and why. Code: refused, or io_failed when the
  /// peer hung up.
  const error& failure() const noexcept;

  /// After `done`, once.
  connection take();

private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace caf_ray::transport
