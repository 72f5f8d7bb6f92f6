#pragma once

#include <cstdint>
#include <filesystem>
#include <utility>

#include "gcs/types/error.hpp"

namespace caf_ray::gcs {

/// The folder of one shard, `<folder>/shard-<index>`, claimed for this process: 0700, on a local
/// disk, with a lock that the kernel drops when the process ends, however it ends.
///
/// The lock is of the open file (flock), so it also keeps out a second claim of the same process;
/// LMDB itself would let that through and lose its own locks at the first close.
class shard_folder {
public:
  /// Errors: in_use, not_supported (network file system), io_failed.
  static result<shard_folder> claim(const std::filesystem::path& folder, std::uint32_t index);

  shard_folder(shard_folder&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}
  shard_folder& operator=(shard_folder&&) = delete;
  ~shard_folder();

  const std::filesystem::path& path() const noexcept { return path_; }

private:
  shard_folder(std::filesystem::path path, int lock) : path_(std::move(path)), lock_(lock) {}

  std::filesystem::path path_;
  int lock_;
};

/// "ENOSPC (No space left on device)"
std::string errno_text(int code);

} // namespace caf_ray::gcs
