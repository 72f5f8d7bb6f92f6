#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <ray/api/logging.h>

/// What the runtime needs of logging beyond <ray/api/logging.h>.
namespace caf_ray {

/// The level of that name, in any case, or nothing when there is none.
std::optional<ray::RayLoggerLevel> parse_log_level(std::string_view name);

/// What `parse_log_level` accepts, for error messages.
inline constexpr const char* log_level_names = "debug, info, warning, error or fatal";

/// Lines under `level` are not written from here on. Called by each Init. Thread-safe.
void set_log_threshold(ray::RayLoggerLevel level) noexcept;

/// "[2024-05-01 12:34:56.789 WARNING 4132] trainer.cpp:42: text\n", in the local time zone. Line
/// ends at the end of `text` are dropped, others stay.
std::string log_line(std::chrono::system_clock::time_point time, ray::RayLoggerLevel level,
                     long process, std::string_view file, int line, std::string_view text);

} // namespace caf_ray
