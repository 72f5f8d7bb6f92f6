#include "rl/vtrace.hpp"

#include <cmath>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "rl/gae.hpp"
#include "rl/rng.hpp"

namespace {

// Columns of random numbers, about every sixth step an end. Rows follow each other as in a
// fragment: V(x_{t+1}) of one is V(x_t) of the next.
struct Columns {
  Columns(std::size_t steps, std::size_t envs, std::uint64_t seed, bool on_policy = false)
    : shape{steps, envs} {
    rl::Rng rng(seed);
    for (std::size_t i = 0; i < steps * envs; ++i) {
      log_ratio.push_back(on_policy ? 0.0f : static_cast<float>(0.7 * rng.normal()));
      reward.push_back(static_cast<float>(rng.normal()));
      value.push_back(static_cast<float>(rng.normal()));
      next_value.push_back(static_cast<float>(rng.normal()));
      terminated.push_back(rng.uniform() < 0.1);
      truncated.push_back(!terminated.back() && rng.uniform() < 0.1);
    }
    for (std::size_t i = 0; i + envs < reward.size(); ++i)
      if (!ended(i))
        next_value[i] = value[i + envs];
    target.resize(reward.size());
    advantage.resize(reward.size());
  }

  void run(const rl::VtraceOptions& options) {
    rl::vtrace({shape[0], shape[1], log_ratio, reward, value, next_value, terminated, truncated,
                target, advantage},
               options);
  }
  double next(std::size_t i) const { return terminated[i] ? 0 : next_value[i]; }
  bool ended(std::size_t i) const { return terminated[i] || truncated[i]; }

  std::size_t shape[2];
  std::vector<float> log_ratio, reward, value, next_value, target, advantage;
  std::vector<std::uint8_t> terminated, truncated;
};

constexpr auto tolerance = 1e-5;

} // namespace

BOOST_AUTO_TEST_SUITE(vtrace)

BOOST_AUTO_TEST_CASE(on_policy_the_target_is_the_n_step_return) {
  Columns c(12, 3, 1, true);
  c.run({.gamma = 0.9});
  for (std::size_t t = 0; t < 12; ++t)
    for (std::size_t env = 0; env < 3; ++env) {
      double expected = 0, discount = 1;
      for (auto s = t;; ++s) {
        auto i = s * 3 + env;
        expected += discount * c.reward[i];
        discount *= 0.9;
        if (c.ended(i) || s == 11) {
          expected += discount * c.next(i); // what a time limit or the fragment cut off
          break;
        }
      }
      auto i = t * 3 + env;
      BOOST_TEST(std::abs(c.target[i] - expected) < tolerance);
    }
}

BOOST_AUTO_TEST_CASE(on_policy_it_is_generalised_advantage_estimation_of_the_same_lambda) {
  Columns c(20, 1, 2, true);
  c.run({.gamma = 0.95, .lambda = 0.8});
  std::vector<float> advantage(20);
  rl::gae({20, 1, c.reward, c.value, c.next_value, c.terminated, c.truncated, advantage}, 0.95,
          0.8);
  for (std::size_t t = 0; t < 20; ++t)
    BOOST_TEST(std::abs(c.target[t] - c.value[t] - advantage[t]) < tolerance);
}

BOOST_AUTO_TEST_CASE(off_policy_it_is_the_sum_of_equation_1) {
  rl::VtraceOptions options{.gamma = 0.9, .lambda = 0.95, .rho_bar = 1.2, .c_bar = 0.8};
  Columns c(15, 2, 3);
  c.run(options);
  auto rho = [&](std::size_t i) { return std::min(1.2, std::exp(double{c.log_ratio[i]})); };
  auto trace = [&](std::size_t i) {
    return 0.95 * std::min(0.8, std::exp(double{c.log_ratio[i]}));
  };
  auto delta = [&](std::size_t i) { return rho(i) * (c.reward[i] + 0.9 * c.next(i) - c.value[i]); };
  for (std::size_t t = 0; t < 15; ++t)
    for (std::size_t env = 0; env < 2; ++env) {
      double correction = 0, factor = 1; // gamma^(s-t) c_t ... c_{s-1}
      for (auto s = t; s < 15; ++s) {
        auto i = s * 2 + env;
        correction += factor * delta(i);
        if (c.ended(i))
          break;
        factor *= 0.9 * trace(i);
      }
      auto i = t * 2 + env;
      BOOST_TEST(std::abs(c.target[i] - (c.value[i] + correction)) < tolerance);
      auto last = t == 14 || c.ended(i);
      auto next_target = c.next(i) + (last ? 0 : c.target[i + 2] - c.value[i + 2]);
      BOOST_TEST(std::abs(c.advantage[i] - rho(i) * (c.reward[i] + 0.9 * next_target - c.value[i]))
                 < tolerance);
    }
}

BOOST_AUTO_TEST_CASE(the_last_step_is_worth_its_reward_and_what_follows_unless_it_terminated) {
  struct Row {
    bool terminated, truncated;
    double follows;
  };
  for (auto [terminated, truncated, follows] :
       {Row{false, false, 5}, {false, true, 5}, {true, false, 0}}) {
    Columns c(1, 1, 4, true);
    c.reward = {2};
    c.value = {1};
    c.next_value = {5};
    c.terminated = {terminated};
    c.truncated = {truncated};
    c.run({.gamma = 0.5});
    BOOST_TEST(c.target[0] == 2 + 0.5 * follows);
    BOOST_TEST(c.advantage[0] == 1 + 0.5 * follows);
  }
}

BOOST_AUTO_TEST_CASE(
  steps_that_pi_would_not_take_teach_nothing_and_likely_ones_no_more_than_rho_bar) {
  Columns never(4, 1, 5), often(4, 1, 5), even(4, 1, 5);
  never.log_ratio.assign(4, -80);
  often.log_ratio.assign(4, 80);
  even.log_ratio.assign(4, 0);
  never.run({});
  for (std::size_t i = 0; i < 4; ++i) {
    BOOST_TEST(never.target[i] == never.value[i]);
    BOOST_TEST(std::abs(never.advantage[i]) < 1e-30f);
  }
  often.run({});
  even.run({});
  BOOST_TEST(often.target == even.target, boost::test_tools::per_element());
  BOOST_TEST(often.advantage == even.advantage, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
