#include "rl/nn/squashed.hpp"

#include <cmath>
#include <numbers>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "rl/rng.hpp"

namespace {

using Head = rl::nn::SquashedGaussian<double>;

// log of the normal density.
double log_normal(double u, double mean, double std) {
  auto z = (u - mean) / std;
  return -0.5 * z * z - std::log(std) - 0.5 * std::log(2 * std::numbers::pi);
}

} // namespace

BOOST_AUTO_TEST_SUITE(squashed)

BOOST_AUTO_TEST_CASE(log_prob_is_that_of_the_definition) {
  std::vector<double> mean = {0.5, -1}, log_std = {0.2, -0.7}, noise = {0.3, -1.4}, action(2);
  auto log_prob = Head{mean, log_std}.act(noise, action);
  double expected = 0;
  for (std::size_t i = 0; i < 2; ++i) {
    auto std = std::exp(log_std[i]), u = mean[i] + std * noise[i];
    BOOST_TEST(action[i] == std::tanh(u), boost::test_tools::tolerance(1e-14));
    expected += log_normal(u, mean[i], std) - std::log(1 - std::tanh(u) * std::tanh(u));
  }
  BOOST_TEST(log_prob == expected, boost::test_tools::tolerance(1e-12));
}

// The density integrates to 1 over (-1, 1), the space of actions: the correction is right.
BOOST_AUTO_TEST_CASE(the_density_of_actions_integrates_to_one) {
  for (double mean : {0.0, 0.7, -1.5})
    for (double log_std : {-1.0, 0.0, 0.5}) {
      double sum = 0;
      constexpr int cells = 200'000;
      for (int i = 0; i < cells; ++i) {
        auto a = -1 + (2 * i + 1.0) / cells; // the middle of a cell
        std::vector<double> m = {mean}, s = {log_std}, action(1),
                            noise = {(std::atanh(a) - mean) / std::exp(log_std)};
        sum += std::exp(Head{m, s}.act(noise, action)) * 2 / cells;
      }
      BOOST_TEST(std::abs(sum - 1) < 1e-3, "mean " << mean << ", log_std " << log_std);
    }
}

// Where tanh rounds to 1 the naive correction is log 0. The asymptote: 1 - tanh(u)^2 = 4 e^(-2|u|).
BOOST_AUTO_TEST_CASE(log_prob_stays_right_where_tanh_rounds_to_one) {
  for (float u : {12.0f, 40.0f, -40.0f, 300.0f, -1000.0f}) {
    std::vector<float> mean = {u}, log_std = {0}, noise = {0.5f}, action(1);
    auto log_prob = rl::nn::SquashedGaussian<float>{mean, log_std}.act(noise, action);
    auto at = std::abs(static_cast<double>(u) + 0.5);
    auto expected = log_normal(0.5, 0, 1) - (2 * std::numbers::ln2 - 2 * at);
    BOOST_TEST(std::abs(action[0]) == 1);
    BOOST_TEST(std::abs(log_prob - expected) < 1e-5 * std::abs(expected), "u = " << u);
    std::vector<float> d_action = {1}, d_mean(1), d_log_std(1);
    rl::nn::SquashedGaussian<float>{mean, log_std}.gradient(noise, action, d_action, 1, d_mean,
                                                            d_log_std);
    BOOST_TEST(std::isfinite(d_mean[0]));
    BOOST_TEST(std::isfinite(d_log_std[0]));
  }
}

BOOST_AUTO_TEST_CASE(the_gradient_is_the_slope_through_the_draw) {
  // The last two are beyond the limits of log_std.
  std::vector<double> mean = {0.5, -1, 0.1, 0.3, -0.2}, log_std = {0.2, -0.7, -3, 2.5, -21},
                      noise = {0.3, -1.4, 0.9, 0.05, 1.1}, weight = {1.3, -0.4, 0.8, 2, 0.6},
                      action(5), d_mean(5), d_log_std(5);
  Head head{mean, log_std};
  auto loss = [&] {
    auto sum = 0.7 * head.act(noise, action);
    for (std::size_t i = 0; i < 5; ++i)
      sum += weight[i] * action[i];
    return sum;
  };
  loss();
  head.gradient(noise, action, weight, 0.7, d_mean, d_log_std);
  auto slope = [&](std::vector<double>& x, std::size_t i) {
    constexpr double h = 1e-6;
    auto was = x[i];
    x[i] = was + h;
    auto above = loss();
    x[i] = was - h;
    auto below = loss();
    x[i] = was;
    return (above - below) / (2 * h);
  };
  for (std::size_t i = 0; i < 5; ++i) {
    BOOST_TEST(std::abs(d_mean[i] - slope(mean, i)) < 1e-8);
    BOOST_TEST(std::abs(d_log_std[i] - slope(log_std, i)) < 1e-8);
  }
  BOOST_TEST(d_log_std[3] == 0);
  BOOST_TEST(d_log_std[4] == 0);
}

BOOST_AUTO_TEST_CASE(greedily_it_acts_in_the_middle) {
  std::vector<double> mean = {0.5, -3}, action(2);
  Head{mean, {}}.act_greedily(action);
  BOOST_TEST(action[0] == std::tanh(0.5));
  BOOST_TEST(action[1] == std::tanh(-3.0));
}

BOOST_AUTO_TEST_SUITE_END()
