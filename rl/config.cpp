#include "rl/config.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>

#include "rl/error.hpp"

namespace rl {

namespace {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};

std::string number_text(double value) {
  char buffer[32];
  auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr; // shortest that reads back
  return {buffer, end};
}

std::string range_text(const Field& field) {
  if (std::isinf(field.low))
    return std::isinf(field.high) ? "any number" : "up to " + number_text(field.high);
  auto text = "from " + number_text(field.low);
  return std::isinf(field.high) ? text + " up" : text + " to " + number_text(field.high);
}

[[noreturn]] void cannot_read(const Field& field, std::string_view text, const char* expected) {
  throw Error(ErrorCode::bad_value, field.name + "=" + std::string(text) + ": expected " + expected
                                      + " (" + field.meaning + ")");
}

void check(const Field& field, double value) {
  if (!(field.low <= value && value <= field.high))
    throw Error(ErrorCode::bad_value, field.name + "=" + number_text(value) + " is out of range: "
                                        + range_text(field) + " (" + field.meaning + ")");
}

template <class T>
T read_number(const Field& field, std::string_view text, const char* expected) {
  T value{};
  auto end = text.data() + text.size();
  auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end)
    cannot_read(field, text, expected);
  check(field, static_cast<double>(value));
  return value;
}

// Whole numbers may be written as 1e5 or 150000; digits alone are read without rounding.
std::int64_t read_whole(const Field& field, std::string_view text) {
  if (text.find_first_of(".eE") == std::string_view::npos)
    return read_number<std::int64_t>(field, text, "a whole number");
  auto value = read_number<double>(field, text, "a whole number");
  if (value != std::floor(value) || std::abs(value) > 9e15)
    cannot_read(field, text, "a whole number");
  return static_cast<std::int64_t>(value);
}

std::vector<std::int64_t> read_list(const Field& field, std::string_view text) {
  std::vector<std::int64_t> values;
  while (!text.empty()) {
    auto comma = std::min(text.find(','), text.size());
    values.push_back(read_whole(field, text.substr(0, comma)));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return values;
}

bool read_bool(const Field& field, std::string_view text) {
  if (text != "true" && text != "false")
    cannot_read(field, text, "true or false");
  return text == "true";
}

std::string normal_name(std::string_view name) {
  std::string result(name);
  std::replace(result.begin(), result.end(), '-', '_');
  return result;
}

const Field& find(std::span<const Field> fields, std::string_view name) {
  auto wanted = normal_name(name);
  for (auto& field : fields)
    if (field.name == wanted)
      return field;
  std::vector<std::string> known;
  for (auto& field : fields)
    known.push_back(field.name);
  throw_unknown_name("setting", wanted, known);
}

} // namespace

void set_field(std::span<const Field> fields, std::string_view name, std::string_view text) {
  auto& field = find(fields, name);
  std::visit(
    Overloaded{[&](double* place) { *place = read_number<double>(field, text, "a number"); },
               [&](std::int64_t* place) { *place = read_whole(field, text); },
               [&](bool* place) { *place = read_bool(field, text); },
               [&](std::string* place) { *place = text; },
               [&](std::vector<std::int64_t>* place) { *place = read_list(field, text); }},
    field.place);
}

std::string field_text(const Field& field) {
  return std::visit(
    Overloaded{[](double* value) { return number_text(*value); },
               [](std::int64_t* value) { return std::to_string(*value); },
               [](bool* value) { return std::string(*value ? "true" : "false"); },
               [](std::string* value) { return *value; },
               [](std::vector<std::int64_t>* values) {
                 std::string text;
                 for (auto value : *values)
                   text.append(text.empty() ? "" : ",").append(std::to_string(value));
                 return text;
               }},
    field.place);
}

std::string write_fields(std::span<const Field> fields) {
  std::string text;
  for (auto& field : fields)
    text += field.name + "=" + field_text(field) + "\n";
  return text;
}

void read_fields(std::span<const Field> fields, std::string_view text) {
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    line.erase(std::min(line.find('#'), line.size()));
    line.erase(line.find_last_not_of(" \t\r") + 1);
    if (line.empty())
      continue;
    auto equals = line.find('=');
    if (equals == std::string::npos)
      throw Error(ErrorCode::bad_value, "expected name=value, not '" + line + "'");
    set_field(fields, line.substr(0, equals), std::string_view(line).substr(equals + 1));
  }
}

void check_fields(std::span<const Field> fields) {
  for (auto& field : fields)
    std::visit(Overloaded{[&](double* value) { check(field, *value); },
                          [&](std::int64_t* value) { check(field, static_cast<double>(*value)); },
                          [](bool*) {}, [](std::string*) {},
                          [&](std::vector<std::int64_t>* values) {
                            for (auto value : *values)
                              check(field, static_cast<double>(value));
                          }},
               field.place);
}

std::string describe_fields(std::span<const Field> fields) {
  std::size_t width = 0;
  for (auto& field : fields)
    width = std::max(width, field.name.size() + field_text(field).size());
  std::string text;
  for (auto& field : fields) {
    auto flag = field.name;
    std::replace(flag.begin(), flag.end(), '_', '-');
    flag += "=" + field_text(field);
    flag.resize(width + 3, ' ');
    text += "  --" + flag + field.meaning;
    if (!std::isinf(field.low) || !std::isinf(field.high))
      text += "; " + range_text(field);
    if (!field.paper.empty())
      text += "; paper: " + field.paper;
    text += "\n";
  }
  return text;
}

std::vector<std::string> parse_flags(std::span<const std::string> words,
                                     std::span<const Field> fields) {
  std::vector<std::string> rest;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (!words[i].starts_with("--")) {
      rest.push_back(words[i]);
      continue;
    }
    auto flag = std::string_view(words[i]).substr(2);
    auto equals = flag.find('=');
    if (equals != std::string_view::npos) {
      set_field(fields, flag.substr(0, equals), flag.substr(equals + 1));
      continue;
    }
    auto& field = find(fields, flag);
    if (std::holds_alternative<bool*>(field.place))
      *std::get<bool*>(field.place) = true;
    else if (i + 1 == words.size() || words[i + 1].starts_with("--"))
      throw Error(ErrorCode::bad_value, words[i] + " needs a value (" + field.meaning + ")");
    else
      set_field(fields, field.name, words[++i]);
  }
  return rest;
}

} // namespace rl
