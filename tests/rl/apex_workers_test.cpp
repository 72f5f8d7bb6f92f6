#include "rl/apex_workers.hpp"

#include <functional>

#include "rl/env/registry.hpp"
#include "rl/run/csv.hpp"
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
  options.workers = 2;
  options.quiet = true;
  options.evaluation_episodes = 2;
  return options;
}

rl::ApexConfig small() {
  rl::ApexConfig config;
  config.envs = 5; // not as many for each actor
  config.fragment = 10;
  config.dqn.hidden = {16, 16};
  config.dqn.minibatch = 16;
  config.dqn.learning_starts = 200;
  config.dqn.log_steps = 200;
  return config;
}

// Calls `before` before each time of acting and of drawing, and adds up what has arrived.
struct Watched final : rl::ApexWorkers {
  Watched(const rl::ApexConfig& config, const rl::RunOptions& options) : ray(config, options, 2) {}

  void set_weights(std::span<const float> weights, std::int64_t updates) override {
    ray.set_weights(weights, updates);
  }
  rl::ApexArrivals act(bool go, bool wait) override {
    before_acting();
    auto arrived = ray.act(go, wait);
    total.steps += arrived.steps;
    total.fragments += arrived.fragments;
    total.actor_deaths += arrived.actor_deaths;
    total.shard_deaths += arrived.shard_deaths;
    return arrived;
  }
  std::size_t size() const override { return ray.size(); }
  bool sample(rl::ApexSample& out) override {
    before_drawing();
    auto drawn = ray.sample(out);
    samples += drawn;
    return drawn;
  }
  void update(const rl::ApexSample& of, std::span<const float> errors) override {
    ray.update(of, errors);
  }
  void save(rl::Checkpoint& checkpoint) override { ray.save(checkpoint); }
  void load(const rl::Checkpoint& checkpoint) override { ray.load(checkpoint); }

  rl::RayApexWorkers ray;
  std::function<void()> before_acting = [] {}, before_drawing = [] {};
  rl::ApexArrivals total;
  int samples = 0;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(apex_workers, Runtime)

BOOST_AUTO_TEST_CASE(actors_fill_shards_that_the_learner_draws_from) {
  rl::test::TemporaryFolder folder;
  auto config = small();
  auto options = quiet("CartPole-v1", 6000);
  options.logdir = folder.path;
  rl::Run run(options, "apex", config.fields());
  Watched workers(config, options);
  auto result = rl::train_apex(config, run, workers);
  BOOST_TEST(result.steps >= 6000);
  BOOST_TEST(result.steps < 6500); // what was under way when the last one arrived is dropped
  BOOST_TEST(workers.total.steps == result.steps);
  BOOST_TEST(workers.total.fragments > 200); // of 20 and 30 steps
  // One gradient step every eight environment steps, but for what is under way.
  BOOST_TEST(std::abs(workers.samples - (6000 - 200) / 8) < 30);
  auto log = rl::read_csv(folder.path / "log.csv");
  BOOST_TEST(log.column("replay/sampled_per_second").back() > 0);
  BOOST_TEST(log.column("actors/lag").back() >= 0);
  BOOST_TEST(log.column("actors/fragments_under_way").front() >= 1);
}

// The environments of both actors: what arrives without any learning is what one thread gets.
BOOST_AUTO_TEST_CASE(a_sample_is_made_of_whole_transitions_of_the_right_environments) {
  auto config = small();
  config.shards = 1;
  auto options = quiet("CartPole-v1", 0);
  rl::RayApexWorkers workers(config, options, 2);
  rl::Dqn dqn(config.dqn, rl::dqn_spec(config.dqn, options), 1);
  workers.set_weights(dqn.weights(), 0);
  std::int64_t steps = 0;
  while (steps < 50)
    steps += workers.act(steps == 0, true).steps; // one fragment of each actor
  rl::ApexActing acting(config, "CartPole-v1", 1, 0, 5, 0);
  auto rows = acting.act(dqn.weights()).rows;
  BOOST_TEST(workers.size() == rows.size());
  rl::ApexSample sample;
  for (int i = 0; i < 20; ++i) {
    BOOST_TEST_REQUIRE(workers.sample(sample));
    auto& drawn = sample.sample.rows;
    for (std::size_t row = 0; row < drawn.size(); ++row) {
      bool found = false;
      for (std::size_t k = 0; k < rows.size() && !found; ++k)
        found = std::equal(&drawn.observation[4 * row], &drawn.observation[4 * row] + 4,
                           &rows.observation[4 * k])
                && std::equal(&drawn.next_observation[4 * row],
                              &drawn.next_observation[4 * row] + 4, &rows.next_observation[4 * k])
                && drawn.reward[row] == rows.reward[k] && drawn.action[row] == rows.action[k]
                && drawn.discount[row] == rows.discount[k];
      BOOST_TEST_REQUIRE(found);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_dead_actor_costs_its_fragment_and_is_counted) {
  rl::test::TemporaryFolder folder;
  auto config = small();
  auto options = quiet("CartPole-v1", 5000);
  options.logdir = folder.path;
  rl::Run run(options, "apex", config.fields());
  Watched workers(config, options);
  int kills = 0;
  std::int64_t next = 500;
  workers.before_acting = [&] {
    if (workers.total.steps >= next && kills < 3) {
      auto victim = workers.ray.actor(static_cast<std::size_t>(kills++) % 2);
      victim.Kill();
      next += 1000;
    }
  };
  auto result = rl::train_apex(config, run, workers);
  BOOST_TEST(result.steps >= 5000);
  BOOST_TEST(kills == 3);
  BOOST_TEST(workers.total.actor_deaths == 3);
  BOOST_TEST(workers.total.shard_deaths == 0);
  BOOST_TEST(rl::read_csv(folder.path / "log.csv").column("actors/deaths").back() == 3);
}

BOOST_AUTO_TEST_CASE(a_dead_shard_costs_its_transitions_and_is_counted) {
  for (std::int64_t shards : {1, 2}) {
    auto config = small();
    config.shards = shards;
    auto options = quiet("CartPole-v1", 5000);
    rl::Run run(options, "apex", config.fields());
    Watched workers(config, options);
    int kills = 0;
    std::int64_t next = 1000;
    auto kill = [&] {
      if (workers.total.steps < next || kills >= 2)
        return;
      auto victim = workers.ray.shard(static_cast<std::size_t>(shards - 1));
      victim.Kill();
      ++kills;
      next += 1500;
    };
    workers.before_acting = [&] { kills == 0 ? kill() : void(); };
    workers.before_drawing = [&] { kills == 1 ? kill() : void(); };
    auto result = rl::train_apex(config, run, workers);
    BOOST_TEST(result.steps >= 5000);
    BOOST_TEST(kills == 2);
    BOOST_TEST(workers.total.shard_deaths == 2);
    BOOST_TEST(workers.size() < 5000u);
  }
}

// Ends its actor in every step.
class DeadlyEnv final : public rl::Env {
public:
  const rl::Space& observation_space() const override {
    static const rl::Space space = rl::make_box(1, -1, 1);
    return space;
  }
  const rl::Space& action_space() const override {
    static const rl::Space space = rl::Discrete{2};
    return space;
  }
  void reset(std::optional<std::uint64_t>, std::span<float>) override {}
  rl::Step step(std::span<const float>, std::span<float>) override { ray::ExitActor(); }
};

// Breaks its rules in the first step.
class FaultyEnv final : public rl::Env {
public:
  const rl::Space& observation_space() const override { return deadly_.observation_space(); }
  const rl::Space& action_space() const override { return deadly_.action_space(); }
  void reset(std::optional<std::uint64_t>, std::span<float>) override {}
  rl::Step step(std::span<const float>, std::span<float>) override {
    throw rl::Error(rl::ErrorCode::bad_environment, "the floor gave way");
  }

private:
  DeadlyEnv deadly_;
};

const bool known =
  rl::register_env({"ApexDeadly-v0", [] { return std::make_unique<DeadlyEnv>(); }})
  && rl::register_env({"ApexFaulty-v0", [] { return std::make_unique<FaultyEnv>(); }});

BOOST_AUTO_TEST_CASE(an_actor_that_dies_again_and_again_ends_the_run) {
  BOOST_TEST(known);
  auto config = small();
  auto options = quiet("ApexDeadly-v0", 1000);
  rl::Run run(options, "apex", config.fields());
  rl::RayApexWorkers workers(config, options, 1);
  BOOST_CHECK_THROW(rl::train_apex(config, run, workers), ray::internal::RayActorException);
}

BOOST_AUTO_TEST_CASE(an_error_in_an_environment_reaches_the_caller_with_its_text) {
  auto config = small();
  auto options = quiet("ApexFaulty-v0", 1000);
  rl::Run run(options, "apex", config.fields());
  rl::RayApexWorkers workers(config, options, 2);
  try {
    rl::train_apex(config, run, workers);
    BOOST_FAIL("nothing was thrown");
  } catch (const ray::internal::RayTaskException& error) {
    std::string text = error.what();
    BOOST_TEST(text.find("the floor gave way") != std::string::npos, text);
    BOOST_TEST(text.find("ApexFaulty-v0") != std::string::npos, text);
  }
}

BOOST_AUTO_TEST_CASE(a_resumed_run_goes_on_with_the_learner_and_fills_the_replay_anew) {
  rl::test::TemporaryFolder folder;
  auto config = small();
  auto options = quiet("CartPole-v1", 2000);
  options.logdir = folder.path;
  {
    rl::Run run(options, "apex", config.fields());
    rl::RayApexWorkers workers(config, options, 2);
    rl::train_apex(config, run, workers);
  }
  options.resume = folder.path;
  options.stop_steps = 4000;
  rl::Run run(options, "apex", config.fields());
  Watched workers(config, options);
  BOOST_TEST(rl::train_apex(config, run, workers).steps >= 4000);
  BOOST_TEST(workers.total.steps < 2100);
  BOOST_TEST(workers.samples > 100);
  // In one thread it would have to have the replay too.
  rl::Run serial(options, "apex", config.fields());
  rl::SerialApexWorkers one(config, options);
  BOOST_TEST(rl::test::fails(rl::ErrorCode::bad_checkpoint,
                             [&] { rl::train_apex(config, serial, one); }, {"shards"}));
}

BOOST_AUTO_TEST_SUITE_END()
