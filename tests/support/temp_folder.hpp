#pragma once

#include <cstdlib>
#include <filesystem>

namespace caf_ray::test {

/// An empty folder that is gone after the test.
struct temp_folder {
  std::filesystem::path path;

  temp_folder() {
    auto name = (std::filesystem::temp_directory_path() / "test-XXXXXX").string();
    path = mkdtemp(name.data());
  }
  ~temp_folder() { std::filesystem::remove_all(path); }
  temp_folder(const temp_folder&) = delete;
  temp_folder& operator=(const temp_folder&) = delete;
};

} // namespace caf_ray::test
