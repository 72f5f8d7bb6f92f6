#include "objstore/transfer_plan.hpp"

#include <algorithm>
#include <map>

#include "tests/objstore/support.hpp"

namespace caf_ray::objstore {

using namespace test;
using namespace std::chrono_literals;

namespace {

using plan_type = transfer_plan;
using request = plan_type::request;
using time_point = plan_type::time_point;

/// Small numbers: chunks of 10 bytes, 30 of them asked of one source and 50 in all.
struct plan_fixture {
  plan_type::options options{10, 30, 50, 100, 3, 100ms, 400ms, 1000ms};
  transfer_plan plan{options};
  time_point now{};
  std::map<plan_type::pull_number, result<void>> ended;

  std::vector<plan_type::source_number> sources(std::size_t count) {
    std::vector<plan_type::source_number> numbers;
    for (std::size_t i = 0; i < count; ++i)
      numbers.push_back(plan.add_source("s" + std::to_string(i)));
    return numbers;
  }

  plan_type::orders decide() {
    auto out = plan.decide(now);
    for (auto& x : out.ended)
      ended.emplace(x.pull, x.how);
    return out;
  }

  /// A pull that fetches, and what it asks for first.
  std::vector<request> begin(std::uint64_t n, std::size_t size_bytes,
                             const std::vector<plan_type::source_number>& from,
                             std::chrono::milliseconds patience = 1h) {
    auto pull = plan.add(number(n), size_bytes, from, now + patience).value();
    decide();
    plan.placed(pull);
    return decide().ask;
  }

  void answer(const request& x, std::uint64_t checksum = 7) {
    BOOST_TEST_REQUIRE(plan.expects(x.pull, x.source, x.offset_bytes, x.length_bytes, x.check));
    if (x.check)
      plan.checked(x.pull, x.offset_bytes, checksum, now);
    else
      plan.held(x.pull, x.offset_bytes, checksum, now);
  }

  errc code(plan_type::pull_number pull) const {
    auto i = ended.find(pull);
    BOOST_TEST_REQUIRE((i != ended.end()));
    return i->second ? errc::none : i->second.error().code;
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(transfer_plan_, plan_fixture)

BOOST_AUTO_TEST_CASE(it_asks_for_as_much_as_fits_the_window_and_for_more_as_answers_come) {
  auto from = sources(1);
  auto asked = begin(1, 45, from);
  BOOST_TEST_REQUIRE(asked.size() == 3u);
  BOOST_TEST((asked[0] == request{1, from[0], number(1), 45, 0, 10, false}));
  BOOST_TEST(asked[2].offset_bytes == 20u);
  BOOST_TEST(plan.flight_bytes() == 30u);
  answer(asked[1]);
  auto next = decide().ask;
  BOOST_TEST_REQUIRE(next.size() == 1u);
  BOOST_TEST(next[0].offset_bytes == 30u);
  answer(asked[0]);
  auto last = decide().ask;
  BOOST_TEST_REQUIRE(last.size() == 1u);
  BOOST_TEST(last[0].length_bytes == 5u);
  for (const auto& x : {asked[2], next[0], last[0]})
    answer(x);
  decide();
  BOOST_TEST(code(1) == errc::none);
  BOOST_TEST(plan.flight_bytes() == 0u);
  BOOST_TEST(!plan.in_use(from[0]));
}

BOOST_AUTO_TEST_CASE(an_empty_object_is_asked_for_once) {
  auto asked = begin(1, 0, sources(1));
  BOOST_TEST_REQUIRE(asked.size() == 1u);
  BOOST_TEST(asked[0].length_bytes == 0u);
  answer(asked[0]);
  decide();
  BOOST_TEST(code(1) == errc::none);
}

BOOST_AUTO_TEST_CASE(pulls_from_one_source_take_turns) {
  auto from = sources(1);
  auto first = begin(1, 1000, from);
  auto pull = plan.add(number(2), 20, from, now + 1h).value();
  // The first one fills the store's share; it is alone, so the second waits.
  BOOST_TEST(decide().place.empty());
  answer(first[0]);
  BOOST_TEST(decide().ask.size() == 1u);
  plan.end(1, fail(errc::cancelled, "enough"));
  BOOST_TEST_REQUIRE(decide().place.size() == 1u);
  plan.placed(pull);
  decide();
  auto third = plan.add(number(3), 50, from, now + 1h).value();
  decide();
  plan.placed(third);
  auto ask = decide().ask;
  BOOST_TEST_REQUIRE(ask.size() == 1u);
  BOOST_TEST(ask[0].pull == third);
}

BOOST_AUTO_TEST_CASE(all_sources_together_are_asked_for_no_more_than_may_be_in_flight) {
  auto from = sources(2);
  begin(1, 50, {from[0]});
  auto ask = begin(2, 50, {from[1]});
  BOOST_TEST(ask.size() == 2u);
  BOOST_TEST(plan.flight_bytes() == 50u);
}

BOOST_AUTO_TEST_CASE(a_pull_goes_to_the_source_that_owes_least) {
  auto from = sources(2);
  begin(1, 20, {from[0]});
  auto ask = begin(2, 10, from);
  BOOST_TEST_REQUIRE(ask.size() == 1u);
  BOOST_TEST(ask[0].source == from[1]);
}

BOOST_AUTO_TEST_CASE(a_lost_source_leaves_what_is_missing_to_the_next) {
  auto from = sources(2);
  auto asked = begin(1, 40, from);
  answer(asked[0], 100);
  answer(asked[1], 101);
  plan.lost(from[0], "is gone", now);
  auto next = decide().ask;
  std::erase_if(next, [](const auto& x) { return x.check; });
  BOOST_TEST_REQUIRE(next.size() > 0u);
  for (const auto& x : next) {
    BOOST_TEST(x.source == from[1]);
    BOOST_TEST(x.offset_bytes >= 20u);
  }
  // The old source's answer comes late.
  BOOST_TEST(!plan.expects(1, from[0], 20, 10, false));
  BOOST_TEST(plan.retries_total() == 1u);
}

BOOST_AUTO_TEST_CASE(what_another_source_sent_is_fetched_anew_if_its_checksum_differs) {
  auto from = sources(2);
  auto asked = begin(1, 30, from);
  answer(asked[0], 100);
  answer(asked[1], 101);
  plan.lost(from[0], "is gone", now);
  std::vector<std::uint64_t> fetched;
  // The second source has another copy of the middle.
  const std::uint64_t theirs[] = {100, 201, 202};
  for (int round = 0; round < 10 && ended.empty(); ++round)
    for (const auto& x : decide().ask) {
      if (!x.check)
        fetched.push_back(x.offset_bytes);
      answer(x, theirs[x.offset_bytes / 10]);
    }
  BOOST_TEST(code(1) == errc::none);
  std::ranges::sort(fetched);
  BOOST_TEST(fetched == (std::vector<std::uint64_t>{10, 20}));
  BOOST_TEST(plan.differences_total() == 1u);
}

BOOST_AUTO_TEST_CASE(the_same_source_again_is_asked_only_for_what_is_missing) {
  auto from = sources(1);
  auto asked = begin(1, 30, from);
  answer(asked[0]);
  plan.lost(from[0], "is gone", now);
  BOOST_TEST(decide().ask.empty()); // it rests
  now += 100ms;
  auto again = decide().ask;
  BOOST_TEST(again.size() == 2u);
  for (const auto& x : again)
    BOOST_TEST(!x.check);
}

BOOST_AUTO_TEST_CASE(a_source_that_fails_again_rests_longer_and_is_given_up) {
  auto from = sources(1);
  begin(1, 10, from);
  plan.lost(from[0], "is gone", now);
  BOOST_TEST((decide().wake_at == now + 100ms));
  now += 100ms;
  BOOST_TEST(decide().ask.size() == 1u);
  plan.lost(from[0], "is gone", now);
  BOOST_TEST((decide().wake_at == now + 200ms));
  now += 200ms;
  BOOST_TEST(decide().ask.size() == 1u);
  plan.lost(from[0], "cannot be reached", now);
  decide();
  BOOST_TEST(code(1) == errc::object_lost);
  BOOST_TEST(ended.at(1).error().what.find(to_string(number(1))) != std::string::npos);
  BOOST_TEST(ended.at(1).error().what.find("s0 cannot be reached") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_chunk_between_failures_makes_the_source_as_good_as_new) {
  auto from = sources(1);
  auto asked = begin(1, 1000, from);
  for (int i = 0; i < 20; ++i) {
    answer(asked[0]);
    plan.lost(from[0], "is gone", now);
    decide();
    now += 100ms;
    asked = decide().ask;
    BOOST_TEST_REQUIRE(asked.size() == 3u);
  }
}

// Several pulls over a link that broke after every few chunks: one of them got none three times.
BOOST_AUTO_TEST_CASE(a_source_that_brings_something_to_others_is_not_given_up) {
  auto from = sources(1);
  auto pull = plan.add(number(1), 50, from, now + 1h).value();
  auto other = plan.add(number(2), 40, from, now + 1h).value();
  decide();
  plan.placed(pull);
  plan.placed(other);
  for (int i = 0; i < 4; ++i) {
    auto asked = decide().ask;
    auto theirs = std::ranges::find(asked, other, &request::pull);
    BOOST_TEST_REQUIRE((theirs != asked.end()));
    answer(*theirs);
    plan.lost(from[0], "is gone", now);
    decide();
    now += 100ms;
  }
  BOOST_TEST(code(other) == errc::none);
  BOOST_TEST(!ended.contains(pull));
}

BOOST_AUTO_TEST_CASE(a_source_without_the_object_is_not_asked_again) {
  auto from = sources(2);
  auto asked = begin(1, 30, from);
  plan.unavailable(1, from[0], "does not have it");
  for (const auto& x : decide().ask)
    BOOST_TEST(x.source == from[1]);
  plan.unavailable(1, from[1], "does not have it");
  decide();
  BOOST_TEST(code(1) == errc::object_lost);
}

BOOST_AUTO_TEST_CASE(a_silent_source_is_dropped_when_it_owes_answers) {
  auto from = sources(2);
  begin(1, 10, from);
  now += 999ms;
  BOOST_TEST(decide().drop.empty());
  now += 1ms;
  auto orders = decide();
  BOOST_TEST_REQUIRE(orders.drop.size() == 1u);
  BOOST_TEST(orders.drop[0] == from[0]);
  BOOST_TEST_REQUIRE(orders.ask.size() == 1u);
  BOOST_TEST(orders.ask[0].source == from[1]);
}

BOOST_AUTO_TEST_CASE(a_source_that_never_mentions_the_object_is_left) {
  auto from = sources(2);
  begin(1, 10, from);
  for (int i = 0; i < 8; ++i) {
    now += 500ms;
    plan.heard(from[0], now);
    auto ask = decide().ask;
    BOOST_TEST(ask.size() == (i == 7 ? 1u : 0u));
  }
}

BOOST_AUTO_TEST_CASE(a_busy_source_is_asked_again_later_and_later) {
  auto from = sources(1);
  auto asked = begin(1, 10, from);
  auto pause = 5ms;
  for (int i = 0; i < 4; ++i, pause *= 2) {
    plan.busy(1, 0, now);
    auto orders = decide();
    BOOST_TEST(orders.ask.empty());
    BOOST_TEST((orders.wake_at == now + pause));
    now += pause;
    BOOST_TEST(decide().ask.size() == 1u);
  }
  answer(asked[0]);
  decide();
  BOOST_TEST(code(1) == errc::none);
}

BOOST_AUTO_TEST_CASE(damaged_bytes_come_once_more_from_another_source) {
  auto from = sources(2);
  begin(1, 10, from);
  plan.damaged(1, 0, now);
  auto again = decide().ask;
  BOOST_TEST_REQUIRE(again.size() == 1u);
  BOOST_TEST(again[0].source == from[1]);
  plan.damaged(1, 0, now);
  decide();
  BOOST_TEST(code(1) == errc::corrupt);
}

BOOST_AUTO_TEST_CASE(damaged_bytes_come_once_more_from_the_only_source) {
  auto from = sources(1);
  begin(1, 10, from);
  plan.damaged(1, 0, now);
  auto again = decide().ask;
  BOOST_TEST_REQUIRE(again.size() == 1u);
  answer(again[0]);
  decide();
  BOOST_TEST(code(1) == errc::none);
}

BOOST_AUTO_TEST_CASE(pulls_of_one_object_join) {
  auto from = sources(2);
  begin(1, 20, {from[0]}, 1s);
  BOOST_TEST(plan.add(number(1), 20, std::vector{from[1]}, now + 1h).value() == 1u);
  BOOST_TEST(plan.add(number(1), 21, std::vector{from[1]}, now + 1h).error().code
             == errc::invalid_argument);
  plan.unavailable(1, from[0], "does not have it");
  auto ask = decide().ask;
  BOOST_TEST_REQUIRE(ask.size() == 2u);
  BOOST_TEST(ask[0].source == from[1]);
  // The first one's deadline is over, the second one's counts.
  now += 999ms;
  plan.heard(from[1], now);
  now += 500ms;
  decide();
  BOOST_TEST(ended.empty());
}

BOOST_AUTO_TEST_CASE(whoever_names_a_source_again_has_it_asked_again) {
  auto from = sources(1);
  begin(1, 10, from);
  plan.lost(from[0], "is gone", now);
  decide();
  plan.add(number(1), 10, from, now + 1h).value();
  now += 100ms;
  auto ask = decide().ask;
  plan.unavailable(1, from[0], "does not have it");
  plan.add(number(1), 10, from, now + 1h).value();
  BOOST_TEST(decide().ask.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_pull_ends_at_its_deadline_in_every_state) {
  auto from = sources(1);
  begin(1, 90, from, 50ms); // fetching
  plan.add(number(2), 5, from, now + 60ms).value();
  decide();                                          // placing
  plan.add(number(3), 90, from, now + 70ms).value(); // waiting
  BOOST_TEST((decide().wake_at == now + 50ms));
  now += 70ms;
  decide();
  BOOST_TEST(code(1) == errc::timed_out);
  BOOST_TEST(code(3) == errc::timed_out);
  // The store has a little longer to say why.
  BOOST_TEST(plan.pull_count() == 1u);
  now += 240ms;
  decide();
  BOOST_TEST(code(2) == errc::store_full);
  BOOST_TEST(plan.pull_count() == 0u);
  BOOST_TEST(plan.flight_bytes() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace caf_ray::objstore
