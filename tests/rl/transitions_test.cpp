#include "rl/transitions.hpp"

#include "tests/rl/support.hpp"

namespace {

constexpr double gamma_ = 0.5; // powers are exact

struct Fixture {
  rl::Transitions out{1, 1};

  // Step t of an episode leads from observation t to t + 1 by action 10 t, with reward t + 1.
  void step(rl::NStepWindow& window, float t, bool terminated = false, bool truncated = false) {
    float observation[] = {t}, action[] = {10 * t}, next[] = {t + 1};
    window.push({observation, action, t + 1, terminated, truncated, next}, out);
  }

  void expect(std::size_t row, float from, float to, float reward, float discount) const {
    BOOST_TEST(out.observation[row] == from);
    BOOST_TEST(out.action[row] == 10 * from);
    BOOST_TEST(out.next_observation[row] == to);
    BOOST_TEST(out.reward[row] == reward);
    BOOST_TEST(out.discount[row] == discount);
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(n_step_window, Fixture)

BOOST_AUTO_TEST_CASE(one_step_makes_one_transition) {
  rl::NStepWindow window(1, gamma_, 1, 1);
  step(window, 0);
  step(window, 1, true);
  step(window, 0, false, true);
  BOOST_TEST_REQUIRE(out.size() == 3u);
  expect(0, 0, 1, 1, 0.5f);
  expect(1, 1, 2, 2, 0);    // terminated: nothing follows
  expect(2, 0, 1, 1, 0.5f); // cut off: what would follow counts
}

BOOST_AUTO_TEST_CASE(a_transition_waits_for_its_last_step) {
  rl::NStepWindow window(3, gamma_, 1, 1);
  step(window, 0);
  step(window, 1);
  BOOST_TEST(out.size() == 0u);
  step(window, 2);
  BOOST_TEST_REQUIRE(out.size() == 1u);
  expect(0, 0, 3, 1 + 2 * 0.5f + 3 * 0.25f, 0.125f);
  step(window, 3);
  BOOST_TEST_REQUIRE(out.size() == 2u);
  expect(1, 1, 4, 2 + 3 * 0.5f + 4 * 0.25f, 0.125f);
}

BOOST_AUTO_TEST_CASE(termination_completes_what_waits_and_nothing_follows) {
  rl::NStepWindow window(3, gamma_, 1, 1);
  for (float t : {0, 1, 2})
    step(window, t);
  step(window, 3, true);
  BOOST_TEST_REQUIRE(out.size() == 4u);
  expect(1, 1, 4, 2 + 3 * 0.5f + 4 * 0.25f, 0);
  expect(2, 2, 4, 3 + 4 * 0.5f, 0);
  expect(3, 3, 4, 4, 0);
}

BOOST_AUTO_TEST_CASE(truncation_completes_what_waits_and_the_final_observation_counts) {
  rl::NStepWindow window(3, gamma_, 1, 1);
  step(window, 0);
  step(window, 1, false, true); // sooner than n
  BOOST_TEST_REQUIRE(out.size() == 2u);
  expect(0, 0, 2, 1 + 2 * 0.5f, 0.25f); // two steps were taken, not three
  expect(1, 1, 2, 2, 0.5f);
}

BOOST_AUTO_TEST_CASE(an_end_that_is_both_is_a_termination) {
  rl::NStepWindow window(2, gamma_, 1, 1);
  step(window, 0, true, true);
  BOOST_TEST_REQUIRE(out.size() == 1u);
  expect(0, 0, 1, 1, 0);
}

BOOST_AUTO_TEST_CASE(nothing_reaches_into_the_next_episode) {
  rl::NStepWindow window(4, gamma_, 1, 1);
  step(window, 0);
  step(window, 1, false, true);
  out.clear();
  for (float t : {0, 1, 2, 3}) // the next one, in a ring that begins elsewhere
    step(window, t);
  BOOST_TEST_REQUIRE(out.size() == 1u);
  expect(0, 0, 4, 1 + 2 * 0.5f + 3 * 0.25f + 4 * 0.125f, 0.0625f);
}

BOOST_AUTO_TEST_CASE(a_saved_window_goes_on_where_it_was) {
  rl::NStepWindow window(3, gamma_, 1, 1), other(3, gamma_, 1, 1), shorter(2, gamma_, 1, 1);
  for (float t : {0, 1, 2, 3})
    step(window, t);
  rl::ByteWriter saved;
  window.save(saved);
  rl::ByteReader in(saved.bytes()), again(saved.bytes());
  other.load(in);
  out.clear();
  step(other, 4);
  expect(0, 2, 5, 3 + 4 * 0.5f + 5 * 0.25f, 0.125f);
  BOOST_TEST(rl::test::fails(rl::ErrorCode::bad_checkpoint, [&] { shorter.load(again); },
                             {"3 steps, this one of 2"}));
}

BOOST_AUTO_TEST_CASE(a_window_of_no_steps_is_refused) {
  BOOST_TEST(
    rl::test::fails(rl::ErrorCode::bad_value, [] { rl::NStepWindow(0, 0.9, 1, 1); }, {"one step"}));
}

BOOST_AUTO_TEST_SUITE_END()
