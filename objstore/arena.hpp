#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>

#include "gcs/types/error.hpp"

/// One piece of shared memory for all objects of a host.
///
/// The address space is reserved at once and memory is taken in steps that are never given back:
/// a fresh page costs forty times what a used one does. A page is only handed out after the system
/// has promised it, so a full tmpfs is an error here and never a SIGBUS there.
namespace caf_ray::objstore {

/// An arena's capacity when none is given: `share` of the memory that is available now, in the
/// machine and in our control group, and at most what is free in `directory` if there is one.
std::size_t default_capacity_bytes(double share, const std::filesystem::path& directory);

/// Not thread-safe, but `extend` may run beside the other calls, one at a time.
class arena {
public:
  struct options {
    /// Address space to reserve; rounded up to a page. At least 1 MiB.
    std::size_t capacity_bytes = 0;
    /// Empty: anonymous (memfd), sealed so that nobody who maps it can shrink it. Else a nameless
    /// file in this folder.
    std::filesystem::path directory;
  };

  /// Errors: invalid_argument, store_full (no memory for the first MiB, or over a limit of the
  /// process), io_failed.
  static result<std::unique_ptr<arena>> map(const options& opts);
  ~arena();
  arena(const arena&) = delete;
  arena& operator=(const arena&) = delete;

  /// Memory up to `step_bytes` more: takes it from the system and faults it in, slowly. It becomes
  /// usable with `adopt`. Returns the bytes that came, 0 at the capacity. Errors: store_full (the
  /// system has none), io_failed.
  result<std::size_t> extend(std::size_t step_bytes);

  /// Makes what `extend` brought available to `allocate`.
  void adopt(std::size_t extended_bytes);

  /// A block aligned to 64 bytes; its offset from `base`. Nothing if no free piece is that large.
  std::optional<std::size_t> allocate(std::size_t size_bytes);
  void deallocate(std::size_t offset_bytes);

  std::byte* base() const { return base_; }
  /// To be mapped by other processes.
  int descriptor() const { return descriptor_; }
  std::size_t capacity_bytes() const { return capacity_bytes_; }
  std::size_t committed_bytes() const { return committed_bytes_; }
  /// Of the committed memory: blocks and what the allocator needs for itself.
  std::size_t used_bytes() const;
  /// The largest block there can ever be.
  std::size_t largest_bytes() const;

private:
  arena(int descriptor, std::byte* base, std::size_t capacity_bytes);

  int descriptor_;
  std::byte* base_;
  std::size_t capacity_bytes_;
  /// Promised and faulted in.
  std::size_t extended_bytes_ = 0;
  /// Of these, known to the allocator.
  std::size_t committed_bytes_ = 0;
};

} // namespace caf_ray::objstore
