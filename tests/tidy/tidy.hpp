#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

/// Checks a tree of sources against the tables of rules.hpp. Knows no compiler: it reads lines,
/// with comments and strings blanked out where only code counts.
namespace caf_ray::tidy {

/// Path from the top level, with '/', to text.
using source_tree = std::map<std::string, std::string, std::less<>>;

/// One place that breaks one rule.
struct finding {
  std::string path;
  std::size_t line; ///< from 1; 0 means the file or folder as a whole
  std::string rule;
  std::string advice; ///< what is wrong and what to do instead
};

/// "path:line: [rule] advice", the form that editors jump to.
std::string to_string(const finding& f);

/// All findings, by path and line.
std::vector<finding> check(const source_tree& tree);

/// The files below `top` that the rules speak of: sources, CMake files, READMEs, the script `run`.
/// Build folders and data files are left out.
source_tree read_tree(const std::filesystem::path& top);

/// `text` with comments and the contents of string and character literals blanked out; lines and
/// columns stay where they are.
std::string code_only(std::string_view text);

} // namespace caf_ray::tidy
