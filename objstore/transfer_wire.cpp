#include "objstore/transfer_wire.hpp"

#include <concepts>
#include <string>

namespace caf_ray::objstore::wire {

namespace {

template <std::unsigned_integral T>
void put(std::span<std::byte> into, std::size_t at, T x) noexcept {
  for (std::size_t i = 0; i < sizeof(T); ++i)
    into[at + i] = static_cast<std::byte>(x >> (8 * i));
}

template <std::unsigned_integral T>
T take(std::span<const std::byte> from, std::size_t at) noexcept {
  T x = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i)
    x = static_cast<T>(x | static_cast<T>(from[at + i]) << (8 * i));
  return x;
}

} // namespace

std::array<std::byte, header_bytes> encode(const header& x) noexcept {
  std::array<std::byte, header_bytes> bytes{};
  put(bytes, 0, magic);
  put(bytes, 4, version);
  put(bytes, 6, static_cast<std::uint16_t>(x.kind));
  put(bytes, 8, x.pull);
  put(bytes, 16, x.object.high);
  put(bytes, 24, x.object.low);
  put(bytes, 32, x.size_bytes);
  put(bytes, 40, x.offset_bytes);
  put(bytes, 48, x.checksum);
  put(bytes, 56, x.length_bytes);
  return bytes;
}

result<header> decode(std::span<const std::byte> bytes) {
  if (bytes.size() != header_bytes || take<std::uint32_t>(bytes, 0) != magic)
    return fail(errc::corrupt, "not a message of the object transfer");
  if (auto theirs = take<std::uint16_t>(bytes, 4); theirs != version)
    return fail(errc::version_mismatch, "the peer speaks version " + std::to_string(theirs)
                                          + " of the object transfer, this host "
                                          + std::to_string(version));
  auto number = take<std::uint16_t>(bytes, 6);
  if (number < static_cast<std::uint16_t>(kind::get)
      || number > static_cast<std::uint16_t>(kind::refused))
    return fail(errc::corrupt, "unknown kind of message: " + std::to_string(number));
  header x;
  x.kind = static_cast<kind>(number);
  x.pull = take<std::uint64_t>(bytes, 8);
  x.object = {take<std::uint64_t>(bytes, 16), take<std::uint64_t>(bytes, 24)};
  x.size_bytes = take<std::uint64_t>(bytes, 32);
  x.offset_bytes = take<std::uint64_t>(bytes, 40);
  x.checksum = take<std::uint64_t>(bytes, 48);
  x.length_bytes = take<std::uint32_t>(bytes, 56);
  if (take<std::uint32_t>(bytes, 60) != 0)
    return fail(errc::corrupt, "the last four bytes of a header are not zero");
  // Subtractions, because sums of what a peer says may wrap around. What is `other_size` names the
  // peer's size beside our chunk.
  bool inside = x.length_bytes <= max_chunk_bytes && x.offset_bytes <= x.size_bytes
                && x.length_bytes <= x.size_bytes - x.offset_bytes;
  if (!inside && x.kind != kind::other_size)
    return fail(errc::corrupt, std::to_string(x.length_bytes) + " bytes from "
                                 + std::to_string(x.offset_bytes) + " are no chunk of "
                                 + std::to_string(x.size_bytes));
  return x;
}

} // namespace caf_ray::objstore::wire
