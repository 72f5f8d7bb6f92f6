#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "gcs/types/error.hpp"

namespace caf_ray::cluster {

/// What a worker is told by its environment: everything else it learns from its node.
struct worker_start {
  /// The executable; started without a shell, with no argument but its name.
  std::string program;
  /// By this it says who it is.
  std::uint64_t token = 0;
  /// The worker's end of the connection to its node.
  int descriptor = -1;
  /// Where its output goes; empty: where this process's goes.
  std::string log_file;
  /// In addition to this process's variables, or instead of them.
  std::vector<std::pair<std::string, std::string>> environment;
};

/// A process that we started. Move-only; the destructor kills it and waits for its end. It leads a
/// process group of its own: programs that it has started end with it, unless they left the group.
class worker_process {
public:
  /// Errors: not_found (no such program), io_failed (no such folder for the log, not executable).
  static result<worker_process> start(const worker_start& how);

  worker_process() noexcept = default;
  worker_process(worker_process&& other) noexcept;
  worker_process& operator=(worker_process&& other) noexcept;
  ~worker_process();

  pid_t pid() const noexcept { return pid_; }
  /// Once it has ended: how, for people ("exit code 3", "signal 9 (Killed)"). Empty before. Asked
  /// the first time after the end, kills what is left of its group.
  std::string ended();
  void kill() noexcept;

private:
  explicit worker_process(pid_t pid) noexcept : pid_(pid) {}

  pid_t pid_ = 0;
  std::string how_;
};

/// The variable that makes a program that links libray a worker, instead of running its main.
inline constexpr const char* worker_variable = "CAF_RAY_WORKER";

/// What the variable says: descriptor and token.
std::string worker_variable_value(int descriptor, std::uint64_t token);
/// False when `text` is no such value.
bool parse_worker_variable(const char* text, int& descriptor, std::uint64_t& token);

} // namespace caf_ray::cluster
