#pragma once

#include <cstddef>
#include <new>

#include "gcs/types/limits.hpp"
#include "ray/internal/object.h"

namespace caf_ray {

/// Bytes of a small value behind their own header, in one allocation.
template <std::size_t Alignment>
class value_memory final : public ray::internal::BytesOwner {
public:
  static value_memory* make(std::size_t size) {
    auto memory = ::operator new (Alignment + size, std::align_val_t{Alignment});
    return new (memory) value_memory;
  }
  char* data() noexcept { return reinterpret_cast<char*>(this) + Alignment; }

  void operator delete(void* p) { ::operator delete (p, std::align_val_t{Alignment}); }

private:
  value_memory() { static_assert(sizeof(value_memory) <= Alignment); }
  ~value_memory() override = default;
};

/// Memory for `size` bytes that lives as long as `owner`; for a value with array segments aligned
/// as these must be.
inline char* make_value_memory(std::size_t size, bool has_segments,
                               ray::internal::BytesRef& owner) {
  auto adopt = [&](auto* memory) {
    owner = ray::internal::BytesRef::Adopt(memory);
    return memory->data();
  };
  return has_segments ? adopt(value_memory<payload_alignment>::make(size))
                      : adopt(value_memory<16>::make(size));
}

} // namespace caf_ray
