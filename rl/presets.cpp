#include "rl/presets.hpp"

#include <algorithm>
#include <optional>

#include "rl/config.hpp"
#include "rl/error.hpp"

namespace rl {

namespace {

// The text of presets.toml, made by rl/CMakeLists.txt.
constexpr std::string_view built_in =
#include "rl/presets_text.inc"
  ;

std::string_view trimmed(std::string_view text) {
  auto begin = std::min(text.find_first_not_of(" \t\r"), text.size());
  auto end = text.find_last_not_of(" \t\r");
  return text.substr(begin, end == text.npos ? 0 : end + 1 - begin);
}

// Without what follows a '#' outside quotes.
std::string_view without_comment(std::string_view line) {
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"')
      quoted = !quoted;
    else if (line[i] == '#' && !quoted)
      return line.substr(0, i);
  }
  return line;
}

// What stands between the first and the last character, if they are these.
std::optional<std::string_view> inside(std::string_view text, char open, char close) {
  if (text.size() < 2 || text.front() != open || text.back() != close)
    return std::nullopt;
  return trimmed(text.substr(1, text.size() - 2));
}

// A value as set_field spells it: without quotes and brackets, and no '_' between digits.
std::string plain(std::string_view value) {
  if (auto words = inside(value, '"', '"'))
    return std::string(*words);
  auto list = inside(value, '[', ']');
  std::string result(list ? *list : value);
  std::erase_if(result, [&](char c) { return c == '_' || (list && c == ' '); });
  return result;
}

// One pass over the lines of a file of presets.
class Reader {
public:
  std::vector<Preset> read(std::string_view text) {
    for (number_ = 1; !text.empty(); ++number_) {
      auto end = std::min(text.find('\n'), text.size());
      auto line = trimmed(without_comment(text.substr(0, end)));
      text.remove_prefix(std::min(end + 1, text.size()));
      if (line.starts_with('['))
        begin(line);
      else if (!line.empty())
        set(line);
    }
    finish();
    return std::move(presets_);
  }

private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorCode::bad_value, "presets, line " + std::to_string(number_) + ": " + what);
  }

  void begin(std::string_view line) {
    finish();
    auto name = inside(line, '[', ']');
    auto dot = name ? name->find('.') : std::string_view::npos;
    auto env = dot == std::string_view::npos ? std::nullopt
                                             : inside(trimmed(name->substr(dot + 1)), '"', '"');
    if (!env || env->empty() || dot == 0)
      fail("expected [algorithm.\"environment\"], not '" + std::string(line) + "'");
    Preset next{std::string(trimmed(name->substr(0, dot))), std::string(*env), 0, 0, {}};
    for (auto& each : presets_)
      if (each.algorithm == next.algorithm && each.env == next.env)
        fail("there is a section " + std::string(line) + " already");
    presets_.push_back(std::move(next));
    steps_ = reach_ = false;
  }

  void set(std::string_view line) {
    auto equals = line.find('=');
    if (equals == line.npos || equals == 0)
      fail("expected name = value, not '" + std::string(line) + "'");
    if (presets_.empty())
      fail("a section such as [ppo.\"CartPole-v1\"] comes before the first setting");
    auto name = std::string(trimmed(line.substr(0, equals)));
    auto value = plain(trimmed(line.substr(equals + 1)));
    auto& preset = presets_.back();
    Field own[] = {{"steps", &preset.steps, "environment steps", 1},
                   {"reach", &preset.reach, "mean return"}};
    if (name == "steps" || name == "reach")
      try {
        set_field(own, name, value);
        (name == "steps" ? steps_ : reach_) = true;
      } catch (const Error& error) {
        fail(error.what());
      }
    else
      preset.fields += name + "=" + value + "\n";
  }

  // The section before is complete.
  void finish() const {
    if (!presets_.empty() && !(steps_ && reach_))
      fail("the section of " + presets_.back().algorithm + " in " + presets_.back().env
           + " needs steps and reach");
  }

  std::vector<Preset> presets_;
  int number_ = 0;
  bool steps_ = false, reach_ = false; // of the last section
};

const Preset* find(std::string_view algorithm, std::string_view env) {
  for (auto& each : presets())
    if (each.algorithm == algorithm && each.env == env)
      return &each;
  return nullptr;
}

} // namespace

std::vector<Preset> read_presets(std::string_view text) {
  return Reader().read(text);
}

const std::vector<Preset>& presets() {
  static const auto all = read_presets(built_in);
  return all;
}

std::string preset(std::string_view algorithm, std::string_view env) {
  auto* found = find(algorithm, env);
  return found ? found->fields : "";
}

std::int64_t preset_steps(std::string_view algorithm, std::string_view env) {
  auto* found = find(algorithm, env);
  return found ? found->steps : 0;
}

} // namespace rl
