#pragma once

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
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

/// The folder of sockets that everything which a test starts looks into.
class socket_folder {
public:
  socket_folder() { setenv("XDG_RUNTIME_DIR", folder_.path.c_str(), 1); }
  ~socket_folder() { unsetenv("XDG_RUNTIME_DIR"); }
  const std::filesystem::path& path() const { return folder_.path; }

private:
  temp_folder folder_;
};

inline std::string address_of_port(int port) {
  return "127.0.0.1:" + std::to_string(port);
}

/// A node as a process, ended with this object; in a `socket_folder`.
class node_child {
public:
  explicit node_child(int cpus = 2, int port = 6379, std::vector<std::string> words = {"--head"})
    : port_(port), words_{"start",
                          "--block",
                          "--port",
                          std::to_string(port),
                          "--num-cpus",
                          std::to_string(cpus),
                          "--object-store-memory",
                          std::to_string(std::size_t{256} << 20)} {
    words_.insert(words_.end(), words.begin(), words.end());
    start();
  }
  ~node_child() { stop(); }

  void start() {
    process_ = std::make_unique<child>(CAF_RAY_NODE, words_);
    auto line = process_->line();
    BOOST_TEST_REQUIRE(line.find("ready") != std::string::npos, line);
  }
  /// As an administrator does it; the exit code.
  int stop() {
    if (!process_)
      return 0;
    ::kill(process_->pid(), SIGTERM);
    return wait_end();
  }
  int wait_end() {
    auto code = process_->wait_end();
    process_.reset();
    return code;
  }
  void kill() { process_->kill(); }
  pid_t pid() const { return process_->pid(); }

  /// What `caf-ray-node status` says.
  std::map<std::string, int> status() const {
    std::map<std::string, int> lines;
    for (auto& line : run(CAF_RAY_NODE, {"status", "--port", std::to_string(port_)}).lines) {
      auto space = line.find(' ');
      lines[line.substr(0, space)] = std::stoi(line.substr(space));
    }
    return lines;
  }

private:
  int port_;
  std::vector<std::string> words_;
  std::unique_ptr<child> process_;
};

/// A cluster of one node, in a folder of the test.
class test_node : socket_folder, public node_child {
public:
  explicit test_node(int cpus = 2) : node_child(cpus) {}
  const std::filesystem::path& folder() const { return socket_folder::path(); }
};

/// A cluster of several nodes of this host. Node i has one CPU and the resource "node<i>": 8.
class test_cluster {
public:
  explicit test_cluster(int count = 3) {
    for (int i = 0; i < count; ++i)
      add();
    BOOST_TEST_REQUIRE(eventually([&] { return are_connected(); }));
  }

  /// One more; not waited for.
  void add() {
    auto i = static_cast<int>(nodes_.size());
    std::vector<std::string> words{"--resources", "{\"node" + std::to_string(i) + "\": 8}"};
    if (i == 0)
      words.push_back("--head");
    else
      words.insert(words.end(), {"--address", address_of_port(first_port)});
    nodes_.push_back(std::make_unique<node_child>(1, first_port + i, std::move(words)));
  }

  bool are_connected() const {
    return std::all_of(nodes_.begin(), nodes_.end(), [this](auto& node) {
      return !node || node->status()["nodes"] == static_cast<int>(nodes_.size());
    });
  }
  node_child& operator[](std::size_t i) { return *nodes_[i]; }
  const std::filesystem::path& folder() const { return folder_.path(); }

  static constexpr int first_port = 6379;

private:
  socket_folder folder_;
  std::vector<std::unique_ptr<node_child>> nodes_;
};

/// A driver of a node: this process.
struct driver_session {
  explicit driver_session(int port = 6379) {
    ray::RayConfig config;
    config.address = address_of_port(port);
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
