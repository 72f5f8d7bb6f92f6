#include "rl/gae.hpp"

#include <cmath>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "rl/rng.hpp"

namespace {

struct Fragment {
  std::size_t steps, envs;
  std::vector<float> reward, value, next_value, advantage;
  std::vector<std::uint8_t> terminated, truncated;

  Fragment(std::size_t t, std::size_t n)
    : steps(t), envs(n), reward(t * n), value(t * n), next_value(t * n), advantage(t * n),
      terminated(t * n), truncated(t * n) {}

  void run(double gamma, double lambda) {
    rl::gae({steps, envs, reward, value, next_value, terminated, truncated, advantage}, gamma,
            lambda);
  }
};

// Equation 16 literally: for every step the sum of all later deltas of its episode, O(T^2).
double naive(const Fragment& f, std::size_t t, std::size_t env, double gamma, double lambda) {
  double sum = 0, weight = 1;
  for (auto l = t; l < f.steps; ++l) {
    auto i = l * f.envs + env;
    auto future = f.terminated[i] ? 0.0 : static_cast<double>(f.next_value[i]);
    sum += weight * (f.reward[i] + gamma * future - f.value[i]);
    if (f.terminated[i] || f.truncated[i])
      break;
    weight *= gamma * lambda;
  }
  return sum;
}

} // namespace

BOOST_AUTO_TEST_SUITE(gae)

BOOST_AUTO_TEST_CASE(advantages_equal_the_sum_written_in_the_paper) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    rl::Rng rng(seed);
    Fragment f(1 + rng.below(30), 1 + rng.below(5));
    auto gamma = rng.uniform(0.5, 1), lambda = rng.uniform();
    for (std::size_t i = 0; i < f.reward.size(); ++i) {
      f.reward[i] = static_cast<float>(rng.normal());
      f.value[i] = static_cast<float>(rng.normal());
      f.next_value[i] = static_cast<float>(rng.normal());
      auto ending = rng.below(8);
      f.terminated[i] = ending == 0 || ending == 2;
      f.truncated[i] = ending == 1 || ending == 2; // both at once: terminated counts
    }
    f.run(gamma, lambda);
    for (std::size_t t = 0; t < f.steps; ++t)
      for (std::size_t env = 0; env < f.envs; ++env)
        BOOST_TEST(std::abs(f.advantage[t * f.envs + env] - naive(f, t, env, gamma, lambda)) < 1e-5,
                   "seed " << seed << ", step " << t << ", environment " << env);
  }
}

BOOST_AUTO_TEST_CASE(termination_has_no_future_and_truncation_has_one) {
  Fragment f(1, 2);
  f.reward = {1, 1};
  f.value = {0, 0};
  f.next_value = {100, 100};
  f.terminated = {1, 0};
  f.truncated = {0, 1};
  f.run(0.9, 0.95);
  BOOST_TEST(f.advantage[0] == 1.0f);
  BOOST_TEST(f.advantage[1] == 91.0f);
}

BOOST_AUTO_TEST_CASE(a_value_that_is_not_read_may_be_nan) {
  Fragment f(1, 1);
  f.reward = {2};
  f.next_value = {std::nanf("")};
  f.terminated = {1};
  f.run(0.9, 0.95);
  BOOST_TEST(f.advantage[0] == 2.0f);
}

BOOST_AUTO_TEST_CASE(
  with_lambda_0_a_cut_between_fragments_changes_nothing_and_with_1_only_the_bootstrap) {
  // With lambda = 0 every advantage is its own delta, wherever the fragment is cut. With lambda = 1
  // and exact values, deltas are 0, so a cut is invisible too: the value after the cut stands for
  // the future.
  Fragment whole(6, 1), late(3, 1);
  for (std::size_t t = 0; t < 6; ++t) {
    whole.reward[t] = 1;
    whole.value[t] = static_cast<float>(6 - t);
    whole.next_value[t] = static_cast<float>(5 - t);
  }
  whole.run(1, 1);
  for (auto each : whole.advantage)
    BOOST_TEST(each == 0.0f);
  std::copy_n(whole.reward.begin() + 3, 3, late.reward.begin());
  std::copy_n(whole.value.begin() + 3, 3, late.value.begin());
  std::copy_n(whole.next_value.begin() + 3, 3, late.next_value.begin());
  whole.value[4] = late.value[1] = 9; // now something to see
  whole.run(0.9, 0);
  late.run(0.9, 0);
  for (std::size_t t = 0; t < 3; ++t)
    BOOST_TEST(late.advantage[t] == whole.advantage[t + 3]);
}

BOOST_AUTO_TEST_SUITE_END()
