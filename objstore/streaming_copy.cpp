#include "objstore/streaming_copy.hpp"

#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace caf_ray::objstore {

#if defined(__x86_64__)

namespace {

/// Pages that are copied side by side, line by line: one page after the other keeps only a part of
/// the memory's banks busy (README, decisions).
constexpr std::size_t page_bytes = 4096, pages_at_once = 4;
constexpr std::size_t unit_bytes = 128;

/// Copies as many whole units as fit to an address aligned to 64; returns the bytes copied.
using copy_units = std::size_t (*)(std::byte*, const std::byte*, std::size_t);

/// `copy_unit` copies unit_bytes.
template <class CopyUnit>
__attribute__((always_inline)) inline std::size_t
copy_in_order(std::byte* into, const std::byte* from, std::size_t size_bytes, CopyUnit copy_unit) {
  std::size_t at = 0;
  for (; size_bytes - at >= pages_at_once * page_bytes; at += pages_at_once * page_bytes)
    for (std::size_t line = 0; line < page_bytes; line += unit_bytes)
      for (std::size_t page = 0; page < pages_at_once; ++page) {
        auto place = at + page * page_bytes + line;
        copy_unit(into + place, from + place);
      }
  for (; size_bytes - at >= unit_bytes; at += unit_bytes)
    copy_unit(into + at, from + at);
  return at;
}

inline void copy_unit_sse2(std::byte* into, const std::byte* from) {
  auto source = reinterpret_cast<const __m128i*>(from);
  auto target = reinterpret_cast<__m128i*>(into);
  __m128i part[8];
  for (int i = 0; i < 8; ++i)
    part[i] = _mm_loadu_si128(source + i);
  for (int i = 0; i < 8; ++i)
    _mm_stream_si128(target + i, part[i]);
}

std::size_t copy_units_sse2(std::byte* into, const std::byte* from, std::size_t size_bytes) {
  return copy_in_order(into, from, size_bytes, copy_unit_sse2);
}

__attribute__((target("avx2"))) inline void copy_unit_avx2(std::byte* into, const std::byte* from) {
  auto source = reinterpret_cast<const __m256i*>(from);
  auto target = reinterpret_cast<__m256i*>(into);
  auto a = _mm256_loadu_si256(source), b = _mm256_loadu_si256(source + 1);
  auto c = _mm256_loadu_si256(source + 2), d = _mm256_loadu_si256(source + 3);
  _mm256_stream_si256(target, a);
  _mm256_stream_si256(target + 1, b);
  _mm256_stream_si256(target + 2, c);
  _mm256_stream_si256(target + 3, d);
}

__attribute__((target("avx2"))) std::size_t copy_units_avx2(std::byte* into, const std::byte* from,
                                                            std::size_t size_bytes) {
  return copy_in_order(into, from, size_bytes, copy_unit_avx2);
}

copy_units best_copy_units() {
  return __builtin_cpu_supports("avx2") ? copy_units_avx2 : copy_units_sse2;
}

} // namespace

void streaming_copy(void* into, const void* from, std::size_t size_bytes) noexcept {
  if (size_bytes < streaming_threshold_bytes) {
    if (size_bytes > 0) // empty spans have no address
      std::memcpy(into, from, size_bytes);
    return;
  }
  static const auto units = best_copy_units();
  auto target = static_cast<std::byte*>(into);
  auto source = static_cast<const std::byte*>(from);
  auto head = (64 - reinterpret_cast<std::uintptr_t>(target) % 64) % 64;
  std::memcpy(target, source, head);
  auto done = head + units(target + head, source + head, size_bytes - head);
  std::memcpy(target + done, source + done, size_bytes - done);
  _mm_sfence();
}

#else

void streaming_copy(void* into, const void* from, std::size_t size_bytes) noexcept {
  if (size_bytes > 0)
    std::memcpy(into, from, size_bytes);
}

#endif

} // namespace caf_ray::objstore
