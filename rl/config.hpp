// One struct a configuration, and one list of its fields, from which everything else follows:
// command-line flags, help, range checks, the header of checkpoints, and the search space of
// tuning.
//
//   struct Config {
//     double gamma = 0.99;
//     std::vector<rl::Field> fields() {
//       return {{"gamma", &gamma, "discount of later rewards", 0, 1, "0.99"}};
//     }
//   };
//   rl::set_field(config.fields(), "gamma", "0.95");
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace rl {

/// One field: its name, where it lies, and what a person must know about it. Points into the
/// struct, so it lives no longer than that.
struct Field {
  using Place =
    std::variant<double*, std::int64_t*, bool*, std::string*, std::vector<std::int64_t>*>;

  std::string name;
  Place place;
  std::string meaning;
  /// Inclusive range of numbers, and of each number of a list.
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  /// The value in the paper that the algorithm comes from, where it gives one.
  std::string paper = {};
};

/// Gives the field called `name` the value that `text` spells: 3e-4, true or false, words, or 64,64
/// for a list. Errors: unknown_name with the known fields and the nearest; bad_value when `text`
/// cannot be read or is out of range, naming the range.
void set_field(std::span<const Field> fields, std::string_view name, std::string_view text);

/// The value of a field, spelled so that set_field reads it back to the bit.
std::string field_text(const Field& field);

/// All fields as lines "name=value", and the way back. read_fields ignores empty lines and what
/// follows a '#'; fields that it does not mention keep their values.
std::string write_fields(std::span<const Field> fields);
void read_fields(std::span<const Field> fields, std::string_view text);

/// Throws Error{bad_value} for the first field that is out of its range.
void check_fields(std::span<const Field> fields);

/// Help for a terminal: a line a field with default, meaning, range and paper value.
std::string describe_fields(std::span<const Field> fields);

/// Sets what `words` say as "--name=value" or "--name value"; '-' and '_' count as equal, and
/// "--name" alone sets a bool. Returns the words that are no flags. Errors: as set_field; bad_value
/// when a value is missing.
std::vector<std::string> parse_flags(std::span<const std::string> words,
                                     std::span<const Field> fields);

} // namespace rl
