#pragma once

/// Values to bytes and back.
///
///   struct Point { double x, y; MSGPACK_DEFINE(x, y); };
///   msgpack::sbuffer bytes = ray::internal::Serializer::Serialize(Point{1, 2});
///   auto p = ray::internal::Serializer::Deserialize<Point>(bytes.data(), bytes.size());
///
/// The runtime itself uses Pack and Unpack, which keep arrays and refs out of the msgpack.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <type_traits>
#include <typeinfo>

#include <msgpack.hpp>

#include "ray/api/msgpack_adaptor.h"
#include "ray/api/ray_exception.h"
#include "ray/internal/misfit.h"
#include "ray/internal/packed_value.h"

namespace ray {
namespace internal {

/// Reads one msgpack number or bool without building an object tree. False when the bytes are
/// something else, or not exactly one value. Throws msgpack::type_error for a number out of range.
template <class T>
bool ReadNumber(const char* data, std::size_t size, T& x) {
  auto tag = static_cast<std::uint8_t>(data[0]);
  auto load = [&]<class Raw>(Raw raw) {
    if (size != 1 + sizeof(Raw))
      return false;
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < sizeof(Raw); ++i)
      bits = bits << 8 | static_cast<std::uint8_t>(data[1 + i]);
    if constexpr (std::is_same_v<Raw, float>) {
      auto narrow = static_cast<std::uint32_t>(bits);
      std::memcpy(&raw, &narrow, sizeof(raw));
    } else if constexpr (std::is_same_v<Raw, double>) {
      std::memcpy(&raw, &bits, sizeof(raw));
    } else {
      raw = static_cast<Raw>(bits);
    }
    x = ConvertNumber<T>(raw);
    return true;
  };
  if (tag <= 0x7f || tag >= 0xe0) {
    if (size != 1)
      return false;
    x = ConvertNumber<T>(static_cast<std::int8_t>(tag));
    return true;
  }
  switch (tag) {
    case 0xca: return load(float{});
    case 0xcb: return load(double{});
    case 0xcc: return load(std::uint8_t{});
    case 0xcd: return load(std::uint16_t{});
    case 0xce: return load(std::uint32_t{});
    case 0xcf: return load(std::uint64_t{});
    case 0xd0: return load(std::int8_t{});
    case 0xd1: return load(std::int16_t{});
    case 0xd2: return load(std::int32_t{});
    case 0xd3: return load(std::int64_t{});
  }
  return false;
}

template <class T>
inline constexpr bool is_plain_number_v = is_raw_element_v<T> && !std::is_same_v<T, char>;

/// Packs `value` into `out`, which must be empty. The result needs `value`.
template <class T>
void Pack(const T& value, PackedValue& out) {
  out.value = std::addressof(value);
  out.pack = [](const void* again, msgpack::sbuffer& to) {
    msgpack::pack(to, *static_cast<const T*>(again));
  };
  out.type = &typeid(T);
  PackScope scope(out);
  msgpack::pack(out.envelope, value);
}

/// The value that `blob` holds, as a `T`. Throws RayException that names what it is when it is no
/// `T`; it then also says of which argument it speaks (from 1; 0: none).
template <class T>
T Unpack(const BlobView& blob, std::size_t argument = 0) {
  try {
    if constexpr (is_plain_number_v<T>) {
      T x;
      if (blob.envelope_size > 0 && ReadNumber(blob.envelope, blob.envelope_size, x))
        return x;
    }
    UnpackScope scope(blob);
    std::size_t used = 0;
    bool referenced = false;
    auto handle =
      msgpack::unpack(blob.envelope, blob.envelope_size, used, referenced,
                      [](msgpack::type::object_type, std::size_t, void*) { return true; });
    if (used != blob.envelope_size)
      throw RayException("corrupt value: bytes follow its msgpack");
    return handle.get().template as<T>();
  } catch (const msgpack::type_error&) {
    ThrowMisfit(blob, typeid(T), argument);
  } catch (const msgpack::unpack_error& e) {
    throw RayException(std::string("corrupt value: ") + e.what());
  }
}

/// Plain msgpack, as other programs read it.
class Serializer {
public:
  template <typename T>
  static msgpack::sbuffer Serialize(const T& value) {
    msgpack::sbuffer buffer;
    msgpack::pack(buffer, value);
    return buffer;
  }

  template <typename T>
  static T Deserialize(const char* data, std::size_t size) {
    std::size_t offset = 0;
    return Deserialize<T>(data, size, &offset);
  }

  /// Starts at `*offset` and moves it behind the value.
  template <typename T>
  static T Deserialize(const char* data, std::size_t size, std::size_t* offset) {
    auto handle = msgpack::unpack(data, size, *offset);
    return handle.get().template as<T>();
  }
};

} // namespace internal
} // namespace ray
