#include "rl/ppo_workers.hpp"

#include <thread>

#include <ray/api.h>

#include "rl/a2c.hpp"
#include "rl/env/registry.hpp"
#include "rl/ppo.hpp"
#include "rl/presets.hpp"
#include "tests/rl/support.hpp"

// Names that a user may well choose: ours must not be in the way.
int TryPairs(int x) {
  return x;
}
struct RolloutActor {
  static RolloutActor* Create() { return new RolloutActor; }
  int Sample(int x) { return x; }
};
RAY_REMOTE(TryPairs, RolloutActor::Create, &RolloutActor::Sample);

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

std::vector<float> ppo_weights(const char* env, int workers_count, bool normalise = false) {
  rl::PpoConfig config;
  rl::read_fields(config.fields(), rl::preset("ppo", env));
  config.normalise_observations = config.normalise_rewards = normalise;
  auto options = quiet(env, 6000);
  rl::Run run(options, "ppo", config.fields());
  auto workers = rl::make_workers(rl::ppo_workers(config, options), workers_count);
  return rl::train_ppo(config, run, *workers).weights;
}

rl::WorkersSpec cartpole(int envs) {
  auto env = rl::make_env("CartPole-v1");
  return {"CartPole-v1", 3, envs, {env->observation_space(), env->action_space(), {8}, "tanh"}};
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(ppo_workers, Runtime)

BOOST_AUTO_TEST_CASE(ppo_gives_the_same_weights_with_0_1_3_and_8_workers) {
  for (auto* env : {"CartPole-v1", "Pendulum-v1"}) {
    auto serial = ppo_weights(env, 0);
    for (int workers : {1, 3, 8})
      BOOST_TEST(ppo_weights(env, workers) == serial, boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(statistics_of_normalised_runs_are_the_same_with_0_1_and_4_workers) {
  auto serial = ppo_weights("Pendulum-v1", 0, true);
  BOOST_TEST(std::abs(serial.back() - 1) > 0.1f); // a scale was found
  for (int workers : {1, 4})
    BOOST_TEST(ppo_weights("Pendulum-v1", workers, true) == serial,
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a2c_gives_the_same_weights_with_0_1_and_4_workers) {
  auto weights = [](int workers_count) {
    rl::A2cConfig config;
    config.normalise_observations = true;
    auto options = quiet("CartPole-v1", 3000);
    rl::Run run(options, "a2c", config.fields());
    auto workers = rl::make_workers(rl::a2c_workers(config, options), workers_count);
    return rl::train_a2c(config, run, *workers).weights;
  };
  auto serial = weights(0);
  for (int workers : {1, 4})
    BOOST_TEST(weights(workers) == serial, boost::test_tools::per_element());
}

// Kills an actor before, or from another thread during, some of the fragments.
struct KillingWorkers final : rl::Workers {
  explicit KillingWorkers(const rl::WorkersSpec& spec) : workers(spec, 3) {}

  void set_weights(std::span<const float> weights) override { workers.set_weights(weights); }
  void sample(std::size_t steps, rl::Batch& out) override {
    std::thread killer;
    if (++fragment % 3 == 1) {
      auto victim = workers.actor(fragment % 2);
      victim.Kill();
      ++kills;
    } else if (fragment % 3 == 2) {
      killer = std::thread([victim = workers.actor(2)]() mutable { victim.Kill(); });
      ++kills;
    }
    workers.sample(steps, out);
    if (killer.joinable())
      killer.join();
  }
  std::vector<std::string> save() override { return workers.save(); }
  void load(std::span<const std::string> states) override { workers.load(states); }

  rl::RayWorkers workers;
  std::size_t fragment = 0;
  int kills = 0;
};

BOOST_AUTO_TEST_CASE(killed_actors_are_replaced_and_the_weights_are_the_same_to_the_last_bit) {
  for (auto* env : {"CartPole-v1", "Pendulum-v1"}) {
    auto undisturbed = ppo_weights(env, 0);
    rl::PpoConfig config;
    rl::read_fields(config.fields(), rl::preset("ppo", env));
    auto options = quiet(env, 6000);
    rl::Run run(options, "ppo", config.fields());
    KillingWorkers workers(rl::ppo_workers(config, options));
    BOOST_TEST(rl::train_ppo(config, run, workers).weights == undisturbed,
               boost::test_tools::per_element());
    BOOST_TEST(workers.kills >= 2);
  }
}

// Ends its actor in every step.
class DeadlyEnv final : public rl::Env {
public:
  const rl::Space& observation_space() const override {
    static const rl::Space space = rl::make_box(1, -1, 1);
    return space;
  }
  const rl::Space& action_space() const override { return observation_space(); }
  void reset(std::optional<std::uint64_t>, std::span<float>) override {}
  rl::Step step(std::span<const float>, std::span<float>) override { ray::ExitActor(); }
};

BOOST_AUTO_TEST_CASE(an_actor_that_dies_again_and_again_ends_the_sampling) {
  static const bool known =
    rl::register_env({"Deadly-v0", [] { return std::make_unique<DeadlyEnv>(); }});
  BOOST_TEST(known);
  auto spec = rl::ppo_workers({}, quiet("Deadly-v0", 1));
  rl::RayWorkers workers(spec, 1);
  workers.set_weights(std::vector<float>(rl::ActorCritic<float>(spec.policy).parameter_count()));
  rl::Batch batch;
  BOOST_CHECK_THROW(workers.sample(1, batch), ray::internal::RayActorException);
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

BOOST_AUTO_TEST_CASE(a_state_that_an_actor_refuses_is_a_bad_checkpoint) {
  auto workers = rl::make_workers(cartpole(4), 2);
  auto states = workers->save();
  std::swap(states[2], states[3]);
  BOOST_TEST(rl::test::fails(rl::ErrorCode::bad_checkpoint, [&] { workers->load(states); },
                             {"belongs to another environment"}));
  states[2] = "short";
  BOOST_TEST(rl::test::fails(rl::ErrorCode::bad_checkpoint, [&] { workers->load(states); }));
}

BOOST_AUTO_TEST_CASE(the_state_before_the_first_fragment_is_that_of_serial_workers) {
  BOOST_TEST((rl::make_workers(cartpole(5), 2)->save() == rl::SerialWorkers(cartpole(5)).save()));
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

BOOST_AUTO_TEST_CASE(a_user_may_have_remote_functions_of_the_same_names) {
  BOOST_TEST(*ray::Get(ray::Task(TryPairs).Remote(3)) == 3);
  auto actor = ray::Actor(RolloutActor::Create).Remote();
  BOOST_TEST(*ray::Get(actor.Task(&RolloutActor::Sample).Remote(4)) == 4);
}

BOOST_AUTO_TEST_SUITE_END()
