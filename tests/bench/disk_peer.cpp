#include "tests/bench/disk_peer.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>

#include <fcntl.h>
#include <unistd.h>

#include "tests/bench/measure.hpp"

namespace caf_ray::bench {

namespace {

constexpr std::size_t block_bytes = 4 << 20;

[[noreturn]] void fail(const std::string& doing, const std::filesystem::path& path) {
  throw std::runtime_error("cannot " + doing + " " + path.string() + ": " + std::strerror(errno));
}

/// Direct where the file system can do that; a tmpfs cannot.
int open_direct(const std::filesystem::path& path, int flags) {
  int fd = open(path.c_str(), flags | O_CLOEXEC | O_DIRECT);
  return fd < 0 && errno == EINVAL ? open(path.c_str(), flags | O_CLOEXEC) : fd;
}

/// `step` moves one block; 4096-byte aligned, as direct I/O wants it.
double rate(const std::filesystem::path& path, int flags, std::size_t size, const char* doing,
            ssize_t (*step)(int, void*, std::size_t)) {
  std::unique_ptr<void, void (*)(void*)> block(std::aligned_alloc(4096, block_bytes), std::free);
  if (!block)
    throw std::bad_alloc();
  std::memset(block.get(), 1, block_bytes);
  int fd = open_direct(path, flags);
  if (fd < 0)
    fail(doing, path);
  stopwatch watch;
  for (std::size_t done = 0; done < size; done += block_bytes)
    if (step(fd, block.get(), block_bytes) != static_cast<ssize_t>(block_bytes)) {
      close(fd);
      fail(doing, path);
    }
  auto seconds = watch.seconds();
  close(fd);
  return static_cast<double>(size) / seconds;
}

} // namespace

disk_file::disk_file(std::size_t size_bytes) : size_(size_bytes / block_bytes * block_bytes) {
  auto pattern = (std::filesystem::temp_directory_path() / "caf-ray-bench-XXXXXX").string();
  int fd = mkstemp(pattern.data());
  path_ = pattern;
  if (fd < 0)
    fail("make", path_);
  close(fd);
}

disk_file::~disk_file() {
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

double disk_file::write() {
  return rate(path_, O_WRONLY | O_TRUNC, size_, "write",
              [](int fd, void* data, std::size_t size) { return ::write(fd, data, size); });
}

double disk_file::read() {
  return rate(path_, O_RDONLY, size_, "read",
              [](int fd, void* data, std::size_t size) { return ::read(fd, data, size); });
}

} // namespace caf_ray::bench
