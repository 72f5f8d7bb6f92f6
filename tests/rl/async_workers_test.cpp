#include "rl/async_workers.hpp"

#include "tests/rl/counting_env.hpp"
#include "tests/rl/support.hpp"

namespace {

rl::AsyncSpec spec_for(int envs, int groups) {
  auto env = rl::make_env(rl::test::counting_env());
  return {{"Counting-v0", 11, envs, {env->observation_space(), env->action_space(), {8}, "tanh"}},
          groups,
          6};
}

std::vector<float> weights_for(const rl::AsyncSpec& spec) {
  std::vector<float> weights(rl::ActorCritic<float>(spec.workers.policy).parameter_count());
  rl::Rng(5).fill_normal(weights);
  return weights;
}

} // namespace

BOOST_AUTO_TEST_SUITE(async_workers)

BOOST_AUTO_TEST_CASE(fragments_of_groups_in_turn_are_the_columns_of_synchronous_workers) {
  auto spec = spec_for(5, 2); // groups of 2 and 3
  rl::SerialAsyncWorkers async(spec);
  rl::SerialWorkers all(spec.workers);
  async.set_weights(weights_for(spec));
  all.set_weights(weights_for(spec));
  rl::Arrivals arrivals;
  rl::Batch whole;
  for (int round = 0; round < 3; ++round) {
    all.sample(6, whole);
    for (auto columns : {std::vector<std::size_t>{0, 1}, {2, 3, 4}}) {
      async.gather(1, arrivals);
      BOOST_TEST(arrivals.envs == columns, boost::test_tools::per_element());
      BOOST_TEST(arrivals.lag == 0);
      for (std::size_t t = 0; t < 6; ++t)
        for (std::size_t i = 0; i < columns.size(); ++i) {
          BOOST_TEST(arrivals.batch.reward[t * columns.size() + i]
                     == whole.reward[t * 5 + columns[i]]);
          BOOST_TEST(arrivals.batch.observation_row(t, i)[1]
                     == whole.observation_row(t, columns[i])[1]);
        }
    }
  }
}

BOOST_AUTO_TEST_CASE(several_fragments_stand_side_by_side_with_their_ends) {
  auto spec = spec_for(6, 3);
  rl::SerialAsyncWorkers workers(spec);
  workers.set_weights(weights_for(spec));
  rl::Arrivals arrivals;
  workers.gather(2, arrivals);
  workers.gather(2, arrivals);
  BOOST_TEST(arrivals.envs == (std::vector<std::size_t>{4, 5, 0, 1}),
             boost::test_tools::per_element());
  BOOST_TEST(arrivals.batch.shape.envs == 4u);
  BOOST_TEST(arrivals.batch.ends.size() > 2u);
  for (auto& end : arrivals.batch.ends)
    BOOST_TEST(arrivals.envs[end.env] == static_cast<std::size_t>(end.episode.env));
  BOOST_TEST(arrivals.times.sampling > 0);
  BOOST_TEST(arrivals.times.simulation > 0);
  BOOST_TEST(arrivals.times.simulation < arrivals.times.sampling);
}

BOOST_AUTO_TEST_CASE(saved_workers_continue_with_the_group_whose_turn_it_was) {
  auto spec = spec_for(6, 3);
  rl::SerialAsyncWorkers one(spec), other(spec);
  one.set_weights(weights_for(spec));
  other.set_weights(weights_for(spec));
  rl::Arrivals arrivals, continued;
  one.gather(2, arrivals);
  other.load(one.save());
  one.gather(2, arrivals);
  other.gather(2, continued);
  BOOST_TEST(continued.envs == arrivals.envs, boost::test_tools::per_element());
  BOOST_TEST(continued.batch.observation == arrivals.batch.observation,
             boost::test_tools::per_element());
  rl::SerialAsyncWorkers fewer(spec_for(5, 3));
  BOOST_TEST(
    rl::test::fails(rl::ErrorCode::bad_checkpoint, [&] { fewer.load(one.save()); }, {"6", "5"}));
}

BOOST_AUTO_TEST_CASE(groups_that_environments_cannot_be_divided_into_are_refused) {
  for (int groups : {0, 5})
    BOOST_TEST(rl::test::fails(rl::ErrorCode::bad_value,
                               [&] { rl::SerialAsyncWorkers workers(spec_for(4, groups)); },
                               {"4 environments", "1 to 4"}));
}

BOOST_AUTO_TEST_SUITE_END()
