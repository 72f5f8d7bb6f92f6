#include "rl/evaluate.hpp"

#include <cmath>

#include "tests/rl/counting_env.hpp"
#include "rl/env/registry.hpp"
#include "tests/rl/support.hpp"

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

BOOST_AUTO_TEST_SUITE_END()
