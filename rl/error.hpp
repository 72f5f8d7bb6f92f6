// The one exception type of rl, and the one list of what can go wrong.
#pragma once

#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace rl {

/// Why an rl::Error was thrown; every code says when it happens and what the caller can do.
enum class ErrorCode {
  /// An environment, algorithm or config field of that name does not exist. The text lists the
  /// known names and the nearest one.
  unknown_name,
  /// A value is outside its range, of the wrong shape, or cannot be read as its type.
  bad_value,
  /// The spaces of an environment do not fit what the algorithm or policy can do.
  bad_space,
  /// An environment broke its contract, or was stepped before reset or after its episode ended. The
  /// text says which; check_env (env/checker.hpp) finds out more.
  bad_environment,
  /// A checkpoint is damaged, of another version, or belongs to another run. The text names the
  /// file, what is wrong, and what to do.
  bad_checkpoint,
  /// A file or folder could not be written (the text names it and the system's reason).
  cannot_write,
  /// A file could not be read (the text names it and the system's reason).
  cannot_read,
  /// A number that must be finite is NaN or infinite: training has diverged, or an environment gave
  /// it. The text says where.
  not_finite,
};

/// Every error that rl throws. The text is a whole sentence for the person who reads it.
class Error : public std::runtime_error {
public:
  Error(ErrorCode code, const std::string& text) : std::runtime_error(text), code_(code) {}

  ErrorCode code() const noexcept { return code_; }

private:
  ErrorCode code_;
};

/// The number of single-character insertions, deletions and substitutions (Levenshtein) that turn
/// `a` into `b`; upper and lower case count as equal.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// Throws Error{unknown_name} for a `kind` (for example "environment") called `name`, listing
/// `known` and the nearest of them by edit_distance.
[[noreturn]] void throw_unknown_name(std::string_view kind, std::string_view name,
                                     std::span<const std::string> known);

} // namespace rl
