#include "objstore/direct_io.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

#include <fcntl.h>
#include <unistd.h>

namespace caf_ray::objstore {

namespace {

constexpr std::size_t round_up(std::size_t n) {
  return (n + buffer_pool::alignment - 1) / buffer_pool::alignment * buffer_pool::alignment;
}

/// Some file systems accept O_DIRECT and then refuse the first transfer.
bool turn_off_direct(int file) {
  auto flags = fcntl(file, F_GETFL);
  return flags >= 0 && (flags & O_DIRECT) != 0 && fcntl(file, F_SETFL, flags & ~O_DIRECT) == 0;
}

/// Writes one buffer at `offset`, which is aligned; its end may be padded beyond `size_bytes`.
io_outcome write_buffer(int file, std::byte* buffer, std::size_t size_bytes, std::uint64_t offset) {
  auto padded = round_up(size_bytes);
  std::memset(buffer + size_bytes, 0, padded - size_bytes);
  std::size_t done = 0;
  while (done < size_bytes) {
    auto n = pwrite(file, buffer + done, padded - done, static_cast<off_t>(offset + done));
    if (n < 0 && (errno == EINTR || (errno == EINVAL && turn_off_direct(file))))
      continue;
    if (n < 0)
      return {std::min(done, size_bytes), errno};
    if (n == 0)
      return {std::min(done, size_bytes), ENOSPC};
    done += static_cast<std::size_t>(n);
    // A short write may end anywhere; the rest is not aligned any more.
    if (done % buffer_pool::alignment != 0)
      turn_off_direct(file);
  }
  return {size_bytes, 0};
}

} // namespace

buffer_pool::buffer buffer_pool::borrow() {
  {
    std::lock_guard guard{mutex_};
    if (!spare_.empty()) {
      auto memory = spare_.back().release();
      spare_.pop_back();
      return {memory, {this}};
    }
  }
  auto memory = static_cast<std::byte*>(std::aligned_alloc(alignment, buffer_bytes));
  if (!memory)
    throw std::bad_alloc{};
  return {memory, {this}};
}

void buffer_pool::put(std::byte* memory) {
  std::unique_ptr<std::byte, release> owned{memory};
  std::lock_guard guard{mutex_};
  if (spare_.size() < most_spare)
    spare_.push_back(std::move(owned));
}

io_outcome write_blocks(int file, std::span<const std::span<const std::byte>> blocks,
                        std::byte* buffer) {
  io_outcome result;
  std::size_t fill = 0;
  auto flush = [&] {
    auto wrote = write_buffer(file, buffer, fill, result.done_bytes);
    result.done_bytes += wrote.done_bytes;
    result.code = wrote.code;
    fill = 0;
    return wrote.code == 0;
  };
  for (auto block : blocks) {
    while (!block.empty() && result.code == 0) {
      auto n = std::min(block.size(), buffer_pool::buffer_bytes - fill);
      std::memcpy(buffer + fill, block.data(), n);
      fill += n;
      block = block.subspan(n);
      if (fill == buffer_pool::buffer_bytes)
        flush();
    }
  }
  if (result.code == 0 && fill > 0)
    flush();
  if (ftruncate(file, static_cast<off_t>(result.done_bytes)) != 0 && result.code == 0)
    result.code = errno;
  return result;
}

io_outcome read_block(int file, std::uint64_t offset_bytes, std::span<std::byte> into,
                      std::byte* buffer) {
  io_outcome result;
  while (result.done_bytes < into.size()) {
    auto from = offset_bytes + result.done_bytes;
    auto skip = static_cast<std::size_t>(from % buffer_pool::alignment);
    auto rest = static_cast<std::size_t>(into.size() - result.done_bytes);
    auto want = std::min(round_up(skip + rest), buffer_pool::buffer_bytes);
    auto n = pread(file, buffer, want, static_cast<off_t>(from - skip));
    if (n < 0 && (errno == EINTR || (errno == EINVAL && turn_off_direct(file))))
      continue;
    if (n < 0) {
      result.code = errno;
      return result;
    }
    if (static_cast<std::size_t>(n) <= skip)
      return result;
    auto got = std::min(static_cast<std::size_t>(n) - skip, rest);
    std::memcpy(into.data() + result.done_bytes, buffer + skip, got);
    result.done_bytes += got;
  }
  return result;
}

int open_direct(int folder, const char* name, int flags) {
  auto file = openat(folder, name, flags | O_DIRECT, 0600);
  if (file < 0 && errno == EINVAL) {
    // With O_CREAT the refused call may have made the file already.
    if ((flags & O_CREAT) != 0)
      unlinkat(folder, name, 0);
    file = openat(folder, name, flags, 0600);
  }
  return file;
}

} // namespace caf_ray::objstore
