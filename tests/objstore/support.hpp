#pragma once

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <span>
#include <string>
#include <thread>

#include <boost/test/unit_test.hpp>
#include <sys/mount.h>
#include <unistd.h>

#include "gcs/types/error.hpp"
#include "tests/objstore/contents.hpp"

/// What the tests of this folder share.
namespace caf_ray::objstore::test {

/// Longer than anything takes that works; only a failing test waits for it.
inline constexpr auto long_time = std::chrono::milliseconds(60'000);

/// CAF_RAY_SEED if it is set, else a new one; printed, so that a failure can be run again.
inline std::uint64_t seed() {
  auto given = std::getenv("CAF_RAY_SEED");
  auto result = given ? std::strtoull(given, nullptr, 0) : std::random_device{}();
  BOOST_TEST_MESSAGE("CAF_RAY_SEED=" << result);
  return result;
}

/// Waits until something is so. False if it is not in a long time.
template <class Condition>
bool eventually(Condition condition) {
  auto end = std::chrono::steady_clock::now() + long_time;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end)
      return false;
    std::this_thread::yield();
  }
  return true;
}

/// A folder of its own that goes with its object.
class folder {
public:
  folder() {
    auto name = (std::filesystem::temp_directory_path() / "caf-ray-test-XXXXXX").string();
    if (!mkdtemp(name.data()))
      throw std::runtime_error("cannot make a folder: " + name);
    path_ = name;
  }
  ~folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// All regular files below.
  std::vector<std::filesystem::path> files() const {
    std::vector<std::filesystem::path> result;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path_))
      if (entry.is_regular_file())
        result.push_back(entry.path());
    return result;
  }

private:
  std::filesystem::path path_;
};

/// A file system of this size in a folder, for tests that fill one. Needs root: where it cannot be
/// had, the test says so and ends.
class small_disk {
public:
  explicit small_disk(const char* size) {
    mounted_ =
      mount("tmpfs", folder_.path().c_str(), "tmpfs", 0, (std::string{"size="} + size).c_str())
      == 0;
    if (!mounted_)
      BOOST_TEST_MESSAGE("SKIPPED, needs the right to mount: " << std::strerror(errno));
  }
  ~small_disk() {
    if (mounted_)
      umount2(folder_.path().c_str(), MNT_DETACH);
  }
  explicit operator bool() const { return mounted_; }
  const std::filesystem::path& path() const { return folder_.path(); }

  /// Leaves no byte free. Returns the file to remove.
  std::filesystem::path fill_up() const {
    auto ballast = folder_.path() / "ballast";
    std::ofstream file{ballast, std::ios::binary};
    std::string block(64 * 1024, 'x');
    while (file.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
    }
    return ballast;
  }

private:
  folder folder_;
  bool mounted_ = false;
};

} // namespace caf_ray::objstore::test

namespace caf_ray {

inline std::ostream& operator<<(std::ostream& out, errc code) {
  return out << to_string(code);
}

} // namespace caf_ray
