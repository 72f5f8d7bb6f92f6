// Convolutions in front of a network, against plain loops and numerical slopes.

#include "rl/nn/conv.hpp"

#include <cmath>

#include "rl/nn/mlp.hpp"
#include "rl/policy.hpp"
#include "tests/rl/support.hpp"

namespace {

using rl::ErrorCode;
using rl::nn::Activation;
using rl::nn::ImageShape;
using rl::test::fails;

template <class S>
std::vector<S> normals(std::size_t count, std::uint64_t seed) {
  rl::Rng rng(seed);
  std::vector<S> values(count);
  for (auto& each : values)
    each = static_cast<S>(rng.normal());
  return values;
}

constexpr ImageShape image{6, 5, 2};

// Two convolutions and two dense layers.
template <class S>
rl::nn::Mlp<S> network() {
  return rl::nn::Mlp<S>({image.size(), 4, 3}, Activation::tanh, {image, {3, 2}});
}

// One convolution of one image, as its definition says, then tanh. `p` is advanced past w and b.
std::vector<double> convolve(const std::vector<double>& x, const ImageShape& in,
                             std::size_t filters, const double*& p) {
  std::vector<double> y;
  auto* bias = p + 9 * in.channels * filters;
  for (std::size_t row = 0; row + 3 <= in.rows; ++row)
    for (std::size_t column = 0; column + 3 <= in.columns; ++column)
      for (std::size_t f = 0; f < filters; ++f) {
        auto sum = bias[f];
        for (std::size_t i = 0; i < 3; ++i)
          for (std::size_t j = 0; j < 3; ++j)
            for (std::size_t c = 0; c < in.channels; ++c)
              sum += x[((row + i) * in.columns + column + j) * in.channels + c]
                     * p[((i * 3 + j) * in.channels + c) * filters + f];
        y.push_back(std::tanh(sum));
      }
  p = bias + filters;
  return y;
}

std::vector<double> dense(const std::vector<double>& x, std::size_t outputs, const double*& p) {
  std::vector<double> y(p + x.size() * outputs, p + (x.size() + 1) * outputs);
  for (std::size_t i = 0; i < x.size(); ++i)
    for (std::size_t j = 0; j < outputs; ++j)
      y[j] += x[i] * p[i * outputs + j];
  p += (x.size() + 1) * outputs;
  return y;
}

} // namespace

BOOST_AUTO_TEST_SUITE(conv)

BOOST_AUTO_TEST_CASE(a_network_with_convolutions_is_what_plain_loops_compute) {
  auto net = network<double>();
  BOOST_TEST(net.input_size() == 60u);
  BOOST_TEST(net.parameter_count() == (18 + 1) * 3 + (27 + 1) * 2 + (2 * 1 * 2 + 1) * 4 + 5 * 3u);
  auto p = normals<double>(net.parameter_count(), 1), x = normals<double>(3 * 60, 2);
  rl::nn::Workspace<double> workspace;
  auto y = net.forward(p, 3, x, workspace);
  for (std::size_t row = 0; row < 3; ++row) {
    auto* at = std::as_const(p).data();
    std::vector<double> one(x.begin() + static_cast<std::ptrdiff_t>(row * 60),
                            x.begin() + static_cast<std::ptrdiff_t>(row * 60 + 60));
    auto hidden = dense(convolve(convolve(one, image, 3, at), {4, 3, 3}, 2, at), 4, at);
    for (auto& each : hidden)
      each = std::tanh(each);
    auto expected = dense(hidden, 3, at);
    BOOST_TEST(at == p.data() + p.size());
    for (std::size_t i = 0; i < 3; ++i)
      BOOST_TEST(y[row * 3 + i] == expected[i], boost::test_tools::tolerance(1e-12));
  }
}

BOOST_AUTO_TEST_CASE(the_gradient_is_the_slope_of_the_outputs) {
  auto net = network<double>();
  auto p = normals<double>(net.parameter_count(), 1), x = normals<double>(2 * 60, 2);
  for (auto& each : p)
    each *= 0.4;
  auto weights = normals<double>(6, 3); // the loss is their product with the outputs
  rl::nn::Workspace<double> workspace;
  auto loss = [&] {
    auto y = net.forward(p, 2, x, workspace);
    double sum = 0;
    for (std::size_t i = 0; i < 6; ++i)
      sum += weights[i] * y[i];
    return sum;
  };
  std::vector<double> gradient(p.size());
  loss();
  net.backward(p, 2, x, workspace, weights, gradient);
  for (std::size_t i = 0; i < p.size(); ++i) {
    constexpr double h = 1e-6;
    auto was = p[i];
    p[i] = was + h;
    auto above = loss();
    p[i] = was - h;
    auto below = loss();
    p[i] = was;
    BOOST_TEST(std::abs((above - below) / (2 * h) - gradient[i]) < 1e-7);
  }
}

BOOST_AUTO_TEST_CASE(a_row_gives_the_same_bits_in_every_batch) {
  auto net = network<float>();
  auto p = normals<float>(net.parameter_count(), 1), x = normals<float>(7 * 60, 2);
  rl::nn::Workspace<float> together, alone;
  auto all = net.forward(p, 7, x, together);
  for (std::size_t row = 0; row < 7; ++row) {
    auto one = net.forward(p, 1, std::span(x).subspan(row * 60, 60), alone);
    for (std::size_t i = 0; i < 3; ++i)
      BOOST_TEST(one[i] == all[row * 3 + i]);
  }
}

BOOST_AUTO_TEST_CASE(scattering_is_the_adjoint_of_gathering) {
  auto x = normals<double>(2 * 60, 1), patches = std::vector<double>(2 * 4 * 3 * 18);
  auto d_patches = normals<double>(patches.size(), 2), dx = normals<double>(x.size(), 3);
  rl::nn::gather_patches(image, 3, 2, x.data(), patches.data());
  rl::nn::scatter_patches(image, 3, 2, d_patches.data(), dx.data());
  double one = 0, other = 0;
  for (std::size_t i = 0; i < patches.size(); ++i)
    one += patches[i] * d_patches[i];
  for (std::size_t i = 0; i < x.size(); ++i)
    other += x[i] * dx[i];
  BOOST_TEST(one == other, boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(filters_that_do_not_fit_the_observations_are_refused) {
  auto make = [](rl::Space observations, std::vector<std::int64_t> filters) {
    return [=] {
      rl::ActorCritic<float>({observations, rl::Discrete{2}, {8}, "relu", true, false, filters});
    };
  };
  auto box = rl::make_box(60, 0, 1);
  box.shape = {6, 5, 2};
  make(box, {4, 4})();
  BOOST_TEST(fails(ErrorCode::bad_space, make(box, {4, 4, 4}), {"2 x 1", "3 x 3", "fewer"}));
  BOOST_TEST(fails(ErrorCode::bad_value, make(box, {0})));
  BOOST_TEST(
    fails(ErrorCode::bad_space, make(rl::make_box(60, 0, 1), {4}), {"images", "leave them out"}));
}

BOOST_AUTO_TEST_SUITE_END()
