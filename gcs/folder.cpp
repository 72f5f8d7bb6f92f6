#include "gcs/folder.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace caf_ray::gcs {

namespace fs = std::filesystem;

std::string errno_text(int code) {
  auto name = strerrorname_np(code);
  return (name ? std::string(name) : "errno " + std::to_string(code)) + " ("
         + std::generic_category().message(code) + ")";
}

namespace {

auto io_failed(const std::string& doing, const fs::path& path, int code) {
  return fail(errc::io_failed, doing + " " + path.string() + ": " + errno_text(code));
}

/// Memory maps and file locks do not hold between hosts on these (statfs(2) has the numbers).
bool is_network_file_system(long type) {
  constexpr std::array<unsigned long, 13> types = {
    0x6969,     0x517b,     0xfe534d42, 0xff534d42, 0x65735546, 0x01021997, 0x00c36400,
    0x0bd00bd0, 0x5346414f, 0x6b414653, 0x7461636f, 0x01161970, 0x73757245};
  auto low = static_cast<unsigned long>(type) & 0xffffffff;
  return std::find(types.begin(), types.end(), low) != types.end();
}

/// A folder of our own: made if absent, then closed to others whatever the umask says.
result<void> make_private(const fs::path& path) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    return io_failed("cannot make", path, errno);
  if (chmod(path.c_str(), 0700) != 0)
    return io_failed("cannot set the mode of", path, errno);
  return {};
}

std::string owner_of(int lock) {
  char text[16] = {};
  auto size = pread(lock, text, sizeof(text), 0);
  int pid = 0;
  if (size > 0)
    std::from_chars(text, text + size, pid);
  if (pid <= 0)
    return "another process";
  return pid == getpid() ? "this process already" : "process " + std::to_string(pid);
}

} // namespace

result<shard_folder> shard_folder::claim(const fs::path& folder, std::uint32_t index) {
  if (!fs::exists(folder)) {
    std::error_code code;
    if (folder.has_parent_path())
      fs::create_directories(folder.parent_path(), code);
    if (code)
      return io_failed("cannot make", folder.parent_path(), code.value());
    if (auto made = make_private(folder); !made)
      return tl::unexpected(made.error());
  }
  struct statfs about {};
  if (statfs(folder.c_str(), &about) != 0)
    return io_failed("cannot look at", folder, errno);
  if (is_network_file_system(about.f_type))
    return fail(errc::not_supported, "the GCS folder " + folder.string()
                                       + " lies on a network file system: choose a local disk");
  auto path = folder / ("shard-" + std::to_string(index));
  if (auto made = make_private(path); !made)
    return tl::unexpected(made.error());
  auto file = path / "owner";
  int lock = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (lock < 0)
    return io_failed("cannot open", file, errno);
  shard_folder claimed(path, lock);
  if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK)
      return io_failed("cannot lock", file, errno);
    return fail(errc::in_use, "the GCS folder " + path.string() + " is in use by " + owner_of(lock)
                                + ": stop it, or start with another folder");
  }
  auto pid = std::to_string(getpid()) + "\n";
  if (fchmod(lock, 0600) != 0 || ftruncate(lock, 0) != 0
      || pwrite(lock, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size()))
    return io_failed("cannot write", file, errno);
  return claimed;
}

shard_folder::~shard_folder() {
  if (lock_ >= 0)
    close(lock_);
}

} // namespace caf_ray::gcs
