#include "rl/es_workers.hpp"

#include <condition_variable>
#include <mutex>

#include <ray/api.h>

#include "rl/ars.hpp"
#include "rl/env/registry.hpp"
#include "tests/rl/support.hpp"

namespace {

struct Runtime {
  Runtime() {
    ray::RayConfig config;
    config.num_cpus = 8; // whatever the machine has: the workers are to be the limit
    ray::Init(config);
  }
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

std::vector<float> es_weights(int workers_count, std::vector<std::int64_t> hidden) {
  rl::EsConfig config;
  config.pairs = 9;
  config.normalise_observations = hidden.size() == 1;
  config.hidden = std::move(hidden);
  auto options = quiet("Pendulum-v1", 15'000);
  rl::Run run(options, "es", config.fields());
  auto workers = rl::make_es_workers(rl::es_spec(config, options), workers_count);
  return rl::train_es(config, run, *workers).weights;
}

std::vector<float> ars_weights(int workers_count) {
  rl::ArsConfig config;
  auto options = quiet("Pendulum-v1", 15'000);
  rl::Run run(options, "ars", config.fields());
  auto workers = rl::make_es_workers(rl::ars_spec(config, options), workers_count);
  return rl::train_ars(config, run, *workers).weights;
}

// How many episodes run at a time. The first waits a moment for the third to come.
struct Crowd {
  std::mutex mutex;
  std::condition_variable changed;
  int now = 0, most = 0;
  bool waited = false;

  void enter() {
    std::unique_lock lock(mutex);
    most = std::max(most, ++now);
    changed.notify_all();
    if (!waited) {
      waited = true;
      changed.wait_for(lock, std::chrono::milliseconds(300), [&] { return most >= 3; });
    }
  }
  void leave() {
    std::lock_guard lock(mutex);
    --now;
  }
} crowd;

// An episode of one step, which is counted in the crowd.
class CrowdEnv final : public rl::Env {
public:
  const rl::Space& observation_space() const override {
    static const rl::Space space = rl::make_box(1, -1, 1);
    return space;
  }
  const rl::Space& action_space() const override { return observation_space(); }
  void reset(std::optional<std::uint64_t>, std::span<float> observation) override {
    observation[0] = 0;
    crowd.enter();
  }
  rl::Step step(std::span<const float>, std::span<float>) override {
    crowd.leave();
    return {0, true, false};
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(es_workers, Runtime)

BOOST_AUTO_TEST_CASE(es_gives_the_same_weights_with_0_1_and_4_workers) {
  // noise in one block, in three, in nine
  for (auto& hidden : {std::vector<std::int64_t>{8}, {100, 100}, {200, 200}}) {
    auto serial = es_weights(0, hidden);
    for (int workers : {1, 4})
      BOOST_TEST(es_weights(workers, hidden) == serial, boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(ars_gives_the_same_weights_with_0_1_and_4_workers) {
  auto serial = ars_weights(0);
  BOOST_TEST(std::abs(serial.back() - 1) > 0.1f); // a scale was found
  for (int workers : {1, 4})
    BOOST_TEST(ars_weights(workers) == serial, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(no_more_tasks_run_at_a_time_than_there_are_workers) {
  static const bool known =
    rl::register_env({"Crowd-v0", [] { return std::make_unique<CrowdEnv>(); }});
  BOOST_TEST(known);
  rl::EsConfig config;
  config.hidden = {2};
  auto spec = rl::es_spec(config, quiet("Crowd-v0", 1));
  rl::Es es(config, spec, 1);
  auto workers = rl::make_es_workers(spec, 2);
  BOOST_TEST(workers->try_pairs(es.weights(), es.jobs(0)).size() == 32u);
  BOOST_TEST(crowd.most >= 1);
  BOOST_TEST(crowd.most <= 2);
}

BOOST_AUTO_TEST_SUITE_END()
