#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace caf_ray::bench {

/// Memory that is there: allocated in whole pages and written once.
class warm_memory {
public:
  explicit warm_memory(std::size_t size_bytes);
  ~warm_memory();
  warm_memory(const warm_memory&) = delete;
  warm_memory& operator=(const warm_memory&) = delete;

  char* data() const { return data_; }
  std::size_t size() const { return size_; }

private:
  char* data_;
  std::size_t size_;
};

/// `into` 64-byte aligned, the size a multiple of 64.
using copy_function = void (*)(char* into, const char* from, std::size_t size_bytes);

/// With stores that go past the caches, four pages side by side: the fastest found for what does
/// not fit into the caches.
void copy_past_caches(char* into, const char* from, std::size_t size_bytes);
/// With memcpy.
void copy_plainly(char* into, const char* from, std::size_t size_bytes);

/// Runs `work(0)` to `work(count - 1)` at once, the first on this thread, and waits for them.
void in_threads(std::size_t count, const std::function<void(std::size_t)>& work);

/// Bytes per second from `source` into `target` of that size, shared out over `threads`.
double copy_rate(copy_function copy, const void* source, const warm_memory& target,
                 std::size_t threads);

} // namespace caf_ray::bench
