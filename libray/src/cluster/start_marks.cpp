#include "libray/src/cluster/start_marks.hpp"

#include <cerrno>
#include <numeric>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gcs/folder.hpp"

namespace caf_ray::cluster {

namespace {

constexpr std::size_t marks_bytes = std::size_t{mark_blocks} * marks_per_block;

} // namespace

result<std::unique_ptr<start_marks>> start_marks::make() {
  transport::file_descriptor file(memfd_create("caf-ray-starts", MFD_CLOEXEC));
  void* memory = MAP_FAILED;
  if (file.get() >= 0 && ftruncate(file.get(), marks_bytes) == 0)
    memory = mmap(nullptr, marks_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (memory == MAP_FAILED)
    return fail(errc::io_failed, "no memory to share with workers: " + gcs::errno_text(errno));
  return std::unique_ptr<start_marks>(
    new start_marks(std::move(file), static_cast<start_mark*>(memory)));
}

start_marks::start_marks(transport::file_descriptor descriptor, start_mark* marks)
  : descriptor_(std::move(descriptor)), marks_(marks), free_(mark_blocks) {
  std::iota(free_.rbegin(), free_.rend(), 0u);
}

start_marks::~start_marks() {
  munmap(marks_, marks_bytes);
}

std::optional<std::uint32_t> start_marks::take() {
  if (free_.empty())
    return std::nullopt;
  auto block = free_.back();
  free_.pop_back();
  return block;
}

mark_block::mark_block(start_marks* all, std::uint32_t block)
  : all_(all), block_(block), free_(marks_per_block) {
  std::iota(free_.rbegin(), free_.rend(), 1u);
}

mark_block& mark_block::operator=(mark_block&& other) noexcept {
  std::swap(all_, other.all_);
  std::swap(block_, other.block_);
  std::swap(free_, other.free_);
  return *this;
}

mark_block::~mark_block() {
  if (all_)
    all_->give_back(block_);
}

std::uint32_t mark_block::take() {
  if (free_.empty())
    return 0;
  auto number = free_.back();
  free_.pop_back();
  all_->at(block_, number - 1).store(0, std::memory_order_relaxed);
  return number;
}

void mark_block::give_back(std::uint32_t number) {
  if (number != 0 && all_)
    free_.push_back(number);
}

bool mark_block::has_started(std::uint32_t number) const noexcept {
  return number == 0 || !all_ || all_->at(block_, number - 1).load(std::memory_order_acquire) != 0;
}

start_mark* map_marks(const std::string& path, std::uint32_t block) {
  transport::file_descriptor file(open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (file.get() < 0 || block >= mark_blocks)
    return nullptr;
  auto memory = mmap(nullptr, marks_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  return memory == MAP_FAILED ? nullptr
                              : static_cast<start_mark*>(memory) + block * marks_per_block;
}

} // namespace caf_ray::cluster
