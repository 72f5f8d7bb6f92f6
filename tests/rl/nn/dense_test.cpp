#include "rl/nn/dense.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "rl/rng.hpp"
#include "tests/rl/support.hpp"

namespace {

using rl::nn::Activation;
using rl::nn::LayerShape;

template <class S>
std::vector<S> random(std::size_t size, rl::Rng& rng) {
  std::vector<S> values(size);
  for (auto& each : values)
    each = static_cast<S>(rng.normal());
  return values;
}

// Shapes that hit every tile: multiples of the vector width, remainders, single rows and columns.
std::vector<LayerShape> shapes() {
  std::vector<LayerShape> result;
  for (std::size_t rows : {1, 2, 3, 5, 7, 16, 17, 64})
    for (std::size_t in : {1, 4, 9, 64})
      for (std::size_t out : {1, 2, 8, 17, 64, 83})
        result.push_back({rows, in, out});
  return result;
}

template <class S>
void compare(const std::vector<S>& value, const std::vector<double>& expected) {
  auto tolerance = std::is_same_v<S, float> ? 1e-4 : 1e-12;
  for (std::size_t i = 0; i < value.size(); ++i)
    if (!(std::abs(static_cast<double>(value[i]) - expected[i]) <= tolerance))
      BOOST_FAIL("element " << i << " is " << value[i] << ", not " << expected[i]);
}

// The three products as their definitions say, in double.
template <class S>
void check_products() {
  rl::Rng rng(1);
  for (auto shape : shapes()) {
    auto [rows, in, out] = shape;
    auto x = random<S>(rows * in, rng), w = random<S>(in * out, rng), b = random<S>(out, rng);
    auto dy = random<S>(rows * out, rng), dw = random<S>(in * out, rng), db = random<S>(out, rng);
    std::vector<S> y(rows * out), dx(rows * in);
    std::vector<double> y_is(rows * out), dx_is(rows * in), dw_is(dw.begin(), dw.end()),
      db_is(db.begin(), db.end());
    for (std::size_t r = 0; r < rows; ++r)
      for (std::size_t j = 0; j < out; ++j) {
        y_is[r * out + j] = b[j];
        db_is[j] += dy[r * out + j];
        for (std::size_t i = 0; i < in; ++i) {
          y_is[r * out + j] += static_cast<double>(x[r * in + i]) * w[i * out + j];
          dw_is[i * out + j] += static_cast<double>(x[r * in + i]) * dy[r * out + j];
          dx_is[r * in + i] += static_cast<double>(dy[r * out + j]) * w[i * out + j];
        }
      }
    rl::nn::affine(shape, x.data(), w.data(), b.data(), y.data());
    rl::nn::affine_weight_gradient(shape, x.data(), dy.data(), dw.data(), db.data());
    rl::nn::affine_input_gradient(shape, dy.data(), w.data(), dx.data());
    compare(y, y_is);
    compare(dw, dw_is);
    compare(db, db_is);
    compare(dx, dx_is);
  }
}

} // namespace

BOOST_AUTO_TEST_SUITE(dense)

BOOST_AUTO_TEST_CASE(products_equal_their_definitions_in_float) {
  check_products<float>();
}

BOOST_AUTO_TEST_CASE(products_equal_their_definitions_in_double) {
  check_products<double>();
}

BOOST_AUTO_TEST_CASE(a_row_gives_the_same_bits_in_every_batch) {
  rl::Rng rng(2);
  for (auto shape : shapes()) {
    auto [rows, in, out] = shape;
    auto x = random<float>(rows * in, rng), w = random<float>(in * out, rng),
         b = random<float>(out, rng);
    std::vector<float> together(rows * out), alone(out);
    rl::nn::affine(shape, x.data(), w.data(), b.data(), together.data());
    rl::nn::activate(Activation::tanh, std::span(together));
    for (std::size_t r = 0; r < rows; ++r) {
      rl::nn::affine({1, in, out}, x.data() + r * in, w.data(), b.data(), alone.data());
      rl::nn::activate(Activation::tanh, std::span(alone));
      for (std::size_t j = 0; j < out; ++j)
        if (alone[j] != together[r * out + j])
          BOOST_FAIL("row " << r << " of " << rows << ", " << in << " to " << out << ", column "
                            << j);
    }
  }
}

BOOST_AUTO_TEST_CASE(tanh_is_right_to_two_units_in_the_last_place) {
  std::vector<float> x;
  for (float value = -12; value < 12; value += 1e-3f)
    x.push_back(value);
  for (float value = 1; value > 1e-38f; value /= 3)
    x.insert(x.end(), {value, -value});
  x.insert(x.end(), {0.0f, 1e30f, -1e30f, std::numeric_limits<float>::infinity()});
  auto y = x;
  rl::nn::activate(Activation::tanh, std::span(y));
  for (std::size_t i = 0; i < x.size(); ++i) {
    auto expected = std::tanh(static_cast<double>(x[i]));
    auto unit = std::abs(expected) * std::numeric_limits<float>::epsilon();
    if (!(std::abs(y[i] - expected) <= 2 * unit + 1e-44))
      BOOST_FAIL("tanh(" << x[i] << ") is " << y[i] << ", not " << expected);
  }
  std::vector<float> nan = {std::nanf("")};
  rl::nn::activate(Activation::tanh, std::span(nan));
  BOOST_TEST(std::isnan(nan[0]));
}

BOOST_AUTO_TEST_CASE(relu_cuts_negatives_and_lets_nan_through) {
  std::vector<double> y = {-1, 0, 2, std::nan("")}, dy = {1, 1, 1, 1};
  rl::nn::activate(Activation::relu, std::span(y));
  BOOST_TEST(y[0] == 0);
  BOOST_TEST(y[2] == 2);
  BOOST_TEST(std::isnan(y[3]));
  rl::nn::activate_gradient<double>(Activation::relu, y, dy);
  BOOST_TEST(dy[0] == 0);
  BOOST_TEST(dy[2] == 1);
}

BOOST_AUTO_TEST_CASE(an_unknown_activation_names_the_nearest) {
  BOOST_TEST((rl::nn::activation_of("relu") == Activation::relu));
  BOOST_TEST(rl::test::fails(rl::ErrorCode::unknown_name, [] { rl::nn::activation_of("tan"); },
                             {"did you mean 'tanh'"}));
}

BOOST_AUTO_TEST_SUITE_END()
