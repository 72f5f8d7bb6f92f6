#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "gcs/scratch_folder.hpp"
#include "gcs/types/error.hpp"
#include "objstore/direct_io.hpp"
#include "objstore/object_table.hpp"

/// Objects on disk: many in one file, written in one go, read back one by one.
///
/// A store has a scratch folder of its own, `caf-ray-spill-...`. Files are 0600 and numbered. A
/// file is removed with its last object; what its dead ones occupy until then is not compacted,
/// since objects that were written together were last used together and tend to die together.
namespace caf_ray::objstore {

/// Removes the spill folders in `directory` that belong to this user and to no living store.
/// Returns how many. What cannot be read or removed is left alone.
std::size_t sweep_spill_folders(const std::filesystem::path& directory);

/// Thread-safe. All calls that touch the disk do it inside a blocking_scope.
class spill_folder {
public:
  struct options {
    /// Empty: the system's temporary folder.
    std::filesystem::path directory;
    /// Size of all files together at most.
    std::uint64_t limit_bytes = UINT64_MAX;
  };

  /// Makes nothing yet: the folder comes with the first write.
  explicit spill_folder(options opts);
  spill_folder(const spill_folder&) = delete;
  spill_folder& operator=(const spill_folder&) = delete;

  /// Writes the blocks to one new file, in order. Returns where each lies; fewer than given when
  /// the disk or the limit was reached on the way. Errors, when not even one could be written:
  /// store_full (disk full, quota, limit), io_failed.
  result<std::vector<disk_copy>> write(std::span<const std::span<const std::byte>> blocks);

  /// Reads a block back; `into` has its size. Errors: corrupt (not what was written, or the file is
  /// gone), io_failed.
  result<void> read(const disk_copy& from, std::span<std::byte> into) const;

  /// A block is not needed any more.
  void release(const disk_copy& block);

  /// Files as they are, dead blocks included.
  std::uint64_t file_bytes() const { return file_bytes_.load(std::memory_order_relaxed); }
  /// What may still be written under the limit.
  std::uint64_t budget_bytes() const;
  /// Files written since the start.
  std::uint64_t write_count() const { return write_count_.load(std::memory_order_relaxed); }

private:
  struct file {
    std::uint64_t size_bytes = 0;
    /// Blocks that are still needed.
    std::size_t live_count = 0;
  };

  /// The open folder; made by the first call.
  result<int> folder();
  std::string path_of(const std::string& file) const;

  options options_;
  mutable buffer_pool buffers_;
  mutable std::mutex mutex_;
  /// None before the first write; from then on the same one.
  std::optional<scratch_folder> folder_;
  std::uint32_t last_file_ = 0;
  std::unordered_map<std::uint32_t, file> files_;
  std::atomic<std::uint64_t> file_bytes_{0};
  std::atomic<std::uint64_t> write_count_{0};
};

} // namespace caf_ray::objstore
