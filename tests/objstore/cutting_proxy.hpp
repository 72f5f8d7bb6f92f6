#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <list>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/objstore/transfer_support.hpp"

namespace caf_ray::objstore::test {

/// An address of this host: 127.0.0.1 and a port, 0 for any.
inline sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

/// A TCP connection to a port of this host; -1 when there is none.
inline int connect_to(std::uint16_t port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto address = loopback(port);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0)
    return fd;
  close(fd);
  return -1;
}

/// Stands between two hosts and cuts each connection after a random number of bytes, from the seed;
/// both sides see a reset.
class cutting_proxy {
public:
  /// Between `least` and `most` bytes, both directions counted; 0 for both never cuts.
  cutting_proxy(std::uint16_t target, std::uint64_t seed, std::uint64_t least, std::uint64_t most)
    : target_(target), random_(seed), least_(least), most_(most) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto address = loopback(0);
    socklen_t size = sizeof(address);
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0
        || listen(listener_, 64) != 0
        || getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      throw std::runtime_error("the proxy cannot listen");
    port_ = ntohs(address.sin_port);
    stop_ = eventfd(0, EFD_CLOEXEC);
    thread_ = std::thread{[this] { run(); }};
  }
  ~cutting_proxy() {
    std::uint64_t one = 1;
    (void)!write(stop_, &one, sizeof(one));
    thread_.join();
    close(stop_);
  }
  cutting_proxy(const cutting_proxy&) = delete;
  cutting_proxy& operator=(const cutting_proxy&) = delete;

  std::uint16_t port() const { return port_; }
  int cut_count() const { return cuts_; }
  std::uint64_t forwarded_bytes() const { return forwarded_; }
  /// From the next cut on nobody gets through.
  void go_down() { down_ = true; }

private:
  struct connection {
    int ends[2];
    std::uint64_t left;
  };

  void run() {
    std::vector<char> buffer(256 * 1024);
    std::list<connection> open;
    for (bool stopped = false; !stopped;) {
      std::vector<pollfd> items{{stop_, POLLIN, 0}, {listener_, POLLIN, 0}};
      for (auto& c : open)
        for (int fd : c.ends)
          items.push_back({fd, POLLIN, 0});
      poll(items.data(), items.size(), -1);
      stopped = items[0].revents != 0;
      std::size_t at = 2;
      for (auto i = open.begin(); i != open.end();) {
        bool alive = true;
        for (int side = 0; side < 2; ++side, ++at)
          if (items[at].revents != 0 && alive)
            alive = forward(*i, side, buffer);
        if (!alive)
          cut(*i);
        i = alive ? std::next(i) : open.erase(i);
      }
      if (items[1].revents != 0)
        accept_one(open);
    }
    for (auto& c : open)
      cut(c);
    close(listener_);
  }

  void accept_one(std::list<connection>& open) {
    int from = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    int to = down_ ? -1 : connect_to(target_);
    if (from < 0 || to < 0) {
      close(from);
      close(to);
      return;
    }
    auto left = most_ == 0 ? UINT64_MAX : least_ + random_() % (most_ - least_ + 1);
    open.push_back({{from, to}, left});
  }

  bool forward(connection& c, int side, std::vector<char>& buffer) {
    auto got = recv(c.ends[side], buffer.data(), buffer.size(), 0);
    if (got <= 0)
      return false;
    auto size = std::min<std::uint64_t>(static_cast<std::uint64_t>(got), c.left);
    for (std::size_t sent = 0; sent < size;) {
      auto n = send(c.ends[1 - side], buffer.data() + sent, size - sent, MSG_NOSIGNAL);
      if (n <= 0)
        return false;
      sent += static_cast<std::size_t>(n);
    }
    c.left -= size;
    forwarded_ += size;
    cuts_ += c.left == 0 ? 1 : 0;
    return c.left > 0;
  }

  void cut(connection& c) {
    for (int fd : c.ends) {
      linger reset{1, 0};
      setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
      close(fd);
    }
  }

  std::uint16_t target_;
  std::uint16_t port_ = 0;
  std::mt19937_64 random_;
  std::uint64_t least_, most_;
  std::atomic<int> cuts_{0};
  std::atomic<std::uint64_t> forwarded_{0};
  std::atomic<bool> down_{false};
  int listener_ = -1;
  int stop_ = -1;
  std::thread thread_;
};

inline transfer_source through(const cutting_proxy& proxy, const host& target) {
  auto x = target.source();
  x.port = proxy.port();
  return x;
}

} // namespace caf_ray::objstore::test
