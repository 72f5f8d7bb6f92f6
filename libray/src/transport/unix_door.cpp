#include "libray/src/transport/unix_door.hpp"

#include <cerrno>
#include <chrono>
#include <string>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>

#include "gcs/folder.hpp"
#include "libray/src/transport/connection.hpp"
#include "libray/src/transport/unix_address.hpp"

namespace caf_ray::transport {

namespace fs = std::filesystem;

namespace {

constexpr int backlog = 512;
constexpr std::chrono::seconds lock_patience(2); // others hold it for microseconds

auto io_failed(const std::string& doing, const fs::path& path, int code) {
  return fail(code == ENOENT ? errc::not_found : errc::io_failed,
              doing + " " + path.string() + ": " + gcs::errno_text(code));
}

/// The folder, ours alone, and locked until the descriptor is closed: two processes that start at
/// the same time must not both find a dead socket and remove each other's.
result<file_descriptor> claim_folder(const fs::path& folder) {
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    return io_failed("cannot make the folder", folder, errno);
  file_descriptor fd(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat about {};
  if (!fd || fstat(fd.get(), &about) != 0)
    return io_failed("cannot open the folder", folder, errno);
  if (about.st_uid != geteuid() || (about.st_mode & 077) != 0)
    return fail(refused, "the folder " + folder.string() + " of the socket belongs to uid "
                           + std::to_string(about.st_uid)
                           + " or is open to others; it must be of uid " + std::to_string(geteuid())
                           + " with mode 0700: chmod it, or choose another");
  auto give_up = std::chrono::steady_clock::now() + lock_patience;
  while (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR)
      return io_failed("cannot lock the folder", folder, errno);
    if (std::chrono::steady_clock::now() >= give_up)
      return fail(errc::in_use, "another process keeps the folder " + folder.string()
                                  + " locked, and takes too long to make its socket there");
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return fd;
}

/// Nothing is at `path` afterwards. The caller holds the folder's lock.
result<void> remove_dead_socket(const fs::path& path, const sockaddr_un& address) {
  struct stat about {};
  if (lstat(path.c_str(), &about) != 0)
    return {};
  if (!S_ISSOCK(about.st_mode))
    return fail(errc::already_exists,
                path.string() + " is no socket: remove it, or choose another path");
  file_descriptor probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe)
    return io_failed("cannot make a socket for", path, errno);
  auto answer = connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  if (answer == 0 || errno != ECONNREFUSED)
    return fail(errc::in_use, "another process listens at " + path.string()
                                + ": stop it, or choose another path");
  if (unlink(path.c_str()) != 0)
    return io_failed("cannot remove the dead socket", path, errno);
  return {};
}

} // namespace

result<unix_door> unix_door::open(const fs::path& given) {
  auto path = fs::absolute(given);
  auto address = unix_address(path);
  if (!address)
    return tl::unexpected(address.error());
  auto folder = claim_folder(path.parent_path());
  if (!folder)
    return tl::unexpected(folder.error());
  if (auto free = remove_dead_socket(path, *address); !free)
    return tl::unexpected(free.error());

  file_descriptor fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd)
    return io_failed("cannot make a socket for", path, errno);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof(*address)) != 0)
    return io_failed("cannot make the socket", path, errno);
  struct stat made {};
  if (chmod(path.c_str(), 0600) != 0 || lstat(path.c_str(), &made) != 0
      || ::listen(fd.get(), backlog) != 0) {
    auto code = errno;
    unlink(path.c_str());
    return io_failed("cannot listen at", path, code);
  }
  return unix_door(std::move(fd), std::move(path), made);
}

unix_door::~unix_door() {
  struct stat there {};
  if (fd_ && lstat(path_.c_str(), &there) == 0 && there.st_dev == device_ && there.st_ino == inode_)
    unlink(path_.c_str());
}

} // namespace caf_ray::transport
