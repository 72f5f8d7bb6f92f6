#include "rl/collector.hpp"

#include "tests/rl/counting_env.hpp"
#include "tests/rl/support.hpp"

namespace {

rl::Collector counting(int first, int envs, std::size_t n) {
  return rl::Collector({.env = rl::test::counting_env(),
                        .seed = 7,
                        .first = first,
                        .envs = envs,
                        .steps = n,
                        .gamma = 0.5,
                        .reward_scale = 2});
}

// Steps all environments with action 0, which transitions are to remember as 7.
rl::Transitions collect(rl::Collector& collector, int steps) {
  rl::Transitions out{2, 1};
  std::vector<float> given(static_cast<std::size_t>(collector.count()), 0.0f),
    kept(given.size(), 7.0f);
  for (int i = 0; i < steps; ++i)
    collector.step(given, kept, out);
  return out;
}

} // namespace

BOOST_AUTO_TEST_SUITE(collector)

// CountingEnv shows its length and the steps taken; even lengths terminate, odd ones truncate.
BOOST_AUTO_TEST_CASE(every_step_becomes_one_transition_with_the_right_end) {
  constexpr int n = 3;
  auto collector = counting(0, 2, n);
  auto rows = collect(collector, 400);
  int terminated = 0, truncated = 0;
  BOOST_TEST(rows.size() > 790u); // all but those that still wait
  for (std::size_t row = 0; row < rows.size(); ++row) {
    auto length = static_cast<int>(rows.observation[2 * row]);
    auto at = static_cast<int>(rows.observation[2 * row + 1]);
    auto taken = std::min(n, length - at);
    BOOST_TEST_REQUIRE(rows.next_observation[2 * row] == length); // of the same episode
    BOOST_TEST_REQUIRE(rows.next_observation[2 * row + 1] == at + taken);
    float reward = 0, discount = 1;
    for (int i = 0; i < taken; ++i, discount /= 2)
      reward += discount * 2 * static_cast<float>(at + i + 1);
    BOOST_TEST_REQUIRE(rows.reward[row] == reward);
    auto ends = at + taken == length;
    BOOST_TEST_REQUIRE(rows.discount[row] == (ends && length % 2 == 0 ? 0 : discount));
    BOOST_TEST_REQUIRE(rows.action[row] == 7);
    terminated += ends && length % 2 == 0;
    truncated += ends && length % 2 == 1;
  }
  BOOST_TEST(terminated > 50);
  BOOST_TEST(truncated > 50);
}

BOOST_AUTO_TEST_CASE(environments_live_through_the_same_whoever_owns_them) {
  auto all = counting(0, 3, 1), one = counting(1, 1, 1);
  auto together = collect(all, 50), alone = collect(one, 50);
  for (std::size_t t = 0; t < 50; ++t) {
    BOOST_TEST(together.observation[2 * (3 * t + 1)] == alone.observation[2 * t]);
    BOOST_TEST(together.reward[3 * t + 1] == alone.reward[t]);
  }
  BOOST_TEST(all.rngs()[1].next() == one.rngs()[0].next());
}

BOOST_AUTO_TEST_CASE(ended_tells_returns_that_are_not_scaled) {
  auto collector = counting(0, 1, 1);
  for (int ended = 0; ended < 5;) {
    collect(collector, 1);
    for (auto& episode : collector.ended()) {
      ++ended;
      auto length = static_cast<double>(episode.length);
      BOOST_TEST(episode.total == length * (length + 1) / 2);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_saved_collector_goes_on_the_same) {
  auto collector = counting(0, 2, 3), other = counting(0, 2, 3);
  collect(collector, 37);
  other.load(collector.save());
  auto a = collect(collector, 40), b = collect(other, 40);
  BOOST_TEST(a.observation == b.observation, boost::test_tools::per_element());
  BOOST_TEST(a.reward == b.reward, boost::test_tools::per_element());
  BOOST_TEST(a.discount == b.discount, boost::test_tools::per_element());
  BOOST_TEST(collector.rngs()[1].next() == other.rngs()[1].next());
}

BOOST_AUTO_TEST_CASE(states_of_another_run_are_refused) {
  auto collector = counting(0, 2, 3), fewer = counting(0, 1, 3), shorter = counting(0, 2, 1);
  auto states = collector.save();
  using rl::ErrorCode, rl::test::fails;
  BOOST_TEST(fails(ErrorCode::bad_checkpoint, [&] { fewer.load(states); }, {"2 environments"}));
  BOOST_TEST(fails(ErrorCode::bad_checkpoint, [&] { shorter.load(states); }, {"3 steps"}));
}

BOOST_AUTO_TEST_CASE(random_actions_fill_the_box_each_row_from_its_stream) {
  rl::Rng rngs[] = {rl::Rng(1), rl::Rng(2)}, second[] = {rl::Rng(2)};
  float action[4], alone[2];
  float lowest = 1, highest = -1;
  for (int i = 0; i < 1000; ++i) {
    rl::draw_in_unit_box(rngs, action);
    rl::draw_in_unit_box(second, alone);
    BOOST_TEST_REQUIRE(action[2] == alone[0]);
    BOOST_TEST_REQUIRE(action[3] == alone[1]);
    lowest = std::min(lowest, action[0]);
    highest = std::max(highest, action[0]);
  }
  BOOST_TEST(lowest >= -1);
  BOOST_TEST(lowest < -0.98);
  BOOST_TEST(highest <= 1);
  BOOST_TEST(highest > 0.98);
}

BOOST_AUTO_TEST_SUITE_END()
