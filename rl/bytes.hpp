// Little-endian byte strings, and the checksum over them. Saved states and files are built from
// these.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "rl/error.hpp"

namespace rl {

static_assert(std::endian::native == std::endian::little, "files are written as memory lies");

/// Appends values to a byte string. Vectors and strings carry a 64-bit length in front.
class ByteWriter {
public:
  template <class T>
  requires std::is_arithmetic_v<T>
  void put(T value) { raw(&value, sizeof value); }

  template <class T>
  requires std::is_arithmetic_v<T>
  void put_all(std::span<const T> values) {
    put<std::uint64_t>(values.size());
    raw(values.data(), values.size_bytes());
  }

  void put_text(std::string_view text) {
    put<std::uint64_t>(text.size());
    raw(text.data(), text.size());
  }

  const std::string& bytes() const { return bytes_; }
  std::string take() { return std::move(bytes_); }

private:
  void raw(const void* data, std::size_t size) {
    bytes_.append(static_cast<const char*>(data), size);
  }

  std::string bytes_;
};

/// Reads back what ByteWriter wrote, in the same order. The bytes must outlive the reader. Every
/// call throws Error{bad_checkpoint} when fewer bytes are left than it needs.
class ByteReader {
public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  template <class T>
  requires std::is_arithmetic_v<T> T get() {
    T value;
    std::memcpy(&value, raw(sizeof value), sizeof value);
    return value;
  }

  template <class T>
  requires std::is_arithmetic_v<T> std::vector<T> get_all() {
    auto count = get<std::uint64_t>();
    if (count > bytes_.size() / sizeof(T))
      fail();
    std::vector<T> values(count);
    if (count > 0)
      std::memcpy(values.data(), raw(count * sizeof(T)), count * sizeof(T));
    return values;
  }

  std::string get_text() {
    auto size = get<std::uint64_t>();
    if (size > bytes_.size())
      fail();
    return std::string(raw(size), size);
  }

  bool at_end() const { return bytes_.empty(); }

private:
  const char* raw(std::size_t size) {
    if (size > bytes_.size())
      fail();
    auto* begin = bytes_.data();
    bytes_.remove_prefix(size);
    return begin;
  }

  [[noreturn]] static void fail() {
    throw Error(ErrorCode::bad_checkpoint, "the saved state ends too early");
  }

  std::string_view bytes_;
};

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4) of `bytes`; TensorBoard's files and ours use it.
std::uint32_t crc32c(std::string_view bytes);

} // namespace rl
