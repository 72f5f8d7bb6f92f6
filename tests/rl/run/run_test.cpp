#include "rl/run/run.hpp"

#include <cmath>
#include <fstream>
#include <map>
#include <unistd.h>

#include "rl/run/file.hpp"
#include "tests/rl/support.hpp"

namespace {

using rl::ErrorCode;
using rl::test::fails;

rl::RunOptions options_in(const std::filesystem::path& folder) {
  rl::RunOptions options;
  options.quiet = true;
  options.logdir = folder;
  options.return_window = 2;
  return options;
}

void no_parts(rl::Checkpoint&) {}

// The files of a folder and what is in them.
std::map<std::string, std::string> contents(const std::filesystem::path& folder) {
  std::map<std::string, std::string> files;
  for (auto& entry : std::filesystem::directory_iterator(folder))
    files[entry.path().filename()] = rl::read_file(entry.path());
  return files;
}

} // namespace

BOOST_AUTO_TEST_SUITE(run)

BOOST_AUTO_TEST_CASE(it_stops_at_the_step_limit_and_when_told) {
  auto options = options_in("");
  options.stop_steps = 100;
  rl::Run run(options, "test", {});
  BOOST_TEST(run.more());
  run.add_steps(99);
  BOOST_TEST(run.more());
  run.add_steps(1);
  BOOST_TEST(!run.more());
  rl::Run endless(options_in(""), "test", {});
  BOOST_TEST(endless.more());
  endless.stop();
  BOOST_TEST(!endless.more());
}

BOOST_AUTO_TEST_CASE(an_evaluation_is_due_each_time_its_steps_are_over) {
  auto options = options_in("");
  options.evaluation_steps = 100;
  rl::Run run(options, "test", {});
  auto after = [&](std::int64_t steps) {
    run.add_steps(steps);
    return run.evaluation_due();
  };
  BOOST_TEST(!after(99));
  BOOST_TEST(after(1));
  BOOST_TEST(!after(0));
  BOOST_TEST(after(350)); // once, however many were missed
  BOOST_TEST(!after(49));
  BOOST_TEST(after(1));
}

BOOST_AUTO_TEST_CASE(what_is_left_falls_from_1_to_0_at_the_step_limit) {
  auto options = options_in("");
  options.stop_steps = 100;
  rl::Run run(options, "test", {});
  BOOST_TEST(run.left() == 1);
  run.add_steps(25);
  BOOST_TEST(run.left() == 0.75);
  run.add_steps(100);
  BOOST_TEST(run.left() == 0);
  rl::Run endless(options_in(""), "test", {});
  endless.add_steps(1'000'000);
  BOOST_TEST(endless.left() == 1);
}

BOOST_AUTO_TEST_CASE(evaluations_are_a_table_and_a_curve_of_their_own) {
  rl::test::TemporaryFolder folder;
  rl::Evaluation evaluation;
  evaluation.episodes = 100;
  evaluation.mean = 487.5;
  {
    rl::Run run(options_in(folder.path), "test", {});
    run.add_steps(10);
    run.end_update(no_parts);
    run.add(evaluation);
    run.finish(no_parts);
    run.add_steps(10);
    run.end_update(no_parts);
    run.add(evaluation); // after the checkpoint
  }
  auto table = rl::read_csv(folder.path / "evaluation.csv");
  BOOST_TEST(table.column("mean_return")[0] == 487.5);
  BOOST_TEST(table.column("episodes")[0] == 100);
  BOOST_TEST(table.rows.size() == 2u);
  bool found = false;
  for (auto& [name, bytes] : contents(folder.path))
    found |= name.starts_with("events.out.") && bytes.find("eval/mean_return") != bytes.npos;
  BOOST_TEST(found);
  auto options = options_in(folder.path);
  options.resume = folder.path;
  rl::Run run(options, "test", {});
  run.add_steps(7);
  run.end_update(no_parts);
  run.add(evaluation);
  BOOST_TEST(rl::read_csv(folder.path / "evaluation.csv").column("steps")
               == (std::vector<double>{10, 17}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_mean_return_is_of_the_latest_episodes_and_reached_with_enough_of_them) {
  auto options = options_in("");
  options.stop_return = 15;
  rl::Run run(options, "test", {});
  BOOST_TEST(std::isnan(run.mean_return()));
  BOOST_TEST(!run.return_reached());
  run.add_episode(100);
  BOOST_TEST(run.mean_return() == 100);
  BOOST_TEST(!run.return_reached());
  run.add_episode(10);
  BOOST_TEST(run.mean_return() == 55);
  run.add_episode(12);
  BOOST_TEST(run.mean_return() == 11);
  BOOST_TEST(!run.return_reached());
  run.add_episode(18);
  BOOST_TEST(run.return_reached());
}

BOOST_AUTO_TEST_CASE(the_log_folder_holds_table_events_curve_settings_and_checkpoint) {
  rl::test::TemporaryFolder folder;
  rl::Run run(options_in(folder.path / "a" / "b"), "test", {});
  for (int i = 1; i <= 3; ++i) {
    run.add_steps(10);
    run.add_episode(i);
    run.log("loss", 0.5);
    run.end_update(no_parts);
  }
  run.finish([](rl::Checkpoint& checkpoint) { checkpoint.put("mine", "x"); });
  auto in = [&](const char* name) { return rl::read_file(folder.path / "a" / "b" / name); };
  BOOST_TEST(in("log.csv").starts_with(
    "steps,updates,episodes,seconds,steps_per_second,mean_return,loss\n10,1,1,"));
  BOOST_TEST(in("curve.svg").find("test on CartPole-v1, seed 1") != std::string::npos);
  BOOST_TEST(in("curve.svg").find("<polyline") != std::string::npos);
  BOOST_TEST(in("config.txt").find("env=CartPole-v1") != std::string::npos);
  auto checkpoint = rl::Checkpoint::read(rl::Run::checkpoint_file(folder.path / "a" / "b"));
  BOOST_TEST(checkpoint.get("mine") == "x");
  int events = 0;
  for (auto& entry : std::filesystem::directory_iterator(folder.path / "a" / "b"))
    events += entry.path().filename().string().starts_with("events.out.tfevents.");
  BOOST_TEST(events == 1);
}

BOOST_AUTO_TEST_CASE(a_resumed_run_continues_its_counters_and_its_table) {
  rl::test::TemporaryFolder folder;
  {
    rl::Run run(options_in(folder.path), "test", {});
    run.add_steps(10);
    run.add_episode(3);
    run.end_update(no_parts);
    run.finish(no_parts);
    run.add_steps(10); // after the last checkpoint: must not be seen again
    run.end_update(no_parts);
  }
  auto options = options_in(folder.path);
  options.resume = folder.path;
  rl::Run run(options, "test", {});
  BOOST_TEST(run.steps() == 10);
  BOOST_TEST(run.updates() == 1);
  run.add_episode(5);
  BOOST_TEST(run.mean_return() == 4);
  run.add_steps(7);
  run.end_update(no_parts);
  auto table = rl::read_csv(folder.path / "log.csv");
  BOOST_TEST(table.column("steps") == (std::vector<double>{10, 17}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_checkpoint_of_another_run_is_refused) {
  rl::test::TemporaryFolder folder;
  rl::Run(options_in(folder.path), "test", {}).finish(no_parts);
  auto options = options_in(folder.path);
  options.resume = folder.path;
  BOOST_TEST(
    fails(ErrorCode::bad_checkpoint, [&] { rl::Run(options, "other", {}); }, {"algorithm"}));
  options.seed = 2;
  BOOST_TEST(fails(ErrorCode::bad_checkpoint, [&] { rl::Run(options, "test", {}); },
                   {"seed", "'1'", "'2'"}));
  options.seed = 1;
  options.env = "Pendulum-v1";
  BOOST_TEST(fails(ErrorCode::bad_checkpoint, [&] { rl::Run(options, "test", {}); }, {"env"}));
  options.resume = folder.path / "no";
  BOOST_TEST(
    fails(ErrorCode::cannot_read, [&] { rl::Run(options, "test", {}); }, {"checkpoint.bin"}));
}

BOOST_AUTO_TEST_CASE(a_run_that_is_refused_leaves_every_file_as_it_was) {
  rl::test::TemporaryFolder folder;
  {
    rl::Run run(options_in(folder.path), "test", {});
    run.add_steps(10);
    run.end_update(no_parts);
    run.finish(no_parts);
    run.add_steps(10); // killed after this row: resuming would drop it
    run.end_update(no_parts);
  }
  auto before = contents(folder.path);
  auto options = options_in(folder.path);
  options.resume = folder.path;
  rl::Run run(options, "test", {});
  auto refuse = [](const rl::Checkpoint&) {
    throw rl::Error(ErrorCode::bad_checkpoint, "its layers are others");
  };
  BOOST_TEST(fails(ErrorCode::bad_checkpoint, [&] { run.restore(refuse); },
                   {"checkpoint.bin", "its layers are others", "give the options"}));
  BOOST_TEST((contents(folder.path) == before));
}

BOOST_AUTO_TEST_CASE(a_run_resumed_into_another_folder_takes_the_table_along) {
  rl::test::TemporaryFolder folder;
  auto from = folder.path / "from", to = folder.path / "to";
  {
    rl::Run run(options_in(from), "test", {});
    run.add_steps(10);
    run.end_update(no_parts);
    run.finish(no_parts);
    run.add_steps(10);
    run.end_update(no_parts);
  }
  auto before = contents(from);
  auto options = options_in(to);
  options.resume = from;
  {
    rl::Run run(options, "test", {});
    run.add_steps(5);
    run.end_update(no_parts);
    run.finish(no_parts);
  }
  BOOST_TEST((contents(from) == before));
  BOOST_TEST(rl::read_csv(to / "log.csv").column("steps") == (std::vector<double>{10, 15}),
             boost::test_tools::per_element());
  // `to` is a run of its own now: resuming `from` into it once more would mix the two.
  BOOST_TEST(fails(ErrorCode::cannot_write, [&] { rl::Run(options, "test", {}); }, {"--resume"}));
}

BOOST_AUTO_TEST_CASE(a_fresh_run_does_not_overwrite_another) {
  rl::test::TemporaryFolder folder;
  rl::Run(options_in(folder.path), "test", {}).finish(no_parts);
  auto before = contents(folder.path);
  BOOST_TEST(fails(ErrorCode::cannot_write, [&] { rl::Run(options_in(folder.path), "test", {}); },
                   {folder.path.c_str(), "--resume"}));
  BOOST_TEST((contents(folder.path) == before));
}

BOOST_AUTO_TEST_CASE(a_run_that_an_exception_ends_leaves_its_last_complete_update) {
  rl::test::TemporaryFolder folder;
  auto train = [&] {
    rl::Run run(options_in(folder.path), "test", {});
    std::string learner;
    auto save = [&](rl::Checkpoint& checkpoint) { checkpoint.put("learner", learner); };
    run.add_steps(10);
    learner = "first";
    run.end_update(save);
    run.add_steps(10);
    learner = "half of the second";
    throw std::runtime_error("the environment broke");
  };
  BOOST_CHECK_THROW(train(), std::runtime_error);
  auto options = options_in(folder.path);
  options.resume = folder.path;
  rl::Run run(options, "test", {});
  BOOST_TEST(run.steps() == 10);
  run.restore(
    [](const rl::Checkpoint& checkpoint) { BOOST_TEST(checkpoint.get("learner") == "first"); });
}

BOOST_AUTO_TEST_CASE(a_log_folder_that_cannot_be_written_is_named) {
  rl::test::TemporaryFolder folder;
  std::ofstream(folder.path / "file") << "x";
  auto start = [&](std::filesystem::path path) {
    return [=] { rl::Run(options_in(path), "test", {}); };
  };
  // A file in the way and /proc stop root as well.
  BOOST_TEST(fails(ErrorCode::cannot_write, start(folder.path / "file"), {"file"}));
  BOOST_TEST(fails(ErrorCode::cannot_write, start(folder.path / "file" / "inside"), {"inside"}));
  BOOST_TEST(fails(ErrorCode::cannot_write, start("/proc/rl-run"), {"/proc/rl-run"}));
  if (::geteuid() == 0)
    return; // permissions do not bind root
  std::filesystem::permissions(folder.path, std::filesystem::perms::owner_read);
  BOOST_TEST(fails(ErrorCode::cannot_write, start(folder.path), {"ermission"}));
  std::filesystem::permissions(folder.path, std::filesystem::perms::owner_all);
}

BOOST_AUTO_TEST_CASE(options_out_of_range_and_unknown_environments_are_refused) {
  auto options = options_in("");
  options.return_window = 0;
  BOOST_TEST(fails(ErrorCode::bad_value, [&] { rl::Run(options, "test", {}); }, {"return_window"}));
  options = options_in("");
  options.env = "CartPole";
  BOOST_TEST(
    fails(ErrorCode::unknown_name, [&] { rl::Run(options, "test", {}); }, {"CartPole-v1"}));
}

BOOST_AUTO_TEST_SUITE_END()
