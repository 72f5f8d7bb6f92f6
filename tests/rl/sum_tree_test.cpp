#include "rl/sum_tree.hpp"

#include <numeric>
#include <random>
#include <vector>

#include "rl/rng.hpp"
#include "tests/rl/support.hpp"

namespace {

// The slot that `at` falls into when the weights lie side by side.
std::size_t naive_find(const std::vector<double>& weights, double at) {
  std::size_t slot = 0;
  for (; slot + 1 < weights.size() && at >= weights[slot]; ++slot)
    at -= weights[slot];
  return slot;
}

} // namespace

BOOST_AUTO_TEST_SUITE(sum_tree)

// Whole numbers as weights, so that sums are exact in any order.
BOOST_AUTO_TEST_CASE(it_does_what_a_plain_list_of_weights_does) {
  auto seed = std::random_device{}();
  BOOST_TEST_MESSAGE("seed " << seed);
  rl::Rng rng(seed);
  for (std::size_t slots : {1, 2, 3, 7, 8, 9, 100, 1000}) {
    rl::SumTree tree(slots);
    std::vector<double> weights(slots);
    for (int i = 0; i < 2000; ++i) {
      auto slot = rng.below(slots);
      weights[slot] = rng.below(3) == 0 ? 0 : static_cast<double>(rng.below(1000));
      tree.set(slot, weights[slot]);
      auto total = std::accumulate(weights.begin(), weights.end(), 0.0);
      BOOST_REQUIRE_MESSAGE(tree.total() == total, "seed " << seed << ", slots " << slots);
      if (total == 0)
        continue;
      auto at = static_cast<double>(rng.below(static_cast<std::uint64_t>(total)));
      BOOST_REQUIRE_MESSAGE(tree.find(at) == naive_find(weights, at),
                            "seed " << seed << ", slots " << slots << ", at " << at);
      BOOST_REQUIRE(tree.get(tree.find(at)) > 0);
    }
  }
}

BOOST_AUTO_TEST_CASE(slots_are_found_as_often_as_their_weights_say) {
  rl::SumTree tree(5);
  double weights[] = {0.1, 0, 0.2, 0.3, 0.4};
  for (std::size_t i = 0; i < 5; ++i)
    tree.set(i, weights[i]);
  rl::Rng rng(1);
  int counts[5] = {};
  for (int i = 0; i < 100'000; ++i)
    ++counts[tree.find(rng.uniform() * tree.total())];
  BOOST_TEST(counts[1] == 0);
  for (std::size_t i = 0; i < 5; ++i)
    BOOST_TEST(std::abs(counts[i] - 1e5 * weights[i]) < 800); // five standard deviations
}

BOOST_AUTO_TEST_CASE(sums_stay_exact_after_a_million_changes) {
  rl::SumTree tree(64);
  rl::Rng rng(1);
  for (int i = 0; i < 1'000'000; ++i)
    tree.set(rng.below(64), rng.uniform(0, 1e6));
  for (std::size_t slot = 0; slot < 64; ++slot)
    tree.set(slot, slot == 17 ? 1e-9 : 0);
  BOOST_TEST(tree.total() == 1e-9); // nothing of the large weights is left
  BOOST_TEST(tree.find(0) == 17u);
}

BOOST_AUTO_TEST_CASE(a_place_at_or_beyond_the_end_is_a_slot_with_weight) {
  rl::SumTree tree(6);
  tree.set(2, 0.1);
  tree.set(3, 0.7);
  for (double at : {tree.total(), 2.0})
    BOOST_TEST(tree.find(at) == 3u);
}

BOOST_AUTO_TEST_CASE(a_tree_without_slots_is_refused) {
  BOOST_TEST(rl::test::fails(rl::ErrorCode::bad_value, [] { rl::SumTree(0); }, {"one slot"}));
}

BOOST_AUTO_TEST_SUITE_END()
