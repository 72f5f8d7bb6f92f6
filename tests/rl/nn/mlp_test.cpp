#include "rl/nn/mlp.hpp"

#include <cmath>

#include "tests/rl/support.hpp"

namespace {

using rl::nn::Activation;
using rl::nn::Mlp;

// The network as its definition says: plain loops over nested vectors, nothing shared with the code
// under test.
struct NaiveMlp {
  std::vector<std::size_t> sizes;
  Activation activation;

  double f(double x) const {
    return activation == Activation::tanh ? std::tanh(x) : std::max(x, 0.0);
  }
  double slope(double x) const {
    return activation == Activation::tanh ? 1 - std::tanh(x) * std::tanh(x) : (x > 0 ? 1.0 : 0.0);
  }

  // Runs one row; when d_output is given, adds the parameters' gradient to `gradient`.
  std::vector<double> run(const std::vector<double>& p, std::vector<double> x,
                          const std::vector<double>* d_output = nullptr,
                          std::vector<double>* gradient = nullptr) const {
    std::vector<std::vector<double>> inputs, sums;
    std::vector<std::size_t> offsets;
    std::size_t at = 0;
    for (std::size_t l = 0; l + 1 < sizes.size(); ++l) {
      inputs.push_back(x);
      offsets.push_back(at);
      std::vector<double> sum(sizes[l + 1]);
      for (std::size_t j = 0; j < sum.size(); ++j) {
        sum[j] = p[at + sizes[l] * sizes[l + 1] + j];
        for (std::size_t i = 0; i < x.size(); ++i)
          sum[j] += x[i] * p[at + i * sizes[l + 1] + j];
      }
      at += (sizes[l] + 1) * sizes[l + 1];
      sums.push_back(sum);
      x = sum;
      if (l + 2 < sizes.size())
        for (auto& each : x)
          each = f(each);
    }
    auto output = x;
    if (!d_output)
      return output;
    auto d = *d_output;
    for (auto l = sizes.size() - 1; l-- > 0;) {
      if (l + 2 < sizes.size())
        for (std::size_t j = 0; j < d.size(); ++j)
          d[j] *= slope(sums[l][j]);
      std::vector<double> before(sizes[l]);
      for (std::size_t j = 0; j < d.size(); ++j) {
        (*gradient)[offsets[l] + sizes[l] * sizes[l + 1] + j] += d[j];
        for (std::size_t i = 0; i < before.size(); ++i) {
          (*gradient)[offsets[l] + i * sizes[l + 1] + j] += d[j] * inputs[l][i];
          before[i] += d[j] * p[offsets[l] + i * sizes[l + 1] + j];
        }
      }
      d = before;
    }
    return output;
  }
};

std::vector<double> normals(std::size_t size, rl::Rng& rng) {
  std::vector<double> values(size);
  for (auto& each : values)
    each = rng.normal();
  return values;
}

const std::vector<std::vector<std::size_t>> networks = {
  {3, 2}, {4, 8, 2}, {5, 7, 9, 3}, {4, 64, 64, 2}};

} // namespace

BOOST_AUTO_TEST_SUITE(mlp)

BOOST_AUTO_TEST_CASE(forward_and_backward_equal_an_independent_network) {
  rl::Rng rng(1);
  for (auto activation : {Activation::tanh, Activation::relu})
    for (auto& sizes : networks) {
      Mlp<double> mlp(sizes, activation);
      NaiveMlp naive{sizes, activation};
      constexpr std::size_t rows = 5;
      auto p = normals(mlp.parameter_count(), rng), x = normals(rows * sizes.front(), rng),
           d = normals(rows * sizes.back(), rng);
      rl::nn::Workspace<double> workspace;
      std::vector<double> gradient(p.size()), expected_gradient(p.size());
      auto y = mlp.forward(p, rows, x, workspace);
      for (std::size_t r = 0; r < rows; ++r) {
        auto row = [&](const std::vector<double>& all, std::size_t size) {
          return std::vector<double>(all.begin() + static_cast<std::ptrdiff_t>(r * size),
                                     all.begin() + static_cast<std::ptrdiff_t>((r + 1) * size));
        };
        auto d_row = row(d, sizes.back());
        auto expected = naive.run(p, row(x, sizes.front()), &d_row, &expected_gradient);
        for (std::size_t j = 0; j < expected.size(); ++j)
          BOOST_TEST(std::abs(y[r * expected.size() + j] - expected[j]) < 1e-11);
      }
      mlp.backward(p, rows, x, workspace, d, gradient);
      for (std::size_t i = 0; i < gradient.size(); ++i)
        BOOST_TEST(std::abs(gradient[i] - expected_gradient[i])
                   < 1e-10 * (1 + std::abs(expected_gradient[i])));
    }
}

BOOST_AUTO_TEST_CASE(backward_is_the_slope_of_forward) {
  rl::Rng rng(2);
  Mlp<double> mlp({4, 6, 5, 3}, Activation::tanh);
  auto p = normals(mlp.parameter_count(), rng), x = normals(7 * 4, rng), d = normals(7 * 3, rng);
  rl::nn::Workspace<double> workspace;
  auto loss = [&] { // any linear function of the outputs
    auto y = mlp.forward(p, 7, x, workspace);
    double sum = 0;
    for (std::size_t i = 0; i < y.size(); ++i)
      sum += d[i] * y[i];
    return sum;
  };
  loss();
  std::vector<double> gradient(p.size());
  mlp.backward(p, 7, x, workspace, d, gradient);
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

BOOST_AUTO_TEST_CASE(backward_tells_the_slope_by_the_inputs_too) {
  rl::Rng rng(2);
  for (auto activation : {Activation::tanh, Activation::relu})
    for (auto& sizes : networks) {
      Mlp<double> mlp(sizes, activation);
      constexpr std::size_t rows = 3;
      auto p = normals(mlp.parameter_count(), rng), x = normals(rows * sizes.front(), rng),
           d = normals(rows * sizes.back(), rng);
      rl::nn::Workspace<double> workspace;
      auto loss = [&] {
        auto y = mlp.forward(p, rows, x, workspace);
        double sum = 0;
        for (std::size_t i = 0; i < y.size(); ++i)
          sum += d[i] * y[i];
        return sum;
      };
      loss();
      std::vector<double> d_x(x.size(), 9), d_x_alone(x.size(), 9), gradient(p.size()),
        expected(p.size());
      mlp.backward(p, rows, x, workspace, d, gradient, d_x);
      mlp.backward(p, rows, x, workspace, d, {}, d_x_alone);
      mlp.backward(p, rows, x, workspace, d, expected);
      BOOST_TEST(gradient == expected, boost::test_tools::per_element());
      BOOST_TEST(d_x == d_x_alone, boost::test_tools::per_element());
      for (std::size_t i = 0; i < x.size(); ++i) {
        constexpr double h = 1e-6;
        auto was = x[i];
        x[i] = was + h;
        auto above = loss();
        x[i] = was - h;
        auto below = loss();
        x[i] = was;
        BOOST_TEST(std::abs((above - below) / (2 * h) - d_x[i]) < 1e-5 * (1 + std::abs(d_x[i])));
      }
    }
}

BOOST_AUTO_TEST_CASE(backward_adds_to_the_gradient_it_is_given) {
  Mlp<double> mlp({2, 3, 1}, Activation::tanh);
  rl::Rng rng(3);
  auto p = normals(mlp.parameter_count(), rng), x = normals(2, rng);
  std::vector<double> d = {1}, once(p.size()), twice(p.size());
  rl::nn::Workspace<double> workspace;
  mlp.forward(p, 1, x, workspace);
  mlp.backward(p, 1, x, workspace, d, once);
  mlp.backward(p, 1, x, workspace, d, twice);
  mlp.backward(p, 1, x, workspace, d, twice);
  for (std::size_t i = 0; i < p.size(); ++i)
    BOOST_TEST(twice[i] == 2 * once[i], boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(weights_start_orthogonal_with_the_gains_asked_for) {
  Mlp<double> mlp({6, 16, 16, 3}, Activation::tanh);
  std::vector<double> p(mlp.parameter_count(), 9);
  rl::Rng rng(4);
  mlp.initialise(p, std::sqrt(2.0), 0.01, rng);
  auto check = [&](std::size_t at, std::size_t in, std::size_t out, double gain) {
    auto shorter = std::min(in, out);
    for (std::size_t a = 0; a < shorter; ++a)
      for (std::size_t b = 0; b < shorter; ++b) {
        double dot = 0;
        for (std::size_t k = 0; k < std::max(in, out); ++k)
          dot += in >= out ? p[at + k * out + a] * p[at + k * out + b]
                           : p[at + a * out + k] * p[at + b * out + k];
        BOOST_TEST(std::abs(dot - (a == b ? gain * gain : 0)) < 1e-12);
      }
    for (std::size_t j = 0; j < out; ++j)
      BOOST_TEST(p[at + in * out + j] == 0);
    return at + (in + 1) * out;
  };
  auto at = check(0, 6, 16, std::sqrt(2.0));
  at = check(at, 16, 16, std::sqrt(2.0));
  at = check(at, 16, 3, 0.01);
  BOOST_TEST(at == p.size());
}

BOOST_AUTO_TEST_CASE(a_network_without_layers_or_units_is_refused) {
  using rl::ErrorCode;
  BOOST_TEST(rl::test::fails(ErrorCode::bad_value, [] { Mlp<float>({3}, Activation::tanh); }));
  BOOST_TEST(rl::test::fails(ErrorCode::bad_value, [] {
    Mlp<float>({3, 0, 2}, Activation::tanh);
  }));
}

BOOST_AUTO_TEST_SUITE_END()
