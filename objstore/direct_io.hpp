#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

/// Reading and writing files past the page cache.
///
/// Spilling happens when memory is short, so it should not fill memory with what it writes; and
/// fresh pages for the cache cost more than the disk (measured: 0.4 GB/s through the cache, 1.5
/// past it). Blocks are gathered in one aligned buffer, which is also what fuses small ones into
/// large writes. File systems without direct I/O are used through the cache.
namespace caf_ray::objstore {

/// Buffers for direct I/O, kept for reuse because fresh memory is slow. Thread-safe.
class buffer_pool {
public:
  static constexpr std::size_t buffer_bytes = 4 * 1024 * 1024;
  static constexpr std::size_t alignment = 4096;

  struct give_back {
    buffer_pool* pool;
    void operator()(std::byte* memory) const { pool->put(memory); }
  };
  /// `buffer_bytes`, aligned; returns to the pool, which must live longer.
  using buffer = std::unique_ptr<std::byte, give_back>;

  /// A buffer; throws std::bad_alloc.
  buffer borrow();

private:
  struct release {
    void operator()(std::byte* memory) const { std::free(memory); }
  };
  void put(std::byte* memory);

  static constexpr std::size_t most_spare = 4;
  std::mutex mutex_;
  std::vector<std::unique_ptr<std::byte, release>> spare_;
};

/// What came of an I/O call: how far it got, and errno of what stopped it (0: nothing).
struct io_outcome {
  std::uint64_t done_bytes = 0;
  int code = 0;
};

/// Writes the blocks one after the other to a new, empty file that may have been opened with
/// O_DIRECT. Leaves the file exactly `done_bytes` long where that is possible.
io_outcome write_blocks(int file, std::span<const std::span<const std::byte>> blocks,
                        std::byte* buffer);

/// Reads `into.size()` bytes at any offset. Less comes, without a code, at the end of the file.
io_outcome read_block(int file, std::uint64_t offset_bytes, std::span<std::byte> into,
                      std::byte* buffer);

/// openat with O_DIRECT, without it where the file system does not know it. -1 and errno.
int open_direct(int folder, const char* name, int flags);

} // namespace caf_ray::objstore
