// eval and record, by the words that a person gives.

#include "rl/train/play.hpp"

#include <sstream>

#include <gif_lib.h>

#include "rl/run/csv.hpp"
#include "rl/train/command.hpp"
#include "tests/rl/support.hpp"

namespace {

struct Fixture {
  rl::test::TemporaryFolder folder;
  std::string logdir = folder.path / "run";
  std::ostringstream out, err;

  int run(std::vector<std::string> words) {
    out.str("");
    err.str("");
    auto status = rl::train_command(words, out, err);
    BOOST_TEST_MESSAGE(out.str() << err.str());
    return status;
  }
  void train(const char* algorithm, const char* env, std::vector<std::string> more = {}) {
    std::vector<std::string> words = {"train",   algorithm,  "--env", env,
                                      "--quiet", "--logdir", logdir,  "--evaluation-episodes=4"};
    words.insert(words.end(), more.begin(), more.end());
    BOOST_REQUIRE(run(words) == 0);
  }
  bool says(const std::ostringstream& where, const std::string& what) const {
    return where.str().find(what) != std::string::npos;
  }
};

// Pictures in a GIF, by another reader than ours.
int pictures(const std::filesystem::path& file) {
  int error = 0;
  auto* gif = ::DGifOpenFileName(file.c_str(), &error);
  BOOST_REQUIRE(gif);
  BOOST_REQUIRE(::DGifSlurp(gif) == GIF_OK);
  auto count = gif->ImageCount;
  ::DGifCloseFile(gif, &error);
  return count;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(play, Fixture)

BOOST_AUTO_TEST_CASE(eval_repeats_the_evaluation_that_ended_training_for_every_algorithm) {
  for (auto* algorithm : {"ppo", "a2c", "impala", "es", "ars"}) {
    std::vector<std::string> more = {"--stop-steps=3000"};
    if (std::string(algorithm) != "a2c") // with settings that the checkpoint must bring along
      more.push_back("--normalise-observations");
    train(algorithm, "Pendulum-v1", more);
    auto line = out.str().substr(out.str().find("evaluation"));
    line = line.substr(0, line.find('\n'));
    BOOST_TEST(run({"eval", logdir, "--episodes", "4"}) == 0);
    BOOST_TEST(says(out, line), line);
    BOOST_TEST(says(out, std::string(algorithm) + " in Pendulum-v1"));
    BOOST_TEST(run({"eval", logdir, "--episodes=4", "--seed=9"}) == 0);
    BOOST_TEST(!says(out, line));
    std::filesystem::remove_all(logdir);
  }
}

BOOST_AUTO_TEST_CASE(record_writes_a_picture_for_every_step_of_every_episode) {
  train("ppo", "CartPole-v1", {"--stop-steps=600"});
  BOOST_TEST(run({"record", logdir, "--episodes", "2"}) == 0);
  for (auto* name : {"CartPole-v1-000000.gif", "CartPole-v1-000001.gif"}) {
    auto file = folder.path / "run" / "episodes" / name;
    BOOST_TEST(says(out, file.string()));
    BOOST_TEST(pictures(file) > 5);
  }
  auto line = out.str().substr(0, out.str().find('\n'));
  auto steps = std::stod(line.substr(line.find("return ") + 7)); // CartPole gives 1 a step
  BOOST_TEST(pictures(folder.path / "run" / "episodes" / "CartPole-v1-000000.gif") == steps + 1);
  BOOST_TEST(run({"record", logdir, "--into", folder.path / "other", "--step-skip=3"}) == 0);
  BOOST_TEST(pictures(folder.path / "other" / "CartPole-v1-000000.gif") < steps / 2);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_played_says_why) {
  BOOST_TEST(run({"eval"}) == 2);
  BOOST_TEST(says(err, "eval needs one log folder"));
  BOOST_TEST(run({"record", logdir}) == 1);
  BOOST_TEST(says(err, "checkpoint.bin"));
  BOOST_TEST(run({"eval", logdir, "--episodes=0"}) == 2);
  BOOST_TEST(says(err, "from 1 to"));
  BOOST_TEST(run({"eval", "--help"}) == 0);
  BOOST_TEST(says(out, "--episodes=100"));
  BOOST_TEST(run({"record", "--help"}) == 0);
  BOOST_TEST(says(out, "--delay=4"));
}

BOOST_AUTO_TEST_SUITE_END()
