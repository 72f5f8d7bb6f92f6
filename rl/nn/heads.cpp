#include "rl/nn/heads.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace rl::nn {

namespace {

// log sum exp(logits), without overflow.
template <class S>
S log_normaliser(std::span<const S> logits) {
  auto largest = *std::max_element(logits.begin(), logits.end());
  S sum = 0;
  for (auto each : logits)
    sum += std::exp(each - largest);
  return largest + std::log(sum);
}

const double log_sqrt_two_pi = 0.5 * std::log(2 * std::numbers::pi);

} // namespace

template <class S>
Categorical<S>::Categorical(std::span<const S> logits)
  : logits_(logits), log_normaliser_(log_normaliser(logits)) {}

template <class S>
float Categorical<S>::sample(Rng& rng) const {
  auto left = rng.uniform();
  for (std::size_t i = 0; i + 1 < logits_.size(); ++i) {
    left -= static_cast<double>(std::exp(logits_[i] - log_normaliser_));
    if (left < 0)
      return static_cast<float>(i);
  }
  return static_cast<float>(logits_.size() - 1);
}

template <class S>
S Categorical<S>::log_prob(float action) const {
  return logits_[static_cast<std::size_t>(action)] - log_normaliser_;
}

template <class S>
S Categorical<S>::entropy() const {
  S sum = 0;
  for (auto each : logits_)
    sum -= std::exp(each - log_normaliser_) * (each - log_normaliser_);
  return sum;
}

template <class S>
void Categorical<S>::gradient(float action, S d_log_prob, S d_entropy,
                              std::span<S> d_logits) const {
  S h = 0;
  for (std::size_t i = 0; i < logits_.size(); ++i) {
    d_logits[i] = std::exp(logits_[i] - log_normaliser_); // p_i for now
    h -= d_logits[i] * (logits_[i] - log_normaliser_);
  }
  auto chosen = static_cast<std::size_t>(action);
  for (std::size_t i = 0; i < logits_.size(); ++i) {
    auto p = d_logits[i];
    d_logits[i] = d_log_prob * ((i == chosen ? S{1} : S{0}) - p)
                  - d_entropy * p * (logits_[i] - log_normaliser_ + h);
  }
}

template <class S>
float most_likely(std::span<const S> logits) {
  return static_cast<float>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

template <class S>
void DiagonalGaussian<S>::sample(Rng& rng, std::span<float> action) const {
  for (std::size_t i = 0; i < mean.size(); ++i)
    action[i] = static_cast<float>(mean[i] + std::exp(log_std[i]) * static_cast<S>(rng.normal()));
}

template <class S>
S DiagonalGaussian<S>::log_prob(std::span<const float> action) const {
  S sum = 0;
  for (std::size_t i = 0; i < mean.size(); ++i) {
    auto z = (static_cast<S>(action[i]) - mean[i]) * std::exp(-log_std[i]);
    sum -= S{0.5} * z * z + log_std[i] + static_cast<S>(log_sqrt_two_pi);
  }
  return sum;
}

template <class S>
S DiagonalGaussian<S>::entropy() const {
  S sum = 0;
  for (auto each : log_std)
    sum += each + static_cast<S>(0.5 + log_sqrt_two_pi);
  return sum;
}

template <class S>
void DiagonalGaussian<S>::gradient(std::span<const float> action, S d_log_prob, S d_entropy,
                                   std::span<S> d_mean, std::span<S> d_log_std) const {
  for (std::size_t i = 0; i < mean.size(); ++i) {
    auto inverse = std::exp(-log_std[i]);
    auto z = (static_cast<S>(action[i]) - mean[i]) * inverse;
    d_mean[i] = d_log_prob * z * inverse;
    d_log_std[i] += d_log_prob * (z * z - 1) + d_entropy;
  }
}

template class Categorical<float>;
template class Categorical<double>;
template float most_likely<float>(std::span<const float>);
template float most_likely<double>(std::span<const double>);
template struct DiagonalGaussian<float>;
template struct DiagonalGaussian<double>;

} // namespace rl::nn
