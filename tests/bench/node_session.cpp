#include "tests/bench/node_session.hpp"

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ray/api.h>

namespace caf_ray::bench {

namespace fs = std::filesystem;

namespace {

/// Runs caf-ray-node, which lies beside this program; its exit code.
int run_node(std::vector<std::string> words) {
  auto program = fs::read_symlink("/proc/self/exe").parent_path() / "caf-ray-node";
  words.insert(words.begin(), program.string());
  std::vector<char*> argv;
  for (auto& word : words)
    argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
  pid_t pid = 0;
  int failed = posix_spawn(&pid, program.c_str(), &files, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  int status = 0;
  if (failed || waitpid(pid, &status, 0) != pid)
    return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

} // namespace

node_session::node_session() {
  std::string name = (fs::temp_directory_path() / "caf-ray-bench-XXXXXX").string();
  if (!mkdtemp(name.data()))
    throw std::runtime_error("cannot make a folder for the node");
  folder_ = name;
  setenv("XDG_RUNTIME_DIR", name.c_str(), 1);
  if (run_node({"start", "--head", "--object-store-memory", std::to_string(1024L << 20)}) != 0)
    throw std::runtime_error("caf-ray-node does not start; it must lie beside this program");
  ray::RayConfig config;
  config.address = "127.0.0.1:6379";
  config.log_level = ray::RayLoggerLevel::ERROR;
  ray::Init(config);
}

node_session::~node_session() {
  ray::Shutdown();
  run_node({"stop"});
  unsetenv("XDG_RUNTIME_DIR");
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

} // namespace caf_ray::bench
