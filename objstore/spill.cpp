#include "objstore/spill.hpp"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "gcs/blocking.hpp"
#include "gcs/scratch_folder.hpp"
#include "objstore/direct_io.hpp"

namespace caf_ray::objstore {

namespace {

/// Smaller blocks are read through the page cache: reading ahead brings their neighbours too.
constexpr std::size_t direct_read_bytes = 256 * 1024;

/// Closes a descriptor at the end of a scope.
class descriptor {
public:
  explicit descriptor(int fd) noexcept : fd_(fd) {}
  ~descriptor() {
    if (fd_ >= 0)
      close(fd_);
  }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

private:
  int fd_;
};

std::string file_name(std::uint32_t file) {
  char name[16];
  std::snprintf(name, sizeof(name), "%08x", file);
  return name;
}

bool is_file_name(std::string_view name) {
  return name.size() == 8
         && std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isxdigit(c); });
}

constexpr scratch_kind spill_kind{"caf-ray-spill-", is_file_name};

bool is_full(int code) {
  return code == ENOSPC || code == EDQUOT || code == EFBIG;
}

error error_of(int code, const std::string& what) {
  return {is_full(code) ? errc::store_full : errc::io_failed, what + ": " + std::strerror(code)};
}

} // namespace

std::size_t sweep_spill_folders(const std::filesystem::path& directory) {
  return scratch_folder::sweep(directory, spill_kind);
}

spill_folder::spill_folder(options opts) : options_(std::move(opts)) {}

result<std::vector<disk_copy>>
spill_folder::write(std::span<const std::span<const std::byte>> blocks) {
  blocking_scope waiting;
  std::unique_lock lock{mutex_};
  auto budget = budget_bytes();
  std::uint64_t size_bytes = 0;
  std::size_t count = 0;
  while (count < blocks.size() && blocks[count].size() <= budget - size_bytes)
    size_bytes += blocks[count++].size();
  if (count == 0)
    return fail(errc::store_full,
                "spill limit of " + std::to_string(options_.limit_bytes) + " bytes reached");
  blocks = blocks.first(count);
  auto parent = folder();
  if (!parent)
    return tl::unexpected{parent.error()};
  auto number = ++last_file_;
  auto name = file_name(number);
  descriptor fd{
    open_direct(*parent, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC)};
  if (fd.get() < 0)
    return tl::unexpected{error_of(errno, "cannot make a spill file in " + path_of(""))};
  file_bytes_.fetch_add(size_bytes, std::memory_order_relaxed);
  lock.unlock();

  auto [written, code] = write_blocks(fd.get(), blocks, buffers_.borrow().get());
  std::vector<disk_copy> copies;
  std::uint64_t offset = 0;
  for (const auto& block : blocks) {
    if (offset + block.size() > written)
      break;
    copies.push_back({number, offset, XXH3_64bits(block.data(), block.size())});
    offset += block.size();
  }

  lock.lock();
  file_bytes_.fetch_sub(size_bytes - offset, std::memory_order_relaxed);
  if (copies.empty()) {
    unlinkat(*parent, name.c_str(), 0);
    return tl::unexpected{error_of(code, "cannot write to " + path_of(""))};
  }
  files_[number] = {offset, copies.size()};
  write_count_.fetch_add(1, std::memory_order_relaxed);
  return copies;
}

result<void> spill_folder::read(const disk_copy& from, std::span<std::byte> into) const {
  blocking_scope waiting;
  // Whoever has a disk_copy has seen the folder made.
  int parent = folder_->descriptor();
  auto name = file_name(from.file);
  constexpr int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC;
  descriptor fd{into.size() < direct_read_bytes ? openat(parent, name.c_str(), flags)
                                                : open_direct(parent, name.c_str(), flags)};
  if (fd.get() < 0 && errno == ENOENT)
    return fail(errc::corrupt, "spill file " + path_of(name) + " is gone");
  if (fd.get() < 0)
    return tl::unexpected{error_of(errno, "cannot open " + path_of(name))};
  auto [done, code] = read_block(fd.get(), from.offset_bytes, into, buffers_.borrow().get());
  if (code != 0)
    return tl::unexpected{error_of(code, "cannot read " + path_of(name))};
  if (done < into.size())
    return fail(errc::corrupt, "spill file " + path_of(name) + " is cut short");
  if (XXH3_64bits(into.data(), into.size()) != from.checksum)
    return fail(errc::corrupt, "spill file " + path_of(name) + " has been damaged");
  return {};
}

void spill_folder::release(const disk_copy& block) {
  blocking_scope waiting;
  {
    std::lock_guard guard{mutex_};
    auto i = files_.find(block.file);
    if (i == files_.end() || --i->second.live_count > 0)
      return;
    file_bytes_.fetch_sub(i->second.size_bytes, std::memory_order_relaxed);
    files_.erase(i);
  }
  unlinkat(folder_->descriptor(), file_name(block.file).c_str(), 0);
}

std::uint64_t spill_folder::budget_bytes() const {
  return options_.limit_bytes - std::min(options_.limit_bytes, file_bytes());
}

result<int> spill_folder::folder() {
  if (!folder_) {
    auto made = scratch_folder::make(options_.directory, spill_kind);
    if (!made)
      return tl::unexpected{made.error()};
    folder_.emplace(std::move(*made));
  }
  return folder_->descriptor();
}

std::string spill_folder::path_of(const std::string& file) const {
  return (folder_->path() / file).string();
}

} // namespace caf_ray::objstore
