#pragma once

/// How msgpack packs what it does not know, or does not know how to do fast:
///
///   std::vector<double> v(1'000'000);
///   auto ref = ray::Put(v);              // one copy at memory speed, not a million elements
///   struct Sample { std::vector<float> x; MSGPACK_DEFINE(x); };   // the same inside user types
///   ray::Put(std::vector<char>(4096));   // bytes, too: readable as ray::Array<uint8_t>, no copy
///   ray::Put(std::any{42});              // std::any holding an arithmetic type or a string

#include <any>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <msgpack.hpp>

#include "ray/internal/packed_value.h"

namespace ray::internal {

/// T is one of Ts.
template <class T, class... Ts>
inline constexpr bool is_one_of_v = (std::is_same_v<T, Ts> || ...);

/// Element types of ray::Array.
template <class T>
inline constexpr bool is_raw_element_v = std::conjunction_v<
  std::is_arithmetic<T>,
  std::bool_constant<!is_one_of_v<T, bool, long double, wchar_t, char8_t, char16_t, char32_t>>>;

/// Those whose vectors are binary in plain msgpack.
template <class T>
inline constexpr bool is_binary_v = is_one_of_v<T, char, unsigned char, std::byte>;

/// The other ones, whose vectors are arrays there.
template <class T>
inline constexpr bool is_raw_number_v = is_raw_element_v<T> && !is_binary_v<T>;

/// Kind in the high half (1 signed, 2 unsigned, 3 floating, 4 no number), size in the low one.
template <class T>
constexpr std::uint8_t ElementCode() noexcept {
  constexpr int kind = is_one_of_v<T, char, std::byte> ? 4
                       : std::is_floating_point_v<T>   ? 3
                       : std::is_signed_v<T>           ? 1
                                                       : 2;
  return static_cast<std::uint8_t>(kind << 4 | sizeof(T));
}

/// Can raw elements of `code` be read as T where they lie? char and std::byte go with all bytes.
template <class T>
constexpr bool IsElement(std::uint8_t code) noexcept {
  constexpr auto own = ElementCode<T>();
  constexpr auto byte = ElementCode<std::byte>();
  return code == own || (code == byte && sizeof(T) == 1) || (own == byte && (code & 0xf) == 1);
}

/// Calls `visit` with a value of the element type that `code` names; throws msgpack::type_error
/// for a code that is none.
template <class Visitor>
void VisitElementType(std::uint8_t code, Visitor&& visit) {
  switch (code) {
    case 0x11: return visit(std::int8_t{});
    case 0x12: return visit(std::int16_t{});
    case 0x14: return visit(std::int32_t{});
    case 0x18: return visit(std::int64_t{});
    case 0x21: return visit(std::uint8_t{});
    case 0x22: return visit(std::uint16_t{});
    case 0x24: return visit(std::uint32_t{});
    case 0x28: return visit(std::uint64_t{});
    case 0x34: return visit(float{});
    case 0x38: return visit(double{});
    case 0x41: return visit(char{});
  }
  throw msgpack::type_error();
}

/// Integer type that has the values of T: also for bool and for characters, with which
/// std::in_range does not deal.
template <class T>
struct IntegerOf
  : std::conditional<std::is_signed_v<T>, std::make_signed<T>, std::make_unsigned<T>>::type {};
template <>
struct IntegerOf<bool> {
  using type = unsigned char;
};

/// `x` as a `To`; nothing where it would be another number. Floating point rounds.
template <class To, class From>
std::optional<To> NumberAs(From x) {
  if constexpr (std::is_same_v<To, From>) {
    return x;
  } else if constexpr (std::is_floating_point_v<To>) {
    const auto y = static_cast<To>(x);
    if constexpr (std::is_floating_point_v<From>)
      if (std::isinf(y) && !std::isinf(x))
        return std::nullopt;
    return y;
  } else if constexpr (std::is_floating_point_v<From>) {
    // The bounds are powers of two, so both are exact in floating point.
    constexpr auto lowest = static_cast<From>(std::numeric_limits<To>::lowest());
    const auto beyond = std::ldexp(From{1}, std::numeric_limits<To>::digits);
    if (!(x >= lowest && x < beyond) || x != static_cast<From>(static_cast<To>(x)))
      return std::nullopt;
    return static_cast<To>(x);
  } else if constexpr (std::is_same_v<To, bool>) {
    if (x != From{0} && x != From{1})
      return std::nullopt;
    return x != From{0};
  } else {
    const auto integer = static_cast<typename IntegerOf<From>::type>(x);
    if (!std::in_range<typename IntegerOf<To>::type>(integer))
      return std::nullopt;
    return static_cast<To>(x);
  }
}

/// The same, or msgpack::type_error.
template <class To, class From>
To ConvertNumber(From x) {
  if (auto y = NumberAs<To>(x))
    return *y;
  throw msgpack::type_error();
}

/// Raw elements somewhere in a value, perhaps unaligned.
struct RawElements {
  std::uint8_t code;
  const char* data;
  std::size_t size;
  /// True when they lie in a segment: they stay while the value's owner does.
  bool in_segment;
};

/// Throws msgpack::type_error when `o` is no array in raw form.
RawElements ReadRawElements(const msgpack::object& o);

template <class Stream>
void PackRawElements(msgpack::packer<Stream>& out, std::uint8_t code, const void* data,
                     std::size_t size) {
  if (size >= kSegmentBytes) {
    char body[8] = {static_cast<char>(code)};
    const auto index = PackScope::Current()->AddSegment(data, size);
    std::memcpy(body + 4, &index, 4);
    out.pack_ext(8, kArraySegment);
    out.pack_ext_body(body, 8);
  } else {
    char head[8] = {static_cast<char>(code)};
    out.pack_ext(8 + size, kArrayInline);
    out.pack_ext_body(head, 8);
    out.pack_ext_body(static_cast<const char*>(data), static_cast<std::uint32_t>(size));
  }
}

/// Fills `count` elements at `to` from raw ones of any element type.
template <class T>
void CopyElements(const RawElements& from, T* to, std::size_t count) {
  if (IsElement<T>(from.code)) {
    if (count)
      std::memcpy(to, from.data, count * sizeof(T));
    return;
  }
  if constexpr (std::is_arithmetic_v<T>)
    VisitElementType(from.code, [&](auto sample) {
      using From = decltype(sample);
      for (std::size_t i = 0; i < count; ++i) {
        From x;
        std::memcpy(&x, from.data + i * sizeof(From), sizeof(From));
        to[i] = ConvertNumber<T>(x);
      }
    });
  else
    throw msgpack::type_error();
}

inline std::size_t ElementCount(const RawElements& raw) noexcept {
  return raw.size / static_cast<std::size_t>(raw.code & 0xf);
}

/// What the msgpack adaptors of vectors and arrays of one element type do.
template <class T>
struct RawVectorAdaptor {
  template <class Stream>
  static void Pack(msgpack::packer<Stream>& out, const T* data, std::size_t count) {
    if (PackScope::Current()) {
      PackRawElements(out, ElementCode<T>(), data, count * sizeof(T));
      return;
    }
    const auto size = msgpack::checked_get_container_size(count);
    if constexpr (is_binary_v<T>) {
      out.pack_bin(size);
      out.pack_bin_body(reinterpret_cast<const char*>(data), size);
    } else {
      out.pack_array(size);
      for (std::size_t i = 0; i < count; ++i)
        out.pack(data[i]);
    }
  }

  /// `resize(n)` must return where n elements go.
  template <class Resize>
  static void Convert(const msgpack::object& o, Resize&& resize) {
    if (o.type == msgpack::type::ARRAY) {
      T* to = resize(o.via.array.size);
      for (std::uint32_t i = 0; i < o.via.array.size; ++i)
        o.via.array.ptr[i].convert(to[i]);
      return;
    }
    auto raw = Bytes(o);
    auto count = ElementCount(raw);
    CopyElements(raw, resize(count), count);
  }

private:
  static RawElements Bytes(const msgpack::object& o) {
    if (sizeof(T) == 1 && o.type == msgpack::type::BIN)
      return {ElementCode<std::byte>(), o.via.bin.ptr, o.via.bin.size, false};
    if (sizeof(T) == 1 && o.type == msgpack::type::STR)
      return {ElementCode<std::byte>(), o.via.str.ptr, o.via.str.size, false};
    return ReadRawElements(o);
  }
};

} // namespace ray::internal

namespace msgpack {
MSGPACK_API_VERSION_NAMESPACE(MSGPACK_DEFAULT_API_NS) {
  namespace adaptor {

  // msgpack has adaptors of its own for all of these. Ours come before them: those that are
  // constrained and those that leave no parameter open are the more special ones. What they pack
  // outside of the runtime is what msgpack's would.

#define RAY_INTERNAL_RAW_VECTOR(TEMPLATE, T)                                                       \
  TEMPLATE                                                                                         \
  struct pack<std::vector<T>> {                                                                    \
    template <typename Stream>                                                                     \
    msgpack::packer<Stream>& operator()(msgpack::packer<Stream>& o,                                \
                                        const std::vector<T>& v) const {                           \
      ray::internal::RawVectorAdaptor<T>::Pack(o, v.data(), v.size());                             \
      return o;                                                                                    \
    }                                                                                              \
  };                                                                                               \
  TEMPLATE                                                                                         \
  struct convert<std::vector<T>> {                                                                 \
    const msgpack::object& operator()(const msgpack::object& o, std::vector<T>& v) const {         \
      ray::internal::RawVectorAdaptor<T>::Convert(o, [&v](std::size_t n) {                         \
        v.resize(n);                                                                               \
        return v.data();                                                                           \
      });                                                                                          \
      return o;                                                                                    \
    }                                                                                              \
  };

#define RAY_INTERNAL_NUMBER                                                                        \
  template <typename T>                                                                            \
  requires ray::internal::is_raw_number_v<T>
  RAY_INTERNAL_RAW_VECTOR(RAY_INTERNAL_NUMBER, T)
  RAY_INTERNAL_RAW_VECTOR(template <>, char)
  RAY_INTERNAL_RAW_VECTOR(template <>, unsigned char)
  RAY_INTERNAL_RAW_VECTOR(template <>, std::byte)
#undef RAY_INTERNAL_NUMBER
#undef RAY_INTERNAL_RAW_VECTOR

#define RAY_INTERNAL_RAW_ARRAY(TEMPLATE, T)                                                        \
  TEMPLATE                                                                                         \
  struct pack<std::array<T, N>> {                                                                  \
    template <typename Stream>                                                                     \
    msgpack::packer<Stream>& operator()(msgpack::packer<Stream>& o,                                \
                                        const std::array<T, N>& v) const {                         \
      ray::internal::RawVectorAdaptor<T>::Pack(o, v.data(), N);                                    \
      return o;                                                                                    \
    }                                                                                              \
  };                                                                                               \
  TEMPLATE                                                                                         \
  struct convert<std::array<T, N>> {                                                               \
    const msgpack::object& operator()(const msgpack::object& o, std::array<T, N>& v) const {       \
      ray::internal::RawVectorAdaptor<T>::Convert(o, [&v](std::size_t n) {                         \
        if (n != N)                                                                                \
          throw msgpack::type_error();                                                             \
        return v.data();                                                                           \
      });                                                                                          \
      return o;                                                                                    \
    }                                                                                              \
  };

#define RAY_INTERNAL_NUMBERS                                                                       \
  template <typename T, std::size_t N>                                                             \
  requires ray::internal::is_raw_number_v<T>
#define RAY_INTERNAL_BYTES                                                                         \
  template <std::size_t N>                                                                         \
  requires(N > 0)
  RAY_INTERNAL_RAW_ARRAY(RAY_INTERNAL_NUMBERS, T)
  RAY_INTERNAL_RAW_ARRAY(RAY_INTERNAL_BYTES, char)
  RAY_INTERNAL_RAW_ARRAY(RAY_INTERNAL_BYTES, unsigned char)
  RAY_INTERNAL_RAW_ARRAY(RAY_INTERNAL_BYTES, std::byte)
#undef RAY_INTERNAL_NUMBERS
#undef RAY_INTERNAL_BYTES
#undef RAY_INTERNAL_RAW_ARRAY

  /// std::any holding nothing, a bool, a number or a string. Comes back as bool, int64_t, uint64_t
  /// (above the range of int64_t), double or std::string. Anything else throws msgpack::type_error.
  template <>
  struct pack<std::any> {
    template <typename Stream>
    msgpack::packer<Stream>& operator()(msgpack::packer<Stream>& o, const std::any& v) const {
      if (!v.has_value()) {
        o.pack_nil();
        return o;
      }
      if (Try<bool, char, signed char, unsigned char, short, unsigned short, int, unsigned, long,
              unsigned long, long long, unsigned long long, float, double, std::string>(o, v))
        return o;
      if (auto text = std::any_cast<const char*>(&v)) {
        o.pack(std::string(*text));
        return o;
      }
      throw msgpack::type_error();
    }

  private:
    template <typename... Ts, typename Stream>
    static bool Try(msgpack::packer<Stream>& o, const std::any& v) {
      auto one = [&](auto* x) {
        if (x)
          o.pack(*x);
        return x != nullptr;
      };
      return (one(std::any_cast<Ts>(&v)) || ...);
    }
  };

  template <>
  struct convert<std::any> {
    const msgpack::object& operator()(const msgpack::object& o, std::any& v) const {
      switch (o.type) {
        case msgpack::type::NIL: v.reset(); break;
        case msgpack::type::BOOLEAN: v = o.via.boolean; break;
        case msgpack::type::NEGATIVE_INTEGER: v = o.via.i64; break;
        case msgpack::type::POSITIVE_INTEGER:
          if (std::in_range<std::int64_t>(o.via.u64))
            v = static_cast<std::int64_t>(o.via.u64);
          else
            v = o.via.u64;
          break;
        case msgpack::type::FLOAT32:
        case msgpack::type::FLOAT64: v = o.via.f64; break;
        case msgpack::type::STR: v = o.as<std::string>(); break;
        default: throw msgpack::type_error();
      }
      return o;
    }
  };

  } // namespace adaptor
} // MSGPACK_API_VERSION_NAMESPACE
} // namespace msgpack
