#pragma once

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <ray/api.h>

#include "tests/support/child.hpp"
#include "tests/support/patience.hpp"
#include "tests/support/temp_folder.hpp"

namespace caf_ray::test {

/// For whatever is waited for here.
inline constexpr auto patience = std::chrono::seconds(20) * slowdown;

/// Looks again and again, since what is waited for is in another process; false at the deadline.
inline bool eventually(const std::function<bool()>& is_so) {
  auto until = std::chrono::steady_clock::now() + patience;
  while (!is_so()) {
    if (std::chrono::steady_clock::now() > until)
      return false;
    // tidy: allow sleep, no event of another process can be waited for
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

inline bool is_running(pid_t pid) {
  return kill(pid, 0) == 0;
}

/// What a program prints and how it ends.
struct run_result {
  int code = -1;
  std::vector<std::string> lines;
};

inline run_result run(const std::string& program, std::vector<std::string> words) {
  run_result result;
  child process(program, std::move(words));
  for (auto line = process.line(); !line.empty(); line = process.line())
    result.lines.push_back(line);
  result.code = process.wait_end();
  return result;
}

/// A node of its own for a test, killed with it. Its sockets and files are in a folder of the test.
class test_node {
public:
  explicit test_node(int cpus = 2) : cpus_(cpus) {
    setenv("XDG_RUNTIME_DIR", folder_.path.c_str(), 1);
    start();
  }
  ~test_node() {
    stop();
    unsetenv("XDG_RUNTIME_DIR");
  }

  void start() {
    process_.emplace(CAF_RAY_NODE,
                     std::vector<std::string>{"start", "--head", "--block", "--num-cpus",
                                              std::to_string(cpus_), "--object-store-memory",
                                              std::to_string(std::size_t{256} << 20)});
    auto line = process_->line();
    BOOST_TEST_REQUIRE(line.find("ready") != std::string::npos, line);
  }
  /// As an administrator does it; the exit code.
  int stop() {
    if (!process_)
      return 0;
    ::kill(process_->pid(), SIGTERM);
    auto code = process_->wait_end();
    process_.reset();
    return code;
  }
  void kill() { process_->kill(); }
  pid_t pid() const { return process_->pid(); }

  /// What `caf-ray-node status` says.
  std::map<std::string, int> status() const {
    std::map<std::string, int> lines;
    for (auto& line : run(CAF_RAY_NODE, {"status"}).lines) {
      auto space = line.find(' ');
      lines[line.substr(0, space)] = std::stoi(line.substr(space));
    }
    return lines;
  }

  const std::filesystem::path& folder() const { return folder_.path; }

private:
  int cpus_;
  temp_folder folder_;
  std::optional<child> process_;
};

/// A driver of that node: this process.
struct driver_session {
  driver_session() {
    ray::RayConfig config;
    config.address = "127.0.0.1:6379";
    config.log_level = ray::RayLoggerLevel::ERROR;
    ray::Init(config);
  }
  ~driver_session() { ray::Shutdown(); }
};

struct cluster_session {
  test_node node;
  driver_session driver;
};

/// A door between a test and its tasks in other processes: a file.
class file_door {
public:
  explicit file_door(std::string path) : path_(std::move(path)) {}
  void open() const { std::ofstream(path_) << "open"; }
  bool is_open() const { return std::filesystem::exists(path_); }
  const std::string& path() const { return path_; }

private:
  std::string path_;
};

template <class Exception, class F>
std::string text_of(F&& f) {
  try {
    f();
  } catch (const Exception& e) {
    return e.what();
  }
  BOOST_ERROR("nothing was thrown");
  return {};
}

} // namespace caf_ray::test
