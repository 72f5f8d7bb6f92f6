#include "rl/nn/heads.hpp"

#include <cmath>
#include <numbers>
#include <vector>

#include <boost/test/unit_test.hpp>

namespace {

using Categorical = rl::nn::Categorical<double>;
using Gaussian = rl::nn::DiagonalGaussian<double>;

constexpr double h = 1e-6;

// The slope of f at x[i] by central difference.
template <class F>
double slope(std::vector<double>& x, std::size_t i, F f) {
  auto was = x[i];
  x[i] = was + h;
  auto above = f();
  x[i] = was - h;
  auto below = f();
  x[i] = was;
  return (above - below) / (2 * h);
}

} // namespace

BOOST_AUTO_TEST_SUITE(categorical)

BOOST_AUTO_TEST_CASE(log_prob_and_entropy_are_those_of_softmax) {
  std::vector<double> logits = {1, 2, 0.5};
  auto sum = std::exp(1.0) + std::exp(2.0) + std::exp(0.5);
  double entropy = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    auto p = std::exp(logits[i]) / sum;
    entropy -= p * std::log(p);
    BOOST_TEST(Categorical(logits).log_prob(static_cast<float>(i)) == std::log(p),
               boost::test_tools::tolerance(1e-14));
  }
  BOOST_TEST(Categorical(logits).entropy() == entropy, boost::test_tools::tolerance(1e-14));
  BOOST_TEST(rl::nn::most_likely<double>(logits) == 1);
}

BOOST_AUTO_TEST_CASE(large_logits_do_not_overflow) {
  std::vector<double> logits = {1000, 0, -1000};
  BOOST_TEST(Categorical(logits).log_prob(0) == 0);
  BOOST_TEST(Categorical(logits).log_prob(1) == -1000);
  BOOST_TEST(Categorical(logits).entropy() == 0);
}

BOOST_AUTO_TEST_CASE(the_gradient_is_the_slope_of_log_prob_and_entropy) {
  std::vector<double> logits = {0.3, -1.2, 0.8, 0.1}, gradient(4);
  for (float action : {0.0f, 2.0f}) {
    Categorical(logits).gradient(action, 1.7, -0.6, gradient);
    for (std::size_t i = 0; i < 4; ++i) {
      auto expected = slope(logits, i, [&] {
        return 1.7 * Categorical(logits).log_prob(action) - 0.6 * Categorical(logits).entropy();
      });
      BOOST_TEST(std::abs(gradient[i] - expected) < 1e-8);
    }
  }
}

BOOST_AUTO_TEST_CASE(samples_are_as_frequent_as_their_probabilities) {
  std::vector<double> logits = {std::log(0.2), std::log(0.5), std::log(0.3)};
  rl::Rng rng(1);
  int counts[3] = {};
  for (int i = 0; i < 100'000; ++i)
    ++counts[static_cast<int>(Categorical(logits).sample(rng))];
  BOOST_TEST(std::abs(counts[0] - 20'000) < 650); // five standard deviations
  BOOST_TEST(std::abs(counts[1] - 50'000) < 800);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(diagonal_gaussian)

BOOST_AUTO_TEST_CASE(log_prob_and_entropy_are_those_of_the_normal_density) {
  std::vector<double> mean = {0.5, -1}, log_std = {0.2, -0.7};
  std::vector<float> action = {1.25f, -0.5f};
  double expected = 0, entropy = 0;
  for (std::size_t i = 0; i < 2; ++i) {
    auto s = std::exp(log_std[i]), z = (action[i] - mean[i]) / s;
    expected += std::log(std::exp(-z * z / 2) / (s * std::sqrt(2 * std::numbers::pi)));
    entropy += 0.5 * std::log(2 * std::numbers::pi * std::numbers::e * s * s);
  }
  Gaussian head{mean, log_std};
  BOOST_TEST(head.log_prob(action) == expected, boost::test_tools::tolerance(1e-13));
  BOOST_TEST(head.entropy() == entropy, boost::test_tools::tolerance(1e-13));
}

BOOST_AUTO_TEST_CASE(the_gradient_is_the_slope_of_log_prob_and_entropy) {
  std::vector<double> mean = {0.5, -1}, log_std = {0.2, -0.7}, d_mean(2), d_log_std(2);
  std::vector<float> action = {1.25f, -0.5f};
  Gaussian head{mean, log_std};
  head.gradient(action, 1.3, 0.4, d_mean, d_log_std);
  auto f = [&] { return 1.3 * head.log_prob(action) + 0.4 * head.entropy(); };
  for (std::size_t i = 0; i < 2; ++i) {
    BOOST_TEST(std::abs(d_mean[i] - slope(mean, i, f)) < 1e-8);
    BOOST_TEST(std::abs(d_log_std[i] - slope(log_std, i, f)) < 1e-8);
  }
}

BOOST_AUTO_TEST_CASE(samples_have_the_mean_and_deviation_asked_for) {
  std::vector<double> mean = {3}, log_std = {std::log(2.0)};
  rl::Rng rng(1);
  double sum = 0, square = 0;
  for (int i = 0; i < 100'000; ++i) {
    float action[1];
    Gaussian{mean, log_std}.sample(rng, action);
    sum += action[0] / 1e5;
    square += (action[0] - 3) * (action[0] - 3) / 1e5;
  }
  BOOST_TEST(std::abs(sum - 3) < 0.032);
  BOOST_TEST(std::abs(square - 4) < 0.09);
}

BOOST_AUTO_TEST_SUITE_END()
