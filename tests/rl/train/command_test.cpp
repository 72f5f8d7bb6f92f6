#include "rl/train/command.hpp"

#include <sstream>

#include "rl/run/csv.hpp"
#include "rl/run/run.hpp"
#include "tests/rl/support.hpp"

namespace {

struct Fixture {
  rl::test::TemporaryFolder folder;
  std::ostringstream out, err;
  std::string logdir = folder.path / "run";

  int run(std::vector<std::string> words) {
    out.str("");
    err.str("");
    auto status = rl::train_command(words, out, err);
    BOOST_TEST_MESSAGE(out.str() << err.str());
    return status;
  }

  // Words for a short training, and more words.
  std::vector<std::string> training(std::vector<std::string> more = {}) const {
    std::vector<std::string> words = {"ppo",      "--env",        "CartPole-v1",
                                      "--quiet",  "--stop-steps", "2000",
                                      "--logdir", logdir,         "--evaluation-episodes=5"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  bool says(const std::ostringstream& where, const char* what) const {
    return where.str().find(what) != std::string::npos;
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(train_command, Fixture)

BOOST_AUTO_TEST_CASE(it_trains_evaluates_and_fills_the_log_folder) {
  BOOST_TEST(run(training()) == 0);
  BOOST_TEST(says(out, "mean return"));
  BOOST_TEST(says(out, "over 5 episodes"));
  BOOST_TEST(says(out, "not solved: the task asks for 475"));
  BOOST_TEST(says(out, logdir.c_str()));
  for (auto* name : {"log.csv", "curve.svg", "checkpoint.bin", "config.txt"})
    BOOST_TEST(std::filesystem::exists(folder.path / "run" / name), name);
}

BOOST_AUTO_TEST_CASE(it_resumes_with_the_settings_of_the_checkpoint) {
  BOOST_TEST(run(training({"--seed=5", "--horizon=32", "--no-such"})) == 2);
  BOOST_TEST(run(training({"--seed=5", "--horizon=32"})) == 0);
  BOOST_TEST(run({"ppo", "--resume", logdir, "--stop-steps=4000", "--quiet"}) == 0);
  auto steps = rl::read_csv(folder.path / "run" / "log.csv").column("steps");
  BOOST_TEST(steps.back() == 4096);
  BOOST_TEST(steps.size() == 16u); // all of 8 environments by 32 steps: the horizon was kept
  BOOST_TEST(run({"es", "--resume", logdir, "--quiet"}) == 1);
  BOOST_TEST(says(err, "algorithm 'ppo', not 'es'"));
}

BOOST_AUTO_TEST_CASE(flags_go_before_the_preset_and_the_preset_before_defaults) {
  BOOST_TEST(run({"ppo", "--help", "--env=CartPole-v1", "--gamma=0.5"}) == 0);
  BOOST_TEST(says(out, "--gamma=0.5"));
  BOOST_TEST(says(out, "--horizon=64"));
  BOOST_TEST(run({"ppo", "--help", "--preset=false"}) == 0);
  BOOST_TEST(says(out, "--horizon=128"));
}

BOOST_AUTO_TEST_CASE(workers_on_the_runtime_give_the_same_table) {
  auto column = [&] { return rl::read_csv(folder.path / "run" / "log.csv").column("loss/value"); };
  BOOST_TEST(run(training()) == 0);
  auto serial = column();
  BOOST_TEST(run(training({"--workers=2"})) == 0);
  BOOST_TEST(column() == serial, boost::test_tools::per_element());
  BOOST_TEST(run({"es", "--env", "Pendulum-v1", "--workers", "2", "--stop-steps", "30000",
                  "--quiet", "--logdir", logdir})
             == 0);
}

BOOST_AUTO_TEST_CASE(an_interrupt_ends_training_and_saves) {
  rl::Run::interrupt();
  BOOST_TEST(run(training()) == 0);
  rl::Run::clear_interrupt();
  BOOST_TEST(says(out, "(interrupted)"));
  BOOST_TEST(std::filesystem::exists(folder.path / "run" / "checkpoint.bin"));
  BOOST_TEST(run({"ppo", "--resume", logdir, "--stop-steps=1000", "--quiet"}) == 0);
}

BOOST_AUTO_TEST_CASE(wrong_words_say_what_is_known) {
  BOOST_TEST(run({}) == 2);
  BOOST_TEST(says(err, "usage"));
  BOOST_TEST(run({"--help"}) == 0);
  BOOST_TEST(run({"poo"}) == 2);
  BOOST_TEST(says(err, "did you mean 'ppo'"));
  BOOST_TEST(run({"ppo", "--env", "CartPol-v1"}) == 2);
  BOOST_TEST(says(err, "did you mean 'CartPole-v1'"));
  BOOST_TEST(run({"ppo", "--gama=1"}) == 2);
  BOOST_TEST(says(err, "did you mean 'gamma'"));
  BOOST_TEST(run({"ppo", "--gamma=2"}) == 2);
  BOOST_TEST(says(err, "from 0 to 1"));
  BOOST_TEST(run({"ppo", "stray"}) == 2);
  BOOST_TEST(says(err, "'stray'"));
}

BOOST_AUTO_TEST_CASE(files_that_cannot_be_used_are_named) {
  BOOST_TEST(run({"ppo", "--logdir", "/proc/run", "--quiet"}) == 1);
  BOOST_TEST(says(err, "/proc/run"));
  BOOST_TEST(run({"ppo", "--resume", logdir}) == 1);
  BOOST_TEST(says(err, "checkpoint.bin"));
}

BOOST_AUTO_TEST_CASE(list_shows_algorithms_and_environments) {
  BOOST_TEST(run({"list"}) == 0);
  for (auto* name : {"ppo", "es", "CartPole-v1", "Discrete(2)", "Pendulum-v1", "Box(-2, 2, (1,))"})
    BOOST_TEST(says(out, name), name);
}

BOOST_AUTO_TEST_SUITE_END()
