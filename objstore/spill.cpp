#include "objstore/spill.hpp"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <optional>
#include <string_view>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "gcs/blocking.hpp"
#include "objstore/direct_io.hpp"

namespace caf_ray::objstore {

namespace {

constexpr std::string_view folder_prefix = "caf-ray-spill-";

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

std::filesystem::path directory_or_default(const std::filesystem::path& directory) {
  if (!directory.empty())
    return directory;
  std::error_code ignored;
  auto result = std::filesystem::temp_directory_path(ignored);
  return result.empty() ? "/tmp" : result;
}

/// When this process started, in ticks since boot: field 22 of its stat line. Tells a person, with
/// the pid, whose folder it is.
std::string process_start() {
  std::ifstream file{"/proc/self/stat"};
  std::string line;
  std::getline(file, line);
  auto at = line.rfind(')');
  for (int field = 2; field < 22 && at != std::string::npos; ++field)
    at = line.find(' ', at + 1);
  if (at == std::string::npos)
    return "0";
  return line.substr(at + 1, line.find(' ', at + 1) - at - 1);
}

std::string next_folder_name() {
  static std::atomic<unsigned> count{0};
  return std::string{folder_prefix} + std::to_string(getpid()) + '-' + process_start() + '-'
         + std::to_string(count.fetch_add(1));
}

int open_folder(int at, const char* name) {
  return openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/// Removes our files in the folder, then the folder. Strangers' files stay, and the folder with
/// them.
bool remove_folder(int parent, int folder, const char* name) {
  if (auto listing = fdopendir(openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC))) {
    while (auto found = readdir(listing))
      if (is_file_name(found->d_name))
        unlinkat(folder, found->d_name, 0);
    closedir(listing);
  }
  return unlinkat(parent, name, AT_REMOVEDIR) == 0;
}

/// Sweeps one folder if it is ours and nobody holds its lock.
bool sweep_folder(int parent, const char* name) {
  descriptor folder{open_folder(parent, name)};
  struct stat about {};
  return folder.get() >= 0 && fstat(folder.get(), &about) == 0 && about.st_uid == geteuid()
         && flock(folder.get(), LOCK_EX | LOCK_NB) == 0
         && remove_folder(parent, folder.get(), name);
}

bool is_full(int code) {
  return code == ENOSPC || code == EDQUOT || code == EFBIG;
}

error error_of(int code, const std::string& what) {
  return {is_full(code) ? errc::store_full : errc::io_failed, what + ": " + std::strerror(code)};
}

} // namespace

std::size_t sweep_spill_folders(const std::filesystem::path& directory) {
  blocking_scope waiting;
  std::size_t count = 0;
  auto listing = opendir(directory_or_default(directory).c_str());
  if (!listing)
    return 0;
  while (auto found = readdir(listing))
    if (std::string_view{found->d_name}.starts_with(folder_prefix))
      count += sweep_folder(dirfd(listing), found->d_name);
  closedir(listing);
  return count;
}

spill_folder::spill_folder(options opts) : options_(std::move(opts)) {
  options_.directory = directory_or_default(options_.directory);
}

spill_folder::~spill_folder() {
  forget_folder();
}

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
    return tl::unexpected{error_of(errno, "cannot make a spill file in " + folder_name_)};
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
    return tl::unexpected{error_of(code, "cannot write to " + folder_name_)};
  }
  files_[number] = {offset, copies.size()};
  write_count_.fetch_add(1, std::memory_order_relaxed);
  return copies;
}

result<void> spill_folder::read(const disk_copy& from, std::span<std::byte> into) const {
  blocking_scope waiting;
  int parent;
  {
    std::lock_guard guard{mutex_};
    parent = folder_;
  }
  auto name = file_name(from.file);
  constexpr int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC;
  descriptor fd{into.size() < direct_read_bytes ? openat(parent, name.c_str(), flags)
                                                : open_direct(parent, name.c_str(), flags)};
  if (fd.get() < 0 && errno == ENOENT)
    return fail(errc::corrupt, "spill file " + folder_name_ + '/' + name + " is gone");
  if (fd.get() < 0)
    return tl::unexpected{error_of(errno, "cannot open " + folder_name_ + '/' + name)};
  auto [done, code] = read_block(fd.get(), from.offset_bytes, into, buffers_.borrow().get());
  if (code != 0)
    return tl::unexpected{error_of(code, "cannot read " + folder_name_ + '/' + name)};
  if (done < into.size())
    return fail(errc::corrupt, "spill file " + folder_name_ + '/' + name + " is cut short");
  if (XXH3_64bits(into.data(), into.size()) != from.checksum)
    return fail(errc::corrupt, "spill file " + folder_name_ + '/' + name + " has been damaged");
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
  unlinkat(folder_, file_name(block.file).c_str(), 0);
}

std::uint64_t spill_folder::budget_bytes() const {
  return options_.limit_bytes - std::min(options_.limit_bytes, file_bytes());
}

/// Makes and locks the folder, unless that is done. A sweeper may take a new folder away before it
/// is locked: then what we hold has no name any more, and the next name is tried.
result<int> spill_folder::folder() {
  if (folder_ >= 0)
    return folder_;
  std::error_code ignored;
  std::filesystem::create_directories(options_.directory, ignored);
  for (int attempt = 0; attempt < 8; ++attempt) {
    auto name = (options_.directory / next_folder_name()).string();
    if (mkdir(name.c_str(), 0700) != 0 && errno != EEXIST)
      return tl::unexpected{error_of(errno, "cannot make the spill folder " + name)};
    descriptor fd{open_folder(AT_FDCWD, name.c_str())};
    struct stat held {
    }, named{};
    if (fd.get() >= 0 && flock(fd.get(), LOCK_EX | LOCK_NB) == 0 && fstat(fd.get(), &held) == 0
        && stat(name.c_str(), &named) == 0 && held.st_ino == named.st_ino
        && held.st_uid == geteuid()) {
      folder_name_ = name;
      return folder_ = fd.release();
    }
  }
  return fail(errc::io_failed,
              "cannot lock a spill folder of our own in " + options_.directory.string());
}

void spill_folder::forget_folder() {
  if (folder_ < 0)
    return;
  blocking_scope waiting;
  remove_folder(AT_FDCWD, folder_, folder_name_.c_str());
  close(folder_);
}

} // namespace caf_ray::objstore
