#include "rl/ars.hpp"

#include <cmath>
#include <limits>

#include "tests/rl/support.hpp"

namespace {

using rl::ErrorCode;
using rl::test::fails;

rl::RunOptions quiet(const char* env, std::int64_t stop_steps) {
  rl::RunOptions options;
  options.env = env;
  options.stop_steps = stop_steps;
  options.quiet = true;
  options.evaluation_episodes = 2;
  return options;
}

rl::ArsConfig small(std::int64_t directions = 4, std::int64_t top = 2) {
  rl::ArsConfig config;
  config.directions = directions;
  config.top = top;
  return config;
}

rl::TrainResult train(rl::ArsConfig config, const rl::RunOptions& options) {
  rl::Run run(options, "ars", config.fields());
  rl::SerialEsWorkers workers(rl::ars_spec(config, options));
  return rl::train_ars(config, run, workers);
}

} // namespace

BOOST_AUTO_TEST_SUITE(ars)

BOOST_AUTO_TEST_CASE(only_the_top_directions_count_divided_by_the_deviation_of_their_returns) {
  auto spec = rl::ars_spec(small(), quiet("CartPole-v1", 0));
  rl::Ars ars(small(), spec, 1);
  auto jobs = ars.jobs(0);
  // Best members: 4, 9, 3, 9. The second and the fourth count; their returns are 9 1 -3 9.
  std::vector<rl::EsScore> scores = {{4, 4, 0}, {9, 1, 0}, {3, -50, 0}, {-3, 9, 0}};
  auto sigma = std::sqrt((25.0 + 9 + 49 + 25) / 4); // around their mean, 4
  auto shares = ars.shares(jobs, scores);
  BOOST_TEST(shares[0] == 0);
  BOOST_TEST(shares[2] == 0);
  BOOST_TEST(shares[1] == 8 / (2 * sigma), boost::test_tools::tolerance(1e-12));
  BOOST_TEST(shares[3] == -12 / (2 * sigma), boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(returns_that_are_all_equal_move_nothing) {
  rl::Ars ars(small(), rl::ars_spec(small(), quiet("CartPole-v1", 0)), 1);
  std::vector<rl::EsScore> scores(4, rl::EsScore{500, 500, 0});
  BOOST_TEST(ars.shares(ars.jobs(0), scores) == std::vector<double>(4, 0.0),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_step_goes_along_the_noise_and_leaves_biases_at_0) {
  auto config = small(1, 1);
  config.normalise_observations = false;
  auto spec = rl::ars_spec(config, quiet("CartPole-v1", 0));
  BOOST_TEST(spec.noisy == 8u); // w [4, 2]
  rl::Ars ars(config, spec, 1);
  BOOST_TEST(ars.weights().size() == 10u);
  for (auto each : ars.weights())
    BOOST_TEST(each == 0); // M_0
  auto jobs = ars.jobs(0);
  std::vector<rl::EsScore> scores = {{20, 10, 30}}; // the deviation of 20 and 10 is 5
  rl::SerialEsWorkers workers(spec);
  auto length = ars.step(workers.weigh_noise(spec.noisy, jobs, ars.shares(jobs, scores)), scores);
  std::vector<float> noise(8);
  rl::Rng(jobs[0].noise_seed).fill_normal(noise);
  double square = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    BOOST_TEST(ars.weights()[i] == 0.02f * 2 * noise[i], boost::test_tools::tolerance(1e-6f));
    square += std::pow(ars.weights()[i], 2);
  }
  BOOST_TEST(length == std::sqrt(square), boost::test_tools::tolerance(1e-6));
  BOOST_TEST(ars.weights()[8] == 0);
  BOOST_TEST(ars.weights()[9] == 0);
}

BOOST_AUTO_TEST_CASE(a_tried_policy_has_noise_in_its_matrix_alone) {
  auto spec = rl::ars_spec(small(), quiet("CartPole-v1", 0));
  rl::Ars ars(small(), spec, 1);
  std::vector<float> by_hand(ars.weights().begin(), ars.weights().end()), noise(spec.noisy);
  rl::Rng(77).fill_normal(noise);
  for (std::size_t i = 0; i < noise.size(); ++i)
    by_hand[i] += static_cast<float>(spec.sigma) * noise[i];
  auto score = rl::try_pair(spec, ars.weights(), {77, 5});
  rl::ActorCritic<float>::Workspace workspace;
  auto result = rl::evaluate(spec.env, 5, 1, [&](auto observation, auto action) {
    ars.policy().act_greedily(by_hand, observation, action, workspace);
  });
  BOOST_TEST(score.plus == result.mean);
}

BOOST_AUTO_TEST_CASE(bad_settings_and_returns_say_what_is_wrong) {
  BOOST_TEST(fails(ErrorCode::bad_value, [&] { train(small(4, 5), quiet("CartPole-v1", 100)); },
                   {"top=5", "4"}));
  rl::Ars ars(small(), rl::ars_spec(small(), quiet("CartPole-v1", 0)), 1);
  auto jobs = ars.jobs(0);
  std::vector<rl::EsScore> scores(4);
  scores[2].minus = std::numeric_limits<double>::quiet_NaN();
  BOOST_TEST(fails(ErrorCode::not_finite, [&] { ars.shares(jobs, scores); },
                   {"ARS", "pair 2", "CartPole-v1"}));
}

BOOST_AUTO_TEST_CASE(a_resumed_run_ends_where_one_that_never_stopped_does) {
  rl::test::TemporaryFolder folder;
  auto straight = train(small(), quiet("Pendulum-v1", 9000));
  auto options = quiet("Pendulum-v1", 4000);
  options.logdir = folder.path;
  train(small(), options);
  options.stop_steps = 9000;
  options.resume = folder.path;
  auto resumed = train(small(), options);
  BOOST_TEST(resumed.steps == straight.steps);
  BOOST_TEST(resumed.weights == straight.weights, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_checkpoint_of_another_policy_is_refused) {
  rl::test::TemporaryFolder folder;
  auto options = quiet("Pendulum-v1", 1000);
  options.logdir = folder.path;
  train(small(), options);
  options.resume = folder.path;
  auto other = small();
  other.normalise_observations = false;
  BOOST_TEST(fails(ErrorCode::bad_checkpoint, [&] { train(other, options); }, {"weights"}));
}

BOOST_AUTO_TEST_SUITE_END()
