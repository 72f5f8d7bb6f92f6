#include "rl/nn/adam.hpp"

#include <cmath>

#include "rl/rng.hpp"
#include "tests/rl/support.hpp"

BOOST_AUTO_TEST_SUITE(adam)

BOOST_AUTO_TEST_CASE(steps_are_those_of_the_papers_algorithm) {
  rl::nn::AdamOptions options{.beta1 = 0.9, .beta2 = 0.99, .epsilon = 1e-5};
  rl::nn::Adam<double> adam(3, options);
  std::vector<double> p = {1, -2, 0.5}, expected = p, m(3), v(3);
  rl::Rng rng(1);
  for (int t = 1; t <= 50; ++t) {
    std::vector<double> g = {rng.normal(), 10 * rng.normal(), 0};
    adam.step(p, g, 0.01);
    for (std::size_t i = 0; i < 3; ++i) {
      m[i] = options.beta1 * m[i] + (1 - options.beta1) * g[i];
      v[i] = options.beta2 * v[i] + (1 - options.beta2) * g[i] * g[i];
      auto m_hat = m[i] / (1 - std::pow(options.beta1, t)),
           v_hat = v[i] / (1 - std::pow(options.beta2, t));
      expected[i] -= 0.01 * m_hat / (std::sqrt(v_hat) + options.epsilon);
      BOOST_TEST(p[i] == expected[i], boost::test_tools::tolerance(1e-12));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_saved_optimiser_takes_the_same_steps) {
  rl::nn::Adam<float> adam(2), other(2), wrong(3);
  std::vector<float> p = {1, 2}, g = {0.5f, -1};
  adam.step(p, g, 0.1);
  rl::ByteWriter out;
  adam.save(out);
  rl::ByteReader in(out.bytes()), again(out.bytes());
  other.load(in);
  auto q = p;
  adam.step(p, g, 0.1);
  other.step(q, g, 0.1);
  BOOST_TEST(p == q, boost::test_tools::per_element());
  BOOST_TEST(
    rl::test::fails(rl::ErrorCode::bad_checkpoint, [&] { wrong.load(again); }, {"2", "3"}));
}

BOOST_AUTO_TEST_CASE(clip_norm_shortens_long_gradients_only) {
  std::vector<double> g(11, 0.0);
  g[0] = 3;
  g[10] = 4;
  BOOST_TEST(rl::nn::clip_norm(std::span(g), 10.0) == 5.0);
  BOOST_TEST(g[0] == 3);
  BOOST_TEST(rl::nn::clip_norm(std::span(g), 0.0) == 5.0);
  BOOST_TEST(g[0] == 3);
  BOOST_TEST(rl::nn::clip_norm(std::span(g), 1.0) == 5.0);
  BOOST_TEST(g[0] == 0.6, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(g[10] == 0.8, boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_SUITE_END()
