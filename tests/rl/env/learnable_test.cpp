// One loop learns whatever an environment shows and takes: a place among places, a picture, joints.
// Fixed seeds; bounds are far above what chance gives, which is measured beside it, and below what
// each of seeds 1 to 5 reached when this was written.

#include "rl/env/registry.hpp"
#include "rl/ppo.hpp"
#include "tests/rl/support.hpp"

BOOST_AUTO_TEST_SUITE(learnable)

BOOST_AUTO_TEST_CASE(ppo_learns_from_places_pictures_and_joints_without_a_change) {
  struct Row {
    const char* env;
    std::int64_t steps;
    double by_chance; // random actions stay below
    double learnt;    // the policy comes above
  };
  Row rows[] = {{"FrozenLake-v1", 150'000, 0.1, 0.25},
                {"MinAtar/Breakout-v1", 150'000, 1.5, 3.5},
                {"InvertedPendulum-v4", 40'000, 15, 90}};
  for (auto& row : rows) {
    auto space = rl::make_env(row.env)->action_space();
    rl::Rng rng(1);
    auto chance =
      rl::evaluate(row.env, 1, 100, [&](auto, auto action) { rl::sample(space, rng, action); });
    BOOST_TEST(chance.mean < row.by_chance, row.env << " by chance: " << chance.mean);
    rl::PpoConfig config;
    config.learning_rate = 1e-3;
    config.entropy_weight = 0.01;
    config.gamma = 0.995;
    rl::RunOptions options;
    options.env = row.env;
    options.stop_steps = row.steps;
    options.quiet = true;
    rl::Run run(options, "ppo", config.fields());
    rl::SerialWorkers workers(rl::ppo_workers(config, options));
    auto trained = rl::train_ppo(config, run, workers);
    BOOST_TEST(trained.evaluation.mean > row.learnt,
               row.env << " learnt: " << trained.evaluation.mean);
    BOOST_TEST_MESSAGE(row.env << ": by chance " << chance.mean << ", learnt "
                               << trained.evaluation.mean << " in " << trained.seconds << " s");
  }
}

BOOST_AUTO_TEST_SUITE_END()
