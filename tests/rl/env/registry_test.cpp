#include "rl/env/registry.hpp"

#include "tests/rl/counting_env.hpp"
#include "tests/rl/support.hpp"

BOOST_AUTO_TEST_SUITE(registry)

BOOST_AUTO_TEST_CASE(make_env_gives_the_environment_inside_its_time_limit) {
  auto env = rl::make_env("Pendulum-v1");
  std::vector<float> observation(3), action(1);
  env->reset(1, observation);
  for (int i = 1; i < 200; ++i)
    BOOST_REQUIRE(!env->step(action, observation).truncated);
  BOOST_TEST(env->step(action, observation).truncated);
}

BOOST_AUTO_TEST_CASE(cartpole_is_truncated_after_500_steps) {
  auto env = rl::make_env("CartPole-v1");
  std::vector<float> observation(4), action(1);
  env->reset(1, observation);
  for (int i = 1; i <= 500; ++i) { // push to where the pole is about to fall: it stays up
    action[0] = observation[2] + 0.5f * observation[3] > 0 ? 1.0f : 0.0f;
    auto step = env->step(action, observation);
    BOOST_REQUIRE(!step.terminated);
    BOOST_REQUIRE(step.truncated == (i == 500));
  }
}

BOOST_AUTO_TEST_CASE(an_unknown_environment_lists_the_known_ones_and_the_nearest) {
  BOOST_TEST(
    rl::test::fails(rl::ErrorCode::unknown_name, [] { rl::make_env("cartpole"); },
                    {"environment", "'cartpole'", "did you mean 'CartPole-v1'", "Pendulum-v1"}));
}

BOOST_AUTO_TEST_CASE(a_users_environment_is_found_by_its_name) {
  auto* name = rl::test::counting_env();
  auto env = rl::make_env(name);
  std::vector<float> observation(2);
  env->reset(1, observation);
  BOOST_TEST(observation[1] == 0);
  auto names = rl::env_names();
  BOOST_TEST((std::find(names.begin(), names.end(), name) != names.end()));
}

BOOST_AUTO_TEST_CASE(a_name_cannot_be_taken_twice_and_needs_a_factory) {
  using rl::ErrorCode;
  auto again = [] {
    rl::register_env({"CartPole-v1", [] { return rl::make_env("CartPole-v1"); }});
  };
  BOOST_TEST(rl::test::fails(ErrorCode::bad_value, again, {"CartPole-v1"}));
  BOOST_TEST(rl::test::fails(ErrorCode::bad_value, [] { rl::register_env({"Nothing-v0", {}}); }));
  BOOST_TEST(rl::test::fails(ErrorCode::bad_value, [] {
    rl::register_env({"", [] { return rl::make_env("CartPole-v1"); }});
  }));
  rl::register_env({"Empty-v0", [] { return nullptr; }});
  BOOST_TEST(rl::test::fails(ErrorCode::bad_environment, [] { rl::make_env("Empty-v0"); },
                             {"'Empty-v0'", "nothing"}));
}

BOOST_AUTO_TEST_SUITE_END()
