#include "libray/src/transport/connection.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>

#include <fcntl.h>
#include <sys/socket.h>

#include "gcs/folder.hpp"
#include "libray/src/transport/tls_session.hpp"
#include "libray/src/transport/unix_address.hpp"

namespace caf_ray::transport {

namespace {

using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

auto io_failed(const std::string& doing, int code) {
  return fail(errc::io_failed, doing + ": " + gcs::errno_text(code));
}

result<void> keep_private_and_non_blocking(int fd) {
  auto descriptor = fcntl(fd, F_GETFD);
  auto status = fcntl(fd, F_GETFL);
  if (descriptor < 0 || status < 0 || fcntl(fd, F_SETFD, descriptor | FD_CLOEXEC) < 0
      || fcntl(fd, F_SETFL, status | O_NONBLOCK) < 0)
    return io_failed("cannot set flags of socket " + std::to_string(fd), errno);
  return {};
}

} // namespace

std::string to_string(const peer& who) {
  switch (who.kind) {
    case peer_kind::process: return "process " + std::to_string(who.pid) + " at " + who.address;
    case peer_kind::node:
      return "node at " + who.address + ", certificate " + who.fingerprint.substr(0, 16);
    case peer_kind::driver:
      return "driver at " + who.address + ", certificate " + who.fingerprint.substr(0, 16);
  }
  return who.address;
}

connection::connection(file_descriptor fd, peer who)
  : connection(std::move(fd), std::move(who), {}) {}

connection::connection(file_descriptor fd, peer who, std::unique_ptr<tls_session> session)
  : fd_(std::move(fd)), who_(std::move(who)), session_(std::move(session)) {}

connection::connection(connection&&) noexcept = default;

connection& connection::operator=(connection&& other) noexcept {
  session_ = std::move(other.session_); // the old session says goodbye while its socket is open
  fd_ = std::move(other.fd_);
  who_ = std::move(other.who_);
  return *this;
}

connection::~connection() = default;

std::unique_ptr<tls_session> connection::release_session() noexcept {
  return std::move(session_);
}

result<connection> connect_unix(const std::filesystem::path& path, milliseconds patience) {
  auto address = unix_address(path);
  if (!address)
    return tl::unexpected(address.error());
  auto deadline = clock::now() + patience;
  file_descriptor fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd)
    return io_failed("cannot make a socket for " + path.string(), errno);
  while (connect(fd.get(), reinterpret_cast<sockaddr*>(&*address), sizeof(*address)) != 0) {
    auto code = errno;
    if (code == ENOENT || code == ECONNREFUSED)
      return fail(errc::not_found, "nobody listens at " + path.string() + ": "
                                     + gcs::errno_text(code) + "; is the node running?");
    if (code == EACCES || code == EPERM)
      return fail(refused, "no right to connect to " + path.string() + " as uid "
                             + std::to_string(geteuid())
                             + ": the socket belongs to another user's node");
    if (code != EAGAIN && code != EINTR)
      return io_failed("cannot connect to " + path.string(), code);
    if (clock::now() >= deadline)
      return fail(errc::timed_out, path.string() + " did not accept a connection within "
                                     + std::to_string(patience.count()) + " ms");
    if (code == EAGAIN) // the kernel tells nobody when a unix listener's queue has room again
      std::this_thread::sleep_for(milliseconds(2));
  }
  return adopt_unix(std::move(fd), "unix:" + path.string());
}

result<connection> adopt_unix(int fd) {
  return adopt_unix(file_descriptor(fd), "pair");
}

result<connection> adopt_unix(file_descriptor fd, std::string address) {
  ucred credentials{};
  socklen_t size = sizeof(credentials);
  int domain = 0;
  socklen_t domain_size = sizeof(domain);
  if (getsockopt(fd.get(), SOL_SOCKET, SO_DOMAIN, &domain, &domain_size) != 0)
    return io_failed("descriptor " + std::to_string(fd.get()) + " (" + address + ") is no socket",
                     errno);
  if (domain != AF_UNIX)
    return fail(refused, "socket " + std::to_string(fd.get()) + " (" + address
                           + ") is no unix socket, so nobody can tell who is at its other end");
  if (getsockopt(fd.get(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
    return io_failed("cannot ask who is at the other end of " + address, errno);
  if (credentials.uid != geteuid())
    return fail(refused, "process " + std::to_string(credentials.pid) + " at " + address
                           + " runs as uid " + std::to_string(credentials.uid)
                           + ", this one as uid " + std::to_string(geteuid())
                           + ": only processes of one user may connect to each other");
  if (auto set = keep_private_and_non_blocking(fd.get()); !set)
    return tl::unexpected(set.error());
  peer who;
  who.pid = credentials.pid;
  who.address = std::move(address);
  return connection(std::move(fd), std::move(who));
}

result<child_socket> make_child_socket() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return io_failed("cannot make a socket pair for a child process", errno);
  file_descriptor theirs(ends[1]);
  auto ours = adopt_unix(ends[0]);
  if (!ours)
    return tl::unexpected(ours.error());
  if (fcntl(theirs.get(), F_SETFD, 0) != 0)
    return io_failed("cannot make socket " + std::to_string(ends[1]) + " inheritable", errno);
  return child_socket{std::move(*ours), std::move(theirs)};
}

} // namespace caf_ray::transport
