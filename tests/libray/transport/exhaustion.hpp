#pragma once

#include <chrono>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <boost/test/unit_test.hpp>

#include "libray/src/transport/file_descriptor.hpp"
#include "libray/src/transport/listener.hpp"
#include "tests/libray/transport/arrivals.hpp"

namespace caf_ray::transport::test {

/// Calls a listener with the last descriptor that this process has: it pauses, takes no processor
/// time, and accepts nobody. Returns the caller, who waits in the kernel's queue, with descriptors
/// to be had again.
inline file_descriptor call_without_descriptors(const listener& door, const sockaddr* address,
                                                socklen_t size) {
  file_descriptor waiting(socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  auto before = door.counts();
  rlimit usual{};
  getrlimit(RLIMIT_NOFILE, &usual);
  auto none_left = usual;
  none_left.rlim_cur = static_cast<rlim_t>(waiting.get() + 1);
  BOOST_TEST_REQUIRE(setrlimit(RLIMIT_NOFILE, &none_left) == 0);
  std::vector<file_descriptor> gaps;
  for (auto fd = open("/dev/null", O_RDONLY); fd >= 0; fd = open("/dev/null", O_RDONLY))
    gaps.emplace_back(fd);

  auto connected = connect(waiting.get(), address, size);
  auto give_up = std::chrono::steady_clock::now() + soon;
  while (door.counts().pauses == before.pauses && std::chrono::steady_clock::now() < give_up)
    std::this_thread::yield();

  rusage start{}, end{};
  getrusage(RUSAGE_SELF, &start);
  pollfd quiet{waiting.get(), POLLIN, 0};
  poll(&quiet, 1, 500);
  getrusage(RUSAGE_SELF, &end);
  auto after = door.counts();
  setrlimit(RLIMIT_NOFILE, &usual);

  BOOST_TEST(connected == 0);
  BOOST_TEST(after.pauses > before.pauses);
  BOOST_TEST(after.accepted == before.accepted);
  auto milliseconds = [](const timeval& t) { return t.tv_sec * 1000 + t.tv_usec / 1000; };
  auto used = milliseconds(end.ru_utime) + milliseconds(end.ru_stime) - milliseconds(start.ru_utime)
              - milliseconds(start.ru_stime);
  BOOST_TEST(used < 100); // of 500
  return waiting;
}

} // namespace caf_ray::transport::test
