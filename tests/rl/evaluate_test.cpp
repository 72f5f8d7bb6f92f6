#include "rl/evaluate.hpp"

#include <cmath>
#include <set>

#include "tests/rl/counting_env.hpp"
#include "rl/env/registry.hpp"
#include "rl/es.hpp"
#include "rl/ppo.hpp"
#include "tests/rl/support.hpp"

namespace {

std::vector<std::uint64_t> reset_seeds; // of every RecordingEnv

// Remembers the seeds that it is reset with. Each episode is one step.
class RecordingEnv final : public rl::Env {
public:
  const rl::Space& observation_space() const override {
    static const rl::Space space = rl::make_box(1, -1, 1);
    return space;
  }
  const rl::Space& action_space() const override { return observation_space(); }
  void reset(std::optional<std::uint64_t> seed, std::span<float> observation) override {
    BOOST_REQUIRE(seed);
    reset_seeds.push_back(*seed);
    observation[0] = 0;
  }
  rl::Step step(std::span<const float>, std::span<float>) override { return {0, true, false}; }
};

const char* recording_env() {
  static const bool known =
    rl::register_env({"Recording-v0", [] { return std::make_unique<RecordingEnv>(); }});
  return known ? "Recording-v0" : "";
}

} // namespace

BOOST_AUTO_TEST_SUITE(evaluate)

BOOST_AUTO_TEST_CASE(statistics_are_those_of_the_returns) {
  auto result =
    rl::evaluate(rl::test::counting_env(), 3, 50, [](auto, auto action) { action[0] = 9; });
  // The same episodes by hand: their lengths follow from their seeds.
  auto env = rl::make_env("Counting-v0");
  std::vector<float> observation(2);
  double sum = 0, square = 0, lowest = 1e9, highest = -1e9;
  std::int64_t steps = 0;
  for (std::uint64_t i = 0; i < 50; ++i) {
    env->reset(rl::derive_seed(rl::derive_seed(3, "evaluation"), i), observation);
    auto length = static_cast<double>(observation[0]), total = length * (length + 1) / 2;
    sum += total;
    square += total * total;
    lowest = std::min(lowest, total);
    highest = std::max(highest, total);
    steps += static_cast<std::int64_t>(length);
  }
  BOOST_TEST(result.episodes == 50);
  BOOST_TEST(result.steps == steps);
  BOOST_TEST(result.mean == sum / 50, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(result.deviation == std::sqrt(square / 50 - sum * sum / 2500),
             boost::test_tools::tolerance(1e-9));
  BOOST_TEST(result.lowest == lowest);
  BOOST_TEST(result.highest == highest);
}

BOOST_AUTO_TEST_CASE(an_evaluation_repeats_itself_and_depends_on_its_seed) {
  auto push_left = [](auto, auto action) { action[0] = 0; };
  auto mean = [&](std::uint64_t seed) {
    return rl::evaluate("Pendulum-v1", seed, 3, push_left).mean;
  };
  BOOST_TEST(mean(1) == mean(1));
  BOOST_TEST(mean(1) != mean(2));
  BOOST_TEST(rl::test::fails(rl::ErrorCode::bad_value,
                             [&] { rl::evaluate("Pendulum-v1", 1, 0, push_left); }));
}

BOOST_AUTO_TEST_CASE(episodes_of_an_evaluation_are_never_those_of_training) {
  rl::RunOptions options;
  options.env = recording_env();
  std::set<std::uint64_t> ppo, es, evaluation;
  auto record = [](std::set<std::uint64_t>& into, const std::function<void()>& play) {
    reset_seeds.clear();
    play();
    into.insert(reset_seeds.begin(), reset_seeds.end());
  };
  record(ppo, [&] {
    auto spec = rl::ppo_workers({}, options);
    rl::Ppo learner({}, spec.policy, 1);
    rl::SerialWorkers workers(spec);
    workers.set_weights(learner.weights());
    rl::Batch batch;
    workers.sample(500, batch);
  });
  record(es, [&] {
    auto spec = rl::es_spec({}, options);
    rl::Es learner({}, spec, 1);
    rl::SerialEsWorkers workers(spec);
    for (int update = 0; update < 20; ++update)
      workers.try_pairs(learner.weights(), learner.jobs(update));
  });
  for (auto* purpose : {"confirm", "final"}) // as the training loops ask for it
    record(evaluation, [&] {
      rl::evaluate(options.env, rl::derive_seed(1, purpose), 100,
                   [](auto, auto action) { action[0] = 0; });
    });
  BOOST_TEST(ppo.size() > 500u);
  BOOST_TEST(es.size() == 20u * 32u);
  BOOST_TEST(evaluation.size() == 200u);
  for (auto seed : evaluation)
    BOOST_TEST((!ppo.contains(seed) && !es.contains(seed)));
}

BOOST_AUTO_TEST_SUITE_END()
