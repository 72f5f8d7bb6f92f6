#pragma once

#include <cstdint>
#include <cstdlib>
#include <ostream>
#include <random>
#include <string>

#include <boost/test/unit_test.hpp>

#include "gcs/types/error.hpp"
#include "gcs/types/ids.hpp"

/// What the tests of this folder share.
namespace caf_ray::cluster::test {

/// CAF_RAY_SEED if it is set, else a new one; printed, so that a failure can be run again.
inline std::uint64_t seed() {
  auto given = std::getenv("CAF_RAY_SEED");
  auto result = given ? std::strtoull(given, nullptr, 0) : std::random_device{}();
  BOOST_TEST_MESSAGE("CAF_RAY_SEED=" << result);
  return result;
}

inline object_id object(std::uint64_t n) {
  return {0x0b1ec7, n};
}

template <class T>
errc code_of(const result<T>& r) {
  return r ? errc::none : r.error().code;
}

template <class T>
std::string what_of(const result<T>& r) {
  return r ? "" : r.error().what;
}

} // namespace caf_ray::cluster::test

namespace caf_ray {

inline std::ostream& operator<<(std::ostream& out, errc code) {
  return out << to_string(code);
}

template <class Tag>
std::ostream& operator<<(std::ostream& out, const basic_id<Tag>& id) {
  return out << to_string(id);
}

} // namespace caf_ray
