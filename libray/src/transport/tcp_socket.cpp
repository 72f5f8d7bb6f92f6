#include "libray/src/transport/tcp_socket.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <future>
#include <memory>
#include <system_error>
#include <thread>
#include <vector>

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>

#include "gcs/folder.hpp"
#include "libray/src/transport/tls.hpp"

namespace caf_ray::transport {

namespace {

using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr int backlog = 512;
constexpr unsigned unacknowledged_ms = 10'000;

struct endpoint {
  sockaddr_storage address{};
  socklen_t size = 0;
};

struct lookup {
  int code = 0;
  std::vector<endpoint> found;
};

lookup look_up(const std::string& host, std::uint16_t port, int flags) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  lookup result;
  result.code = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
  std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(list, [](addrinfo* a) {
    if (a)
      freeaddrinfo(a);
  });
  for (auto a = list; a; a = a->ai_next) {
    endpoint e;
    std::memcpy(&e.address, a->ai_addr, a->ai_addrlen);
    e.size = a->ai_addrlen;
    result.found.push_back(e);
  }
  return result;
}

int milliseconds_until(clock::time_point deadline) {
  return static_cast<int>(
    std::max(std::chrono::ceil<milliseconds>(deadline - clock::now()).count(), 0L));
}

/// Waits for `events` or the deadline; false at the deadline.
bool wait_for(int fd, short events, clock::time_point deadline) {
  pollfd one{fd, events, 0};
  for (;;) {
    auto left = milliseconds_until(deadline);
    auto ready = poll(&one, 1, left);
    if (ready > 0)
      return true;
    if (left == 0)
      return false;
  }
}

/// Names are looked up in a thread of their own, which outlives us if the name server is slow:
/// nothing else bounds getaddrinfo.
result<std::vector<endpoint>> find_host(const std::string& host, std::uint16_t port,
                                        clock::time_point deadline) {
  auto numeric = look_up(host, port, AI_NUMERICHOST);
  if (numeric.code == 0)
    return numeric.found;
  std::packaged_task<lookup()> task([host, port] { return look_up(host, port, AI_ADDRCONFIG); });
  auto answer = task.get_future();
  try {
    std::thread(std::move(task)).detach();
  } catch (const std::system_error& e) {
    return fail(errc::io_failed,
                "cannot look for " + host + ": no thread, " + gcs::errno_text(e.code().value()));
  }
  if (answer.wait_until(deadline) != std::future_status::ready)
    return fail(errc::timed_out, "the name server did not say in time where " + host + " is");
  auto found = answer.get();
  if (found.code != 0)
    return fail(errc::not_found, "there is no host " + host + ": " + gai_strerror(found.code));
  return std::move(found.found);
}

result<file_descriptor> connect_to(const endpoint& where, clock::time_point deadline) {
  auto name = to_string(where.address);
  file_descriptor fd(
    socket(where.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd)
    return fail(errc::io_failed,
                "cannot make a socket for " + name + ": " + gcs::errno_text(errno));
  tune_tcp(fd.get());
  auto code = 0;
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&where.address), where.size) != 0)
    code = errno;
  if (code == EINPROGRESS) {
    if (!wait_for(fd.get(), POLLOUT, deadline))
      return fail(errc::timed_out, name + " does not answer");
    socklen_t size = sizeof(code);
    getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &code, &size);
  }
  if (code != 0)
    return fail(code == ECONNREFUSED ? errc::not_found : errc::io_failed,
                "cannot connect to " + name + ": " + gcs::errno_text(code)
                  + (code == ECONNREFUSED ? "; is the node running?" : ""));
  return fd;
}

result<connection> shake_hands(handshake hands, clock::time_point deadline) {
  for (;;) {
    auto next = hands.advance();
    if (next == handshake::step::done)
      return hands.take();
    if (next == handshake::step::failed)
      return tl::unexpected(hands.failure());
    auto events = next == handshake::step::wants_read ? POLLIN : POLLOUT;
    if (!wait_for(hands.fd(), static_cast<short>(events), deadline))
      return fail(errc::timed_out, hands.address() + " did not finish the handshake in time");
  }
}

} // namespace

result<connection> connect_tls(const std::string& host, std::uint16_t port, const credentials& mine,
                               milliseconds patience) {
  auto deadline = clock::now() + patience;
  auto places = find_host(host, port, deadline);
  if (!places)
    return tl::unexpected(places.error());
  error last{errc::not_found, "there is no address of " + host};
  for (std::size_t i = 0; i < places->size(); ++i) {
    // An address that does not answer must leave time for those behind it.
    auto now = clock::now();
    auto share = now + (deadline - now) / static_cast<int>(places->size() - i);
    auto fd = connect_to((*places)[i], share);
    if (fd)
      return shake_hands(handshake(mine, std::move(*fd), to_string((*places)[i].address),
                                   handshake::side::connecting),
                         deadline);
    last = fd.error();
  }
  return tl::unexpected(last);
}

result<tcp_door> tcp_door::open(const std::string& address, std::uint16_t port) {
  auto where = look_up(address, port, AI_NUMERICHOST | AI_PASSIVE);
  if (where.code != 0 || where.found.empty())
    return fail(errc::invalid_argument, "'" + address
                                          + "' is no IP address to listen at: give "
                                            "one of this host, or 0.0.0.0 for all");
  auto place = where.found.front();
  auto name = to_string(place.address);
  tcp_door door;
  door.fd.reset(socket(place.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  auto on = 1;
  auto generic = reinterpret_cast<sockaddr*>(&place.address);
  if (!door.fd || setsockopt(door.fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0
      || bind(door.fd.get(), generic, place.size) != 0 || listen(door.fd.get(), backlog) != 0
      || getsockname(door.fd.get(), generic, &place.size) != 0)
    return fail(errno == EADDRINUSE ? errc::in_use : errc::io_failed,
                "cannot listen at " + name + ": " + gcs::errno_text(errno));
  door.port = ntohs(place.address.ss_family == AF_INET6
                      ? reinterpret_cast<sockaddr_in6&>(place.address).sin6_port
                      : reinterpret_cast<sockaddr_in&>(place.address).sin_port);
  return door;
}

void tune_tcp(int fd) {
  auto on = 1;
  auto limit = unacknowledged_ms;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit, sizeof(limit));
}

std::string to_string(const sockaddr_storage& address) {
  char host[NI_MAXHOST], port[NI_MAXSERV];
  if (getnameinfo(reinterpret_cast<const sockaddr*>(&address), sizeof(address), host, sizeof(host),
                  port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV)
      != 0)
    return "unknown address";
  std::string text;
  text += address.ss_family == AF_INET6 ? "[" : "";
  text += host;
  text += address.ss_family == AF_INET6 ? "]:" : ":";
  text += port;
  return text;
}

} // namespace caf_ray::transport
