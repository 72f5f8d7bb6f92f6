#include "rl/es.hpp"

#include <cmath>

#include "rl/env/registry.hpp"
#include "tests/rl/support.hpp"

namespace {

rl::RunOptions quiet(const char* env, std::int64_t stop_steps) {
  rl::RunOptions options;
  options.env = env;
  options.stop_steps = stop_steps;
  options.quiet = true;
  options.evaluation_episodes = 2;
  return options;
}

rl::EsConfig small() {
  rl::EsConfig config;
  config.pairs = 4;
  config.hidden = {8};
  return config;
}

// What the training loop does with the scores. Returns the norm of the gradient.
double update(rl::Es& es, const rl::EsSpec& spec, std::span<const rl::EsJob> jobs,
              std::span<const rl::EsScore> scores) {
  rl::SerialEsWorkers workers(spec);
  return es.step(workers.weigh_noise(es.weights().size(), jobs, es.shares(jobs, scores)));
}

rl::TrainResult train(rl::EsConfig config, const rl::RunOptions& options) {
  rl::Run run(options, "es", config.fields());
  rl::SerialEsWorkers workers(rl::es_spec(config, options));
  return rl::train_es(config, run, workers);
}

} // namespace

BOOST_AUTO_TEST_SUITE(es)

BOOST_AUTO_TEST_CASE(centred_ranks_go_from_minus_a_half_to_a_half_and_ties_share) {
  auto ranks = [](std::vector<double> scores) { return rl::centred_ranks(scores); };
  BOOST_TEST(ranks({30, 1e9, -5}) == (std::vector<double>{0, 0.5, -0.5}),
             boost::test_tools::per_element());
  BOOST_TEST(ranks({1, 2, 2, 3, 9}) == (std::vector<double>{-0.5, -0.125, -0.125, 0.25, 0.5}),
             boost::test_tools::per_element());
  BOOST_TEST(ranks({7, 7}) == (std::vector<double>{0, 0}), boost::test_tools::per_element());
  BOOST_TEST(ranks({4}) == (std::vector<double>{0}), boost::test_tools::per_element());
  BOOST_TEST(ranks({}).empty());
}

BOOST_AUTO_TEST_CASE(both_members_of_a_pair_play_the_same_episodes) {
  auto spec = rl::es_spec(small(), quiet("Pendulum-v1", 0));
  rl::Rng rng(1);
  auto weights = rl::ActorCritic<float>(spec.policy).initialise(rng);
  spec.sigma = 1e-9; // too small to change any weight or action: only the episode could differ
  spec.episodes = 3;
  auto score = rl::try_pair(spec, weights, {1, 2});
  BOOST_TEST(score.plus == score.minus, boost::test_tools::tolerance(1e-6));
  BOOST_TEST(score.steps == 2 * 3 * 200);
  BOOST_TEST(std::abs(rl::try_pair(spec, weights, {1, 3}).plus - score.plus) > 1.0);
}

BOOST_AUTO_TEST_CASE(the_members_of_a_pair_carry_opposite_noise) {
  auto spec = rl::es_spec(small(), quiet("CartPole-v1", 0));
  rl::ActorCritic<float> policy(spec.policy);
  rl::Rng rng(1);
  auto weights = policy.initialise(rng);
  std::vector<float> noise(weights.size()), mirrored = weights;
  rl::Rng(77).fill_normal(noise);
  // A policy at weights - 2 sigma noise tried with + noise is the - member around weights.
  spec.sigma = 0.5;
  for (std::size_t i = 0; i < mirrored.size(); ++i)
    mirrored[i] -= noise[i];
  auto around = rl::try_pair(spec, weights, {77, 5}),
       shifted = rl::try_pair(spec, mirrored, {77, 5});
  BOOST_TEST(shifted.plus == around.minus);
}

BOOST_AUTO_TEST_CASE(an_update_follows_the_formula_of_the_paper) {
  auto config = small();
  config.weight_decay = 0;
  auto spec = rl::es_spec(config, quiet("CartPole-v1", 0));
  rl::Es es(config, spec, 1);
  std::vector<float> before(es.weights().begin(), es.weights().end());
  auto jobs = es.jobs(0);
  std::vector<rl::EsScore> scores = {{1, 2, 0}, {5, 0, 0}, {3, 3, 0}, {-1, 9, 0}};
  // Ranks of 1 2 5 0 3 3 -1 9 in sevenths, minus a half.
  double ranks[] = {2, 3, 6, 1, 4.5, 4.5, 0, 7};
  std::vector<double> gradient(before.size());
  for (std::size_t i = 0; i < 4; ++i) {
    std::vector<float> noise(before.size());
    rl::Rng(jobs[i].noise_seed).fill_normal(noise);
    for (std::size_t k = 0; k < gradient.size(); ++k)
      gradient[k] += (ranks[2 * i] - ranks[2 * i + 1]) / 7 * noise[k] / (8 * config.sigma);
  }
  double square = 0;
  for (auto each : gradient)
    square += each * each;
  BOOST_TEST(update(es, spec, jobs, scores) == std::sqrt(square),
             boost::test_tools::tolerance(1e-5));
  for (std::size_t k = 0; k < gradient.size();
       ++k) { // Adam's first step goes uphill by learning_rate
    auto step = es.weights()[k] - before[k];
    if (std::abs(gradient[k]) > 1e-3)
      BOOST_TEST(step == (gradient[k] > 0 ? 1 : -1) * static_cast<float>(config.learning_rate),
                 boost::test_tools::tolerance(1e-3f));
  }
}

BOOST_AUTO_TEST_CASE(a_return_that_is_no_number_is_an_error_and_no_endless_loop) {
  rl::Es es(small(), rl::es_spec(small(), quiet("CartPole-v1", 0)), 1);
  auto jobs = es.jobs(0);
  for (auto bad : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    std::vector<rl::EsScore> scores = {{1, 2, 0}, {5, 0, 0}, {3, bad, 0}, {-1, 9, 0}};
    BOOST_TEST(
      rl::test::fails(rl::ErrorCode::not_finite, [&] { es.shares(jobs, scores); },
                      {"pair 2", "CartPole-v1", std::to_string(jobs[2].env_seed).c_str()}));
  }
}

BOOST_AUTO_TEST_CASE(noise_is_summed_in_blocks_that_depend_on_the_size_of_the_network_alone) {
  constexpr std::size_t weights = 10'000; // three pairs a block
  BOOST_TEST(rl::noise_block(weights) == 3u);
  std::vector<rl::EsJob> jobs = {{1, 0}, {2, 0}, {3, 0}, {4, 0}, {5, 0}, {6, 0}, {7, 0}};
  std::vector<double> shares = {0.5, -1, 0, 2, 1, 1e-9, 3};
  rl::SerialEsWorkers workers(rl::es_spec(small(), quiet("CartPole-v1", 0)));
  auto sum = workers.weigh_noise(weights, jobs, shares);
  std::vector<float> expected(weights);
  for (auto [first, count] : {std::pair<std::size_t, std::size_t>{0, 3}, {3, 3}, {6, 1}})
    rl::add_to(expected, rl::sum_noise(weights, std::span(jobs).subspan(first, count),
                                       std::span(shares).subspan(first, count)));
  BOOST_TEST(sum == expected, boost::test_tools::per_element());
  std::vector<float> noise(weights);
  rl::Rng(2).fill_normal(noise);
  auto one = rl::sum_noise(weights, std::span(jobs).subspan(1, 1), std::span(shares).subspan(1, 1));
  for (std::size_t k = 0; k < weights; ++k)
    BOOST_REQUIRE(one[k] == -noise[k]);
}

BOOST_AUTO_TEST_CASE(sums_are_added_in_a_tree_of_neighbours) {
  auto tree = [](std::vector<std::string> parts) {
    return rl::add_in_pairs(std::move(parts), [](auto one, auto& other) {
      return std::string("(").append(one).append("+").append(other).append(")");
    });
  };
  BOOST_TEST(tree({"a"}) == "a");
  BOOST_TEST(tree({"a", "b", "c"}) == "((a+b)+c)");
  BOOST_TEST(tree({"a", "b", "c", "d", "e", "f", "g"}) == "(((a+b)+(c+d))+((e+f)+g))");
}

BOOST_AUTO_TEST_CASE(weights_of_another_size_are_refused) {
  auto spec = rl::es_spec(small(), quiet("CartPole-v1", 0));
  std::vector<float> few(3);
  BOOST_TEST(rl::test::fails(rl::ErrorCode::bad_value,
                             [&] {
                               rl::try_pair(spec, few, {1, 2});
                             },
                             {"weights, not 3"}));
}

BOOST_AUTO_TEST_CASE(each_episode_of_a_member_is_counted) {
  rl::test::TemporaryFolder folder;
  auto config = small();
  config.episodes = 3;
  auto options = quiet("Pendulum-v1", 1);
  options.logdir = folder.path;
  train(config, options);
  BOOST_TEST(rl::read_csv(folder.path / "log.csv").column("episodes")[0] == 4 * 2 * 3);
}

BOOST_AUTO_TEST_CASE(jobs_never_repeat_a_seed) {
  rl::Es es(small(), rl::es_spec(small(), quiet("CartPole-v1", 0)), 1);
  std::vector<std::uint64_t> seeds;
  for (int update = 0; update < 50; ++update)
    for (auto& job : es.jobs(update))
      seeds.insert(seeds.end(), {job.noise_seed, job.env_seed});
  std::sort(seeds.begin(), seeds.end());
  BOOST_TEST((std::adjacent_find(seeds.begin(), seeds.end()) == seeds.end()));
}

BOOST_AUTO_TEST_CASE(a_resumed_run_ends_where_one_that_never_stopped_does) {
  rl::test::TemporaryFolder folder;
  auto straight = train(small(), quiet("Pendulum-v1", 20'000));
  auto options = quiet("Pendulum-v1", 8000);
  options.logdir = folder.path;
  train(small(), options);
  options.stop_steps = 20'000;
  options.resume = folder.path;
  auto resumed = train(small(), options);
  BOOST_TEST(resumed.steps == straight.steps);
  BOOST_TEST(resumed.weights == straight.weights, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
