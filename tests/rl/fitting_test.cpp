#include "rl/fitting.hpp"

#include <limits>

#include "tests/rl/support.hpp"

BOOST_AUTO_TEST_SUITE(fitting)

using rl::ErrorCode, rl::test::fails;

BOOST_AUTO_TEST_CASE(an_algorithm_for_discrete_actions_refuses_a_box_and_names_others) {
  rl::require_discrete_actions("dqn", "X-v0", rl::Discrete{2});
  BOOST_TEST(fails(ErrorCode::bad_space,
                   [] { rl::require_discrete_actions("dqn", "X-v0", rl::make_box(1, -2, 2)); },
                   {"dqn", "'X-v0'", "Box(-2, 2, (1,))", "sac", "td3", "ppo"}));
  BOOST_TEST(fails(ErrorCode::bad_space,
                   [] { rl::require_discrete_actions("dqn", "X-v0", rl::Discrete{1}); },
                   {"nothing to learn"}));
}

BOOST_AUTO_TEST_CASE(an_algorithm_for_boxes_refuses_choices_and_open_bounds) {
  rl::require_bounded_actions("sac", "X-v0", rl::make_box(3, -1, 1));
  BOOST_TEST(fails(ErrorCode::bad_space,
                   [] { rl::require_bounded_actions("sac", "X-v0", rl::Discrete{4}); },
                   {"sac", "'X-v0'", "Discrete(4)", "dqn", "ppo"}));
  auto infinity = std::numeric_limits<float>::infinity();
  BOOST_TEST(
    fails(ErrorCode::bad_space,
          [&] {
            rl::require_bounded_actions("sac", "X-v0", rl::make_box({-1, -1}, {1, infinity}));
          },
          {"finite bounds", "number 1", "ppo"}));
  BOOST_TEST(fails(ErrorCode::bad_space,
                   [] { rl::require_bounded_actions("sac", "X-v0", rl::make_box({1}, {1})); }));
}

BOOST_AUTO_TEST_CASE(workers_are_refused_where_nobody_would_use_them) {
  rl::require_no_workers("dqn", 0, "apex");
  BOOST_TEST(fails(ErrorCode::bad_value, [] { rl::require_no_workers("dqn", 3, "apex"); },
                   {"workers=3", "workers=0", "apex"}));
  BOOST_TEST(fails(ErrorCode::bad_value, [] { rl::require_no_workers("sac", 3, nullptr); },
                   {"give workers=0"}));
}

BOOST_AUTO_TEST_SUITE_END()
