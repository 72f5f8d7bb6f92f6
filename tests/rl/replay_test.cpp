#include "rl/replay.hpp"

#include <cmath>
#include <limits>
#include <map>
#include <random>

#include "tests/rl/support.hpp"

namespace {

// Transitions number `first` on: every column tells the number.
rl::Transitions numbered(std::uint64_t first, std::size_t count) {
  rl::Transitions rows{2, 1};
  for (auto number = first; number < first + count; ++number) {
    auto n = static_cast<float>(number);
    rows.observation.push_back(n);
    rows.observation.push_back(-n);
    rows.action.push_back(n + 0.25f);
    rows.reward.push_back(10 * n);
    rows.discount.push_back(n + 0.5f);
    rows.next_observation.push_back(n + 1);
    rows.next_observation.push_back(-n - 1);
  }
  return rows;
}

// Whether every row of the sample is the transition that its number says.
bool is_whole(const rl::ReplaySample& sample) {
  for (std::size_t row = 0; row < sample.numbers.size(); ++row) {
    auto one = numbered(sample.numbers[row], 1);
    auto& rows = sample.rows;
    if (rows.observation[2 * row] != one.observation[0]
        || rows.observation[2 * row + 1] != one.observation[1] || rows.action[row] != one.action[0]
        || rows.reward[row] != one.reward[0] || rows.discount[row] != one.discount[0]
        || rows.next_observation[2 * row] != one.next_observation[0]
        || rows.next_observation[2 * row + 1] != one.next_observation[1])
      return false;
  }
  return true;
}

rl::ReplayOptions options_for(std::size_t capacity, double alpha) {
  return {.capacity = capacity, .observation_size = 2, .action_size = 1, .alpha = alpha};
}

} // namespace

BOOST_AUTO_TEST_SUITE(replay)

BOOST_AUTO_TEST_CASE(it_keeps_the_latest_and_draws_each_of_them) {
  for (double alpha : {0.0, 0.6}) {
    rl::Replay replay(options_for(10, alpha));
    rl::Rng rng(1);
    rl::ReplaySample sample;
    std::uint64_t added = 0;
    for (std::size_t count : {3, 4, 7, 1, 25}) {
      replay.add(numbered(added, count));
      added += count;
      BOOST_TEST(replay.size() == std::min<std::uint64_t>(added, 10));
      std::map<std::uint64_t, int> seen;
      for (int i = 0; i < 30; ++i) {
        replay.sample(8, 0.4, rng, sample);
        BOOST_TEST(is_whole(sample));
        for (auto number : sample.numbers)
          ++seen[number];
      }
      BOOST_TEST(seen.size() == replay.size()); // each of the latest, and no other
      BOOST_TEST(seen.begin()->first == added - replay.size());
      BOOST_TEST(seen.rbegin()->first == added - 1);
    }
  }
}

BOOST_AUTO_TEST_CASE(drawn_alike_all_are_equally_likely_and_count_alike) {
  rl::Replay replay(options_for(5, 0));
  replay.add(numbered(0, 5));
  rl::Rng rng(2);
  rl::ReplaySample sample;
  replay.sample(100'000, 1, rng, sample);
  int counts[5] = {};
  for (auto number : sample.numbers)
    ++counts[number];
  for (auto count : counts)
    BOOST_TEST(std::abs(count - 20'000) < 650); // five standard deviations
  for (auto each : sample.importance)
    BOOST_TEST_REQUIRE(each == 1);
}

// Against the definitions, with the priorities in a plain map: which are drawn how often, and what
// they count.
BOOST_AUTO_TEST_CASE(priorities_decide_what_is_drawn_and_importance_makes_up_for_it) {
  auto seed = std::random_device{}();
  BOOST_TEST_MESSAGE("seed " << seed);
  rl::Rng rng(seed);
  constexpr double alpha = 0.7, beta = 0.5;
  rl::Replay replay(options_for(6, alpha));
  std::map<std::uint64_t, double> priority; // by number, |error| + epsilon
  rl::ReplaySample sample;
  std::uint64_t added = 0;
  for (int round = 0; round < 200; ++round) {
    std::vector<float> errors;
    for (std::uint64_t i = 0; i < 1 + rng.below(4); ++i)
      errors.push_back(static_cast<float>(rng.normal()));
    replay.add(numbered(added, errors.size()), errors);
    for (auto error : errors)
      priority[added++] = std::abs(static_cast<double>(error)) + 1e-6;
    replay.sample(4, beta, rng, sample);
    std::vector<float> news;
    for (std::size_t i = 0; i < 4; ++i)
      news.push_back(static_cast<float>(3 * rng.normal()));
    replay.update(sample.numbers, news);
    for (std::size_t i = 0; i < 4; ++i)
      priority[sample.numbers[i]] = std::abs(static_cast<double>(news[i])) + 1e-6;
  }
  std::map<std::uint64_t, double> probability;
  double sum = 0, largest = 0;
  for (auto number = added - 6; number < added; ++number)
    sum += probability[number] = std::pow(priority[number], alpha);
  for (auto& [number, p] : probability) {
    p /= sum;
    largest = std::max(largest, std::pow(6 * p, -beta));
  }
  constexpr std::size_t draws = 60'000;
  replay.sample(draws, beta, rng, sample);
  std::map<std::uint64_t, int> counts;
  for (std::size_t i = 0; i < draws; ++i) {
    ++counts[sample.numbers[i]];
    auto weight = std::pow(6 * probability[sample.numbers[i]], -beta) / largest;
    BOOST_TEST_REQUIRE(std::abs(sample.importance[i] - weight) < 1e-5 * weight,
                       "seed " << seed << ", number " << sample.numbers[i]);
  }
  for (auto& [number, p] : probability)
    BOOST_TEST(std::abs(counts[number] - draws * p) < 2 + 6 * std::sqrt(draws * p),
               "seed " << seed << ", number " << number);
}

BOOST_AUTO_TEST_CASE(a_priority_that_comes_after_its_transition_was_replaced_changes_nothing) {
  rl::Replay replay(options_for(4, 1));
  replay.add(numbered(0, 4), std::vector<float>{1, 1, 1, 1});
  replay.add(numbered(4, 2), std::vector<float>{1, 1}); // in the slots of 0 and 1
  std::uint64_t numbers[] = {0, 1, 2, 99};
  BOOST_TEST(replay.update(numbers, std::vector<float>{1e6f, 1e6f, 3, 1e6f}) == 1u);
  rl::Rng rng(1);
  rl::ReplaySample sample;
  replay.sample(6000, 0, rng, sample);
  std::map<std::uint64_t, int> counts;
  for (auto number : sample.numbers)
    ++counts[number];
  BOOST_TEST(std::abs(counts[2] - 3000) < 10); // 3 of 6; shares are drawn from evenly
  BOOST_TEST(std::abs(counts[4] - 1000) < 10); // not the million meant for 0
  BOOST_TEST(std::abs(counts[5] - 1000) < 10);
}

BOOST_AUTO_TEST_CASE(new_transitions_count_as_much_as_the_most_surprising_one) {
  rl::Replay replay(options_for(8, 1));
  replay.add(numbered(0, 2));
  replay.update(std::vector<std::uint64_t>{0, 1}, std::vector<float>{4, 0});
  replay.add(numbered(2, 1));
  rl::Rng rng(1);
  rl::ReplaySample sample;
  replay.sample(1000, 1, rng, sample);
  int counts[3] = {};
  for (auto number : sample.numbers)
    ++counts[number];
  BOOST_TEST(std::abs(counts[0] - counts[2]) < 5);
  BOOST_TEST(counts[1] < 5);
}

BOOST_AUTO_TEST_CASE(a_saved_replay_draws_the_same_and_goes_on_the_same) {
  for (double alpha : {0.0, 0.6})
    for (std::size_t filled : {5, 23}) {
      rl::Replay replay(options_for(10, alpha)), other(options_for(10, alpha));
      std::vector<float> errors(filled);
      rl::Rng(3).fill_normal(errors);
      replay.add(numbered(0, filled), errors);
      rl::ByteWriter out;
      replay.save(out);
      rl::ByteReader in(out.bytes());
      other.load(in);
      BOOST_TEST(in.at_end());
      rl::Rng one(4), two(4);
      rl::ReplaySample a, b;
      for (int i = 0; i < 5; ++i) {
        replay.add(numbered(replay.added(), 2));
        other.add(numbered(other.added(), 2));
        replay.sample(16, 0.4, one, a);
        other.sample(16, 0.4, two, b);
        BOOST_TEST(a.numbers == b.numbers, boost::test_tools::per_element());
        BOOST_TEST(a.importance == b.importance, boost::test_tools::per_element());
        BOOST_TEST(is_whole(b));
      }
    }
}

BOOST_AUTO_TEST_CASE(a_state_of_another_replay_is_refused) {
  rl::Replay replay(options_for(10, 0));
  replay.add(numbered(0, 3));
  rl::ByteWriter out;
  replay.save(out);
  auto refused = [&](rl::ReplayOptions options) {
    return rl::test::fails(rl::ErrorCode::bad_checkpoint, [&] {
      rl::Replay other(options);
      rl::ByteReader in(out.bytes());
      other.load(in);
    });
  };
  BOOST_TEST(refused(options_for(11, 0)));
  BOOST_TEST(refused(options_for(10, 0.6)));
  BOOST_TEST(refused({.capacity = 10, .observation_size = 3, .action_size = 1}));
  BOOST_TEST(!refused(options_for(10, 0)));
}

BOOST_AUTO_TEST_CASE(what_makes_no_sense_is_refused) {
  using rl::ErrorCode, rl::test::fails;
  BOOST_TEST(fails(ErrorCode::bad_value, [] { rl::Replay({}); }, {"room"}));
  rl::Replay replay(options_for(4, 0.6));
  rl::Rng rng(1);
  rl::ReplaySample sample;
  BOOST_TEST(
    fails(ErrorCode::bad_value, [&] { replay.sample(1, 1, rng, sample); }, {"empty replay"}));
  BOOST_TEST(fails(ErrorCode::bad_value, [&] { replay.add(rl::Transitions{3, 1}); }, {"fit"}));
  replay.add(numbered(0, 1));
  auto nan = std::numeric_limits<float>::quiet_NaN();
  BOOST_TEST(fails(ErrorCode::not_finite,
                   [&] { replay.update(std::vector<std::uint64_t>{0}, std::vector{nan}); },
                   {"diverged"}));
}

BOOST_AUTO_TEST_SUITE_END()
