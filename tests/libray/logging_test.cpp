#define BOOST_TEST_MODULE logging
#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <ray/api.h>

#include "libray/src/logging.hpp"
#include "tests/support/temp_folder.hpp"

using ray::RayLoggerLevel;

namespace {

/// What `body` writes to file descriptor 2.
std::string stderr_of(const std::function<void()>& body) {
  auto file = std::tmpfile();
  BOOST_REQUIRE(file);
  auto saved = ::dup(STDERR_FILENO);
  ::dup2(::fileno(file), STDERR_FILENO);
  body();
  ::dup2(saved, STDERR_FILENO);
  ::close(saved);
  std::rewind(file);
  std::string text;
  for (int c; (c = std::fgetc(file)) != EOF;)
    text += static_cast<char>(c);
  std::fclose(file);
  return text;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);)
    lines.push_back(line);
  return lines;
}

/// The text with every number as one 9.
std::string shape(const std::string& text) {
  std::string out;
  for (char c : text) {
    bool digit = c >= '0' && c <= '9';
    if (!digit || !out.ends_with('9'))
      out += digit ? '9' : c;
  }
  return out;
}

struct with_threshold {
  explicit with_threshold(RayLoggerLevel level) { caf_ray::set_log_threshold(level); }
  ~with_threshold() { caf_ray::set_log_threshold(RayLoggerLevel::INFO); }
};

/// Runs `body` in a child process, which sees an environment without the threshold of this one.
int exit_status_of(const std::function<void()>& body) {
  auto child = ::fork();
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL); // the test framework's handler would take it for its own
    body();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

} // namespace

BOOST_AUTO_TEST_SUITE(raylog)

// First in this file: the threshold has not been asked for or set in this process yet.
BOOST_AUTO_TEST_CASE(takes_its_threshold_from_the_environment_when_it_is_first_used) {
  struct row {
    const char* variable;
    RayLoggerLevel lowest;
  };
  for (auto [variable, lowest] : std::vector<row>{{nullptr, RayLoggerLevel::INFO},
                                                  {"", RayLoggerLevel::INFO},
                                                  {"loud", RayLoggerLevel::INFO},
                                                  {"debug", RayLoggerLevel::DEBUG},
                                                  {"WARNING", RayLoggerLevel::WARNING},
                                                  {"Error", RayLoggerLevel::ERROR},
                                                  {"fatal", RayLoggerLevel::FATAL}}) {
    auto status = exit_status_of([&] {
      variable ? ::setenv("RAY_BACKEND_LOG_LEVEL", variable, 1)
               : ::unsetenv("RAY_BACKEND_LOG_LEVEL");
      int enabled = 0;
      for (int level = -1; level <= 3; ++level)
        enabled += ray::IsLevelEnabled(static_cast<RayLoggerLevel>(level));
      ::_exit(enabled);
    });
    BOOST_TEST(WIFEXITED(status));
    BOOST_TEST(WEXITSTATUS(status) == 4 - static_cast<int>(lowest));
  }
}

BOOST_AUTO_TEST_CASE(writes_time_level_process_file_and_line) {
  with_threshold info(RayLoggerLevel::INFO);
  int line = 0;
  auto text = stderr_of([&] {
    line = __LINE__ + 1;
    RAYLOG(WARNING) << "step " << 7 << " of " << 0.5 << ' ' << true << std::string(" end");
  });
  BOOST_TEST(shape(text) == "[9-9-9 9:9:9.9 WARNING 9] logging_test.cpp:9: step 9 of 9.9 9 end\n");
  BOOST_TEST(text.ends_with(" WARNING " + std::to_string(::getpid()) + "] logging_test.cpp:"
                            + std::to_string(line) + ": step 7 of 0.5 1 end\n"));
}

BOOST_AUTO_TEST_CASE(writes_what_is_at_or_above_the_threshold) {
  for (int threshold = -1; threshold <= 3; ++threshold) {
    with_threshold set(static_cast<RayLoggerLevel>(threshold));
    auto text = stderr_of([] {
      RAYLOG(DEBUG) << "x";
      RAYLOG(INFO) << "x";
      RAYLOG(WARNING) << "x";
      RAYLOG(ERROR) << "x";
    });
    BOOST_TEST(lines_of(text).size() == static_cast<std::size_t>(3 - threshold));
    BOOST_TEST(ray::IsLevelEnabled(RayLoggerLevel::FATAL));
  }
}

BOOST_AUTO_TEST_CASE(does_not_evaluate_what_it_does_not_write) {
  with_threshold error(RayLoggerLevel::ERROR);
  int calls = 0;
  auto count = [&] { return ++calls; };
  auto text = stderr_of([&] {
    RAYLOG(INFO) << count();
    RAYLOG(ERROR) << count();
  });
  BOOST_TEST(calls == 1);
  BOOST_TEST(lines_of(text).size() == 1u);
}

BOOST_AUTO_TEST_CASE(leaves_an_else_to_the_if_before_it) {
  with_threshold error(RayLoggerLevel::ERROR);
  for (bool condition : {true, false}) {
    bool reached = false;
    if (condition)
      RAYLOG(INFO) << "disabled, which is no reason to go into the else";
    else
      reached = true;
    BOOST_TEST(reached == !condition);
  }
}

BOOST_AUTO_TEST_CASE(takes_manipulators_and_drops_line_ends_at_the_end) {
  with_threshold info(RayLoggerLevel::INFO);
  auto text = stderr_of([] { RAYLOG(INFO) << "a\nb" << std::endl << "\n"; });
  BOOST_TEST(lines_of(text).size() == 2u);
  BOOST_TEST(text.ends_with(": a\nb\n"));
}

BOOST_AUTO_TEST_CASE(of_many_threads_writes_whole_lines) {
  with_threshold info(RayLoggerLevel::INFO);
  constexpr int thread_count = 4, line_count = 500;
  auto text = stderr_of([] {
    std::vector<std::jthread> threads;
    for (int t = 0; t < thread_count; ++t)
      threads.emplace_back([t] {
        for (int i = 0; i < line_count; ++i)
          RAYLOG(INFO) << "<" << t << ":" << i << ":" << std::string(100, 'x') << ">";
      });
  });
  auto form = "[9-9-9 9:9:9.9 INFO 9] logging_test.cpp:9: <9:9:" + std::string(100, 'x') + ">";
  std::set<std::string> seen;
  for (auto& line : lines_of(text)) {
    BOOST_TEST(shape(line) == form);
    seen.insert(line.substr(line.find('<')));
  }
  BOOST_TEST(seen.size() == static_cast<std::size_t>(thread_count * line_count));
}

BOOST_AUTO_TEST_CASE(fatal_writes_its_line_and_aborts) {
  with_threshold fatal(RayLoggerLevel::FATAL);
  int status = 0;
  auto text =
    stderr_of([&] { status = exit_status_of([] { RAYLOG(FATAL) << "this must not happen"; }); });
  BOOST_TEST(WIFSIGNALED(status));
  BOOST_TEST(WTERMSIG(status) == SIGABRT);
  BOOST_TEST(text.ends_with(": this must not happen\n"));
}

BOOST_AUTO_TEST_CASE(loses_lines_rather_than_stop_when_stderr_is_closed) {
  auto status = exit_status_of([] {
    ::close(STDERR_FILENO);
    RAYLOG(ERROR) << "nobody reads this";
  });
  BOOST_TEST(WIFEXITED(status));
  BOOST_TEST(WEXITSTATUS(status) == 0);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(logger)

BOOST_AUTO_TEST_CASE(writes_when_it_goes_and_only_when_its_level_is_enabled) {
  with_threshold warning(RayLoggerLevel::WARNING);
  BOOST_TEST(stderr_of([] {
               auto logger = ray::CreateRayLogger("a/b.cc", 3, RayLoggerLevel::INFO);
               BOOST_TEST(!logger->IsEnabled());
               *logger << "dropped" << std::endl;
             })
             == "");
  auto text = stderr_of([] {
    auto logger = ray::CreateRayLogger("a/b.cc", 3, RayLoggerLevel::ERROR);
    BOOST_TEST(logger->IsEnabled());
    *logger << "kept";
  });
  BOOST_TEST(text.ends_with("] b.cc:3: kept\n"));
}

BOOST_AUTO_TEST_SUITE_END()

/// A folder that goes with the test, and what the log in it says.
struct log_folder : caf_ray::test::temp_folder {
  ~log_folder() { caf_ray::set_log_folder(""); }
  std::filesystem::path file(const std::string& end = "") const {
    return path / "logs" / ("driver-" + std::to_string(::getpid()) + ".log" + end);
  }
  std::string text(const std::string& end = "") const {
    std::ifstream in(file(end), std::ios::binary);
    return {std::istreambuf_iterator<char>{in}, {}};
  }

  with_threshold info{RayLoggerLevel::INFO};
};

BOOST_FIXTURE_TEST_SUITE(log_file, log_folder)

BOOST_AUTO_TEST_CASE(gets_what_stderr_gets) {
  caf_ray::set_log_folder((path / "logs").string());
  auto shown = stderr_of([] {
    RAYLOG(INFO) << "first";
    RAYLOG(ERROR) << "second";
    RAYLOG(DEBUG) << "under the threshold";
  });
  BOOST_TEST(lines_of(shown).size() == 2u);
  BOOST_TEST(text() == shown);
  // Set again it is continued; no longer set, it stays as it is.
  caf_ray::set_log_folder((path / "logs").string());
  shown += stderr_of([] { RAYLOG(INFO) << "third"; });
  caf_ray::set_log_folder("");
  stderr_of([] { RAYLOG(INFO) << "fourth"; });
  BOOST_TEST(text() == shown);
}

BOOST_AUTO_TEST_CASE(is_for_its_owner_only) {
  caf_ray::set_log_folder((path / "logs").string(), 1);
  stderr_of([] {
    RAYLOG(INFO) << "one file";
    RAYLOG(INFO) << "the next";
  });
  for (auto end : {"", ".1"}) {
    struct stat found {};
    BOOST_REQUIRE(::stat(file(end).c_str(), &found) == 0);
    BOOST_TEST((found.st_mode & 0777) == 0600u);
  }
}

BOOST_AUTO_TEST_CASE(begins_anew_when_it_is_full_and_keeps_the_one_before) {
  constexpr std::size_t max_bytes = 2000;
  auto before = std::filesystem::current_path();
  std::filesystem::current_path(path);
  caf_ray::set_log_folder("logs", max_bytes); // stays there when the program goes elsewhere
  std::filesystem::current_path(before);
  auto shown = stderr_of([] {
    for (int i = 0; i < 1000; ++i)
      RAYLOG(INFO) << "line " << i << std::string(60, '.');
  });
  BOOST_TEST(text().size() <= max_bytes);
  BOOST_TEST(text(".1").size() <= max_bytes);
  BOOST_TEST(text(".1").size() > max_bytes / 2);
  BOOST_TEST(shown.ends_with(text(".1") + text()));
  BOOST_TEST(std::distance(std::filesystem::directory_iterator(path / "logs"), {}) == 2);
  auto long_line = stderr_of([] { RAYLOG(INFO) << std::string(2 * max_bytes, 'x'); });
  BOOST_TEST(text() == long_line);
}

BOOST_AUTO_TEST_CASE(that_cannot_be_made_is_named) {
  std::ofstream(path / "in the way") << "x";
  auto refused = [](const std::string& folder) {
    try {
      caf_ray::set_log_folder(folder);
    } catch (const ray::internal::RayException& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  auto folder = (path / "in the way" / "logs").string();
  BOOST_TEST(refused(folder).find(folder) != std::string::npos);
  std::filesystem::create_directories(file());
  BOOST_TEST(refused((path / "logs").string()).find(file().string()) != std::string::npos);
  // Nor is a link of somebody else followed.
  std::filesystem::remove(file());
  std::filesystem::create_symlink(path / "in the way", file());
  BOOST_TEST(refused((path / "logs").string()) != "");
}

BOOST_AUTO_TEST_CASE(is_where_init_is_told) {
  auto init = [](std::string flag) {
    std::string program = "program";
    char* argv[] = {program.data(), flag.data()};
    ray::RayConfig config;
    config.log_level = RayLoggerLevel::INFO;
    ray::Init(config, 2, argv);
  };
  stderr_of([&] {
    init("--ray_logs_dir=" + (path / "logs").string());
    RAYLOG(INFO) << "by its own flag";
    ray::Shutdown();
    init("--ray_session_dir=" + path.string());
    RAYLOG(INFO) << "in the session's folder";
    ray::Shutdown();
    ray::RayConfig config;
    config.log_level = RayLoggerLevel::INFO;
    ray::Init(config);
    RAYLOG(INFO) << "nowhere";
    ray::Shutdown();
  });
  auto lines = lines_of(text());
  BOOST_REQUIRE(lines.size() == 2u);
  BOOST_TEST(lines[0].ends_with("by its own flag"));
  BOOST_TEST(lines[1].ends_with("in the session's folder"));
  std::ofstream(path / "in the way") << "x";
  auto bad = (path / "in the way").string();
  BOOST_CHECK_EXCEPTION(init("--ray_logs_dir=" + bad), ray::internal::RayException, [&](auto& e) {
    return std::string(e.what()).find(bad) != std::string::npos;
  });
  BOOST_TEST(!ray::IsInitialized());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(log_line)

BOOST_AUTO_TEST_CASE(has_the_documented_form) {
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  using namespace std::chrono;
  system_clock::time_point time = sys_days(2024y / 5 / 1) + 12h + 34min + 56s + 7ms;
  struct row {
    RayLoggerLevel level;
    std::string file, text, expected;
  };
  for (auto& [level, file, text, expected] : std::vector<row>{
         {RayLoggerLevel::WARNING, "/a/trainer.cpp", "text",
          "[2024-05-01 12:34:56.007 WARNING 4132] trainer.cpp:42: text\n"},
         {RayLoggerLevel::DEBUG, "x.cpp", "", "[2024-05-01 12:34:56.007 DEBUG 4132] x.cpp:42: \n"},
         {RayLoggerLevel::FATAL, "", "a\n\nb\r\n\n",
          "[2024-05-01 12:34:56.007 FATAL 4132] :42: a\n\nb\n"},
       })
    BOOST_TEST(caf_ray::log_line(time, level, 4132, file, 42, text) == expected);
}

BOOST_AUTO_TEST_CASE(level_names_are_parsed_in_any_case) {
  struct row {
    const char* name;
    std::optional<RayLoggerLevel> level;
  };
  for (auto& [name, level] : std::vector<row>{{"debug", RayLoggerLevel::DEBUG},
                                              {"INFO", RayLoggerLevel::INFO},
                                              {"Warning", RayLoggerLevel::WARNING},
                                              {"error", RayLoggerLevel::ERROR},
                                              {"faTal", RayLoggerLevel::FATAL},
                                              {"", std::nullopt},
                                              {"warn", std::nullopt},
                                              {"info ", std::nullopt}})
    BOOST_TEST((caf_ray::parse_log_level(name) == level), name);
}

BOOST_AUTO_TEST_SUITE_END()
