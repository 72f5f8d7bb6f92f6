#include "rl/run/file.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <unistd.h>

#include "rl/error.hpp"

namespace rl {

namespace {

[[noreturn]] void cannot_write(const std::filesystem::path& path, const std::string& reason) {
  throw Error(ErrorCode::cannot_write, "cannot write " + path.string() + ": " + reason);
}

[[noreturn]] void cannot_read(const std::filesystem::path& path, const std::string& reason) {
  throw Error(ErrorCode::cannot_read, "cannot read " + path.string() + ": " + reason);
}

// A file descriptor that closes itself.
struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0)
      ::close(fd);
  }
};

} // namespace

void make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error)
    cannot_write(folder, error.message());
  auto probe = (folder / ".probe-XXXXXX").string();
  Descriptor file{::mkstemp(probe.data())};
  if (file.fd < 0)
    cannot_write(folder, std::strerror(errno));
  ::unlink(probe.c_str());
}

void write_file(const std::filesystem::path& file, std::string_view bytes) {
  auto beside = file.string() + ".new";
  {
    Descriptor out{::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)};
    if (out.fd < 0)
      cannot_write(file, std::strerror(errno));
    auto give_up = [&] {
      auto reason = std::string(std::strerror(errno));
      ::unlink(beside.c_str());
      cannot_write(file, reason);
    };
    for (auto left = bytes; !left.empty();) {
      auto written = ::write(out.fd, left.data(), left.size());
      if (written < 0 && errno != EINTR)
        give_up();
      if (written > 0)
        left.remove_prefix(static_cast<std::size_t>(written));
    }
    if (::fsync(out.fd) != 0)
      give_up();
  }
  if (::rename(beside.c_str(), file.c_str()) != 0)
    cannot_write(file, std::strerror(errno));
  auto parent = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  Descriptor folder{::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (folder.fd >= 0)
    ::fsync(folder.fd); // so that the rename itself outlives a power cut
}

bool file_exists(const std::filesystem::path& file) {
  std::error_code error;
  auto found = std::filesystem::exists(file, error);
  if (error)
    cannot_read(file, error.message());
  return found;
}

std::string read_file(const std::filesystem::path& file) {
  std::error_code ignored; // opening it says more
  if (std::filesystem::is_directory(file, ignored))
    cannot_read(file, "it is a folder");
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  if (!in)
    cannot_read(file, std::strerror(errno));
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  if (in.bad())
    cannot_read(file, std::strerror(errno));
  return bytes;
}

} // namespace rl
