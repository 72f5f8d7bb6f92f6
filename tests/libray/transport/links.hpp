#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <thread>

#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <caf/scoped_actor.hpp>

#include "tests/libray/transport/host.hpp"

namespace caf_ray::transport::test {

inline double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// The answer, if there is one soon.
template <class T, class... Arguments>
std::optional<T> ask(host& here, const caf::actor& who, Arguments... arguments) {
  std::optional<T> answer;
  caf::scoped_actor self(here.system);
  self->request(who, soon, std::move(arguments)...)
    .receive([&](T x) { answer = x; },
             [&](const caf::error& e) { BOOST_TEST_MESSAGE(here.system.render(e)); });
  return answer;
}

/// Seconds of a round trip, the best of three rounds of `count`.
inline double round_trip(host& here, const caf::actor& who, int count) {
  caf::scoped_actor self(here.system);
  auto best = 1e9;
  for (auto round = 0; round < 3; ++round) {
    auto start = std::chrono::steady_clock::now();
    auto answered = 0;
    for (auto i = 0; i < count; ++i)
      self->request(who, soon, i).receive([&](int) { ++answered; }, [](const caf::error&) {});
    BOOST_TEST(answered == count);
    best = std::min(best, seconds_since(start) / count);
  }
  return best;
}

inline std::size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t total = 0, resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

/// How much memory an attack may cost; a sanitizer keeps what was freed.
inline constexpr std::size_t attack_bytes =
  std::size_t(32) * 1024 * 1024 * (caf_ray::test::slowdown == 1 ? 1 : 16);

inline std::size_t open_descriptors() {
  std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

/// Whether there are soon no more than so many.
inline bool descriptors_fall_to(std::size_t count) {
  auto give_up = std::chrono::steady_clock::now() + soon;
  while (open_descriptors() > count && std::chrono::steady_clock::now() < give_up)
    std::this_thread::yield();
  return open_descriptors() <= count;
}

/// The header of a BASP frame.
inline std::string basp_header(unsigned char operation, std::uint32_t length) {
  std::string bytes(32, '\0');
  bytes[0] = static_cast<char>(operation);
  for (auto i = 0; i < 4; ++i)
    bytes[4 + i] = static_cast<char>(length >> (24 - 8 * i));
  bytes[15] = 1; // a version, which servers must name
  return bytes;
}

} // namespace caf_ray::transport::test
