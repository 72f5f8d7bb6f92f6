// Lines on stderr, and in driver-<pid>.log of --ray_logs_dir: time, level, process, file and line.
//
//   RAYLOG(INFO) << "trained " << steps << " steps";
//   if (reward < 0)
//     RAYLOG(WARNING) << "reward " << reward;
//   else
//     Store(reward); // RAYLOG is one expression: this else belongs to the if above
#pragma once

#include <memory>
#include <ostream>

namespace ray {

enum class RayLoggerLevel { DEBUG = -1, INFO = 0, WARNING = 1, ERROR = 2, FATAL = 3 };

/// One line in the making: it is written, in one piece, when the object goes. Belongs to one
/// thread; lines of several threads never mix. FATAL then ends the process with std::abort.
class RayLogger {
public:
  virtual ~RayLogger() = default;

  /// False when the level is under the threshold: what is streamed is dropped, nothing is written.
  virtual bool IsEnabled() const = 0;

  template <typename T>
  RayLogger& operator<<(const T& x) {
    if (IsEnabled())
      Stream() << x;
    return *this;
  }
  RayLogger& operator<<(std::ostream& (*manipulator)(std::ostream&)) {
    if (IsEnabled())
      Stream() << manipulator;
    return *this;
  }

protected:
  virtual std::ostream& Stream() = 0;
};

/// A line of `level` that names `file` (its last part) and `line`.
std::unique_ptr<RayLogger> CreateRayLogger(const char* file, int line, RayLoggerLevel level);

/// True when lines of `level` are written. The threshold is RayConfig::log_level; without it, and
/// before ray::Init, the environment variable RAY_BACKEND_LOG_LEVEL (debug, info, warning, error
/// or fatal, in any case); without that, INFO. FATAL is always enabled. Thread-safe.
bool IsLevelEnabled(RayLoggerLevel level);

namespace internal {

/// Turns a finished line into void, so that both arms of RAYLOG's ?: have one type.
struct LogLineEnd {
  void operator&(const RayLogger&) const noexcept {}
};

} // namespace internal

} // namespace ray

#define RAYLOG_INTERNAL(level) *::ray::CreateRayLogger(__FILE__, __LINE__, level)

/// RAYLOG(INFO) << x << y; What follows << is evaluated only when the level is enabled.
/// RAYLOG(FATAL) writes its line and then aborts the process: for what must never happen.
#define RAYLOG(level)                                                                              \
  !::ray::IsLevelEnabled(::ray::RayLoggerLevel::level)                                             \
    ? static_cast<void>(0)                                                                         \
    : ::ray::internal::LogLineEnd() & RAYLOG_INTERNAL(::ray::RayLoggerLevel::level)
