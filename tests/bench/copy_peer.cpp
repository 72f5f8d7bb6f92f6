#include "tests/bench/copy_peer.hpp"

#include <cstdlib>
#include <cstring>
#include <new>
#include <thread>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "tests/bench/measure.hpp"

namespace caf_ray::bench {

warm_memory::warm_memory(std::size_t size_bytes)
  : data_(static_cast<char*>(std::aligned_alloc(4096, (size_bytes + 4095) / 4096 * 4096))),
    size_(size_bytes) {
  if (!data_)
    throw std::bad_alloc();
  std::memset(data_, 1, size_);
}

warm_memory::~warm_memory() {
  std::free(data_);
}

void copy_past_caches(char* into, const char* from, std::size_t size_bytes) {
#if defined(__SSE2__)
  auto copy_line = [&](std::size_t at) {
    auto to = reinterpret_cast<__m128i*>(into + at);
    auto source = reinterpret_cast<const __m128i*>(from + at);
    auto a = _mm_loadu_si128(source);
    auto b = _mm_loadu_si128(source + 1);
    auto c = _mm_loadu_si128(source + 2);
    auto d = _mm_loadu_si128(source + 3);
    _mm_stream_si128(to, a);
    _mm_stream_si128(to + 1, b);
    _mm_stream_si128(to + 2, c);
    _mm_stream_si128(to + 3, d);
  };
  constexpr std::size_t page = 4096, block = 4 * page;
  std::size_t at = 0;
  for (; at + block <= size_bytes; at += block)
    for (std::size_t line = at; line < at + page; line += 64)
      for (std::size_t i = 0; i < 4; ++i)
        copy_line(line + i * page);
  for (; at < size_bytes; at += 64)
    copy_line(at);
  _mm_sfence();
#else
  std::memcpy(into, from, size_bytes);
#endif
}

void copy_plainly(char* into, const char* from, std::size_t size_bytes) {
  std::memcpy(into, from, size_bytes);
}

void in_threads(std::size_t count, const std::function<void(std::size_t)>& work) {
  std::vector<std::thread> others;
  for (std::size_t i = 1; i < count; ++i)
    others.emplace_back(work, i);
  work(0);
  for (auto& other : others)
    other.join();
}

double copy_rate(copy_function copy, const void* source, const warm_memory& target,
                 std::size_t threads) {
  const auto part = target.size() / threads / 64 * 64;
  const auto from = static_cast<const char*>(source);
  stopwatch watch;
  in_threads(threads,
             [&](std::size_t i) { copy(target.data() + i * part, from + i * part, part); });
  return static_cast<double>(part * threads) / watch.seconds();
}

} // namespace caf_ray::bench
