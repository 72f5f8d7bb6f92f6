#pragma once

#include <chrono>
#include <cstddef>
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

/// A log file that has reached this size makes room for a new one, and is kept as ".1".
inline constexpr std::size_t max_log_file_bytes = std::size_t{64} << 20;

/// Lines go to `folder`/driver-<process id>.log as well from here on; "": to stderr only. The file
/// is for its owner alone (0600), is continued if it is there, and together with the one before
/// takes twice `max_bytes`. Lines that the disk refuses are lost. Called by each Init. Thread-safe.
/// Throws RayException, which names the folder or file that cannot be made.
void set_log_folder(const std::string& folder, std::size_t max_bytes = max_log_file_bytes);

/// "[2024-05-01 12:34:56.789 WARNING 4132] trainer.cpp:42: text\n", in the local time zone. Line
/// ends at the end of `text` are dropped, others stay.
std::string log_line(std::chrono::system_clock::time_point time, ray::RayLoggerLevel level,
                     long process, std::string_view file, int line, std::string_view text);

} // namespace caf_ray
