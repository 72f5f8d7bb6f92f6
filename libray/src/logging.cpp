#include "libray/src/logging.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <memory>
#include <mutex>
#include <sstream>
#include <utility>

#include <ray/api/ray_exception.h>

namespace caf_ray {

namespace {

using ray::RayLoggerLevel;

constexpr std::array<std::string_view, 5> level_names = {"DEBUG", "INFO", "WARNING", "ERROR",
                                                         "FATAL"};
constexpr int first_level = static_cast<int>(RayLoggerLevel::DEBUG);

constexpr int unset = INT_MIN;
constinit std::atomic<int> threshold{unset};

// A bad name counts as none here: Init is where it is reported.
int threshold_from_environment() {
  auto name = std::getenv("RAY_BACKEND_LOG_LEVEL");
  return static_cast<int>(parse_log_level(name ? name : "").value_or(RayLoggerLevel::INFO));
}

/// What the file does not take is lost: there is no one left to tell.
void write_all(int file, std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    auto written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

/// A file of at most `max_bytes`, and the one before it as ".1".
class log_file {
public:
  log_file(std::filesystem::path path, std::size_t max_bytes)
    : path_(std::move(path)), max_bytes_(max_bytes) {
    open();
  }
  ~log_file() {
    if (file_ >= 0)
      ::close(file_);
  }
  log_file(const log_file&) = delete;
  log_file& operator=(const log_file&) = delete;

  /// False: errno says why.
  bool is_open() const noexcept { return file_ >= 0; }

  void write(std::string_view line) {
    if (size_ > 0 && size_ + line.size() > max_bytes_)
      begin_anew();
    size_ += line.size();
    write_all(file_, line);
  }

private:
  void open() noexcept {
    file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    struct stat found {};
    if (file_ < 0)
      return;
    if (::fchmod(file_, 0600) == 0 && ::fstat(file_, &found) == 0) {
      size_ = static_cast<std::size_t>(found.st_size);
      return;
    }
    int why = errno;
    ::close(std::exchange(file_, -1));
    errno = why;
  }

  void begin_anew() {
    auto before = path_;
    before += ".1";
    if (::rename(path_.c_str(), before.c_str()) == 0)
      ::close(std::exchange(file_, -1));
    size_ = 0;
    if (file_ < 0)
      open();
  }

  std::filesystem::path path_;
  std::size_t max_bytes_;
  int file_ = -1;
  std::size_t size_ = 0;
};

/// Never destroyed: threads may log while the process ends.
struct log_sinks {
  std::mutex mutex;
  std::unique_ptr<log_file> file;

  static log_sinks& instance() {
    static auto& sinks = *new log_sinks;
    return sinks;
  }

  void write(std::string_view line) {
    std::lock_guard guard(mutex);
    write_all(STDERR_FILENO, line);
    if (file)
      file->write(line);
  }
};

class line_logger final : public ray::RayLogger {
public:
  line_logger(const char* file, int line, RayLoggerLevel level)
    : file_(file ? file : "?"), line_(line), level_(level), enabled_(IsLevelEnabled(level)) {}

  ~line_logger() override {
    if (!enabled_)
      return;
    try {
      log_sinks::instance().write(log_line(std::chrono::system_clock::now(), level_, ::getpid(),
                                           file_, line_, stream_.str()));
    } catch (const std::exception&) {
      write_all(STDERR_FILENO, "out of memory while writing a log line\n");
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

void set_log_folder(const std::string& folder, std::size_t max_bytes) {
  using ray::internal::RayException;
  std::unique_ptr<log_file> file;
  if (!folder.empty()) {
    std::error_code failure;
    std::filesystem::create_directories(folder, failure);
    if (failure)
      throw RayException("the folder for logs, " + folder
                         + " (--ray_logs_dir or --ray_session_dir), cannot be made: "
                         + failure.message());
    auto path =
      std::filesystem::absolute(folder) / ("driver-" + std::to_string(::getpid()) + ".log");
    file = std::make_unique<log_file>(path, max_bytes);
    if (!file->is_open())
      throw RayException("the log file " + path.string()
                         + " (--ray_logs_dir or --ray_session_dir) cannot be opened: "
                         + std::strerror(errno));
  }
  auto& sinks = log_sinks::instance();
  std::lock_guard guard(sinks.mutex);
  sinks.file.swap(file);
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
  return std::make_unique<caf_ray::line_logger>(file, line, level);
}

} // namespace ray
