#include "rl/env/record.hpp"

#include "rl/env/cartpole.hpp"
#include "rl/env/time_limit.hpp"
#include "rl/run/file.hpp"
#include "tests/rl/counting_env.hpp"
#include "tests/rl/support.hpp"

namespace {

using rl::ErrorCode;
using rl::test::CountingEnv;
using rl::test::fails;

// Plays `episodes` episodes with action 0; the first one is reset from the seed.
void play(rl::Env& env, int episodes) {
  std::vector<float> observation(rl::value_size(env.observation_space())), action(1);
  for (int i = 0; i < episodes; ++i) {
    env.reset(i == 0 ? std::optional<std::uint64_t>(1) : std::nullopt, observation);
    for (rl::Step step; !step.terminated && !step.truncated;)
      step = env.step(action, observation);
  }
}

} // namespace

BOOST_AUTO_TEST_SUITE(record)

BOOST_AUTO_TEST_CASE(statistics_are_of_the_latest_episodes_that_ended) {
  rl::RecordStatistics env(std::make_unique<CountingEnv>(), 3);
  BOOST_TEST(!env.mean_return());
  play(env, 20);
  std::vector<float> observation(2), action(1);
  env.reset(std::nullopt, observation); // begins one more, which does not end
  env.step(action, observation);
  env.reset(std::nullopt, observation);
  BOOST_TEST(env.episode_count() == 20);
  BOOST_REQUIRE(env.episodes().size() == 3u);
  double total = 0, length = 0;
  for (auto& each : env.episodes()) {
    auto steps = static_cast<double>(each.length);
    BOOST_TEST(each.total == steps * (steps + 1) / 2);
    total += each.total / 3;
    length += steps / 3;
  }
  BOOST_TEST(*env.mean_return() == total, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(*env.mean_length() == length, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(
    fails(ErrorCode::bad_value, [] { rl::RecordStatistics(std::make_unique<CountingEnv>(), 0); }));
}

BOOST_AUTO_TEST_CASE(every_nth_episode_becomes_a_gif_with_a_picture_a_step) {
  rl::test::TemporaryFolder folder;
  rl::RecordEpisodes env(
    std::make_unique<rl::TimeLimit>(std::make_unique<rl::CartPole>(), 5),
    {.folder = folder.path / "videos", .name = "MinAtar/x", .every = 2, .delay = 7});
  play(env, 4);
  BOOST_TEST(env.file(2).filename() == "MinAtar_x-000002.gif");
  for (int i = 0; i < 4; ++i)
    BOOST_TEST(rl::file_exists(env.file(i)) == (i % 2 == 0));
  auto bytes = rl::read_file(env.file(2));
  BOOST_TEST(bytes.starts_with("GIF89a"));
  std::string control("\x21\xf9\x04\x04\x07\x00\x00\x00\x2c", 9);
  int pictures = 0;
  for (auto at = bytes.find(control); at != bytes.npos; at = bytes.find(control, at + 1))
    ++pictures;
  BOOST_TEST(pictures == 6); // the reset and 5 steps
}

BOOST_AUTO_TEST_CASE(what_cannot_be_recorded_is_said) {
  rl::test::TemporaryFolder folder;
  auto record = [&](rl::RecordOptions options) {
    options.folder = folder.path;
    rl::RecordEpisodes env(std::make_unique<CountingEnv>(), options);
    play(env, 1);
  };
  BOOST_TEST(fails(ErrorCode::bad_environment, [&] { record({}); }, {"no picture"}));
  rl::RecordOptions no_episode, no_time;
  no_episode.every = 0;
  no_time.delay = 0;
  BOOST_TEST(fails(ErrorCode::bad_value, [&] { record(no_episode); }));
  BOOST_TEST(fails(ErrorCode::bad_value, [&] { record(no_time); }));
  rl::write_file(folder.path / "file", "x");
  BOOST_TEST(fails(ErrorCode::cannot_write,
                   [&] {
                     rl::RecordEpisodes(std::make_unique<rl::CartPole>(),
                                        {.folder = folder.path / "file" / "below"});
                   },
                   {"below"}));
}

BOOST_AUTO_TEST_SUITE_END()
