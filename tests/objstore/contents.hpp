#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "gcs/types/ids.hpp"

/// Objects whose contents follow from their id, for tests and the processes they start.
namespace caf_ray::objstore::test {

inline object_id number(std::uint64_t n) {
  return {0x5eed, n};
}

/// Contents that depend on id and place: a block of another object, or a shifted one, is noticed.
inline void fill(std::span<std::byte> bytes, object_id id) {
  auto x = id.high * 31 + id.low * 0x9e3779b97f4a7c15ull + bytes.size();
  std::size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8, x += 0x632be59bd9b4e019ull)
    std::memcpy(bytes.data() + at, &x, 8);
  if (at < bytes.size())
    std::memcpy(bytes.data() + at, &x, bytes.size() - at);
}

inline bool is_filled(std::span<const std::byte> bytes, object_id id) {
  auto x = id.high * 31 + id.low * 0x9e3779b97f4a7c15ull + bytes.size();
  std::size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8, x += 0x632be59bd9b4e019ull)
    if (std::memcmp(bytes.data() + at, &x, 8) != 0)
      return false;
  return bytes.size() == at || std::memcmp(bytes.data() + at, &x, bytes.size() - at) == 0;
}

} // namespace caf_ray::objstore::test
