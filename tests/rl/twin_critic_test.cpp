#include "rl/twin_critic.hpp"

#include <cmath>

#include "tests/rl/support.hpp"

namespace {

std::vector<double> normals(std::size_t size, std::uint64_t seed) {
  std::vector<double> values(size);
  rl::Rng rng(seed);
  for (auto& each : values)
    each = rng.normal();
  return values;
}

constexpr std::size_t rows = 5;

struct Fixture {
  rl::TwinCritic<double> critic{3, 2, {6, 4}, "tanh"};
  std::vector<double> p = normals(critic.parameter_count(), 1);
  std::vector<double> observation = normals(rows * 3, 2), action = normals(rows * 2, 3);
  std::vector<double> d_first = normals(rows, 4), d_second = normals(rows, 5);
  rl::TwinCritic<double>::Workspace workspace;

  double loss() { // any linear function of the values
    auto q = critic.forward(p, observation, action, workspace);
    double sum = 0;
    for (std::size_t i = 0; i < rows; ++i)
      sum += d_first[i] * q.first[i] + d_second[i] * q.second[i];
    return sum;
  }

  double slope(double& x) {
    constexpr double h = 1e-6;
    auto was = x;
    x = was + h;
    auto above = loss();
    x = was - h;
    auto below = loss();
    x = was;
    return (above - below) / (2 * h);
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(twin_critic, Fixture)

BOOST_AUTO_TEST_CASE(backward_is_the_slope_by_the_parameters) {
  loss();
  std::vector<double> gradient(p.size());
  critic.backward(p, d_first, d_second, gradient, workspace);
  for (std::size_t i = 0; i < p.size(); ++i)
    BOOST_TEST(std::abs(slope(p[i]) - gradient[i]) < 1e-7);
}

BOOST_AUTO_TEST_CASE(action_gradient_is_the_slope_by_the_actions) {
  loss();
  std::vector<double> d_action(action.size(), 9);
  critic.action_gradient(p, d_first, d_second, d_action, workspace);
  for (std::size_t i = 0; i < action.size(); ++i)
    BOOST_TEST(std::abs(slope(action[i]) - d_action[i]) < 1e-7);
}

BOOST_AUTO_TEST_CASE(the_two_start_differently_and_share_nothing) {
  rl::Rng rng(1);
  auto start = critic.initialise(rng);
  auto q = critic.forward(start, observation, action, workspace);
  BOOST_TEST(q.first[0] != q.second[0]);
  auto before = std::vector<double>(q.second.begin(), q.second.end());
  for (std::size_t i = 0; i < start.size() / 2; ++i)
    start[i] += 1;
  q = critic.forward(start, observation, action, workspace);
  for (std::size_t i = 0; i < rows; ++i)
    BOOST_TEST(q.second[i] == before[i]);
}

BOOST_AUTO_TEST_CASE(averaging_moves_by_its_share) {
  std::vector<float> target = {1, 2}, weights = {3, -2};
  rl::average_into(target, weights, 0.25);
  BOOST_TEST(target[0] == 1.5f);
  BOOST_TEST(target[1] == 1.0f);
  rl::average_into(target, weights, 1);
  BOOST_TEST(target == weights, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
