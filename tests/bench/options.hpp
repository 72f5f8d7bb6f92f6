#pragma once

#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace caf_ray::bench {

/// The command line does not say what to do; the text says what is wrong with it.
struct usage_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What the command line asked for.
struct options {
  /// Which cases: core or cluster.
  std::string suite;
  bool help = false;
  bool quick = false;
  /// File for the rows; empty: none.
  std::string json;
  /// Names of cases; empty: all.
  std::vector<std::string> only;
};

/// `arguments` without the program's name. Throws usage_error.
options parse_options(std::span<const char* const> arguments);

/// What parse_options takes.
const char* usage();

} // namespace caf_ray::bench
