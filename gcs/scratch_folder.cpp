#include "gcs/scratch_folder.hpp"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gcs/blocking.hpp"

namespace caf_ray {

namespace fs = std::filesystem;

namespace {

/// Another process may sweep a new folder away before it is locked; it is not so quick for ever.
constexpr int max_attempts = 8;

fs::path directory_or_default(const fs::path& directory) {
  if (!directory.empty())
    return directory;
  std::error_code ignored;
  auto result = fs::temp_directory_path(ignored);
  return result.empty() ? "/tmp" : result;
}

/// When this process started, in ticks since boot: field 22 of its stat line.
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

std::string next_name(std::string_view prefix) {
  static std::atomic<unsigned> count{0};
  return std::string{prefix} + std::to_string(getpid()) + '-' + process_start() + '-'
         + std::to_string(count.fetch_add(1));
}

int open_folder(int at, const char* name) {
  return openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

template <class F>
void for_each_name(int folder, F f) {
  auto listing = fdopendir(openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!listing)
    return;
  while (auto found = readdir(listing))
    if (std::string_view name = found->d_name; name != "." && name != "..")
      f(found->d_name);
  closedir(listing);
}

/// A file, or a folder with all that is in it. Follows no link.
void remove_entry(int parent, const char* name) {
  if (unlinkat(parent, name, 0) == 0 || errno != EISDIR)
    return;
  if (int folder = open_folder(parent, name); folder >= 0) {
    for_each_name(folder, [folder](const char* inner) { remove_entry(folder, inner); });
    close(folder);
  }
  unlinkat(parent, name, AT_REMOVEDIR);
}

bool remove_folder(int parent, int folder, const char* name, scratch_kind kind) {
  for_each_name(folder, [&](const char* inner) {
    if (kind.is_ours(inner))
      remove_entry(folder, inner);
  });
  return unlinkat(parent, name, AT_REMOVEDIR) == 0;
}

bool is_mine_and_free(int folder) {
  struct stat about {};
  return fstat(folder, &about) == 0 && about.st_uid == geteuid()
         && flock(folder, LOCK_EX | LOCK_NB) == 0;
}

} // namespace

result<scratch_folder> scratch_folder::make(const fs::path& directory, scratch_kind kind) {
  blocking_scope waiting;
  auto parent = directory_or_default(directory);
  std::error_code ignored; // mkdir says what is wrong
  fs::create_directories(parent, ignored);
  for (int attempt = 0; attempt < max_attempts; ++attempt) {
    auto path = parent / next_name(kind.prefix);
    if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
      auto code = errno;
      bool full = code == ENOSPC || code == EDQUOT;
      return fail(full ? errc::store_full : errc::io_failed,
                  "cannot make the folder " + path.string() + ": " + std::strerror(code));
    }
    int fd = open_folder(AT_FDCWD, path.c_str());
    // A sweeper that came between holds its lock, or has left us a folder without a name.
    struct stat held {
    }, named{};
    if (fd >= 0 && is_mine_and_free(fd) && fstat(fd, &held) == 0 && stat(path.c_str(), &named) == 0
        && held.st_ino == named.st_ino)
      return scratch_folder{kind, std::move(path), fd};
    if (fd >= 0)
      close(fd);
  }
  return fail(errc::io_failed, "cannot lock a folder of our own in " + parent.string());
}

std::size_t scratch_folder::sweep(const fs::path& directory, scratch_kind kind) {
  blocking_scope waiting;
  std::size_t count = 0;
  int parent = open(directory_or_default(directory).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (parent < 0)
    return 0;
  for_each_name(parent, [&](const char* name) {
    if (!std::string_view{name}.starts_with(kind.prefix))
      return;
    if (int folder = open_folder(parent, name); folder >= 0) {
      count += is_mine_and_free(folder) && remove_folder(parent, folder, name, kind);
      close(folder);
    }
  });
  close(parent);
  return count;
}

scratch_folder::~scratch_folder() {
  if (fd_ < 0)
    return;
  blocking_scope waiting;
  remove_folder(AT_FDCWD, fd_, path_.c_str(), kind_);
  close(fd_);
}

} // namespace caf_ray
