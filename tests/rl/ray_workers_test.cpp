#include "rl/ray_workers.hpp"

#include <ray/api.h>

#include "rl/env/registry.hpp"
#include "rl/ppo.hpp"
#include "rl/presets.hpp"
#include "tests/rl/support.hpp"

namespace {

struct Runtime {
  Runtime() { ray::Init(); }
  ~Runtime() { ray::Shutdown(); }
};

rl::RunOptions quiet(const char* env, std::int64_t stop_steps) {
  rl::RunOptions options;
  options.env = env;
  options.stop_steps = stop_steps;
  options.quiet = true;
  options.evaluation_episodes = 2;
  return options;
}

std::vector<float> ppo_weights(const char* env, int workers_count) {
  rl::PpoConfig config;
  rl::read_fields(config.fields(), rl::preset("ppo", env));
  auto options = quiet(env, 6000);
  rl::Run run(options, "ppo", config.fields());
  auto workers = rl::make_workers(rl::ppo_workers(config, options), workers_count);
  return rl::train_ppo(config, run, *workers).weights;
}

std::vector<float> es_weights(int workers_count) {
  rl::EsConfig config;
  config.pairs = 9;
  config.hidden = {8};
  auto options = quiet("Pendulum-v1", 15'000);
  rl::Run run(options, "es", config.fields());
  auto workers = rl::make_es_workers(rl::es_spec(config, options), workers_count);
  return rl::train_es(config, run, *workers).weights;
}

rl::WorkersSpec cartpole(int envs) {
  auto env = rl::make_env("CartPole-v1");
  return {"CartPole-v1", 3, envs, {env->observation_space(), env->action_space(), {8}, "tanh"}};
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(ray_workers, Runtime)

BOOST_AUTO_TEST_CASE(ppo_gives_the_same_weights_with_0_1_3_and_8_workers) {
  for (auto* env : {"CartPole-v1", "Pendulum-v1"}) {
    auto serial = ppo_weights(env, 0);
    for (int workers : {1, 3, 8})
      BOOST_TEST(ppo_weights(env, workers) == serial, boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(es_gives_the_same_weights_with_0_1_and_4_workers) {
  auto serial = es_weights(0);
  for (int workers : {1, 4})
    BOOST_TEST(es_weights(workers) == serial, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_state_saved_by_two_workers_continues_with_three) {
  auto spec = cartpole(5);
  std::vector<float> weights(rl::ActorCritic<float>(spec.policy).parameter_count());
  rl::Rng(1).fill_normal(weights);
  auto two = rl::make_workers(spec, 2), three = rl::make_workers(spec, 3);
  two->set_weights(weights);
  three->set_weights(weights);
  rl::Batch batch, continued;
  two->sample(50, batch);
  three->load(two->save());
  two->sample(50, batch);
  three->sample(50, continued);
  BOOST_TEST(continued.observation == batch.observation, boost::test_tools::per_element());
  BOOST_TEST(continued.action == batch.action, boost::test_tools::per_element());
  BOOST_TEST(continued.ends.size() == batch.ends.size());
}

BOOST_AUTO_TEST_CASE(states_of_another_number_of_environments_are_refused) {
  auto five = rl::make_workers(cartpole(5), 2), four = rl::make_workers(cartpole(4), 2);
  BOOST_TEST(rl::test::fails(rl::ErrorCode::bad_checkpoint, [&] { four->load(five->save()); }));
}

BOOST_AUTO_TEST_CASE(an_error_in_a_worker_reaches_the_caller_with_its_text) {
  auto spec = cartpole(2);
  spec.env = "Nowhere-v0";
  auto workers = rl::make_workers(spec, 1);
  workers->set_weights(std::vector<float>(1));
  rl::Batch batch;
  try {
    workers->sample(1, batch);
    BOOST_FAIL("nothing was thrown");
  } catch (const ray::internal::RayException& error) {
    BOOST_TEST(std::string(error.what()).find("Nowhere-v0") != std::string::npos, error.what());
  }
}

BOOST_AUTO_TEST_SUITE_END()
