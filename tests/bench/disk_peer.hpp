#pragma once

#include <cstddef>
#include <filesystem>

namespace caf_ray::bench {

/// A file of this size in the system's temporary folder, written and read past the page cache in
/// blocks of 4 MiB by one thread: what the disk gives. Removed at the end. Throws
/// std::runtime_error where it cannot be made, written or read.
class disk_file {
public:
  explicit disk_file(std::size_t size_bytes);
  ~disk_file();
  disk_file(const disk_file&) = delete;
  disk_file& operator=(const disk_file&) = delete;

  /// Bytes per second.
  double write();
  /// Bytes per second; after `write`.
  double read();

private:
  std::filesystem::path path_;
  std::size_t size_;
};

} // namespace caf_ray::bench
