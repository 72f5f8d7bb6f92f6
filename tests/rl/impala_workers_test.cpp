#include "rl/impala_workers.hpp"

#include <ray/api.h>

#include "rl/impala.hpp"
#include "tests/rl/counting_env.hpp"
#include "tests/rl/support.hpp"

namespace {

struct Runtime {
  Runtime() {
    ray::RayConfig config;
    config.num_cpus = 2;
    ray::Init(config);
  }
  ~Runtime() { ray::Shutdown(); }
};

rl::AsyncSpec cartpole(int envs, int groups) {
  auto env = rl::make_env("CartPole-v1");
  return {{"CartPole-v1", 3, envs, {env->observation_space(), env->action_space(), {8}, "tanh"}},
          groups,
          10};
}

std::vector<float> weights_for(const rl::AsyncSpec& spec) {
  std::vector<float> weights(rl::ActorCritic<float>(spec.workers.policy).parameter_count());
  rl::Rng(5).fill_normal(weights);
  return weights;
}

// Takes fragments one by one until each group has given `count`, and hands each to `see`.
template <class See>
void take(rl::AsyncWorkers& workers, std::size_t groups, int count, See see) {
  std::vector<int> seen(groups);
  rl::Arrivals arrivals;
  for (std::size_t complete = 0; complete < groups;) {
    workers.gather(1, arrivals);
    auto group = arrivals.envs.front() / arrivals.envs.size();
    see(group, seen[group], arrivals);
    complete += ++seen[group] == count;
  }
}

// The rewards of each group's fragments, one after the other.
std::vector<std::vector<float>> rewards(rl::AsyncWorkers& workers, std::size_t groups, int count) {
  std::vector<std::vector<float>> result(groups);
  take(workers, groups, count, [&](auto group, int seen, auto& arrivals) {
    if (seen < count)
      result[group].insert(result[group].end(), arrivals.batch.observation.begin(),
                           arrivals.batch.observation.end());
  });
  return result;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(impala_workers, Runtime)

BOOST_AUTO_TEST_CASE(each_group_lives_through_the_same_with_and_without_actors) {
  auto spec = cartpole(8, 4);
  rl::SerialAsyncWorkers serial(spec);
  rl::RayAsyncWorkers actors(spec, 2);
  serial.set_weights(weights_for(spec));
  actors.set_weights(weights_for(spec));
  BOOST_TEST(actors.lanes() == 2);
  BOOST_TEST((rewards(serial, 4, 5) == rewards(actors, 4, 5)));
}

BOOST_AUTO_TEST_CASE(a_fragment_lags_by_the_updates_since_it_was_asked_for) {
  auto spec = cartpole(4, 4);
  rl::RayAsyncWorkers workers(spec, 2);
  auto weights = weights_for(spec);
  rl::Arrivals arrivals;
  workers.set_weights(weights);
  workers.gather(1, arrivals); // all four were asked, one was taken
  BOOST_TEST(arrivals.lag == 0);
  for (int update = 0; update < 3; ++update)
    workers.set_weights(weights);
  workers.gather(4, arrivals); // that one was asked again; three are from before three updates
  BOOST_TEST(arrivals.lag == 9.0 / 4);
  BOOST_TEST(arrivals.queue <= 4);
}

BOOST_AUTO_TEST_CASE(a_death_costs_the_fragment_under_way_and_is_counted) {
  auto spec = cartpole(4, 2);
  rl::RayAsyncWorkers workers(spec, 2);
  workers.set_weights(weights_for(spec));
  rl::Arrivals arrivals;
  std::vector<std::vector<float>> last(2); // where each group stood after its latest fragment
  for (int round = 0; round < 10; ++round) {
    if (round % 3 == 1) {
      auto victim = workers.actor(static_cast<std::size_t>(round) % 2);
      victim.Kill();
    }
    workers.gather(2, arrivals);
    for (std::size_t i = 0; i < 4; ++i) {
      auto group = arrivals.envs[i] / 2;
      auto row = arrivals.batch.observation_row(0, i).first(4);
      auto& before = last[group];
      if (arrivals.envs[i] % 2 == 0 && !before.empty()) // the next fragment goes on there
        BOOST_TEST(std::vector<float>(row.begin(), row.end()) == before,
                   boost::test_tools::per_element());
    }
    for (std::size_t i = 0; i < 4; i += 1)
      if (arrivals.envs[i] % 2 == 0) {
        auto row = arrivals.batch.observation_row(10, i).first(4);
        last[arrivals.envs[i] / 2].assign(row.begin(), row.end());
      }
  }
  BOOST_TEST(arrivals.lost == 3);
}

// Ends its actor in every step.
class MortalEnv final : public rl::Env {
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
    rl::register_env({"Mortal-v0", [] { return std::make_unique<MortalEnv>(); }});
  BOOST_TEST(known);
  rl::ImpalaConfig config;
  rl::RunOptions options;
  options.env = "Mortal-v0";
  auto spec = rl::impala_workers(config, options);
  rl::RayAsyncWorkers workers(spec, 1);
  workers.set_weights(weights_for(spec));
  rl::Arrivals arrivals;
  BOOST_CHECK_THROW(workers.gather(1, arrivals), ray::internal::RayActorException);
}

BOOST_AUTO_TEST_CASE(a_state_saved_with_actors_continues_without_them) {
  auto spec = cartpole(6, 3);
  rl::RayAsyncWorkers actors(spec, 2);
  rl::SerialAsyncWorkers serial(spec);
  actors.set_weights(weights_for(spec));
  serial.set_weights(weights_for(spec));
  std::vector<std::vector<float>> last(3);
  take(actors, 3, 2, [&](auto group, int, auto& arrivals) {
    auto row = arrivals.batch.observation_row(10);
    last[group].assign(row.begin(), row.end());
  });
  serial.load(actors.save());
  take(serial, 3, 1, [&](auto group, int, auto& arrivals) {
    auto row = arrivals.batch.observation_row(0).first(last[group].size());
    BOOST_TEST(std::vector<float>(row.begin(), row.end()) == last[group],
               boost::test_tools::per_element());
  });
  rl::RayAsyncWorkers other(cartpole(5, 3), 2);
  BOOST_TEST(
    rl::test::fails(rl::ErrorCode::bad_checkpoint, [&] { other.load(actors.save()); }, {"6", "5"}));
}

BOOST_AUTO_TEST_CASE(it_learns_from_fragments_that_lag) {
  rl::ImpalaConfig config;
  rl::RunOptions options;
  options.env = "CartPole-v1";
  options.stop_steps = 400'000;
  options.stop_return = 450;
  options.quiet = true;
  rl::Run run(options, "impala", config.fields());
  auto workers = rl::make_async_workers(rl::impala_workers(config, options), 2);
  BOOST_TEST(rl::train_impala(config, run, *workers).evaluation.mean >= 400);
}

BOOST_AUTO_TEST_SUITE_END()
