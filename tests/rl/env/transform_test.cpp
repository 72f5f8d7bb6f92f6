#include "rl/env/transform.hpp"

#include <cmath>
#include <limits>

#include "rl/env/cartpole.hpp"
#include "rl/env/pendulum.hpp"
#include "tests/rl/counting_env.hpp"
#include "tests/rl/support.hpp"

namespace {

using rl::ErrorCode;
using rl::test::CountingEnv;
using rl::test::fails;

// Observation: one of 4, which goes up by one a step.
class Ring final : public rl::Env {
public:
  const rl::Space& observation_space() const override {
    static const rl::Space space = rl::Discrete{4};
    return space;
  }
  const rl::Space& action_space() const override { return observation_space(); }
  void reset(std::optional<std::uint64_t>, std::span<float> observation) override {
    observation[0] = 0;
    place_ = 0;
  }
  rl::Step step(std::span<const float>, std::span<float> observation) override {
    observation[0] = static_cast<float>(place_ = (place_ + 1) % 4);
    return {};
  }

private:
  int place_ = 0;
};

} // namespace

BOOST_AUTO_TEST_SUITE(transform)

BOOST_AUTO_TEST_CASE(actions_are_clipped_to_the_environments_box) {
  rl::ClipAction env(std::make_unique<CountingEnv>()); // refuses what is outside [-1, 1]
  BOOST_TEST(rl::describe(env.action_space()) == "Box(-inf, inf, (1,))");
  std::vector<float> observation(2), action = {1e30f};
  env.reset(1, observation);
  env.step(action, observation);
  BOOST_TEST(observation[1] == 1);
  action = {std::nanf("")};
  BOOST_TEST(fails(ErrorCode::bad_value, [&] { env.step(action, observation); }, {"ClipAction"}));
  BOOST_TEST(fails(ErrorCode::bad_space, [] { rl::ClipAction(std::make_unique<rl::CartPole>()); },
                   {"Discrete(2)"}));
}

BOOST_AUTO_TEST_CASE(rewards_are_clipped) {
  rl::ClipReward env(std::make_unique<CountingEnv>(), 1.5, 2.5);
  std::vector<float> observation(2), action(1);
  double expected[] = {1.5, 2, 2.5, 2.5};
  do
    env.reset(std::nullopt, observation);
  while (observation[0] < 5);
  for (auto each : expected)
    BOOST_TEST(env.step(action, observation).reward == each);
  BOOST_TEST(
    fails(ErrorCode::bad_value, [] { rl::ClipReward(std::make_unique<CountingEnv>(), 1, 0); }));
}

BOOST_AUTO_TEST_CASE(stacked_frames_are_the_latest_observations_oldest_first) {
  rl::FrameStack env(std::make_unique<CountingEnv>(), 3);
  BOOST_TEST(rl::describe(env.observation_space()) == "Box(0, 10, (3, 2))");
  std::vector<float> observation(6), action(1);
  do
    env.reset(std::nullopt, observation);
  while (observation[0] < 5);
  for (int step = 0; step <= 4; ++step) {
    for (int frame = 0; frame < 3; ++frame)
      BOOST_TEST(observation[static_cast<std::size_t>(2 * frame + 1)]
                 == std::max(0, step - 2 + frame));
    env.step(action, observation);
  }
  env.reset(std::nullopt, observation); // nothing is left of the episode before
  BOOST_TEST((observation[1] == 0 && observation[3] == 0 && observation[5] == 0));
  BOOST_TEST(
    fails(ErrorCode::bad_value, [] { rl::FrameStack(std::make_unique<CountingEnv>(), 0); }));
  BOOST_TEST(fails(ErrorCode::bad_space, [] { rl::FrameStack(std::make_unique<Ring>(), 2); }));
}

BOOST_AUTO_TEST_CASE(choices_become_one_hot_vectors) {
  rl::OneHotObservation env(std::make_unique<Ring>());
  BOOST_TEST(rl::describe(env.observation_space()) == "Box(0, 1, (4,))");
  std::vector<float> observation(4), action(1);
  env.reset(1, observation);
  for (std::size_t step = 0; step < 6; ++step) {
    for (std::size_t i = 0; i < 4; ++i)
      BOOST_TEST(observation[i] == (i == step % 4 ? 1 : 0));
    env.step(action, observation);
  }
  BOOST_TEST(fails(ErrorCode::bad_space,
                   [] { rl::OneHotObservation(std::make_unique<rl::Pendulum>()); }, {"Box"}));
}

BOOST_AUTO_TEST_CASE(a_wrapper_hands_through_what_it_does_not_change) {
  auto env =
    rl::ClipReward(std::make_unique<rl::ClipAction>(std::make_unique<rl::Pendulum>()), -1, 1);
  BOOST_TEST(rl::find_inside<rl::Pendulum>(env) != nullptr);
  BOOST_TEST(rl::find_inside<rl::ClipAction>(env) != nullptr);
  BOOST_TEST(rl::find_inside<rl::CartPole>(env) == nullptr);
  rl::Pendulum bare;
  std::vector<float> observation(3), expected(3), action = {9};
  env.reset(5, observation);
  bare.reset(5, expected);
  for (int i = 0; i < 10; ++i) {
    env.step(action, observation);
    bare.step(action, expected);
  }
  BOOST_TEST(observation == expected, boost::test_tools::per_element());
  BOOST_TEST(fails(ErrorCode::bad_value, [] { rl::ClipReward(nullptr, 0, 1); }));
}

BOOST_AUTO_TEST_SUITE_END()
