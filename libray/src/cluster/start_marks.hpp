#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gcs/types/error.hpp"
#include "libray/src/transport/file_descriptor.hpp"

/// Which of the tasks that a worker was sent it has started: in memory that worker and node share,
/// so that it can be read when the worker is gone. A task that had not started is not hurt by its
/// death.
namespace caf_ray::cluster {

/// One byte a task. Written by the worker, read by the node after its end.
using start_mark = std::atomic<std::uint8_t>;
static_assert(start_mark::is_always_lock_free && sizeof(start_mark) == 1);

/// Tasks of one worker that can be told apart at a time; and workers that have marks.
inline constexpr std::uint32_t marks_per_block = 1024;
inline constexpr std::uint32_t mark_blocks = 256;

/// The node's side. Not thread-safe.
class start_marks {
public:
  /// Error: io_failed.
  static result<std::unique_ptr<start_marks>> make();
  ~start_marks();
  start_marks(const start_marks&) = delete;
  start_marks& operator=(const start_marks&) = delete;

  /// For workers to map.
  int descriptor() const noexcept { return descriptor_.get(); }

  /// A block for a worker; nothing when all are taken.
  std::optional<std::uint32_t> take();
  void give_back(std::uint32_t block) { free_.push_back(block); }
  /// `index` counts from 0.
  start_mark& at(std::uint32_t block, std::uint32_t index) const noexcept {
    return marks_[block * marks_per_block + index];
  }

private:
  start_marks(transport::file_descriptor descriptor, start_mark* marks);

  transport::file_descriptor descriptor_;
  start_mark* marks_;
  std::vector<std::uint32_t> free_;
};

/// The marks of one worker, handed out to its tasks by the node. A number from 1; 0: all are in
/// use, and the task counts as started.
class mark_block {
public:
  mark_block() = default;
  mark_block(start_marks* all, std::uint32_t block);
  mark_block(mark_block&& other) noexcept { *this = std::move(other); }
  mark_block& operator=(mark_block&& other) noexcept;
  ~mark_block();

  std::uint32_t take();
  void give_back(std::uint32_t number);
  bool has_started(std::uint32_t number) const noexcept;

private:
  start_marks* all_ = nullptr;
  std::uint32_t block_ = 0;
  std::vector<std::uint32_t> free_;
};

/// The worker's side: maps the node's memory for the rest of the process. Null when it cannot: a
/// worker must not go on then, since what it runs would count as not started.
start_mark* map_marks(const std::string& path, std::uint32_t block);

} // namespace caf_ray::cluster
