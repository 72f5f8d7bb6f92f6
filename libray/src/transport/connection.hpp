#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <sys/types.h>

#include "gcs/types/error.hpp"
#include "libray/src/transport/file_descriptor.hpp"

/// Connections of the control plane, authenticated before anybody reads what came over them.
///
///     auto link = connect_unix("/run/user/1000/caf-ray/node.sock", std::chrono::seconds(5));
///     if (link)
///       auto published = join(system, std::move(*link), std::chrono::seconds(5)); // basp.hpp
namespace caf_ray::transport {

class tls_session;

/// The code of a peer that is alive and not let in: another user, a certificate that does not
/// convince. Trying again does not help.
inline constexpr errc refused = errc::invalid_argument;

enum class peer_kind {
  process, ///< of this host and our user, over a unix socket
  node,    ///< over TLS, with a certificate of the cluster for nodes
  driver,  ///< over TLS, with a certificate of the cluster for drivers
};

/// Who is at the other end, as proved, never as claimed.
struct peer {
  peer_kind kind = peer_kind::process;

  /// `process` only: who made the socket at the other end, and for an inherited pair who made the
  /// pair. May have ended since. 0 over TLS.
  pid_t pid = 0;

  /// TLS only: SHA-256 of the certificate in hex, and the DNS names in it.
  std::string fingerprint;
  std::vector<std::string> names;

  /// For logs: "unix:PATH", "pair", or "HOST:PORT".
  std::string address;
};

/// "process 4711 at unix:/run/..", "node at 10.0.0.2:4040, certificate 5f2a.."
std::string to_string(const peer&);

/// A connected socket that does not block, whose peer is known to be allowed, with its TLS session
/// if it has one, the handshake done. Empty after a move. Closes the socket; a TLS peer then sees
/// an orderly end. Not thread-safe.
class connection {
public:
  connection(file_descriptor, peer);
  connection(file_descriptor, peer, std::unique_ptr<tls_session>);
  connection(connection&&) noexcept;
  connection& operator=(connection&&) noexcept;
  ~connection();

  int fd() const noexcept { return fd_.get(); }
  const peer& who() const noexcept { return who_; }
  /// nullptr over unix sockets.
  tls_session* session() const noexcept { return session_.get(); }

  /// Hands over what the connection owns; the session must go before the descriptor does.
  std::unique_ptr<tls_session> release_session() noexcept;
  file_descriptor release_fd() noexcept { return std::move(fd_); }

private:
  file_descriptor fd_;
  peer who_;
  std::unique_ptr<tls_session> session_;
};

/// Connects to the unix socket at `path`. `patience` is for a listener whose queue is full; nobody
/// is waited for who does not listen yet. Blocks: not for threads of CAF's scheduler.
/// Errors: not_found (nobody listens there), refused (the listener runs as another user, both uids
/// are named), timed_out, invalid_argument (path over 107 bytes), io_failed.
result<connection> connect_unix(const std::filesystem::path& path,
                                std::chrono::milliseconds patience);

/// Takes an inherited end of a socket pair; owns `fd` from now on, also when it fails, and keeps it
/// from programs started later. Errors: refused (the pair was made by another user, or is no unix
/// socket), io_failed.
result<connection> adopt_unix(int fd);

/// As `adopt_unix`, for a connected socket that somebody accepted or connected.
result<connection> adopt_unix(file_descriptor fd, std::string address);

/// Both ends of a pair: `ours` is closed in programs that are started, `theirs` is inherited under
/// its number, which the child gives to `adopt_unix`. Close `theirs` as soon as the child runs:
/// until then every program that is started meanwhile inherits it too, and while a copy is open the
/// death of the child is not seen.
struct child_socket {
  connection ours;
  file_descriptor theirs;
};

/// Errors: io_failed (no descriptors left).
result<child_socket> make_child_socket();

} // namespace caf_ray::transport
