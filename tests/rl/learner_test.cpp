#include "rl/learner.hpp"

#include <limits>

#include "rl/run/csv.hpp"
#include "tests/rl/support.hpp"

namespace {

using rl::ErrorCode;
using rl::test::fails;

rl::ActorCritic<float> policy() {
  return rl::ActorCritic<float>({rl::make_box(1, -9, 9), rl::Discrete{2}, {3}, "tanh"});
}

std::vector<float> some(std::size_t count) {
  std::vector<float> values(count);
  rl::Rng(4).fill_normal(values);
  return values;
}

} // namespace

BOOST_AUTO_TEST_SUITE(learner)

BOOST_AUTO_TEST_CASE(what_follows_an_end_is_the_final_observation_not_the_next_episode) {
  rl::Batch batch;
  batch.resize({2, 2, 1, 1});
  batch.observation = {1, 2, 3, 4, 5, 6};
  batch.ends.push_back({0, 1, {1, 0, 1}});
  batch.final_observation = {8};
  auto network = policy();
  auto weights = some(network.parameter_count());
  rl::ActorCritic<float>::Workspace workspace;
  rl::BatchValues values;
  rl::judge(network, weights, batch, workspace, values);
  auto v = [&](float x) { return network.value(weights, std::span(&x, 1), workspace)[0]; };
  BOOST_TEST(values.now == (std::vector<float>{v(1), v(2), v(3), v(4)}),
             boost::test_tools::per_element());
  BOOST_TEST(values.next == (std::vector<float>{v(3), v(8), v(5), v(6)}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_saved_learner_goes_on_to_the_last_bit) {
  auto weights = some(20), loaded = std::vector<float>(20);
  auto gradient = some(20);
  rl::nn::Adam<float> adam(20), other(20);
  rl::Rng rng(3), drawn(0);
  adam.step(weights, gradient, 0.1);
  rng.next();
  rl::Checkpoint checkpoint;
  rl::save_learner(checkpoint, weights, adam, &rng);
  rl::load_learner(checkpoint, loaded, other, &drawn);
  BOOST_TEST(loaded == weights, boost::test_tools::per_element());
  BOOST_TEST(drawn.next() == rng.next());
  adam.step(weights, gradient, 0.1);
  other.step(loaded, gradient, 0.1);
  BOOST_TEST(loaded == weights, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_learner_of_another_size_is_refused_and_changes_nothing) {
  auto weights = some(20), fewer = std::vector<float>(19);
  rl::nn::Adam<float> adam(20), other(19);
  rl::Checkpoint checkpoint;
  rl::save_learner(checkpoint, weights, adam);
  BOOST_TEST(fails(ErrorCode::bad_checkpoint, [&] { rl::load_learner(checkpoint, fewer, other); },
                   {"20 weights, this network 19", "layers"}));
  BOOST_TEST(fewer == std::vector<float>(19), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(an_evaluation_is_logged) {
  rl::test::TemporaryFolder folder;
  rl::RunOptions options;
  options.logdir = folder.path;
  options.quiet = true;
  options.evaluation_episodes = 3;
  rl::ActorCritic<float> network({rl::make_box(4, -1, 1), rl::Discrete{2}, {3}, "tanh"});
  auto weights = some(network.parameter_count());
  rl::Run run(options, "test", {});
  auto result = rl::evaluate_policy(run, "final", network, weights);
  BOOST_TEST(result.episodes == 3);
  BOOST_TEST(result.mean == rl::evaluate_policy(run, "final", network, weights).mean);
  BOOST_TEST(rl::read_csv(folder.path / "evaluation.csv").column("mean_return")[0] == result.mean);
}

BOOST_AUTO_TEST_CASE(a_gradient_that_is_not_finite_names_its_algorithm) {
  rl::require_finite(1e30, "A2C");
  for (auto bad : {std::numeric_limits<double>::quiet_NaN(), 1 / 0.0})
    BOOST_TEST(
      fails(ErrorCode::not_finite, [&] { rl::require_finite(bad, "A2C"); }, {"A2C", "diverged"}));
}

BOOST_AUTO_TEST_SUITE_END()
