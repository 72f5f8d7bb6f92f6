#include "rl/batch.hpp"

#include "tests/rl/support.hpp"

namespace {

// A batch whose every number tells its place: environment `first + n` at time t.
rl::Batch numbered(std::size_t first, std::size_t envs) {
  rl::Batch batch;
  batch.resize({3, envs, 2, 1});
  for (std::size_t t = 0; t <= 3; ++t)
    for (std::size_t n = 0; n < envs; ++n) {
      auto place = static_cast<float>(100 * t + first + n);
      batch.observation[(t * envs + n) * 2] = place;
      batch.observation[(t * envs + n) * 2 + 1] = -place;
      if (t == 3)
        continue;
      auto i = t * envs + n;
      batch.action[i] = batch.log_prob[i] = batch.reward[i] = place;
      batch.terminated[i] = (first + n + t) % 2;
      batch.truncated[i] = (first + n + t) % 3 == 0;
      if (batch.terminated[i]) {
        batch.ends.push_back({t, n, {static_cast<int>(first + n), static_cast<double>(place), 1}});
        batch.final_observation.insert(batch.final_observation.end(), {place, -place});
      }
    }
  return batch;
}

} // namespace

BOOST_AUTO_TEST_SUITE(batch)

BOOST_AUTO_TEST_CASE(parts_put_together_in_any_order_are_the_whole) {
  auto whole = numbered(0, 5);
  rl::Batch joined;
  joined.resize(whole.shape);
  joined.insert(numbered(3, 2).view(), 3);
  joined.insert(numbered(0, 3).view(), 0);
  joined.sort_ends();
  BOOST_TEST(joined.observation == whole.observation, boost::test_tools::per_element());
  BOOST_TEST(joined.action == whole.action, boost::test_tools::per_element());
  BOOST_TEST(joined.log_prob == whole.log_prob, boost::test_tools::per_element());
  BOOST_TEST(joined.reward == whole.reward, boost::test_tools::per_element());
  BOOST_TEST((joined.terminated == whole.terminated));
  BOOST_TEST((joined.truncated == whole.truncated));
  BOOST_TEST(joined.final_observation == whole.final_observation, boost::test_tools::per_element());
  BOOST_REQUIRE(joined.ends.size() == whole.ends.size());
  for (std::size_t i = 0; i < whole.ends.size(); ++i) {
    BOOST_TEST(joined.ends[i].time == whole.ends[i].time);
    BOOST_TEST(joined.ends[i].env == whole.ends[i].env);
    BOOST_TEST((joined.ends[i].episode == whole.ends[i].episode));
  }
}

BOOST_AUTO_TEST_CASE(a_part_of_another_shape_is_refused) {
  rl::Batch whole, part;
  whole.resize({3, 4, 2, 1});
  part.resize({2, 1, 2, 1});
  BOOST_TEST(rl::test::fails(rl::ErrorCode::bad_value, [&] { whole.insert(part.view(), 0); }));
  BOOST_TEST(
    rl::test::fails(rl::ErrorCode::bad_value, [&] { whole.insert(numbered(0, 2).view(), 3); }));
}

BOOST_AUTO_TEST_SUITE_END()
