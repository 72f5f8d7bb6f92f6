#pragma once

/// What is said when a value is not of the type that is wanted. Not for users.
///
///   a string of 9 bytes is no int
///   Remote: argument 2 is 5.5, which is no int

#include <cstddef>
#include <string>
#include <type_traits>
#include <typeinfo>

namespace ray::internal {

struct BlobView;

/// Throws RayException with the kind of value that `blob` holds and the type that it cannot be read
/// as. `argument` counts from 1; 0: it is none.
[[noreturn]] void ThrowMisfit(const BlobView& blob, const std::type_info& wanted,
                              std::size_t argument);

/// Throws RayException: argument number `argument` of a call, `number`, is no `wanted`.
[[noreturn]] void ThrowArgumentMisfit(std::size_t argument, const std::string& number,
                                      const std::type_info& wanted);

/// Shortest text that reads back as `x`.
std::string NumberText(double x);

template <class T>
std::string TextOf(T x) {
  if constexpr (std::is_same_v<T, bool>)
    return x ? "true" : "false";
  else if constexpr (std::is_floating_point_v<T>)
    return NumberText(static_cast<double>(x));
  else if constexpr (std::is_signed_v<T>)
    return std::to_string(static_cast<long long>(x));
  else
    return std::to_string(static_cast<unsigned long long>(x));
}

} // namespace ray::internal
