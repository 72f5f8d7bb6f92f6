#include "libray/src/cluster/worker_process.hpp"

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace caf_ray::cluster {

namespace {

/// Where the worker finds its end of the connection.
constexpr int worker_descriptor = 3;

struct spawn_attributes {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t flags;

  spawn_attributes() {
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&flags);
  }
  ~spawn_attributes() {
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&flags);
  }
};

std::vector<std::string> environment_for(const worker_start& how) {
  // The first one of a name counts: who sets this one for the user's code does not hide it.
  std::vector<std::string> variables = {std::string(worker_variable) + '='
                                        + worker_variable_value(worker_descriptor, how.token)};
  auto given = [&](std::string_view variable) {
    for (auto& [name, value] : how.environment)
      if (variable.starts_with(name) && variable.substr(name.size()).starts_with('='))
        return true;
    return variable.starts_with(std::string(worker_variable) + '=');
  };
  for (char** at = environ; *at; ++at)
    if (!given(*at))
      variables.emplace_back(*at);
  for (auto& [name, value] : how.environment)
    variables.push_back(name + '=' + value);
  return variables;
}

/// posix_spawn says only that something is missing or must not be used, not whether it is the
/// program or the log.
tl::unexpected<error> why_not_started(const worker_start& how, int code) {
  auto text = "cannot start the worker program " + how.program + ": ";
  if (access(how.program.c_str(), F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR))
    return fail(errc::not_found, text + std::strerror(errno));
  if (!how.log_file.empty() && access(how.program.c_str(), X_OK) == 0)
    text += "with the log " + how.log_file + ": ";
  return fail(errc::io_failed, text + std::strerror(code));
}

} // namespace

std::string worker_variable_value(int descriptor, std::uint64_t token) {
  return std::to_string(descriptor) + ',' + std::to_string(token);
}

bool parse_worker_variable(const char* text, int& descriptor, std::uint64_t& token) {
  std::string_view value(text);
  auto end = value.data() + value.size();
  auto first = std::from_chars(value.data(), end, descriptor);
  if (first.ec != std::errc{} || first.ptr == end || *first.ptr != ',')
    return false;
  auto second = std::from_chars(first.ptr + 1, end, token);
  return second.ec == std::errc{} && second.ptr == end && descriptor >= 0;
}

result<worker_process> worker_process::start(const worker_start& how) {
  spawn_attributes attributes;
  // First: a node that was started without standard streams may have it among their numbers.
  posix_spawn_file_actions_adddup2(&attributes.files, how.descriptor, worker_descriptor);
  posix_spawn_file_actions_addopen(&attributes.files, 0, "/dev/null", O_RDONLY, 0);
  if (!how.log_file.empty()) {
    posix_spawn_file_actions_addopen(&attributes.files, 1, how.log_file.c_str(),
                                     O_WRONLY | O_CREAT | O_APPEND, 0600);
    posix_spawn_file_actions_adddup2(&attributes.files, 1, 2);
  }
  posix_spawnattr_setflags(&attributes.flags, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
  posix_spawnattr_setpgroup(&attributes.flags, 0);
  sigset_t no_signals;
  sigemptyset(&no_signals);
  posix_spawnattr_setsigmask(&attributes.flags, &no_signals);

  auto variables = environment_for(how);
  std::vector<char*> envp;
  for (auto& variable : variables)
    envp.push_back(variable.data());
  envp.push_back(nullptr);
  auto program = how.program;
  char* argv[] = {program.data(), nullptr};
  pid_t pid = 0;
  int failed =
    posix_spawn(&pid, how.program.c_str(), &attributes.files, &attributes.flags, argv, envp.data());
  if (failed)
    return why_not_started(how, failed);
  return worker_process(pid);
}

worker_process::worker_process(worker_process&& other) noexcept
  : pid_(std::exchange(other.pid_, 0)), how_(std::move(other.how_)) {}

worker_process& worker_process::operator=(worker_process&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(how_, other.how_);
  return *this;
}

worker_process::~worker_process() {
  kill();
  while (pid_ != 0 && how_.empty() && waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void worker_process::kill() noexcept {
  // Until we have waited for it, no other process or group can have its number.
  if (pid_ != 0 && how_.empty())
    ::kill(-pid_, SIGKILL);
}

std::string worker_process::ended() {
  if (pid_ == 0 || !how_.empty())
    return how_;
  siginfo_t seen{};
  auto looked = waitid(P_PID, static_cast<id_t>(pid_), &seen, WEXITED | WNOHANG | WNOWAIT);
  if (looked != 0 && errno == ECHILD) {
    how_ = "unknown: this process ignores SIGCHLD, or has waited for it elsewhere";
    return how_;
  }
  if (looked != 0 || seen.si_pid != pid_)
    return how_;
  kill();
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status))
    how_ = "signal " + std::to_string(WTERMSIG(status)) + " (" + strsignal(WTERMSIG(status)) + ")";
  else
    how_ = "exit code " + std::to_string(WEXITSTATUS(status));
  return how_;
}

} // namespace caf_ray::cluster
