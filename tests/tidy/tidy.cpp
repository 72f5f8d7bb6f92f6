#include "tests/tidy/tidy.hpp"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <tuple>

#include "tests/tidy/rules.hpp"

namespace caf_ray::tidy {

namespace {

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
}

bool starts_with_any(std::string_view text, const words& beginnings) {
  return std::any_of(beginnings.begin(), beginnings.end(),
                     [text](std::string_view b) { return text.starts_with(b); });
}

bool is_header(std::string_view path) {
  return path.ends_with(".hpp") || path.ends_with(".h");
}

bool is_cpp(std::string_view path) {
  return is_header(path) || path.ends_with(".cpp");
}

std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> result;
  while (!text.empty()) {
    auto end = text.find('\n');
    result.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return result;
}

/// The part of a path behind the last '/', without the extension.
std::string_view stem(std::string_view path) {
  path.remove_prefix(path.rfind('/') + 1); // npos + 1 is 0
  return path.substr(0, path.rfind('.'));
}

std::string_view folder_of(std::string_view path) {
  auto slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
}

/// Where `word` stands in `line` as a word of its own.
bool contains_word(std::string_view line, std::string_view word) {
  for (auto at = line.find(word); at != std::string_view::npos; at = line.find(word, at + 1)) {
    auto end = at + word.size();
    bool opens = !is_word(word.front()) || at == 0 || !is_word(line[at - 1]);
    bool closes = !is_word(word.back()) || end == line.size() || !is_word(line[end]);
    if (opens && closes)
      return true;
  }
  return false;
}

/// Columns as a reader counts them: UTF-8 continuation bytes take none.
std::size_t columns(std::string_view line) {
  return static_cast<std::size_t>(
    std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

struct include {
  std::size_t line;
  std::string_view path;
  bool quoted;
};

/// One source file, prepared once: lines as written, lines of code, includes.
struct file {
  std::string code;
  std::vector<std::string_view> raw_lines;
  std::vector<std::string_view> code_lines;
  std::vector<include> includes;
};

std::optional<include> parse_include(std::string_view raw, std::string_view code,
                                     std::size_t line) {
  auto hash = code.find_first_not_of(" \t");
  if (hash == std::string_view::npos || code[hash] != '#'
      || code.find("include") == std::string_view::npos)
    return std::nullopt;
  auto open = raw.find_first_of("<\"");
  if (open == std::string_view::npos)
    return std::nullopt;
  auto close = raw.find(raw[open] == '<' ? '>' : '"', open + 1);
  if (close == std::string_view::npos)
    return std::nullopt;
  return include{line, raw.substr(open + 1, close - open - 1), raw[open] == '"'};
}

/// Applies each rule to the whole tree and collects what it finds.
class checker {
public:
  explicit checker(const source_tree& tree) : tree_(tree) {
    for (auto& [path, text] : tree) {
      auto& f = files_[path];
      f.raw_lines = split_lines(text);
      if (!is_cpp(path))
        continue;
      f.code = code_only(text);
      f.code_lines = split_lines(f.code);
      for (std::size_t i = 0; i < f.code_lines.size(); ++i)
        if (auto inc = parse_include(f.raw_lines[i], f.code_lines[i], i + 1))
          f.includes.push_back(*inc);
    }
  }

  std::vector<finding> run() && {
    for (auto& [path, f] : files_) {
      check_size(path, f);
      if (is_cpp(path)) {
        check_words(path, f);
        check_layers(path, f);
        check_public(path, f);
        check_test(path);
      }
      if (is_header(path))
        check_header(path, f);
    }
    check_readmes();
    std::sort(findings_.begin(), findings_.end(), [](const finding& a, const finding& b) {
      return std::tie(a.path, a.line, a.rule) < std::tie(b.path, b.line, b.rule);
    });
    return std::move(findings_);
  }

private:
  void report(std::string_view path, std::size_t line, std::string_view rule, std::string advice) {
    if (line > 0 && allowed(path, line, rule))
      return;
    findings_.push_back({std::string{path}, line, std::string{rule}, std::move(advice)});
  }

  /// Whether the line, or the one above, says "tidy: allow RULE, reason".
  bool allowed(std::string_view path, std::size_t line, std::string_view rule) const {
    auto& lines = files_.find(path)->second.raw_lines;
    auto waiver = "tidy: allow " + std::string{rule} + ", ";
    for (auto i : {line - 1, line - 2})
      if (i < lines.size())
        if (auto at = lines[i].find(waiver); at != std::string_view::npos)
          return at + waiver.size() < lines[i].size();
    return false;
  }

  void check_size(std::string_view path, const file& f) {
    if (path.ends_with(".md"))
      return; // tables are wider, and pages may be long
    for (std::size_t i = 0; i < f.raw_lines.size(); ++i)
      if (columns(f.raw_lines[i]) > columns_limit)
        report(path, i + 1, "line-length",
               std::to_string(columns(f.raw_lines[i])) + " columns; break the line at "
                 + std::to_string(columns_limit));
    bool excused = std::any_of(long_files.begin(), long_files.end(),
                               [path](const exception& e) { return e.path == path; });
    if (f.raw_lines.size() > lines_limit && !excused)
      report(path, 0, "file-length",
             std::to_string(f.raw_lines.size())
               + " lines; split it by concept, or name it with a reason in long_files of "
                 "tests/tidy/rules.hpp");
  }

  void check_words(std::string_view path, const file& f) {
    for (auto& banned : banned_words) {
      if (!banned.where.empty() && !starts_with_any(path, banned.where))
        continue;
      if (starts_with_any(path, banned.except))
        continue;
      for (std::size_t i = 0; i < f.code_lines.size(); ++i)
        if (contains_word(f.code_lines[i], banned.word))
          report(path, i + 1, banned.rule,
                 "`" + std::string{banned.word} + "`: " + std::string{banned.instead});
    }
  }

  void check_layers(std::string_view path, const file& f) {
    auto own = layer_of(path.substr(0, path.find('/')));
    for (auto& inc : f.includes) {
      if (inc.quoted && (inc.path.find('/') == inc.path.npos || inc.path.starts_with(".")))
        report(path, inc.line, "include-path",
               "write the path from the top level, so that the include names its layer");
      auto target = layer_of(inc.path.substr(0, inc.path.find('/')));
      if (!own || !target || own == target || layers[*own].folder == "tests")
        continue;
      std::string from{layers[*own].folder};
      std::string to{layers[*target].folder};
      if (*target > *own)
        report(path, inc.line, "layers",
               from + " includes from " + to
                 + ", which stands to its right; move what both need "
                   "to the left, or turn the dependency round with an interface");
      else if (layers[*own].public_only && !layers[*target].public_only
               && !inc.path.starts_with("ray/"))
        report(path, inc.line, "layers",
               from
                 + " sees the runtime as users do: include <ray/...> only, and extend the "
                   "public API if it lacks something");
    }
  }

  static std::optional<std::size_t> layer_of(std::string_view spelling) {
    for (std::size_t i = 0; i < layers.size(); ++i)
      for (auto s : layers[i].spellings)
        if (s == spelling)
          return i;
    return std::nullopt;
  }

  void check_public(std::string_view path, const file& f) {
    if (!path.starts_with(public_folder) || path == native_actor_header)
      return;
    for (auto& inc : f.includes) {
      auto way = way_to_hidden(inc.path);
      if (!way.empty())
        report(path, inc.line, "public-headers",
               "leads to " + way
                 + ", which users need not have; hide it behind a source file, or "
                   "in ray/caf.h where CAF is the point");
    }
  }

  /// How the include leads to a hidden header: "a.hpp -> caf/all.hpp"; empty if it does not.
  std::string way_to_hidden(std::string_view included) {
    if (starts_with_any(included, hidden_from_users))
      return std::string{included};
    auto [known, is_new] = ways_.try_emplace(std::string{included});
    if (!is_new)
      return known->second;
    for (auto prefix : {"", "libray/include/"}) {
      auto i = files_.find(prefix + std::string{included});
      if (i == files_.end())
        continue;
      for (auto& inc : i->second.includes)
        if (auto way = way_to_hidden(inc.path); !way.empty())
          return known->second = std::string{included} + " -> " + way; // map nodes stay in place
    }
    return {};
  }

  /// Sources have tests, and tests are built.
  void check_test(std::string_view path) {
    auto has_file = [this](std::string_view folder, std::string_view stem_wanted) {
      return std::any_of(tree_.begin(), tree_.end(), [=](auto& entry) {
        return entry.first.starts_with(folder) && is_cpp(entry.first)
               && stem(entry.first) == stem_wanted;
      });
    };
    bool excused = std::any_of(sources_without_test.begin(), sources_without_test.end(),
                               [path](const exception& e) { return e.path == path; });
    if (path.ends_with(".cpp") && starts_with_any(path, tested_folders) && !excused) {
      auto folder = "tests/" + std::string{path.substr(0, path.find('/') + 1)};
      auto test = std::string{stem(path)} + "_test";
      if (!has_file(folder, test))
        report(path, 0, "has-test",
               "write " + folder + test
                 + ".cpp, or name the file with a reason in "
                   "sources_without_test of tests/tidy/rules.hpp");
    }
    if (path.starts_with("tests/") && path.ends_with("_test.cpp") && !is_built(path))
      report(path, 0, "test-is-built",
             "no CMakeLists.txt above it names it, so it never runs; add it to caf_ray_test");
  }

  /// Whether a CMakeLists.txt in the test's folder or above names it, with or without "_test", or
  /// takes all files there are.
  bool is_built(std::string_view path) const {
    auto name = stem(path);
    auto short_name = name.substr(0, name.size() - std::string_view{"_test"}.size());
    for (auto folder = folder_of(path); !folder.empty(); folder = folder_of(folder)) {
      auto i = files_.find(std::string{folder} + "/CMakeLists.txt");
      if (i == files_.end())
        continue;
      for (auto line : i->second.raw_lines)
        if (contains_word(line, name) || contains_word(line, short_name)
            || line.find("GLOB") != line.npos)
          return true;
    }
    return false;
  }

  void check_header(std::string_view path, const file& f) {
    bool guarded = std::any_of(f.code_lines.begin(), f.code_lines.end(),
                               [](auto line) { return line.starts_with("#pragma once"); });
    if (!guarded)
      report(path, 0, "pragma-once", "a header begins with #pragma once");
    for (std::size_t i = 0; i < f.code_lines.size(); ++i)
      if (f.code_lines[i].starts_with("using namespace ")) // indented: inside a function, harmless
        report(path, i + 1, "using-namespace",
               "every file that includes this header would get it; name what is used");
  }

  void check_readmes() {
    for (auto folder : folders_with_readme) {
      auto inside = std::string{folder} + "/";
      auto first = tree_.lower_bound(inside);
      if (first != tree_.end() && first->first.starts_with(inside)
          && !tree_.contains(inside + "README.md"))
        report(folder, 0, "readme",
               "write its README.md: purpose, glossary, files in reading order, invariants, "
               "decisions");
    }
  }

  const source_tree& tree_;
  std::map<std::string, file, std::less<>> files_;
  std::map<std::string, std::string, std::less<>> ways_;
  std::vector<finding> findings_;
};

/// Whether the quote at `at` parts digits, as in 1'000, and opens no character literal.
bool parts_digits(std::string_view text, std::size_t at) {
  auto begin = at;
  while (begin > 0 && (is_word(text[begin - 1]) || text[begin - 1] == '\''))
    --begin;
  return begin < at && std::isdigit(static_cast<unsigned char>(text[begin]));
}

/// If a raw string literal opens with the quote at `at`: the index behind its end.
std::optional<std::size_t> raw_string_end(std::string_view text, std::size_t at) {
  if (at == 0 || text[at - 1] != 'R' || (at > 1 && is_word(text[at - 2])))
    return std::nullopt;
  auto paren = text.find('(', at);
  if (paren == std::string_view::npos)
    return std::nullopt;
  auto closing = ")" + std::string{text.substr(at + 1, paren - at - 1)} + "\"";
  auto end = text.find(closing, paren);
  return end == std::string_view::npos ? text.size() : end + closing.size();
}

} // namespace

std::string code_only(std::string_view text) {
  std::string result{text};
  auto blank = [&result](std::size_t from, std::size_t to) {
    for (auto i = from; i < to && i < result.size(); ++i)
      if (result[i] != '\n')
        result[i] = ' ';
  };
  for (std::size_t i = 0; i < text.size();) {
    auto rest = text.substr(i);
    std::size_t end = i + 1;
    if (rest.starts_with("//")) {
      end = std::min(text.find('\n', i), text.size());
      blank(i, end);
    } else if (rest.starts_with("/*")) {
      auto close = text.find("*/", i + 2);
      end = close == std::string_view::npos ? text.size() : close + 2;
      blank(i, end);
    } else if (auto raw_end = text[i] == '"' ? raw_string_end(text, i) : std::nullopt) {
      end = *raw_end;
      blank(i + 1, end - 1);
    } else if (text[i] == '"' || (text[i] == '\'' && !parts_digits(text, i))) {
      while (end < text.size() && text[end] != text[i] && text[end] != '\n')
        end += text[end] == '\\' ? 2 : 1;
      blank(i + 1, end);
      ++end;
    }
    i = end;
  }
  return result;
}

std::string to_string(const finding& f) {
  auto line = f.line > 0 ? ":" + std::to_string(f.line) : std::string{};
  return f.path + line + ": [" + f.rule + "] " + f.advice;
}

std::vector<finding> check(const source_tree& tree) {
  return checker{tree}.run();
}

source_tree read_tree(const std::filesystem::path& top) {
  namespace fs = std::filesystem;
  source_tree result;
  auto read = [&](const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    result.emplace(path.lexically_relative(top).generic_string(),
                   std::string{std::istreambuf_iterator<char>{in}, {}});
  };
  auto wanted = [](const fs::path& path) {
    static const std::set<std::string> extensions = {".hpp", ".h", ".cpp", ".cmake", ".md"};
    return extensions.contains(path.extension().string()) || path.filename() == "CMakeLists.txt";
  };
  for (auto name : {"run", "CMakeLists.txt", "README.md"})
    if (fs::exists(top / name))
      read(top / name);
  words folders = {"cmake"};
  for (auto& l : layers)
    folders.push_back(l.folder);
  for (auto folder : folders)
    if (fs::exists(top / folder))
      for (auto& entry : fs::recursive_directory_iterator(top / folder))
        if (entry.is_regular_file() && wanted(entry.path()))
          read(entry.path());
  return result;
}

} // namespace caf_ray::tidy
