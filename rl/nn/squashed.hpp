// A normal distribution squashed by tanh: actions that stay between -1 and 1, with gradients that
// pass through the draw (Haarnoja et al. 2018, appendix C).
#pragma once

#include <cstddef>
#include <span>

namespace rl::nn {

/// One decision: a = tanh(u), u = mean + exp(log_std) * noise, noise standard normal; everything
/// [feature]. The density of a is that of u over the slope of tanh, so
///   log pi(a) = sum of log N(u; mean, std) - log(1 - tanh(u)^2)      (equation 21)
/// and the last term is computed as 2 (log 2 - u - log(1 + e^(-2u))), which stays right where
/// tanh(u) rounds to 1.
template <class S>
struct SquashedGaussian {
  /// log_std is limited to this range (as in the paper's code); beyond it has no gradient.
  static constexpr S lowest_log_std = -20, highest_log_std = 2;

  std::span<const S> mean;    ///< [feature]
  std::span<const S> log_std; ///< [feature], as the network gave it

  /// Writes the action that `noise` leads to, and returns its log pi.
  S act(std::span<const S> noise, std::span<S> action) const;

  /// Writes tanh(mean): what acts greedily.
  void act_greedily(std::span<S> action) const;

  /// Writes the gradients of a loss by mean and log_std through act(noise), given its gradients by
  /// the action (`d_action`) and by log pi. `action` is what act wrote.
  void gradient(std::span<const S> noise, std::span<const S> action, std::span<const S> d_action,
                S d_log_prob, std::span<S> d_mean, std::span<S> d_log_std) const;
};

extern template struct SquashedGaussian<float>;
extern template struct SquashedGaussian<double>;

} // namespace rl::nn
