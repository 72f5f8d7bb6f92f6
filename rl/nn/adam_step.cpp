#include "rl/nn/adam.hpp"

#include <cmath>

// The loops of Adam and of the norm, apart from what else Adam does because this file is compiled
// for the building machine's processor: nothing in it may be an inline function that others use.

namespace rl::nn {

template <class S>
void Adam<S>::step(std::span<S> parameters, std::span<const S> gradient, double learning_rate) {
  ++steps_;
  auto t = static_cast<double>(steps_);
  auto beta1 = static_cast<S>(options_.beta1), beta2 = static_cast<S>(options_.beta2);
  auto size = static_cast<S>(learning_rate / (1 - std::pow(options_.beta1, t)));
  auto scale = static_cast<S>(1 / std::sqrt(1 - std::pow(options_.beta2, t)));
  auto epsilon = static_cast<S>(options_.epsilon);
  auto* p = parameters.data();
  auto* g = gradient.data();
  auto* m = first_.data();
  auto* v = second_.data();
  for (std::size_t i = 0; i < first_.size(); ++i) {
    m[i] = beta1 * m[i] + (1 - beta1) * g[i];
    v[i] = beta2 * v[i] + (1 - beta2) * g[i] * g[i];
    p[i] -= size * m[i] / (std::sqrt(v[i]) * scale + epsilon);
  }
}

template <class S>
double clip_norm(std::span<S> gradient, double limit) {
  // Eight sums side by side: a fixed order that the compiler can vectorise.
  double sums[8] = {};
  std::size_t i = 0;
  for (; i + 8 <= gradient.size(); i += 8)
    for (std::size_t j = 0; j < 8; ++j) {
      auto each = static_cast<double>(gradient[i + j]);
      sums[j] += each * each;
    }
  double sum = 0;
  for (; i < gradient.size(); ++i)
    sum += static_cast<double>(gradient[i]) * static_cast<double>(gradient[i]);
  for (auto each : sums)
    sum += each;
  auto norm = std::sqrt(sum);
  if (limit > 0 && norm > limit && std::isfinite(norm)) {
    auto factor = static_cast<S>(limit / norm);
    for (auto& each : gradient)
      each *= factor;
  }
  return norm;
}

template void Adam<float>::step(std::span<float>, std::span<const float>, double);
template void Adam<double>::step(std::span<double>, std::span<const double>, double);
template double clip_norm<float>(std::span<float>, double);
template double clip_norm<double>(std::span<double>, double);

} // namespace rl::nn
