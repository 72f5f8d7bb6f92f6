#include "rl/q_network.hpp"

#include <cmath>

#include "tests/rl/support.hpp"

namespace {

rl::QSpec spec_for(std::vector<std::int64_t> hidden, bool duelling) {
  return {rl::make_box(3, -1, 1), rl::Discrete{4}, std::move(hidden), "tanh", duelling};
}

const rl::QSpec all_specs[] = {spec_for({5, 6}, false), spec_for({5, 6}, true), spec_for({5}, true),
                               spec_for({}, true), spec_for({5, 6, 7}, true)};

template <class S>
std::vector<S> normals(std::size_t size, std::uint64_t seed) {
  std::vector<S> values(size);
  rl::Rng rng(seed);
  for (auto& each : values)
    each = static_cast<S>(rng.normal());
  return values;
}

} // namespace

BOOST_AUTO_TEST_SUITE(q_network)

BOOST_AUTO_TEST_CASE(backward_is_the_slope_of_forward) {
  for (auto& spec : all_specs) {
    rl::QNetwork<double> network(spec);
    auto p = normals<double>(network.parameter_count(), 1), x = normals<double>(6 * 3, 2),
         d = normals<double>(6 * 4, 3);
    rl::QNetwork<double>::Workspace workspace;
    auto loss = [&] { // any linear function of the values
      auto q = network.forward(p, x, workspace);
      double sum = 0;
      for (std::size_t i = 0; i < q.size(); ++i)
        sum += d[i] * q[i];
      return sum;
    };
    loss();
    std::vector<double> gradient(p.size());
    network.backward(p, x, d, gradient, workspace);
    for (std::size_t i = 0; i < p.size(); ++i) {
      constexpr double h = 1e-5;
      auto was = p[i];
      p[i] = was + h;
      auto above = loss();
      p[i] = was - h;
      auto below = loss();
      p[i] = was;
      BOOST_TEST(std::abs((above - below) / (2 * h) - gradient[i]) < 1e-7);
    }
  }
}

// Equation 9 by plain loops: one shared layer of tanh, a hidden layer and an output in each stream.
BOOST_AUTO_TEST_CASE(duelling_streams_share_the_first_layers_and_are_joined_by_equation_9) {
  rl::QNetwork<double> network(spec_for({5, 6}, true));
  auto p = normals<double>(network.parameter_count(), 4), x = normals<double>(3, 5);
  std::size_t at = 0;
  auto layer = [&](const std::vector<double>& in, std::size_t out, bool squash) {
    std::vector<double> y(out);
    for (std::size_t j = 0; j < out; ++j) {
      y[j] = p[at + in.size() * out + j];
      for (std::size_t i = 0; i < in.size(); ++i)
        y[j] += in[i] * p[at + i * out + j];
      if (squash)
        y[j] = std::tanh(y[j]);
    }
    at += (in.size() + 1) * out;
    return y;
  };
  auto features = layer(x, 5, true);
  auto value = layer(layer(features, 6, true), 1, false)[0];
  auto advantage = layer(layer(features, 6, true), 4, false);
  BOOST_TEST(at == p.size());
  auto mean = (advantage[0] + advantage[1] + advantage[2] + advantage[3]) / 4;
  rl::QNetwork<double>::Workspace workspace;
  auto q = network.forward(p, x, workspace);
  for (std::size_t i = 0; i < 4; ++i)
    BOOST_TEST(std::abs(q[i] - (value + advantage[i] - mean)) < 1e-12);
}

BOOST_AUTO_TEST_CASE(actions_do_not_depend_on_the_batch) {
  for (auto& spec : all_specs) {
    rl::QNetwork<float> network(spec);
    auto p = normals<float>(network.parameter_count(), 1), x = normals<float>(13 * 3, 2);
    rl::QNetwork<float>::Workspace workspace;
    std::vector<rl::Rng> rngs, again;
    for (std::uint64_t i = 0; i < 13; ++i) {
      rngs.emplace_back(i);
      again.emplace_back(i);
    }
    std::vector<double> epsilon(13, 0.5);
    std::vector<float> together(13), alone(1);
    network.act(p, x, epsilon, rngs, together, workspace);
    for (std::size_t row = 0; row < 13; ++row) {
      network.act(p, std::span(x).subspan(row * 3, 3), std::span(epsilon).first(1),
                  std::span(again).subspan(row, 1), alone, workspace);
      BOOST_TEST(alone[0] == together[row]);
    }
  }
}

BOOST_AUTO_TEST_CASE(each_row_explores_with_its_own_probability) {
  rl::QNetwork<float> network(spec_for({5}, false));
  auto p = normals<float>(network.parameter_count(), 1);
  rl::QNetwork<float>::Workspace workspace;
  std::vector<float> x(9, 0.3f), greedy(3), action(3); // three rows alike
  network.act_greedily(p, x, greedy, workspace);
  double epsilon[] = {0, 0.4, 1};
  rl::Rng rngs[] = {rl::Rng(1), rl::Rng(2), rl::Rng(3)};
  int others[3] = {};
  for (int i = 0; i < 10'000; ++i) {
    network.act(p, x, epsilon, rngs, action, workspace);
    for (std::size_t row = 0; row < 3; ++row)
      others[row] += action[row] != greedy[row];
  }
  BOOST_TEST(others[0] == 0);
  BOOST_TEST(std::abs(others[1] - 3000) < 250); // 0.4 of the time any of 4: 3 of these are others
  BOOST_TEST(std::abs(others[2] - 7500) < 250);
}

BOOST_AUTO_TEST_CASE(fresh_values_are_small) {
  for (auto& spec : all_specs) {
    rl::QNetwork<float> network(spec);
    rl::Rng rng(1);
    auto p = network.initialise(rng);
    auto x = normals<float>(30, 2);
    rl::QNetwork<float>::Workspace workspace;
    bool zero = true;
    for (auto q : network.forward(p, x, workspace)) {
      BOOST_TEST(std::abs(q) < 1);
      zero = zero && q == 0;
    }
    BOOST_TEST(!zero);
  }
}

BOOST_AUTO_TEST_CASE(spaces_and_weights_that_do_not_fit_are_refused) {
  using rl::ErrorCode, rl::test::fails;
  auto box = rl::make_box(1, -1, 1);
  BOOST_TEST(fails(ErrorCode::bad_space, [&] { rl::QNetwork<float>({box, box}); }, {"Box"}));
  BOOST_TEST(fails(ErrorCode::bad_space, [] {
    rl::QNetwork<float>({rl::Discrete{2}, rl::Discrete{2}});
  }));
  BOOST_TEST(fails(ErrorCode::bad_value, [&] {
    rl::QNetwork<float>({box, rl::Discrete{2}, {0}});
  }));
  BOOST_TEST(
    fails(ErrorCode::bad_value,
          [&] {
            rl::QNetwork<float>({box, rl::Discrete{2}}).check_weights(std::vector<float>(3));
          },
          {"weights, not 3"}));
}

BOOST_AUTO_TEST_SUITE_END()
