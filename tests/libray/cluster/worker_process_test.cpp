#include "libray/src/cluster/worker_process.hpp"

#include <charconv>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/libray/cluster/support.hpp"
#include "tests/support/patience.hpp"
#include "tests/support/temp_folder.hpp"

using namespace caf_ray;
using namespace caf_ray::cluster;
using namespace caf_ray::cluster::test;
using caf_ray::test::temp_folder;

namespace {

constexpr int patience_ms = 20'000 * caf_ray::test::slowdown;

/// A pipe whose writing end the worker gets as its connection. It is closed when the worker, and
/// whatever that has started, has ended.
class line_to_child {
public:
  line_to_child() { BOOST_TEST_REQUIRE(pipe2(ends_, O_CLOEXEC) == 0); }
  ~line_to_child() {
    close(ends_[0]);
    hang_up();
  }
  line_to_child(const line_to_child&) = delete;
  line_to_child& operator=(const line_to_child&) = delete;

  int child_end() const { return ends_[1]; }
  /// Only the child keeps the writing end.
  void hang_up() {
    if (ends_[1] >= 0)
      close(ends_[1]);
    ends_[1] = -1;
  }

  /// What the child says until its line ends; fails when it says nothing.
  std::string line() {
    std::string text;
    for (char c = 0; text.empty() || text.back() != '\n'; text += c) {
      BOOST_TEST_REQUIRE(wait());
      BOOST_TEST_REQUIRE(read(ends_[0], &c, 1) == 1);
    }
    text.pop_back();
    return text;
  }
  /// True when nobody has the writing end any more, soon.
  bool ends() {
    char c = 0;
    return wait() && read(ends_[0], &c, 1) == 0;
  }

private:
  bool wait() {
    pollfd p{ends_[0], POLLIN, 0};
    return poll(&p, 1, patience_ms) == 1;
  }

  int ends_[2] = {-1, -1};
};

struct fixture {
  line_to_child line;

  worker_start child(const std::string& act) {
    worker_start how;
    how.program = CAF_RAY_CLUSTER_CHILD;
    how.token = 42;
    how.descriptor = line.child_end();
    how.environment = {{"CAF_RAY_TEST_CHILD", act}};
    return how;
  }

  worker_process started(const worker_start& how) {
    auto process = worker_process::start(how);
    BOOST_TEST_REQUIRE(what_of(process) == "");
    line.hang_up();
    return std::move(*process);
  }

  /// How it ended. The end of the line is the end of the process, but for a moment.
  std::string end_of(worker_process& process) {
    BOOST_TEST_REQUIRE(line.ends());
    siginfo_t info{};
    auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience_ms);
    for (;;) {
      auto how = process.ended();
      if (!how.empty() || std::chrono::steady_clock::now() > deadline)
        return how;
      waitid(P_PID, static_cast<id_t>(process.pid()), &info, WEXITED | WNOWAIT);
    }
  }
};

/// Programs that a worker has started become our children when it ends, so that we see their ends
/// and leave no zombies to a machine whose first process waits for nobody.
class adoption {
public:
  adoption() { prctl(PR_SET_CHILD_SUBREAPER, 1); }
  ~adoption() { prctl(PR_SET_CHILD_SUBREAPER, 0); }
  adoption(const adoption&) = delete;
  adoption& operator=(const adoption&) = delete;

  /// True when this signal has ended the process that has said that it lives.
  bool was_ended_by(int signal, const std::string& said) const {
    pid_t pid = 0;
    std::from_chars(said.data(), said.data() + said.size(), pid);
    int status = 0;
    return pid > 1 && waitpid(pid, &status, 0) == pid && WIFSIGNALED(status)
           && WTERMSIG(status) == signal;
  }
};

bool is_our_child(pid_t pid) {
  siginfo_t info{};
  return waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(worker_processes, fixture)

BOOST_AUTO_TEST_CASE(a_worker_is_told_its_connection_and_token_by_its_environment) {
  setenv("CAF_RAY_TEST_OWN", "of the node", 1);
  auto how = child("describe");
  how.environment.emplace_back("HOME", "/given");
  auto process = started(how);
  BOOST_TEST(line.line() == std::string("arguments 1 ") + CAF_RAY_CLUSTER_CHILD);
  BOOST_TEST(line.line() == "worker 3,42");
  BOOST_TEST(line.line() == "home /given");
  BOOST_TEST(line.line() == "own of the node");
  BOOST_TEST(line.line() == "group own");
  BOOST_TEST(line.line() == "input 0"); // the end of /dev/null
  BOOST_TEST(line.line() == "blocked 0");
  BOOST_TEST(end_of(process) == "exit code 0");
  unsetenv("CAF_RAY_TEST_OWN");
}

BOOST_AUTO_TEST_CASE(signals_that_the_node_blocks_are_not_blocked_in_the_worker) {
  sigset_t term, before;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &term, &before);
  auto process = started(child("describe"));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  std::string last;
  for (int i = 0; i < 7; ++i)
    last = line.line();
  BOOST_TEST(last == "blocked 0");
}

BOOST_AUTO_TEST_CASE(how_it_ended_is_said_in_words) {
  auto process = started(child("exit"));
  BOOST_TEST(end_of(process) == "exit code 3");
  BOOST_TEST(process.ended() == "exit code 3"); // and again
}

BOOST_AUTO_TEST_CASE(a_signal_that_ended_it_is_named) {
  auto process = started(child("abort"));
  BOOST_TEST(end_of(process) == "signal 6 (Aborted)");
}

BOOST_AUTO_TEST_CASE(a_worker_that_lives_has_not_ended_until_it_is_killed) {
  auto process = started(child("wait"));
  BOOST_TEST(line.line() == "waits");
  BOOST_TEST(process.ended() == "");
  process.kill();
  BOOST_TEST(end_of(process) == "signal 9 (Killed)");
  BOOST_TEST(!is_our_child(process.pid()));
  process.kill(); // of what has ended: nothing
}

BOOST_AUTO_TEST_CASE(the_destructor_kills_and_leaves_no_zombie) {
  pid_t pid = 0;
  {
    auto process = started(child("wait"));
    BOOST_TEST(line.line() == "waits");
    pid = process.pid();
    BOOST_TEST(is_our_child(pid));
  }
  BOOST_TEST(!is_our_child(pid));
  BOOST_TEST(line.ends());
}

BOOST_AUTO_TEST_CASE(the_destructor_of_one_that_ended_unasked_leaves_no_zombie) {
  pid_t pid = 0;
  {
    auto process = started(child("exit"));
    pid = process.pid();
    BOOST_TEST(line.ends());
  }
  BOOST_TEST(!is_our_child(pid));
}

BOOST_AUTO_TEST_CASE(a_moved_process_is_killed_once_by_its_new_owner) {
  auto process = started(child("wait"));
  auto pid = process.pid();
  worker_process owner;
  BOOST_TEST(owner.pid() == 0);
  BOOST_TEST(owner.ended() == "");
  owner.kill(); // of none: nothing
  {
    auto moved = std::move(process);
    owner = std::move(moved);
  }
  BOOST_TEST(process.pid() == 0);
  BOOST_TEST(owner.pid() == pid);
  BOOST_TEST(line.line() == "waits");
  BOOST_TEST(owner.ended() == "");
  owner = worker_process();
  BOOST_TEST(!is_our_child(pid));
}

BOOST_AUTO_TEST_CASE(programs_that_a_killed_worker_has_started_do_not_live_on) {
  adoption adopted;
  auto process = started(child("family"));
  auto said = line.line();
  process.kill();
  BOOST_TEST(end_of(process) == "signal 9 (Killed)"); // the line ends with the last of them
  BOOST_TEST(adopted.was_ended_by(SIGKILL, said), said);
}

BOOST_AUTO_TEST_CASE(programs_that_an_ended_worker_has_started_do_not_live_on) {
  adoption adopted;
  auto process = started(child("orphan"));
  auto said = line.line();
  siginfo_t info{};
  waitid(P_PID, static_cast<id_t>(process.pid()), &info, WEXITED | WNOWAIT);
  BOOST_TEST(process.ended() == "exit code 0");
  BOOST_TEST_REQUIRE(line.ends());
  BOOST_TEST(adopted.was_ended_by(SIGKILL, said), said);
}

BOOST_AUTO_TEST_CASE(a_process_that_ignores_the_ends_of_its_children_learns_of_the_end) {
  auto before = std::signal(SIGCHLD, SIG_IGN);
  auto process = started(child("exit"));
  BOOST_TEST(end_of(process).starts_with("unknown"));
  std::signal(SIGCHLD, before);
}

BOOST_AUTO_TEST_CASE(a_connection_among_the_standard_streams_reaches_the_worker) {
  int input = fcntl(0, F_DUPFD_CLOEXEC, 10);
  BOOST_TEST_REQUIRE(dup2(line.child_end(), 0) == 0);
  auto how = child("wait");
  how.descriptor = 0;
  auto process = worker_process::start(how);
  if (input >= 0)
    dup2(input, 0);
  else
    input = 0; // there was none
  close(input);
  BOOST_TEST_REQUIRE(what_of(process) == "");
  line.hang_up();
  BOOST_TEST(line.line() == "waits");
}

BOOST_AUTO_TEST_CASE(a_given_variable_does_not_hide_the_token) {
  setenv(worker_variable, "of the node's own start", 1);
  auto how = child("describe");
  how.environment.emplace_back(worker_variable, "of the user");
  auto process = started(how);
  unsetenv(worker_variable);
  BOOST_TEST(line.line() != "");
  BOOST_TEST(line.line() == "worker 3,42");
}

BOOST_AUTO_TEST_CASE(a_log_in_no_folder_is_not_blamed_on_the_program) {
  auto how = child("print");
  how.log_file = "/nowhere/to/be/found.log";
  auto process = worker_process::start(how);
  BOOST_TEST(code_of(process) == errc::io_failed);
  BOOST_TEST(what_of(process).find(how.log_file) != std::string::npos, what_of(process));
}

BOOST_AUTO_TEST_CASE(a_program_that_is_missing_is_named) {
  auto how = child("exit");
  how.program = "/nowhere/to/be/found";
  auto process = worker_process::start(how);
  BOOST_TEST(code_of(process) == errc::not_found);
  BOOST_TEST(what_of(process).find("/nowhere/to/be/found") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_file_that_is_no_program_is_named) {
  auto how = child("exit");
  how.program = "/dev/null";
  auto process = worker_process::start(how);
  BOOST_TEST(code_of(process) == errc::io_failed);
  BOOST_TEST(what_of(process).find("/dev/null") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(output_goes_to_the_log_behind_what_is_there) {
  temp_folder folder;
  auto log = folder.path / "worker.log";
  std::ofstream(log) << "before\n";
  auto how = child("print");
  how.log_file = log;
  auto process = started(how);
  BOOST_TEST(end_of(process) == "exit code 0");
  BOOST_TEST(text_of(log) == "before\nto its output\nto its errors\n");
}

BOOST_AUTO_TEST_CASE(a_new_log_is_for_its_owner_only) {
  temp_folder folder;
  auto how = child("print");
  how.log_file = folder.path / "worker.log";
  auto process = started(how);
  BOOST_TEST(end_of(process) == "exit code 0");
  struct stat info {};
  BOOST_TEST_REQUIRE(stat(how.log_file.c_str(), &info) == 0);
  BOOST_TEST((info.st_mode & 0777u) == 0600u);
}

BOOST_AUTO_TEST_CASE(a_program_that_links_the_library_is_a_worker_instead_of_running_its_main) {
  temp_folder folder;
  auto how = child("exit");
  how.program = std::filesystem::read_symlink("/proc/self/exe"); // these tests
  how.log_file = folder.path / "worker.log";
  auto process = started(how);
  // A pipe is no connection to a node: it says so and ends, and ran no test.
  BOOST_TEST(end_of(process) == "exit code 2");
  BOOST_TEST(text_of(how.log_file).starts_with("caf-ray: worker: "), text_of(how.log_file));
}

BOOST_AUTO_TEST_CASE(the_variable_says_descriptor_and_token) {
  for (std::uint64_t token :
       {std::uint64_t{0}, std::uint64_t{42}, std::numeric_limits<std::uint64_t>::max()})
    for (int descriptor : {0, 3, std::numeric_limits<int>::max()}) {
      int d = -1;
      std::uint64_t t = 1;
      BOOST_TEST(parse_worker_variable(worker_variable_value(descriptor, token).c_str(), d, t));
      BOOST_TEST(d == descriptor);
      BOOST_TEST(t == token);
    }
}

BOOST_AUTO_TEST_CASE(texts_that_are_no_such_value_are_refused) {
  for (auto text :
       {"", ",", "3", "3,", ",4", "-1,4", "3,-4", "+3,4", " 3,4", "3, 4", "3,4 ", "3,4,5", "3;4",
        "0x3,4", "a,4", "3,b", "3.0,4", "2147483648,4", "3,18446744073709551616"}) {
    int descriptor = -1;
    std::uint64_t token = 0;
    BOOST_TEST(!parse_worker_variable(text, descriptor, token), '"' << text << '"');
  }
}

BOOST_AUTO_TEST_SUITE_END()
