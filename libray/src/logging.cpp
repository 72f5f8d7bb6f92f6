#include "libray/src/logging.hpp"

#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <mutex>
#include <sstream>

namespace caf_ray {

namespace {

using ray::RayLoggerLevel;

constexpr std::array<std::string_view, 5> level_names = {"DEBUG", "INFO", "WARNING", "ERROR",
                                                         "FATAL"};
constexpr int first_level = static_cast<int>(RayLoggerLevel::DEBUG);

constexpr int unset = INT_MIN;
constinit std::atomic<int> threshold{unset};
constinit std::mutex stderr_mutex;

// A bad name counts as none here: Init is where it is reported.
int threshold_from_environment() {
  auto name = std::getenv("RAY_BACKEND_LOG_LEVEL");
  return static_cast<int>(parse_log_level(name ? name : "").value_or(RayLoggerLevel::INFO));
}

// What stderr does not take is lost: there is no one left to tell.
void write_to_stderr(std::string_view bytes) noexcept {
  std::lock_guard guard(stderr_mutex);
  while (!bytes.empty()) {
    auto written = ::write(STDERR_FILENO, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

class stderr_logger final : public ray::RayLogger {
public:
  stderr_logger(const char* file, int line, RayLoggerLevel level)
    : file_(file ? file : "?"), line_(line), level_(level), enabled_(IsLevelEnabled(level)) {}

  ~stderr_logger() override {
    if (!enabled_)
      return;
    try {
      write_to_stderr(log_line(std::chrono::system_clock::now(), level_, ::getpid(), file_, line_,
                               stream_.str()));
    } catch (const std::exception&) {
      write_to_stderr("out of memory while writing a log line\n");
    }
    if (level_ == RayLoggerLevel::FATAL)
      std::abort();
  }

  bool IsEnabled() const override { return enabled_; }

protected:
  std::ostream& Stream() override { return stream_; }

private:
  const char* file_;
  int line_;
  RayLoggerLevel level_;
  bool enabled_;
  std::ostringstream stream_;
};

} // namespace

std::optional<RayLoggerLevel> parse_log_level(std::string_view name) {
  std::string upper(name);
  for (auto& c : upper)
    if (c >= 'a' && c <= 'z')
      c = static_cast<char>(c - 'a' + 'A');
  for (std::size_t i = 0; i < level_names.size(); ++i)
    if (upper == level_names[i])
      return static_cast<RayLoggerLevel>(static_cast<int>(i) + first_level);
  return std::nullopt;
}

void set_log_threshold(RayLoggerLevel level) noexcept {
  threshold.store(static_cast<int>(level), std::memory_order_relaxed);
}

std::string log_line(std::chrono::system_clock::time_point time, RayLoggerLevel level, long process,
                     std::string_view file, int line, std::string_view text) {
  using namespace std::chrono;
  auto seconds = floor<std::chrono::seconds>(time);
  auto fraction = duration_cast<milliseconds>(time - seconds).count();
  std::time_t clock = system_clock::to_time_t(seconds);
  std::tm parts{};
  ::localtime_r(&clock, &parts);
  char stamp[64];
  auto used = std::strftime(stamp, sizeof stamp, "%F %T", &parts);
  std::snprintf(stamp + used, sizeof stamp - used, ".%03d", static_cast<int>(fraction));

  file.remove_prefix(file.rfind('/') + 1); // npos + 1 is 0: without a slash all of it stays
  text = text.substr(0, text.find_last_not_of("\r\n") + 1);
  auto name = level_names[static_cast<std::size_t>(static_cast<int>(level) - first_level)];
  std::string out = "[";
  out.append(stamp).append(" ").append(name).append(" ").append(std::to_string(process));
  out.append("] ").append(file).append(":").append(std::to_string(line)).append(": ");
  return out.append(text).append("\n");
}

} // namespace caf_ray

namespace ray {

bool IsLevelEnabled(RayLoggerLevel level) {
  int limit = caf_ray::threshold.load(std::memory_order_relaxed);
  if (limit == caf_ray::unset) {
    int found = caf_ray::threshold_from_environment();
    // Keeps what a concurrent Init has set meanwhile.
    if (caf_ray::threshold.compare_exchange_strong(limit, found))
      limit = found;
  }
  return static_cast<int>(level) >= limit;
}

std::unique_ptr<RayLogger> CreateRayLogger(const char* file, int line, RayLoggerLevel level) {
  return std::make_unique<caf_ray::stderr_logger>(file, line, level);
}

} // namespace ray
