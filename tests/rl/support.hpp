// What several tests of rl need.
#pragma once

#include <filesystem>
#include <functional>
#include <stdlib.h>
#include <string>

#include <boost/test/unit_test.hpp>

#include "rl/error.hpp"

namespace rl::test {

/// Whether `action` throws an rl::Error with this code whose text contains all of `words`.
inline bool fails(ErrorCode code, const std::function<void()>& action,
                  std::initializer_list<const char*> words = {}) {
  try {
    action();
  } catch (const Error& error) {
    std::string text = error.what();
    BOOST_TEST_MESSAGE("error text: " << text);
    for (auto* word : words)
      if (text.find(word) == std::string::npos) {
        BOOST_TEST_MESSAGE("it does not contain: " << word);
        return false;
      }
    return error.code() == code;
  }
  return false;
}

/// A folder that disappears with the object.
struct TemporaryFolder {
  TemporaryFolder() {
    auto name = (std::filesystem::temp_directory_path() / "rl-test-XXXXXX").string();
    BOOST_REQUIRE(::mkdtemp(name.data()));
    path = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;

  std::filesystem::path path;
};

} // namespace rl::test
