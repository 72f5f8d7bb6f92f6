// What the tests of SAC and TD3 share: small runs on Pendulum-v1, and what every such algorithm
// must do.
#pragma once

#include <cmath>

#include "rl/run/run.hpp"
#include "tests/rl/support.hpp"

namespace rl::test {

inline RunOptions quiet(const char* env, std::int64_t stop_steps) {
  RunOptions options;
  options.env = env;
  options.stop_steps = stop_steps;
  options.quiet = true;
  options.evaluation_episodes = 2;
  return options;
}

inline std::vector<double> normals(std::size_t size, std::uint64_t seed, double scale = 1) {
  std::vector<double> values(size);
  Rng rng(seed);
  for (auto& each : values)
    each = scale * rng.normal();
  return values;
}

/// Rows of 3 observed and 2 acted numbers, some of which end an episode.
inline ReplaySample sample_of_pairs(std::size_t count) {
  ReplaySample sample{{3, 2}, std::vector<float>(count, 1.0f), std::vector<std::uint64_t>(count)};
  sample.rows.resize(count);
  Rng rng(9);
  for (auto* column :
       {&sample.rows.observation, &sample.rows.reward, &sample.rows.next_observation})
    rng.fill_normal(*column);
  for (auto& each : sample.rows.action)
    each = static_cast<float>(rng.uniform(-1, 1));
  for (std::size_t i = 0; i < count; ++i)
    sample.rows.discount[i] = i % 4 == 0 ? 0 : 0.9f;
  return sample;
}

/// Checks `gradient` against central differences of `loss` by each of `p`.
template <class Loss>
void check_slope(std::vector<double>& p, const std::vector<double>& gradient, Loss loss) {
  constexpr double h = 1e-6;
  for (std::size_t i = 0; i < p.size(); ++i) {
    auto was = p[i];
    p[i] = was + h;
    auto above = loss();
    p[i] = was - h;
    auto below = loss();
    p[i] = was;
    BOOST_TEST(std::abs((above - below) / (2 * h) - gradient[i]) < 1e-7);
  }
}

/// Runs are equal to the last bit, resumed ones too, and other seeds give others.
template <class Config, class Train>
void check_repeats_and_resumes(Config config, const char* name, Train train) {
  auto run = [&](const RunOptions& options) {
    Run run(options, name, config.fields());
    return train(config, run);
  };
  auto straight = run(quiet("Pendulum-v1", 900));
  BOOST_TEST(run(quiet("Pendulum-v1", 900)).weights == straight.weights,
             boost::test_tools::per_element());
  auto other = quiet("Pendulum-v1", 900);
  other.seed = 2;
  BOOST_TEST((run(other).weights != straight.weights));
  TemporaryFolder folder;
  auto options = quiet("Pendulum-v1", 450); // within an episode and between two rows of the log
  options.logdir = folder.path / "run";
  BOOST_TEST(run(options).steps < straight.steps);
  auto more = quiet("Pendulum-v1", 900);
  more.resume = folder.path / "run";
  auto resumed = run(more);
  BOOST_TEST(resumed.steps == straight.steps);
  BOOST_TEST(resumed.weights == straight.weights, boost::test_tools::per_element());
  BOOST_TEST(resumed.evaluation.mean == straight.evaluation.mean);
  config.hidden = {5};
  BOOST_TEST(fails(ErrorCode::bad_checkpoint, [&] { run(more); }, {"weights", "layers"}));
}

/// What does not fit is refused; a diverged run says so and leaves its last state.
template <class Config, class Train>
void check_refuses(Config config, const char* name, Train train) {
  auto run = [&](const Config& with, const RunOptions& options) {
    auto copy = with;
    Run run(options, name, copy.fields());
    train(copy, run);
  };
  BOOST_TEST(fails(ErrorCode::bad_space, [&] { run(config, quiet("CartPole-v1", 100)); },
                   {name, "CartPole-v1", "dqn"}));
  auto options = quiet("Pendulum-v1", 100);
  options.workers = 1;
  BOOST_TEST(fails(ErrorCode::bad_value, [&] { run(config, options); }, {"workers=0"}));
  TemporaryFolder folder;
  auto wild = config;
  wild.reward_scale = 1e38;   // rewards overflow
  wild.learning_starts = 300; // after rows of the log
  options = quiet("Pendulum-v1", 5000);
  options.logdir = folder.path;
  BOOST_TEST(fails(ErrorCode::not_finite, [&] { run(wild, options); },
                   {"not finite in gradient step", "diverged"}));
  options.resume = folder.path;
  BOOST_TEST(Run(options, name, wild.fields()).steps() > 0);
}

} // namespace rl::test
