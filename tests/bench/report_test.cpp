#define BOOST_TEST_MODULE bench_report
#include <boost/test/unit_test.hpp>

#include <sstream>

#include "tests/bench/copy_peer.hpp"
#include "tests/bench/options.hpp"
#include "tests/bench/report.hpp"

using namespace caf_ray::bench;

BOOST_AUTO_TEST_SUITE(statistics)

BOOST_AUTO_TEST_CASE(the_median_is_the_middle) {
  BOOST_TEST(median({3, 1, 2}) == 2);
  BOOST_TEST(median({4, 1, 2, 3}) == 2.5);
  BOOST_TEST(median({7}) == 7);
}

BOOST_AUTO_TEST_CASE(the_spread_is_relative_to_the_median) {
  BOOST_TEST(spread({1, 2, 4}) == 1.5);
  BOOST_TEST(spread({5}) == 0);
  BOOST_TEST(spread({}) == 0);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(goals)

BOOST_AUTO_TEST_CASE(all_bounds_must_hold) {
  const goal both{.at_least = 100, .ratio_at_least = 0.5};
  BOOST_TEST(both.met(100, 0.5).value());
  BOOST_TEST(!both.met(99, 0.6).value());
  BOOST_TEST(!both.met(200, 0.4).value());
  BOOST_TEST(!goal{.at_most = 10}.met(11, {}).value());
  BOOST_TEST(both.text() == "value >= 100, ratio >= 0.5");
}

BOOST_AUTO_TEST_CASE(without_a_bound_or_a_peer_there_is_no_verdict) {
  BOOST_TEST(!goal{}.met(1, 1).has_value());
  BOOST_TEST(!goal{.ratio_at_most = 1}.met(1, {}).has_value());
  BOOST_TEST(goal{}.text() == "");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(reports)

BOOST_AUTO_TEST_CASE(subject_and_peers_take_turns_and_the_first_round_does_not_count) {
  std::ostringstream text;
  report out(text, true);
  std::string turns;
  double value = 0, half = 0;
  out.compare(
    {"x", "s", {.ratio_at_most = 3}},
    [&] {
      turns += 'a';
      return ++value;
    },
    {{"halves",
      [&] {
        turns += 'b';
        return ++half / 2;
      }},
     {"nobody", nullptr, "_vs_nobody"}},
    3);
  BOOST_TEST(turns == "abababab");
  BOOST_REQUIRE(out.rows().size() == 2u);
  auto& row = out.rows()[0];
  BOOST_TEST(row["value"] == 3.0);
  BOOST_TEST(row["peer_value"] == 1.5);
  BOOST_TEST(row["ratio"] == 2.0);
  BOOST_TEST(row["rounds"] == 3);
  BOOST_TEST(row["met"] == true);
  BOOST_TEST(out.rows()[1]["name"] == "x_vs_nobody");
  BOOST_TEST(out.rows()[1]["peer"] == "nobody (not built)");
  BOOST_TEST(out.rows()[1]["ratio"].is_null());
  BOOST_TEST(text.str().find("halves") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(command_line)

options parse(std::vector<const char*> words) {
  return parse_options(words);
}

BOOST_AUTO_TEST_CASE(flags_may_stand_anywhere) {
  auto given = parse({"--quick", "core", "--only", "a", "--json", "f", "--only", "b"});
  BOOST_TEST(given.quick);
  BOOST_TEST(given.json == "f");
  BOOST_TEST(given.only == (std::vector<std::string>{"a", "b"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_it_does_not_know_is_an_error) {
  BOOST_CHECK_THROW(parse({}), usage_error);
  BOOST_TEST(parse({"cluster"}).suite == "cluster");
  BOOST_CHECK_THROW(parse({"clutser"}), usage_error);
  BOOST_CHECK_THROW(parse({"core", "more"}), usage_error);
  BOOST_CHECK_THROW(parse({"core", "--slow"}), usage_error);
  BOOST_CHECK_THROW(parse({"core", "--json"}), usage_error);
  BOOST_TEST(parse({"--help"}).help);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_CASE(a_copy_past_the_caches_is_a_copy) {
  const warm_memory from(4096), to(4096);
  for (int i = 0; i < 4096; ++i)
    from.data()[i] = static_cast<char>(i * 7);
  copy_past_caches(to.data(), from.data(), 4096);
  BOOST_TEST(std::equal(from.data(), from.data() + 4096, to.data()));
}
