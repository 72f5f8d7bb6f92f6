#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include <csignal>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

namespace caf_ray::test {

/// A program, started with these arguments; killed with the object. It reads nothing; its output is
/// read by line.
class child {
public:
  child(const std::string& program, std::vector<std::string> arguments) {
    int ends[2];
    BOOST_TEST_REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, ends[1], 1);
    arguments.insert(arguments.begin(), program);
    std::vector<char*> argv;
    for (auto& a : arguments)
      argv.push_back(a.data());
    argv.push_back(nullptr);
    auto failed = posix_spawn(&pid_, program.c_str(), &files, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&files);
    close(ends[1]);
    BOOST_TEST_REQUIRE(failed == 0);
    output_ = fdopen(ends[0], "r");
  }

  ~child() {
    kill();
    fclose(output_);
  }
  child(const child&) = delete;
  child& operator=(const child&) = delete;

  pid_t pid() const { return pid_; }

  /// Empty at the end of the output.
  std::string line() {
    std::string text;
    for (int c = fgetc(output_); c != EOF && c != '\n'; c = fgetc(output_))
      text += static_cast<char>(c);
    return text;
  }

  /// Waits for its end; its exit code, or minus the signal.
  int wait_end() {
    int status = 0;
    if (!dead_)
      waitpid(pid_, &status, 0);
    dead_ = true;
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
  }

  void kill() {
    if (dead_)
      return;
    ::kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    dead_ = true;
  }

private:
  pid_t pid_ = 0;
  bool dead_ = false;
  FILE* output_ = nullptr;
};

} // namespace caf_ray::test
