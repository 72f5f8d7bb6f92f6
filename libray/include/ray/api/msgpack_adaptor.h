#pragma once

/// How msgpack packs what it does not know, or does not know how to do fast:
///
///   std::vector<double> v(1'000'000);
///   auto ref = ray::Put(v);              // one copy at memory speed, not a million elements
///   struct Sample { std::vector<float> x; MSGPACK_DEFINE(x); };   // the same inside user types
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

/// Element types whose arrays travel as raw bytes. (char and bool vectors msgpack does itself.)
template <class T>
inline constexpr bool is_raw_element_v
  = std::is_arithmetic_v<T>
    && !is_one_of_v<T, bool, long double, wchar_t, char8_t, char16_t, char32_t>;

/// Kind in the high half (1 signed, 2 unsigned, 3 floating), size in the low one.
template <class T>
constexpr std::uint8_t ElementCode() noexcept {
  constexpr int kind = std::is_floating_point_v<T> ? 3 : std::is_signed_v<T> ? 1 : 2;
  return static_cast<std::uint8_t>(kind << 4 | sizeof(T));
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
  if (from.code == ElementCode<T>()) {
    if (count)
      std::memcpy(to, from.data, count * sizeof(T));
    return;
  }
  VisitElementType(from.code, [&](auto sample) {
    using From = decltype(sample);
    for (std::size_t i = 0; i < count; ++i) {
      From x;
      std::memcpy(&x, from.data + i * sizeof(From), sizeof(From));
      to[i] = ConvertNumber<T>(x);
    }
  });
}

inline std::size_t ElementCount(const RawElements& raw) noexcept {
  return raw.size / static_cast<std::size_t>(raw.code & 0xf);
}

/// msgpack adaptors of vectors of one arithmetic type.
template <class T>
struct RawVectorAdaptor {
  template <class Stream>
  static void Pack(msgpack::packer<Stream>& out, const T* data, std::size_t count) {
    if (PackScope::Current()) {
      PackRawElements(out, ElementCode<T>(), data, count * sizeof(T));
      return;
    }
    out.pack_array(static_cast<std::uint32_t>(count));
    for (std::size_t i = 0; i < count; ++i)
      out.pack(data[i]);
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
    auto raw = ReadRawElements(o);
    auto count = ElementCount(raw);
    CopyElements(raw, resize(count), count);
  }
};

} // namespace ray::internal

namespace msgpack {
MSGPACK_API_VERSION_NAMESPACE(MSGPACK_DEFAULT_API_NS) {
  namespace adaptor {

#define RAY_INTERNAL_RAW_VECTOR(T)                                                                 \
  template <>                                                                                      \
  struct pack<std::vector<T>> {                                                                    \
    template <typename Stream>                                                                     \
    msgpack::packer<Stream>& operator()(msgpack::packer<Stream>& o,                                \
                                        const std::vector<T>& v) const {                           \
      ray::internal::RawVectorAdaptor<T>::Pack(o, v.data(), v.size());                             \
      return o;                                                                                    \
    }                                                                                              \
  };                                                                                               \
  template <>                                                                                      \
  struct convert<std::vector<T>> {                                                                 \
    const msgpack::object& operator()(const msgpack::object& o, std::vector<T>& v) const {         \
      ray::internal::RawVectorAdaptor<T>::Convert(o, [&v](std::size_t n) {                         \
        v.resize(n);                                                                               \
        return v.data();                                                                           \
      });                                                                                          \
      return o;                                                                                    \
    }                                                                                              \
  };                                                                                               \
  template <>                                                                                      \
  struct as<std::vector<T>> {                                                                      \
    std::vector<T> operator()(const msgpack::object& o) const {                                    \
      std::vector<T> v;                                                                            \
      convert<std::vector<T>>{}(o, v);                                                             \
      return v;                                                                                    \
    }                                                                                              \
  };

  RAY_INTERNAL_RAW_VECTOR(short)
  RAY_INTERNAL_RAW_VECTOR(unsigned short)
  RAY_INTERNAL_RAW_VECTOR(int)
  RAY_INTERNAL_RAW_VECTOR(unsigned int)
  RAY_INTERNAL_RAW_VECTOR(long)
  RAY_INTERNAL_RAW_VECTOR(unsigned long)
  RAY_INTERNAL_RAW_VECTOR(long long)
  RAY_INTERNAL_RAW_VECTOR(unsigned long long)
  RAY_INTERNAL_RAW_VECTOR(float)
  RAY_INTERNAL_RAW_VECTOR(double)
#undef RAY_INTERNAL_RAW_VECTOR

#define RAY_INTERNAL_RAW_ARRAY(T)                                                                  \
  template <std::size_t N>                                                                         \
  struct pack<std::array<T, N>> {                                                                  \
    template <typename Stream>                                                                     \
    msgpack::packer<Stream>& operator()(msgpack::packer<Stream>& o,                                \
                                        const std::array<T, N>& v) const {                         \
      ray::internal::RawVectorAdaptor<T>::Pack(o, v.data(), N);                                    \
      return o;                                                                                    \
    }                                                                                              \
  };                                                                                               \
  template <std::size_t N>                                                                         \
  struct convert<std::array<T, N>> {                                                               \
    const msgpack::object& operator()(const msgpack::object& o, std::array<T, N>& v) const {       \
      ray::internal::RawVectorAdaptor<T>::Convert(o, [&v](std::size_t n) {                         \
        if (n != N)                                                                                \
          throw msgpack::type_error();                                                             \
        return v.data();                                                                           \
      });                                                                                          \
      return o;                                                                                    \
    }                                                                                              \
  };                                                                                               \
  template <std::size_t N>                                                                         \
  struct as<std::array<T, N>> {                                                                    \
    std::array<T, N> operator()(const msgpack::object& o) const {                                  \
      std::array<T, N> v;                                                                          \
      convert<std::array<T, N>>{}(o, v);                                                           \
      return v;                                                                                    \
    }                                                                                              \
  };

  RAY_INTERNAL_RAW_ARRAY(short)
  RAY_INTERNAL_RAW_ARRAY(unsigned short)
  RAY_INTERNAL_RAW_ARRAY(int)
  RAY_INTERNAL_RAW_ARRAY(unsigned int)
  RAY_INTERNAL_RAW_ARRAY(long)
  RAY_INTERNAL_RAW_ARRAY(unsigned long)
  RAY_INTERNAL_RAW_ARRAY(long long)
  RAY_INTERNAL_RAW_ARRAY(unsigned long long)
  RAY_INTERNAL_RAW_ARRAY(float)
  RAY_INTERNAL_RAW_ARRAY(double)
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
