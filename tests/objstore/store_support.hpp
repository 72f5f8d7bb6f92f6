#pragma once

#include <memory>

#include "objstore/store.hpp"
#include "tests/objstore/support.hpp"

/// What the tests of the store share: one store, objects whose contents follow from their number,
/// and the codes that calls end with.
namespace caf_ray::objstore::test {

inline constexpr std::size_t kib = 1024;
inline constexpr std::size_t mib = 1024 * kib;

struct store_fixture {
  folder disk;

  std::unique_ptr<store> open(std::size_t capacity_bytes, std::uint64_t spill_limit = UINT64_MAX) {
    store_options options;
    options.capacity_bytes = capacity_bytes;
    options.spill_directory = disk.path();
    options.spill_limit_bytes = spill_limit;
    return store::open(options).value();
  }
};

inline pinned put(store& s, std::uint64_t n, std::size_t size_bytes) {
  auto w = s.create(number(n), size_bytes, long_time);
  BOOST_REQUIRE_MESSAGE(w.has_value(), w.error().what);
  fill(w->data(), number(n));
  return w->seal();
}

inline void check(store& s, std::uint64_t n, std::size_t size_bytes) {
  auto p = s.get(number(n), long_time);
  BOOST_REQUIRE_MESSAGE(p.has_value(), p.error().what);
  BOOST_REQUIRE_EQUAL(p->bytes().size(), size_bytes);
  BOOST_REQUIRE(is_filled(p->bytes(), number(n)));
}

inline errc create_code(store& s, std::uint64_t n, std::size_t size_bytes,
                        std::chrono::milliseconds deadline) {
  auto w = s.create(number(n), size_bytes, deadline);
  return w ? errc::none : w.error().code;
}

/// Writes an object if there is space for it.
inline errc put_code(store& s, std::uint64_t n, std::size_t size_bytes) {
  auto w = s.create(number(n), size_bytes, long_time);
  if (!w)
    return w.error().code;
  fill(w->data(), number(n));
  w->seal();
  return errc::none;
}

inline errc get_code(store& s, std::uint64_t n, std::chrono::milliseconds deadline) {
  auto p = s.get(number(n), deadline);
  return p ? errc::none : p.error().code;
}

inline bool one_waits(const store& s) {
  return eventually([&] { return s.stats().waiting_count == 1; });
}

} // namespace caf_ray::objstore::test
