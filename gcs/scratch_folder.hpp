#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "gcs/types/error.hpp"

/// Folders on disk that are worth nothing without their process.
namespace caf_ray {

/// What scratch folders of one kind are called, and what lies in them.
struct scratch_kind {
  /// Names are `<prefix><pid>-<start time of the process>-<n>`.
  std::string_view prefix;
  /// Whether a name at the top of the folder is one that its owner makes. Anything else is somebody
  /// else's: it stays, and the folder with it.
  bool (*is_ours)(std::string_view name);
};

/// A folder of this process's own: 0700, and locked (flock) while it lives. The lock goes with the
/// process however that ends, so a folder that can be locked is nobody's; `sweep` removes it. Pids
/// mean nothing across containers that share a directory: they are for people.
class scratch_folder {
public:
  /// Makes one in `directory`, which is made if absent; empty: the system's temporary folder.
  /// Errors: store_full (disk full, quota), io_failed.
  static result<scratch_folder> make(const std::filesystem::path& directory, scratch_kind kind);

  /// Removes the folders of this kind in `directory` that belong to this user and to no living
  /// process. Returns how many. What cannot be read or removed is left alone.
  static std::size_t sweep(const std::filesystem::path& directory, scratch_kind kind);

  scratch_folder(scratch_folder&& other) noexcept
    : kind_(other.kind_), path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}
  scratch_folder& operator=(scratch_folder&&) = delete;
  /// Removes it with what is in it.
  ~scratch_folder();

  const std::filesystem::path& path() const noexcept { return path_; }
  /// The open folder, for openat and its like.
  int descriptor() const noexcept { return fd_; }

private:
  scratch_folder(scratch_kind kind, std::filesystem::path path, int fd)
    : kind_(kind), path_(std::move(path)), fd_(fd) {}

  scratch_kind kind_;
  std::filesystem::path path_;
  int fd_;
};

} // namespace caf_ray
