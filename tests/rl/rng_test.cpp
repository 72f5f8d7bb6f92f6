#include "rl/rng.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <vector>

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(rng)

BOOST_AUTO_TEST_CASE(uniforms_are_those_of_numpys_default_rng) {
  rl::Rng zero(0); // numpy.random.default_rng(0).random(5)
  for (auto expected : {0.6369616873214543, 0.2697867137638703, 0.04097352393619469,
                        0.016527635528529094, 0.8132702392002724})
    BOOST_TEST(zero.uniform() == expected);
  rl::Rng seeded(123); // the first state of CartPole-v1 under Gymnasium
  for (auto expected :
       {0.018235186324814343, -0.04461789811977773, -0.027964012722738865, -0.03156281893013303})
    BOOST_TEST(seeded.uniform(-0.05, 0.05) == expected);
}

BOOST_AUTO_TEST_CASE(seed_sequence_takes_a_number_as_its_32_bit_words) {
  std::uint64_t from_number[3], from_words[3];
  std::uint32_t words[] = {7, 9};
  rl::SeedSequence(7 + (std::uint64_t{9} << 32)).generate(from_number);
  rl::SeedSequence(words).generate(from_words);
  BOOST_TEST(from_number == from_words, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(derived_seeds_differ_in_every_argument) {
  std::set<std::uint64_t> seeds;
  for (std::uint64_t seed = 0; seed < 10; ++seed)
    for (std::uint64_t a = 0; a < 10; ++a)
      for (std::uint64_t b = 0; b < 10; ++b)
        seeds.insert(rl::derive_seed(seed, a, b));
  for (auto* name : {"a", "b", "ab", "ba", ""})
    seeds.insert(rl::derive_seed(1, name));
  BOOST_TEST(seeds.size() == 1005u);
  BOOST_TEST(rl::derive_seed(3, 1, 2) == rl::derive_seed(3, 1, 2));
}

BOOST_AUTO_TEST_CASE(a_saved_state_continues_the_same_numbers) {
  rl::Rng rng(5);
  rng.next();
  auto copy = rl::Rng::from_state(rng.state());
  for (int i = 0; i < 100; ++i)
    BOOST_TEST(copy.next() == rng.next());
}

BOOST_AUTO_TEST_CASE(inverse_normal_undoes_the_normal_distribution_function) {
  auto phi = [](double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); };
  for (double p = 1e-300; p < 0.5; p = p < 1e-3 ? p * 10 : p + 1e-3)
    BOOST_TEST(phi(rl::inverse_normal(p)) == p, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(rl::inverse_normal(0.5) == 0.0);
  BOOST_TEST(rl::inverse_normal(0.975) == 1.959963984540054, boost::test_tools::tolerance(1e-15));
  BOOST_TEST(rl::inverse_normal(0.25) == -rl::inverse_normal(0.75));
}

BOOST_AUTO_TEST_CASE(normals_have_the_moments_of_the_normal_distribution) {
  rl::Rng rng(17);
  constexpr int count = 400'000;
  double moments[4] = {};
  for (int i = 0; i < count; ++i) {
    auto x = rng.normal(), power = x;
    for (auto& moment : moments) {
      moment += power / count;
      power *= x;
    }
  }
  BOOST_TEST(std::abs(moments[0]) < 0.008); // five standard errors each
  BOOST_TEST(std::abs(moments[1] - 1) < 0.012);
  BOOST_TEST(std::abs(moments[2]) < 0.031);
  BOOST_TEST(std::abs(moments[3] - 3) < 0.078);
}

BOOST_AUTO_TEST_CASE(below_gives_every_number_equally_often) {
  rl::Rng rng(3);
  std::vector<int> counts(7);
  for (int i = 0; i < 70'000; ++i)
    ++counts[rng.below(7)];
  double chi_square = 0;
  for (auto count : counts)
    chi_square += (count - 10'000.0) * (count - 10'000.0) / 10'000.0;
  BOOST_TEST(chi_square < 22.5); // 6 degrees of freedom, p = 0.001
}

BOOST_AUTO_TEST_CASE(shuffle_keeps_the_items_and_changes_their_order) {
  std::vector<int> items(100), sorted;
  std::iota(items.begin(), items.end(), 0);
  auto before = items;
  rl::Rng rng(1);
  rng.shuffle(std::span(items));
  BOOST_TEST((items != before));
  sorted = items;
  std::sort(sorted.begin(), sorted.end());
  BOOST_TEST((sorted == before));
}

BOOST_AUTO_TEST_SUITE_END()
