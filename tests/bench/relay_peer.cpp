#include "tests/bench/relay_peer.hpp"

#include <stdexcept>
#include <string>
#include <vector>

#include <csignal>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/measure.hpp"

namespace caf_ray::bench {

namespace {

constexpr std::size_t message_bytes = 200;
constexpr std::size_t messages_per_write = 100;

/// False at the end of the connection.
bool write_all(int to, const char* data, std::size_t size) {
  while (size > 0) {
    auto count = write(to, data, size);
    if (count <= 0)
      return false;
    data += count;
    size -= static_cast<std::size_t>(count);
  }
  return true;
}

bool read_all(int from, char* data, std::size_t size) {
  while (size > 0) {
    auto count = read(from, data, size);
    if (count <= 0)
      return false;
    data += count;
    size -= static_cast<std::size_t>(count);
  }
  return true;
}

/// Passes on what comes from either side, until one ends.
[[noreturn]] void relay(int left, int right) {
  std::vector<char> buffer(256 * 1024);
  for (;;) {
    pollfd both[] = {{left, POLLIN, 0}, {right, POLLIN, 0}};
    poll(both, 2, -1);
    for (int i = 0; i < 2; ++i) {
      if (!both[i].revents)
        continue;
      auto count = read(both[i].fd, buffer.data(), buffer.size());
      if (count <= 0 || !write_all(both[1 - i].fd, buffer.data(), static_cast<std::size_t>(count)))
        _exit(0);
    }
  }
}

[[noreturn]] void echo(int with) {
  std::vector<char> buffer(256 * 1024);
  for (;;) {
    auto count = read(with, buffer.data(), buffer.size());
    if (count <= 0 || !write_all(with, buffer.data(), static_cast<std::size_t>(count)))
      _exit(0);
  }
}

} // namespace

relay_peer::relay_peer() {
  int first[2], second[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, first) != 0
      || socketpair(AF_UNIX, SOCK_STREAM, 0, second) != 0)
    throw std::runtime_error("no sockets for the peer");
  auto start = [&](int keeps, int also, auto run) {
    auto pid = fork();
    if (pid != 0)
      return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int fd : {first[0], first[1], second[0], second[1]})
      if (fd != keeps && fd != also)
        close(fd);
    run();
    _exit(0);
  };
  middle_ = start(first[1], second[0], [&] { relay(first[1], second[0]); });
  end_ = start(second[1], second[1], [&] { echo(second[1]); });
  for (int fd : {first[1], second[0], second[1]})
    close(fd);
  socket_ = first[0];
}

relay_peer::~relay_peer() {
  close(socket_);
  for (auto pid : {middle_, end_}) {
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
  }
}

double relay_peer::round_trip_us(std::size_t count) const {
  char message[64] = {};
  stopwatch watch;
  for (std::size_t i = 0; i < count; ++i)
    if (!write_all(socket_, message, sizeof(message))
        || !read_all(socket_, message, sizeof(message)))
      throw std::runtime_error("the peer has ended");
  return watch.microseconds() / static_cast<double>(count);
}

double relay_peer::messages_per_second(std::size_t count) const {
  const std::string batch(message_bytes * messages_per_write, 'x');
  std::vector<char> back(batch.size());
  // So many on their way that nobody waits, and no more than the sockets hold.
  constexpr std::size_t ahead = 4;
  const auto batches = count / messages_per_write;
  stopwatch watch;
  for (std::size_t i = 0; i < batches + ahead; ++i)
    if ((i < batches && !write_all(socket_, batch.data(), batch.size()))
        || (i >= ahead && !read_all(socket_, back.data(), back.size())))
      throw std::runtime_error("the peer has ended");
  return static_cast<double>(batches * messages_per_write) / watch.seconds();
}

} // namespace caf_ray::bench
