#pragma once

#include <utility>

#include "gcs/types/error.hpp"

/// Where an error of the system leaves it through the public API.
namespace caf_ray {

/// Throws the exception that ray_exception.h documents for `x.code`, with `x.what` as its text (the
/// code's name where the text is empty). A code that this program does not know, as a newer peer
/// may send it, becomes a RaySystemException that shows its number; so does `none`, whose throwing
/// is a defect of the caller.
[[noreturn]] void throw_error(const error& x);

/// The value; throws the error as `throw_error` does.
template <class T>
T value_or_throw(result<T> r) {
  if (!r)
    throw_error(r.error());
  return std::move(*r);
}

} // namespace caf_ray
