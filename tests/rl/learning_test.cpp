// The algorithms learn: fixed seeds, a return to reach over 100 episodes, a number of steps to
// reach it in.

#include "rl/a2c.hpp"
#include "rl/apex.hpp"
#include "rl/ars.hpp"
#include "rl/dqn.hpp"
#include "rl/es.hpp"
#include "rl/impala.hpp"
#include "rl/ppo.hpp"
#include "rl/presets.hpp"
#include "rl/sac.hpp"
#include "rl/td3.hpp"
#include "tests/rl/support.hpp"

namespace {

rl::RunOptions options_for(const char* env, std::int64_t seed, std::int64_t stop_steps) {
  rl::RunOptions options;
  options.env = env;
  options.seed = seed;
  options.stop_steps = stop_steps;
  options.quiet = true;
  return options;
}

// Trains with the preset's settings, in this thread.
template <class Config, class Workers, class Spec, class Train>
rl::TrainResult train(const char* algorithm, const rl::RunOptions& options, Spec spec,
                      Train train_it) {
  Config config;
  rl::read_fields(config.fields(), rl::preset(algorithm, options.env));
  rl::Run run(options, algorithm, config.fields());
  Workers workers(spec(config, options));
  return train_it(config, run, workers);
}

rl::TrainResult ppo(const rl::RunOptions& options) {
  return train<rl::PpoConfig, rl::SerialWorkers>("ppo", options, rl::ppo_workers, rl::train_ppo);
}

rl::TrainResult a2c(const rl::RunOptions& options) {
  return train<rl::A2cConfig, rl::SerialWorkers>("a2c", options, rl::a2c_workers, rl::train_a2c);
}

rl::TrainResult impala(const rl::RunOptions& options) {
  return train<rl::ImpalaConfig, rl::SerialAsyncWorkers>("impala", options, rl::impala_workers,
                                                         rl::train_impala);
}

rl::TrainResult es(const rl::RunOptions& options) {
  return train<rl::EsConfig, rl::SerialEsWorkers>("es", options, rl::es_spec, rl::train_es);
}

rl::TrainResult ars(const rl::RunOptions& options) {
  return train<rl::ArsConfig, rl::SerialEsWorkers>("ars", options, rl::ars_spec, rl::train_ars);
}

// An algorithm that collects in this thread, with its preset.
template <class Config>
rl::TrainResult alone(const char* name, rl::TrainResult (*train)(const Config&, rl::Run&),
                      const rl::RunOptions& options) {
  Config config;
  rl::read_fields(config.fields(), rl::preset(name, options.env));
  rl::Run run(options, name, config.fields());
  return train(config, run);
}

void report(const char* what, std::int64_t seed, const rl::TrainResult& result) {
  BOOST_TEST_MESSAGE(what << ", seed " << seed << ": " << result.evaluation.mean << " after "
                          << result.steps << " steps, " << result.seconds << " s");
}

} // namespace

BOOST_AUTO_TEST_SUITE(learning)

BOOST_AUTO_TEST_CASE(ppo_balances_cartpole_in_five_of_five_seeds) {
  for (std::int64_t seed = 1; seed <= 5; ++seed) {
    auto options = options_for("CartPole-v1", seed, 150'000);
    options.stop_return = 475;
    auto result = ppo(options);
    report("ppo CartPole-v1", seed, result);
    BOOST_TEST(result.evaluation.mean >= 475);
    BOOST_TEST(result.steps <= 100'000);
  }
}

BOOST_AUTO_TEST_CASE(ppo_swings_the_pendulum_up_in_three_of_three_seeds) {
  for (std::int64_t seed = 1; seed <= 3; ++seed) {
    auto result = ppo(options_for("Pendulum-v1", seed, 200'000));
    report("ppo Pendulum-v1", seed, result);
    BOOST_TEST(result.evaluation.mean >= -200);
  }
}

BOOST_AUTO_TEST_CASE(es_balances_cartpole_in_five_of_five_seeds) {
  for (std::int64_t seed = 1; seed <= 5; ++seed) {
    auto options = options_for("CartPole-v1", seed, 1'000'000);
    options.stop_return = 475;
    auto result = es(options);
    report("es CartPole-v1", seed, result);
    BOOST_TEST(result.evaluation.mean >= 475);
  }
}

BOOST_AUTO_TEST_CASE(es_swings_the_pendulum_up_in_three_of_three_seeds) {
  for (std::int64_t seed = 1; seed <= 3; ++seed) {
    auto result = es(options_for("Pendulum-v1", seed, 6'000'000));
    report("es Pendulum-v1", seed, result);
    BOOST_TEST(result.evaluation.mean >= -200);
  }
}

BOOST_AUTO_TEST_CASE(a2c_and_impala_balance_cartpole_in_three_of_three_seeds) {
  for (auto train : {a2c, impala})
    for (std::int64_t seed = 1; seed <= 3; ++seed) {
      auto options = options_for("CartPole-v1", seed, 500'000);
      options.stop_return = 475;
      auto result = train(options);
      report(train == a2c ? "a2c CartPole-v1" : "impala CartPole-v1", seed, result);
      BOOST_TEST(result.evaluation.mean >= 450);
    }
}

BOOST_AUTO_TEST_CASE(ars_balances_cartpole_in_three_of_three_seeds_and_swims) {
  for (std::int64_t seed = 1; seed <= 3; ++seed) {
    auto options = options_for("CartPole-v1", seed, 300'000);
    options.stop_return = 475;
    auto result = ars(options);
    report("ars CartPole-v1", seed, result);
    BOOST_TEST(result.evaluation.mean >= 475);
  }
  auto options = options_for("Swimmer-v4", 1, 400'000);
  options.stop_return = 325;
  options.evaluation_episodes = 5;
  auto result = ars(options);
  report("ars Swimmer-v4", 1, result);
  BOOST_TEST(result.evaluation.mean >= 325);
}

BOOST_AUTO_TEST_CASE(ppo_swings_the_acrobot_up) {
  auto options = options_for("Acrobot-v1", 1, 500'000);
  options.stop_return = -100;
  auto result = ppo(options);
  report("ppo Acrobot-v1", 1, result);
  BOOST_TEST(result.evaluation.mean >= -100);
}

BOOST_AUTO_TEST_CASE(ppo_balances_a_pole_by_observations_and_rewards_of_unit_scale) {
  auto options = options_for("InvertedPendulum-v4", 1, 60'000);
  options.stop_return = 950;
  options.evaluation_episodes = 10;
  auto result = ppo(options);
  report("ppo InvertedPendulum-v4", 1, result);
  BOOST_TEST(result.evaluation.mean >= 950);
}

BOOST_AUTO_TEST_CASE(dqn_balances_cartpole_in_two_of_two_seeds) {
  for (std::int64_t seed = 1; seed <= 2; ++seed) {
    auto result = alone("dqn", rl::train_dqn, options_for("CartPole-v1", seed, 50'000));
    report("dqn CartPole-v1", seed, result);
    BOOST_TEST(result.evaluation.mean >= 475);
  }
}

BOOST_AUTO_TEST_CASE(dqn_drives_the_mountain_car_up) {
  auto result = alone("dqn", rl::train_dqn, options_for("MountainCar-v0", 1, 120'000));
  report("dqn MountainCar-v0", 1, result);
  BOOST_TEST(result.evaluation.mean >= -110);
}

BOOST_AUTO_TEST_CASE(apex_balances_cartpole) {
  auto options = options_for("CartPole-v1", 1, 200'000);
  rl::ApexConfig config;
  rl::read_fields(config.fields(), rl::preset("apex", options.env));
  rl::Run run(options, "apex", config.fields());
  rl::SerialApexWorkers workers(config, options);
  auto result = rl::train_apex(config, run, workers);
  report("apex CartPole-v1", 1, result);
  BOOST_TEST(result.evaluation.mean >= 475);
}

BOOST_AUTO_TEST_CASE(sac_swings_the_pendulum_up_in_20000_steps) {
  auto result = alone("sac", rl::train_sac, options_for("Pendulum-v1", 1, 20'000));
  report("sac Pendulum-v1", 1, result);
  BOOST_TEST(result.evaluation.mean >= -180);
}

BOOST_AUTO_TEST_CASE(td3_swings_the_pendulum_up_in_20000_steps) {
  auto result = alone("td3", rl::train_td3, options_for("Pendulum-v1", 1, 20'000));
  report("td3 Pendulum-v1", 1, result);
  BOOST_TEST(result.evaluation.mean >= -180);
}

BOOST_AUTO_TEST_SUITE_END()
