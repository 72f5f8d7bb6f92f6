#include "rl/train/command.hpp"

#include <fstream>
#include <sstream>

#include "rl/env/registry.hpp"
#include "rl/run/csv.hpp"
#include "rl/run/file.hpp"
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
  for (auto* name : {"log.csv", "evaluation.csv", "curve.svg", "checkpoint.bin", "config.txt"})
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

BOOST_AUTO_TEST_CASE(a_resumed_run_keeps_all_its_settings_and_flags_go_before_them) {
  BOOST_TEST(run(training({"--return-window=7", "--checkpoint-seconds=11", "--stop-return=490",
                           "--seed=3", "--gamma=0.9"}))
             != 2);
  BOOST_TEST(run({"ppo", "--resume", logdir, "--checkpoint-seconds=12", "--help"}) == 0);
  for (auto* kept :
       {"--return-window=7 ", "--stop-return=490 ", "--stop-steps=2000 ", "--quiet=true ",
        "--evaluation-episodes=5 ", "--seed=3 ", "--gamma=0.9 ", "--checkpoint-seconds=12 "})
    BOOST_TEST(says(out, kept), kept);
  BOOST_TEST(says(out, ("--logdir=" + logdir).c_str()));
}

BOOST_AUTO_TEST_CASE(an_empty_log_folder_writes_nothing) {
  auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path);
  auto status = run({"ppo", "--quiet", "--stop-steps=500", "--evaluation-episodes=1", "--logdir="});
  std::filesystem::current_path(before);
  BOOST_TEST(status == 0);
  BOOST_TEST(std::filesystem::is_empty(folder.path));
  BOOST_TEST(!says(out, "log folder"));
}

BOOST_AUTO_TEST_CASE(a_broken_checkpoint_is_refused_with_its_name_and_changes_nothing) {
  BOOST_TEST(run(training({"--stop-steps=500"})) == 0);
  auto file = folder.path / "run" / "checkpoint.bin";
  auto log = folder.path / "run" / "log.csv";
  auto good = rl::read_file(file);
  std::ofstream(log, std::ios::app) << "1000,2,9,1,1,1,1,1,1,1,1,1\n"; // resuming would drop it
  auto table = rl::read_file(log);
  auto refused = [&](const std::string& algorithm, std::vector<std::string> more, const char* why) {
    std::vector<std::string> words = {algorithm, "--resume", logdir};
    words.insert(words.end(), more.begin(), more.end());
    BOOST_TEST(run(words) == 1);
    BOOST_TEST(says(err, file.c_str()));
    BOOST_TEST(says(err, why), why);
    BOOST_TEST(rl::read_file(log) == table);
  };
  auto flipped = good;
  flipped[flipped.size() / 2] ^= 4;
  rl::write_file(file, flipped);
  refused("ppo", {}, "checksum; it is damaged: use another copy");
  rl::write_file(file, good.substr(0, good.size() / 2));
  refused("ppo", {}, "damaged");
  rl::write_file(file, good);
  refused("es", {}, "algorithm 'ppo', not 'es'; give the options");
  refused("ppo", {"--hidden=8"}, "its layers are others; give the options");
  refused("ppo", {"--envs=3"}, "8 environments, this one 3; give the options");
  refused("ppo", {"--seed=9"}, "seed '1', not '9'; give the options");
  BOOST_TEST(run({"ppo", "--resume", logdir, "--stop-steps=1000"}) == 0);
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
  std::filesystem::rename(logdir, folder.path / "serial");
  BOOST_TEST(run(training({"--workers=2"})) == 0);
  BOOST_TEST(column() == serial, boost::test_tools::per_element());
  BOOST_TEST(run({"es", "--env", "Pendulum-v1", "--workers", "2", "--stop-steps", "30000",
                  "--quiet", "--logdir="})
             == 0);
}

BOOST_AUTO_TEST_CASE(an_algorithm_that_does_not_fit_the_actions_names_those_that_do) {
  BOOST_TEST(run({"dqn", "--env", "Pendulum-v1", "--quiet", "--logdir", logdir}) == 1);
  BOOST_TEST(says(err, "dqn chooses among discrete actions"));
  BOOST_TEST(says(err, "sac, td3, ppo or es"));
  BOOST_TEST(!std::filesystem::exists(folder.path / "run" / "log.csv"));
}

BOOST_AUTO_TEST_CASE(off_policy_algorithms_train_and_resume) {
  for (std::string algorithm : {"dqn", "sac", "td3"}) {
    logdir = folder.path / algorithm;
    auto env = algorithm == "dqn" ? "CartPole-v1" : "Pendulum-v1";
    BOOST_TEST(run({algorithm, "--env", env, "--hidden=16", "--quiet", "--stop-steps=1500",
                    "--evaluation-episodes=2", "--logdir", logdir})
               == 0);
    BOOST_TEST(run({algorithm, "--resume", logdir, "--stop-steps=2500", "--quiet"}) == 0);
    auto steps = rl::read_csv(std::filesystem::path(logdir) / "log.csv").column("steps");
    BOOST_TEST(steps.front() < 1500);
    BOOST_TEST(steps.back() >= 2500);
    BOOST_TEST(run({algorithm, "--env", env, "--workers=2", "--logdir="}) == 2);
    BOOST_TEST(says(err, "give workers=0"));
  }
}

BOOST_AUTO_TEST_CASE(apex_trains_in_this_thread_or_with_actors) {
  for (std::string workers : {"0", "2"}) {
    BOOST_TEST(run({"apex", "--env", "CartPole-v1", "--quiet", "--stop-steps=4000",
                    "--evaluation-episodes=2", "--logdir", logdir + workers, "--workers", workers})
               == 0);
    auto log = rl::read_csv(std::filesystem::path(logdir + workers) / "log.csv");
    BOOST_TEST(log.column("steps").back() >= 4000);
    BOOST_TEST(log.column("replay/sampled_per_second").back() > 0);
  }
}

BOOST_AUTO_TEST_CASE(a_return_that_was_not_reached_is_a_failure_with_a_sentence) {
  BOOST_TEST(run(training({"--stop-return=490"})) == 1);
  BOOST_TEST(says(err, "did not reach 490.0 within 2048 steps"));
  std::filesystem::rename(logdir, folder.path / "first");
  BOOST_TEST(run(training({"--stop-return=-5"})) == 0);
  BOOST_TEST(err.str().empty());
}

BOOST_AUTO_TEST_CASE(a_preset_says_how_long_it_trains_and_anneals_to_where_training_stops) {
  BOOST_TEST(run({"ppo", "--help", "--env=CartPole-v1"}) == 0);
  BOOST_TEST(says(out, "--stop-steps=150000 "));
  BOOST_TEST(says(out, "--anneal=true "));
  BOOST_TEST(run({"ppo", "--help", "--env=CartPole-v1", "--stop-steps=300000"}) == 0);
  BOOST_TEST(says(out, "--stop-steps=300000 "));
  BOOST_TEST(run({"ppo", "--help", "--preset=false"}) == 0);
  BOOST_TEST(says(out, "--stop-steps=0 "));
}

BOOST_AUTO_TEST_CASE(an_interrupt_ends_training_and_saves) {
  rl::Run::interrupt();
  BOOST_TEST(run(training()) == 130);
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
  BOOST_TEST(
    says(err, "no word or algorithm called 'poo'; did you mean 'ppo'? Known: train eval record"));
  BOOST_TEST(run({"recrod"}) == 2);
  BOOST_TEST(says(err, "did you mean 'record'"));
  BOOST_TEST(run({"train", "imapla"}) == 2);
  BOOST_TEST(says(err, "no algorithm called 'imapla'; did you mean 'impala'?"));
  BOOST_TEST(run({"train"}) == 2);
  BOOST_TEST(says(err, "needs an algorithm"));
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
  std::ofstream(folder.path / "file") << "in the way";
  BOOST_TEST(run({"ppo", "--logdir", folder.path / "file" / "run", "--quiet"}) == 1);
  BOOST_TEST(says(err, "file/run"));
  BOOST_TEST(run({"ppo", "--resume", logdir}) == 1);
  BOOST_TEST(says(err, "checkpoint.bin"));
}

BOOST_AUTO_TEST_CASE(a_full_disk_ends_training_with_a_sentence) {
  std::filesystem::create_directory(logdir);
  std::filesystem::create_symlink("/dev/full", logdir + "/log.csv");
  BOOST_TEST(run(training()) == 1);
  BOOST_TEST(says(err, "log.csv (disk full?)"));
}

BOOST_AUTO_TEST_CASE(train_and_an_algorithm_are_the_short_form) {
  auto words = training();
  words.insert(words.begin(), "train");
  BOOST_TEST(run(words) == 0);
  auto column = [&] { return rl::read_csv(folder.path / "run" / "log.csv").column("loss/value"); };
  auto by_train = column();
  std::filesystem::rename(logdir, folder.path / "first");
  BOOST_TEST(run(training()) == 0);
  BOOST_TEST(column() == by_train, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(every_word_explains_itself) {
  BOOST_TEST(run({"help"}) == 0);
  for (auto* word : {"train", "eval", "record", "bench", "list", "check-env"})
    BOOST_TEST(says(out, word), word);
  for (auto* word : {"train", "eval", "record", "bench", "check-env", "ppo", "ars"}) {
    BOOST_TEST(run({"help", word}) == 0);
    BOOST_TEST(says(out, word), word);
  }
}

BOOST_AUTO_TEST_CASE(check_env_says_whether_an_environment_keeps_the_rules) {
  BOOST_TEST(run({"check-env", "CartPole-v1", "--steps=200"}) == 0);
  BOOST_TEST(says(out, "CartPole-v1 keeps the rules"));
  struct Silent final : rl::Env { // writes no observation
    const rl::Space space = rl::make_box(1, -1, 1);
    const rl::Space& observation_space() const override { return space; }
    const rl::Space& action_space() const override { return space; }
    void reset(std::optional<std::uint64_t>, std::span<float>) override {}
    rl::Step step(std::span<const float>, std::span<float>) override { return {0, true, false}; }
  };
  static const bool known =
    rl::register_env({"Silent-v0", [] { return std::make_unique<Silent>(); }});
  BOOST_TEST(known);
  BOOST_TEST(run({"check-env", "Silent-v0"}) == 1);
  BOOST_TEST(says(out, "observation-unset"));
  BOOST_TEST(run({"check-env", "CartPol-v1"}) == 2);
  BOOST_TEST(says(err, "did you mean 'CartPole-v1'"));
  BOOST_TEST(run({"check-env"}) == 2);
  BOOST_TEST(says(err, "name of one environment"));
}

BOOST_AUTO_TEST_CASE(list_shows_algorithms_and_environments) {
  BOOST_TEST(run({"list"}) == 0);
  for (auto* name : {"ppo", "es", "CartPole-v1", "Discrete(2)", "Pendulum-v1", "Box(-2, 2, (1,))",
                     "presets: CartPole-v1"})
    BOOST_TEST(says(out, name), name);
}

BOOST_AUTO_TEST_SUITE_END()
