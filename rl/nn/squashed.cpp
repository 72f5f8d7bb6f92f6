#include "rl/nn/squashed.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace rl::nn {

namespace {

// log(1 - tanh(u)^2)
template <class S>
S log_slope(S u) {
  auto x = -2 * u;
  auto softplus = std::max(x, S{0}) + std::log1p(std::exp(-std::abs(x)));
  return 2 * (std::numbers::ln2_v<S> - u - softplus);
}

template <class S>
S limited(S log_std) {
  return std::clamp(log_std, SquashedGaussian<S>::lowest_log_std,
                    SquashedGaussian<S>::highest_log_std);
}

const double log_sqrt_two_pi = 0.5 * std::log(2 * std::numbers::pi);

} // namespace

template <class S>
S SquashedGaussian<S>::act(std::span<const S> noise, std::span<S> action) const {
  S sum = 0;
  for (std::size_t i = 0; i < mean.size(); ++i) {
    auto s = limited(log_std[i]);
    auto u = mean[i] + std::exp(s) * noise[i];
    action[i] = std::tanh(u);
    sum -= S{0.5} * noise[i] * noise[i] + s + static_cast<S>(log_sqrt_two_pi) + log_slope(u);
  }
  return sum;
}

template <class S>
void SquashedGaussian<S>::act_greedily(std::span<S> action) const {
  for (std::size_t i = 0; i < mean.size(); ++i)
    action[i] = std::tanh(mean[i]);
}

template <class S>
void SquashedGaussian<S>::gradient(std::span<const S> noise, std::span<const S> action,
                                   std::span<const S> d_action, S d_log_prob, std::span<S> d_mean,
                                   std::span<S> d_log_std) const {
  for (std::size_t i = 0; i < mean.size(); ++i) {
    auto a = action[i];
    // d a / d u = 1 - a^2; d log pi / d u = 2 a, since log N does not change as u moves with mean.
    auto d_u = d_action[i] * (1 - a) * (1 + a) + d_log_prob * 2 * a;
    auto s = limited(log_std[i]);
    d_mean[i] = d_u;
    d_log_std[i] = s == log_std[i] ? d_u * std::exp(s) * noise[i] - d_log_prob : S{0};
  }
}

template struct SquashedGaussian<float>;
template struct SquashedGaussian<double>;

} // namespace rl::nn
