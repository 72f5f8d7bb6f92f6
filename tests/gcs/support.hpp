#pragma once

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>

#include <boost/test/unit_test.hpp>
#include <unistd.h>

#include "gcs/types/error.hpp"
#include "tests/support/temp_folder.hpp"

/// What the tests of this folder share.
namespace caf_ray::gcs::test {

namespace fs = std::filesystem;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

/// Longer than anything takes that works; only a failing test waits for it.
inline constexpr auto long_time = std::chrono::milliseconds(60'000);

/// CAF_RAY_SEED if it is set, else a new one; printed, so that a failure can be run again.
inline std::uint64_t seed() {
  auto given = std::getenv("CAF_RAY_SEED");
  auto result = given ? std::strtoull(given, nullptr, 0) : std::random_device{}();
  BOOST_TEST_MESSAGE("CAF_RAY_SEED=" << result);
  return result;
}

inline std::string random_bytes(std::mt19937_64& random, std::size_t max_size) {
  std::string bytes(random() % (max_size + 1), '\0');
  for (auto& c : bytes)
    c = static_cast<char>(random());
  return bytes;
}

using caf_ray::test::temp_folder;

/// Fails the test with the error's own words.
template <class T>
T must_have(result<T> r) {
  if (!r)
    BOOST_FAIL(to_string(r.error().code) << ": " << r.error().what);
  if constexpr (!std::is_void_v<T>)
    return std::move(*r);
}

template <class T>
errc code_of(const result<T>& r) {
  return r ? errc::none : r.error().code;
}

} // namespace caf_ray::gcs::test

namespace caf_ray {

inline std::ostream& operator<<(std::ostream& out, errc code) {
  return out << to_string(code);
}

} // namespace caf_ray
