#include "rl/bytes.hpp"

#include <array>

namespace rl {

std::uint32_t crc32c(std::string_view bytes) {
  static const auto table = [] {
    std::array<std::uint32_t, 256> entries{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      auto value = i;
      for (int bit = 0; bit < 8; ++bit)
        value = value & 1 ? 0x82f63b78u ^ (value >> 1) : value >> 1; // reflected polynomial
      entries[i] = value;
    }
    return entries;
  }();
  std::uint32_t crc = ~0u;
  for (unsigned char byte : bytes)
    crc = table[(crc ^ byte) & 0xff] ^ (crc >> 8);
  return ~crc;
}

} // namespace rl
