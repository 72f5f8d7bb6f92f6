#pragma once

#include <filesystem>

#include <sys/stat.h>

#include "gcs/types/error.hpp"
#include "libray/src/transport/file_descriptor.hpp"

namespace caf_ray::transport {

/// A unix socket that listens, for our user only: mode 0600 in a folder of mode 0700. Its name is
/// removed with it, unless somebody else has taken the name meanwhile.
class unix_door {
public:
  /// Makes the last folder of the path if it is absent, and takes the place of a socket whose owner
  /// is dead. Errors: in_use (its owner is alive, or keeps the folder locked), refused (the folder
  /// is open to or belongs to others), already_exists (a file that is no socket), invalid_argument
  /// (path over 107 bytes), not_found (no such folder), io_failed.
  static result<unix_door> open(const std::filesystem::path&);

  unix_door(unix_door&&) noexcept = default;
  unix_door& operator=(unix_door&&) = delete;
  ~unix_door();

  int fd() const noexcept { return fd_.get(); }
  const std::filesystem::path& path() const noexcept { return path_; }

private:
  unix_door(file_descriptor fd, std::filesystem::path path, const struct stat& made)
    : fd_(std::move(fd)), path_(std::move(path)), device_(made.st_dev), inode_(made.st_ino) {}

  file_descriptor fd_;
  std::filesystem::path path_;
  dev_t device_;
  ino_t inode_;
};

} // namespace caf_ray::transport
