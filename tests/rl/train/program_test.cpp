// caf-ray-train as people start it: its own process, its signals, its exit status.

#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <spawn.h>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>

#include "rl/run/checkpoint.hpp"
#include "rl/run/csv.hpp"
#include "rl/run/file.hpp"
#include "rl/run/run.hpp"
#include "tests/rl/support.hpp"
#include "tests/support/patience.hpp"

extern char** environ;

namespace {

using caf_ray::test::slowdown;


struct Ended {
  int status = 0; // of exit, or 128 + the signal
  std::string text;
};

// Starts the program with these words and waits for its end. With `interrupt`, it gets a SIGINT
// once the progress line shows that an update has ended.
Ended run(std::vector<std::string> words, bool interrupt = false) {
  words.insert(words.begin(), RL_TRAIN_PROGRAM);
  std::vector<char*> arguments;
  for (auto& word : words)
    arguments.push_back(word.data());
  arguments.push_back(nullptr);
  int ends[2];
  BOOST_REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
  pid_t child;
  BOOST_REQUIRE(
    ::posix_spawn(&child, RL_TRAIN_PROGRAM, &actions, nullptr, arguments.data(), environ) == 0);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  Ended result;
  char buffer[4096];
  for (ssize_t size; (size = ::read(ends[0], buffer, sizeof buffer)) > 0;) {
    result.text.append(buffer, static_cast<std::size_t>(size));
    if (interrupt && result.text.find("episodes") != std::string::npos) {
      ::kill(child, SIGINT);
      interrupt = false;
    }
  }
  ::close(ends[0]);
  int status = 0;
  BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  BOOST_TEST_MESSAGE(result.text);
  return result;
}

// The number after `words` in a text.
double number_after(const std::string& text, const char* words) {
  auto at = text.find(words);
  BOOST_REQUIRE_MESSAGE(at != std::string::npos, "no '" << words << "' in: " << text);
  return std::stod(text.substr(at + std::string_view(words).size()));
}

// What ./run demo gives to caf-ray-train, but for the log folder.
std::vector<std::string> demo_words() {
  auto script = rl::read_file(RL_RUN_SCRIPT);
  std::string_view start = "exec build/bin/caf-ray-train ";
  auto begin = script.find(start);
  auto end = script.find("\"${logdir[@]}\"", begin);
  BOOST_REQUIRE(end != std::string::npos);
  std::istringstream in(script.substr(begin + start.size(), end - begin - start.size()));
  std::vector<std::string> words;
  for (std::string word; in >> word;)
    if (word != "\\")
      words.push_back(word);
  return words;
}

std::vector<float> weights_in(const std::filesystem::path& folder) {
  return rl::Checkpoint::read(rl::Run::checkpoint_file(folder)).get_floats("weights");
}

} // namespace

BOOST_AUTO_TEST_SUITE(program)

BOOST_AUTO_TEST_CASE(the_demo_solves_cartpole_in_five_of_five_seeds) {
  rl::test::TemporaryFolder folder;
  for (auto* seed : {"1", "2", "3", "4", "5"}) {
    if (slowdown > 1 && *seed > '1') // under a sanitizer one says as much
      break;
    auto words = demo_words();
    for (auto& more : {std::string("--logdir"), (folder.path / seed).string(),
                       std::string("--seed"), std::string(seed)})
      words.push_back(more);
    auto ended = run(words);
    BOOST_TEST(ended.status == 0);
    BOOST_TEST(number_after(ended.text, "trained") <= 150'000);
    BOOST_TEST(number_after(ended.text, "steps in ") <= 10 * slowdown);
    BOOST_TEST(number_after(ended.text, "mean return ") >= 475);
    BOOST_TEST(number_after(ended.text, " over ") == 100);
    BOOST_TEST(rl::file_exists(folder.path / seed / "curve.svg"));
  }
}

BOOST_AUTO_TEST_CASE(an_interrupted_and_resumed_training_ends_as_one_that_never_stopped) {
  rl::test::TemporaryFolder folder;
  auto words = [&](const char* name, const char* workers) {
    return std::vector<std::string>{
      "ppo",   "--env",    "CartPole-v1",      "--seed",       "7",     "--workers",
      workers, "--logdir", folder.path / name, "--stop-steps", "60000", "--evaluation-episodes=3"};
  };
  BOOST_TEST(run(words("straight", "0")).status == 0);
  auto straight = weights_in(folder.path / "straight");
  for (auto* workers : {"0", "2"}) {
    auto stopped = folder.path / workers;
    auto ended = run(words(workers, workers), true);
    BOOST_TEST(ended.status == 130);
    BOOST_TEST(rl::read_csv(stopped / "log.csv").column("steps").back() < 60'000);
    BOOST_TEST((weights_in(stopped) != straight));
    BOOST_TEST(run({"ppo", "--resume", stopped}).status == 0); // with the limit that it had
    BOOST_TEST(weights_in(stopped) == straight, boost::test_tools::per_element());
    auto column = [](const std::filesystem::path& run) {
      return rl::read_csv(run / "log.csv").column("loss/value");
    };
    BOOST_TEST(column(stopped) == column(folder.path / "straight"),
               boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(a_missed_return_is_seen_in_the_exit_status) {
  auto ended = run({"ppo", "--env", "CartPole-v1", "--stop-return", "490", "--stop-steps", "2000",
                    "--logdir=", "--quiet"});
  BOOST_TEST(ended.status == 1);
  BOOST_TEST(ended.text.find("did not reach 490.0") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
