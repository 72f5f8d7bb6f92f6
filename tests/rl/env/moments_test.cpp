#include "rl/env/moments.hpp"

#include <cmath>

#include "rl/rng.hpp"
#include "tests/rl/support.hpp"

namespace {

using rl::RunningMoments;
using Rows = std::vector<std::vector<float>>;

// Large means and small deviations: what a sum of squares would lose.
Rows rows(std::size_t count, std::uint64_t seed) {
  rl::Rng rng(seed);
  Rows result;
  for (std::size_t i = 0; i < count; ++i)
    result.push_back({static_cast<float>(rng.normal()), static_cast<float>(1e4 + rng.normal()),
                      static_cast<float>(-1e-3 * rng.normal())});
  return result;
}

void check_equal(const RunningMoments& moments, const Rows& all) {
  BOOST_TEST(moments.count() == static_cast<std::int64_t>(all.size()));
  for (std::size_t i = 0; i < moments.features(); ++i) {
    long double mean = 0, variance = 0;
    for (auto& row : all)
      mean += static_cast<long double>(row[i]) / static_cast<long double>(all.size());
    for (auto& row : all) {
      auto off = static_cast<long double>(row[i]) - mean;
      variance += off * off / static_cast<long double>(all.size());
    }
    BOOST_TEST(moments.mean()[i] == static_cast<double>(mean), boost::test_tools::tolerance(1e-9));
    BOOST_TEST(moments.variance(i) == static_cast<double>(variance),
               boost::test_tools::tolerance(1e-9));
  }
}

} // namespace

BOOST_AUTO_TEST_SUITE(moments)

BOOST_AUTO_TEST_CASE(one_pass_gives_what_two_passes_give) {
  auto all = rows(1000, 1);
  RunningMoments moments(3);
  BOOST_TEST(moments.variance(0) == 0);
  for (auto& row : all)
    moments.add(row);
  check_equal(moments, all);
}

BOOST_AUTO_TEST_CASE(merged_moments_are_those_of_all_rows) {
  auto all = rows(1000, 2);
  for (std::size_t cut : {0u, 1u, 300u, 999u, 1000u}) {
    RunningMoments first(3), second(3);
    for (std::size_t i = 0; i < all.size(); ++i)
      (i < cut ? first : second).add(all[i]);
    first.merge(second);
    check_equal(first, all);
  }
  RunningMoments other(2), moments(3);
  BOOST_TEST(rl::test::fails(rl::ErrorCode::bad_value, [&] { moments.merge(other); }, {"2", "3"}));
}

BOOST_AUTO_TEST_CASE(saved_moments_go_on_to_the_bit) {
  auto all = rows(50, 3);
  RunningMoments one(3), other(3);
  for (auto& row : all)
    one.add(row);
  rl::ByteWriter out;
  one.save(out);
  rl::ByteReader in(out.bytes());
  other.load(in);
  for (auto& row : all) {
    one.add(row);
    other.add(row);
  }
  for (std::size_t i = 0; i < 3; ++i) {
    BOOST_TEST(one.mean()[i] == other.mean()[i]);
    BOOST_TEST(one.variance(i) == other.variance(i));
  }
  RunningMoments narrow(2);
  rl::ByteReader again(out.bytes());
  BOOST_TEST(rl::test::fails(rl::ErrorCode::bad_checkpoint, [&] { narrow.load(again); }, {"3"}));
}

BOOST_AUTO_TEST_SUITE_END()
