// caf-ray-node: starts, ends and describes the node of this host.

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libray/src/cluster/actors.hpp"
#include "libray/src/cluster/connect.hpp"
#include "libray/src/cluster/node_command.hpp"
#include "libray/src/cluster/node_process.hpp"
#include "libray/src/logging.hpp"
#include "libray/src/transport/basp.hpp"
#include "libray/src/transport/credentials.hpp"

namespace caf_ray::cluster {

namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

/// From SIGTERM to the end, whatever hangs.
constexpr auto stop_patience = 5s;
/// For a node in the background to be ready: its memory may have to be taken from the system.
constexpr auto ready_patience = 60s;
constexpr auto answer_patience = 5s;

/// In the background a node says on this descriptor that it is ready, or why it is not.
constexpr const char* ready_variable = "CAF_RAY_NODE_READY";

int complain(int code, const std::string& what) {
  std::fprintf(stderr, "caf-ray-node: %s\n", what.c_str());
  return code;
}

std::string address_of(const node_command& command) {
  return "127.0.0.1:" + std::to_string(command.port);
}

fs::path directory_of(const node_command& command) {
  return command.directory.empty() ? run_folder() / std::to_string(command.port)
                                   : fs::absolute(command.directory);
}

/// Private folders, down to the last. Throws filesystem_error.
void make_private(const fs::path& folder) {
  fs::create_directories(folder);
  fs::permissions(folder, fs::perms::owner_all);
}

/// A file that names the process that holds a lock on it, for as long as that lives.
class pid_file {
public:
  /// The process that holds it; 0: none.
  static pid_t holder(const fs::path& path) {
    int file = open(path.c_str(), O_RDWR | O_CLOEXEC);
    if (file < 0)
      return 0;
    bool is_free = flock(file, LOCK_SH | LOCK_NB) == 0;
    close(file);
    pid_t pid = 0;
    if (!is_free)
      std::ifstream(path) >> pid;
    return pid;
  }

  explicit pid_file(const fs::path& path) : path_(path) {
    file_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file_ < 0 || flock(file_, LOCK_EX | LOCK_NB) != 0)
      return;
    auto text = std::to_string(getpid()) + "\n";
    held_ = ftruncate(file_, 0) == 0
            && write(file_, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  }
  ~pid_file() {
    if (held_)
      unlink(path_.c_str());
    if (file_ >= 0)
      close(file_);
  }
  bool held() const noexcept { return held_; }

private:
  fs::path path_;
  int file_ = -1;
  bool held_ = false;
};

fs::path pid_path(const node_command& command) {
  return run_folder() / (std::to_string(command.port) + ".pid");
}

void tell_starter(const std::string& line) {
  if (auto text = std::getenv(ready_variable)) {
    int to = static_cast<int>(std::strtol(text, nullptr, 10));
    auto whole = line + "\n";
    if (write(to, whole.data(), whole.size()) < 0)
      return;
    close(to);
    unsetenv(ready_variable);
  }
}

/// Loads the credentials; without them this host's loopback is all there is.
error secure(const node_command& command, node_process_options& options) {
  if (!command.credentials.empty()) {
    auto loaded = transport::credentials::load(command.credentials);
    if (!loaded)
      return loaded.error();
    if (loaded->role() != transport::peer_kind::node)
      return {errc::invalid_argument, "--credentials " + command.credentials
                                        + ": these are for drivers; a node needs those in the "
                                          "folder node that keygen has made"};
    options.credentials = std::move(*loaded);
    return {};
  }
  const std::string remedy =
    " needs credentials: make them once with caf-ray-node keygen DIR, copy "
    "DIR/node to each host and start its node with --credentials DIR/node";
  if (!is_loopback(command.host))
    return {errc::invalid_argument, "--host " + command.host + remedy};
  if (!command.head && !is_loopback(host_of(command.address)))
    return {errc::invalid_argument, "joining the cluster at " + command.address + remedy};
  return {};
}

int keygen(const node_command& command) {
  if (auto made = transport::keygen(command.folder, command.cluster); !made)
    return complain(made.error().code == errc::invalid_argument ? exit_usage : exit_cannot_start,
                    made.error().what);
  std::printf("caf-ray-node: made %s: copy its folder node to each host of the cluster and start "
              "nodes there with --credentials; keep authority apart, it signs more of them\n",
              command.folder.c_str());
  return exit_ok;
}

/// The head has gone, and this node ends for that.
std::atomic<bool> cluster_lost = false;

int serve(const node_command& command) {
  make_private(run_folder());
  auto directory = directory_of(command);
  make_private(directory);
  pid_file mine(pid_path(command));
  auto refuse = [](int code, const std::string& what) {
    tell_starter(what);
    return complain(code, what);
  };
  if (!mine.held())
    return refuse(exit_cannot_start, "a node runs already at port " + std::to_string(command.port)
                                       + " (process "
                                       + std::to_string(pid_file::holder(pid_path(command)))
                                       + "): stop it, or choose another --port");
  // Threads inherit the mask; this one waits for the signals.
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGCHLD, SIG_DFL); // ignored, the ends of workers could not be asked for

  node_process_options options;
  options.socket = socket_of(address_of(command)).string();
  options.log_directory = directory.string();
  auto& given = options.given;
  given.num_cpus = command.num_cpus;
  given.resources = command.resources;
  given.object_store_memory_bytes = command.object_store_memory_bytes;
  options.head_address = command.head ? "" : command.address;
  options.address = command.host + ":" + std::to_string(command.port);
  options.host = command.host;
  options.port = command.port;
  options.program_folder = directory / "programs";
  if (auto secured = secure(command, options); secured.code != errc::none)
    return refuse(exit_config, secured.what);
  options.on_cluster_lost = [](const std::string& cause) {
    std::printf("caf-ray-node: the head of the cluster has gone: %s\n", cause.c_str());
    std::fflush(stdout);
    cluster_lost = true;
    kill(getpid(), SIGTERM);
  };
  given.gcs_directory = (directory / "gcs").string();
  given.spill_directory = directory.string();
  try {
    auto node = std::make_unique<node_process>(std::move(options));
    auto ready = "ready: programs join with RAY_ADDRESS=" + address_of(command) + " (process "
                 + std::to_string(getpid()) + ", files in " + directory.string() + ")";
    std::printf("caf-ray-node: %s\n", ready.c_str());
    std::fflush(stdout);
    tell_starter("ok " + ready);
    int signal_number = 0;
    sigwait(&ends, &signal_number);
    std::printf("caf-ray-node: ending (%s)\n", strsignal(signal_number));
    std::fflush(stdout);
    const int code = cluster_lost ? exit_unavailable : exit_ok;
    std::thread([code] {
      std::this_thread::sleep_for(stop_patience);
      _exit(code); // something hangs; workers end with this process
    }).detach();
    node.reset();
    return code;
  } catch (const std::exception& e) {
    return refuse(exit_cannot_start, e.what());
  }
}

/// The same words again, in a process of its own in the background, until it is ready.
int start_in_background(const node_command& command, const std::vector<std::string>& words) {
  make_private(run_folder());
  auto directory = directory_of(command);
  make_private(directory);
  auto log = directory / "node.log";
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    return complain(exit_cannot_start, "no descriptors left");
  auto self = fs::read_symlink("/proc/self/exe").string();
  std::vector<std::string> arguments{"caf-ray-node"};
  arguments.insert(arguments.end(), words.begin(), words.end());
  arguments.push_back("--block");
  std::vector<char*> argv;
  for (auto& argument : arguments)
    argv.push_back(argument.data());
  argv.push_back(nullptr);
  constexpr int ready_descriptor = 3;
  setenv(ready_variable, std::to_string(ready_descriptor).c_str(), 1);

  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&files, 1, 2);
  posix_spawn_file_actions_adddup2(&files, ends[1], ready_descriptor);
  posix_spawnattr_t flags;
  posix_spawnattr_init(&flags);
  posix_spawnattr_setflags(&flags, POSIX_SPAWN_SETSID);
  pid_t pid = 0;
  int failed = posix_spawn(&pid, self.c_str(), &files, &flags, argv.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&flags);
  close(ends[1]);
  if (failed)
    return complain(exit_cannot_start, std::string("cannot start: ") + std::strerror(failed));

  std::string said;
  auto until = std::chrono::steady_clock::now() + ready_patience;
  for (char buffer[512];;) {
    auto left =
      std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    pollfd waits{ends[0], POLLIN, 0};
    if (left.count() <= 0 || poll(&waits, 1, static_cast<int>(left.count())) <= 0)
      return complain(exit_cannot_start, "the node is not ready after "
                                           + std::to_string(ready_patience.count()) + " s; see "
                                           + log.string());
    auto count = read(ends[0], buffer, sizeof(buffer));
    if (count <= 0)
      break;
    said.append(buffer, static_cast<std::size_t>(count));
  }
  if (!said.empty() && said.back() == '\n')
    said.pop_back();
  if (!said.starts_with("ok ")) {
    int how = 0;
    waitpid(pid, &how, 0); // it has said its last word
    return complain(WIFEXITED(how) && WEXITSTATUS(how) != exit_ok ? WEXITSTATUS(how)
                                                                  : int{exit_cannot_start},
                    said.empty() ? "the node has ended; see " + log.string() : said);
  }
  std::printf("caf-ray-node: %s\n", said.substr(3).c_str());
  return exit_ok;
}

int stop(const node_command& command) {
  auto pid = pid_file::holder(pid_path(command));
  if (pid == 0)
    return complain(exit_unavailable, "no node runs at port " + std::to_string(command.port));
  kill(pid, SIGTERM);
  auto until = std::chrono::steady_clock::now() + stop_patience + 1s;
  while (pid_file::holder(pid_path(command)) == pid) {
    if (std::chrono::steady_clock::now() > until) {
      kill(pid, SIGKILL);
      return complain(exit_ok, "the node did not end by itself and was killed");
    }
    std::this_thread::sleep_for(10ms);
  }
  std::printf("caf-ray-node: stopped\n");
  return exit_ok;
}

int status(const node_command& command) {
  auto connection = connect_to_node(address_of(command));
  if (!connection)
    return complain(exit_unavailable, connection.error().what);
  caf::actor_system_config config;
  announce_messages(config);
  if (auto done = transport::configure(config); !done)
    return complain(exit_config, done.error().what);
  caf::actor_system system(config);
  auto hub = transport::join(system, std::move(*connection), answer_patience);
  if (!hub)
    return complain(exit_unavailable, hub.error().what);
  int code = exit_unavailable;
  caf::scoped_actor self(system);
  self->request(caf::actor_cast<hub_actor>(*hub), answer_patience, status_atom_v)
    .receive(
      [&](const std::vector<std::pair<std::string, std::string>>& lines) {
        for (auto& [name, value] : lines)
          std::printf("%-20s %s\n", name.c_str(), value.c_str());
        code = exit_ok;
      },
      [&](const caf::error& e) { complain(code, system.render(e)); });
  return code;
}

int run(const std::vector<std::string>& words) {
  auto command = parse_node_command(words);
  if (!command)
    return complain(exit_usage, command.error().what);
  switch (command->word) {
    case node_word::help: std::fputs(node_usage().c_str(), stdout); return exit_ok;
    case node_word::version: std::puts("caf-ray-node " CAF_RAY_VERSION); return exit_ok;
    case node_word::stop: return stop(*command);
    case node_word::status: return status(*command);
    case node_word::keygen: return keygen(*command);
    case node_word::start: break;
  }
  return command->block ? serve(*command) : start_in_background(*command, words);
}

} // namespace

} // namespace caf_ray::cluster

int main(int argc, char** argv) {
  try {
    return caf_ray::cluster::run({argv + 1, argv + argc});
  } catch (const std::exception& e) {
    return caf_ray::cluster::complain(caf_ray::cluster::exit_cannot_start, e.what());
  }
}
