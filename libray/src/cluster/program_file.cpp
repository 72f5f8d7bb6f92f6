#include "libray/src/cluster/program_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "gcs/folder.hpp"
#include "libray/src/transport/file_descriptor.hpp"

namespace caf_ray::cluster {

namespace fs = std::filesystem;

namespace {

tl::unexpected<error> io_error(const std::string& what, const fs::path& path) {
  return fail(errc::io_failed, what + " " + path.string() + ": " + gcs::errno_text(errno));
}

} // namespace

result<std::string> file_stamp(const fs::path& path) {
  struct stat found {};
  if (stat(path.c_str(), &found) != 0)
    return fail(errno == ENOENT ? errc::not_found : errc::io_failed,
                "cannot look at " + path.string() + ": " + gcs::errno_text(errno));
  std::string running_system;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> running_system;
  std::string stamp = running_system;
  for (auto part :
       {static_cast<std::int64_t>(found.st_dev), static_cast<std::int64_t>(found.st_ino),
        static_cast<std::int64_t>(found.st_size), static_cast<std::int64_t>(found.st_mtim.tv_sec),
        static_cast<std::int64_t>(found.st_mtim.tv_nsec)})
    stamp += ":" + std::to_string(part);
  return stamp;
}

std::string content_hash(std::span<const std::byte> bytes) {
  std::array<unsigned char, 32> digest{};
  unsigned size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr);
  std::string hex;
  for (auto byte : digest) {
    constexpr auto digits = "0123456789abcdef";
    hex += digits[byte >> 4];
    hex += digits[byte & 15];
  }
  return hex;
}

object_id program_object(const std::string& hash, job_id job) {
  object_id id;
  auto text = hash.data();
  if (hash.size() >= 32) {
    std::from_chars(text, text + 16, id.high, 16);
    std::from_chars(text + 16, text + 32, id.low, 16);
  }
  id.low ^= job;
  return id;
}

bool program_cache::has(const std::string& hash) const {
  return access(path_of(hash).c_str(), X_OK) == 0;
}

result<fs::path> program_cache::keep(const std::string& hash, std::span<const std::byte> bytes) {
  if (content_hash(bytes) != hash)
    return fail(errc::corrupt, "a program of " + std::to_string(bytes.size())
                                 + " bytes is not the one with SHA-256 " + hash);
  std::error_code failed;
  fs::create_directories(folder_, failed);
  fs::permissions(folder_, fs::perms::owner_all, failed);
  auto final_path = path_of(hash);
  auto draft = folder_ / (hash + "." + std::to_string(getpid()));
  transport::file_descriptor file(
    open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0700));
  if (file.get() < 0)
    return io_error("cannot make", draft);
  auto at = reinterpret_cast<const char*>(bytes.data());
  for (auto left = bytes.size(); left > 0;) {
    auto count = write(file.get(), at, left);
    if (count <= 0) {
      auto why = io_error("cannot write", draft);
      unlink(draft.c_str());
      return why;
    }
    at += count;
    left -= static_cast<std::size_t>(count);
  }
  // Closed before it runs: the kernel starts nothing that somebody may write.
  file = {};
  if (rename(draft.c_str(), final_path.c_str()) != 0)
    return io_error("cannot make", final_path);
  drop_oldest();
  return final_path;
}

void program_cache::drop_oldest() const {
  std::error_code failed;
  std::vector<std::pair<fs::file_time_type, fs::path>> programs;
  for (auto& entry : fs::directory_iterator(folder_, failed))
    programs.emplace_back(entry.last_write_time(failed), entry.path());
  std::sort(programs.begin(), programs.end());
  for (std::size_t i = 0; i + max_count < programs.size(); ++i)
    fs::remove(programs[i].second, failed);
}

} // namespace caf_ray::cluster
