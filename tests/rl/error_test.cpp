#include "rl/error.hpp"

#include <vector>

#include "tests/rl/support.hpp"

BOOST_AUTO_TEST_SUITE(error)

BOOST_AUTO_TEST_CASE(edit_distance_counts_insertions_deletions_and_substitutions) {
  BOOST_TEST(rl::edit_distance("", "") == 0u);
  BOOST_TEST(rl::edit_distance("abc", "") == 3u);
  BOOST_TEST(rl::edit_distance("kitten", "sitting") == 3u);
  BOOST_TEST(rl::edit_distance("CartPole", "cartpole") == 0u);
}

BOOST_AUTO_TEST_CASE(an_unknown_name_lists_the_known_ones_and_the_nearest) {
  std::vector<std::string> known = {"gamma", "lambda", "clip"};
  BOOST_TEST(rl::test::fails(rl::ErrorCode::unknown_name,
                             [&] { rl::throw_unknown_name("setting", "gama", known); },
                             {"setting", "'gama'", "did you mean 'gamma'", "lambda", "clip"}));
}

BOOST_AUTO_TEST_SUITE_END()
