#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace caf_ray {

/// Deeper JSON is refused: printing it recurses, and a hostile text would overflow the stack.
inline constexpr int max_json_depth = 64;

/// Throws std::exception with the parser's reason when `text` is not JSON or is nested too deep.
inline nlohmann::json parse_json(std::string_view text) {
  using event = nlohmann::json::parse_event_t;
  auto check_depth = [](int depth, event e, nlohmann::json&) {
    if (depth >= max_json_depth && (e == event::array_start || e == event::object_start))
      throw std::runtime_error("nested deeper than " + std::to_string(max_json_depth) + " levels");
    return true;
  };
  return nlohmann::json::parse(text, check_depth);
}

} // namespace caf_ray
