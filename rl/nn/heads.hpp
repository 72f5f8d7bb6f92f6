// Action distributions on top of a network's outputs: what to do, how likely it was, and the
// gradients.
//
// Both heads work row by row; a row is one decision. Sampling takes the random stream of the row's
// environment, so that which rows share a batch changes nothing.
#pragma once

#include <cstddef>
#include <span>

#include "rl/rng.hpp"

namespace rl::nn {

/// A categorical distribution with probabilities softmax(logits). The action is one float: the
/// index. The logits must outlive it.
template <class S>
class Categorical {
public:
  /// `logits` [choice], at least one.
  explicit Categorical(std::span<const S> logits);

  /// Draws an index: the first whose cumulated probability exceeds one uniform number.
  float sample(Rng& rng) const;
  /// log softmax(logits)[action].
  S log_prob(float action) const;
  /// -sum p log p, in nats.
  S entropy() const;
  /// Writes d_logits [choice] of a loss whose derivatives by log_prob(action) and by entropy() are
  /// given: d log p_a / d l_i = [i = a] - p_i;  d H / d l_i = -p_i (log p_i + H).
  void gradient(float action, S d_log_prob, S d_entropy, std::span<S> d_logits) const;

private:
  std::span<const S> logits_;
  S log_normaliser_; // log sum exp(logits)
};

/// The most probable choice, the first among equals.
template <class S>
float most_likely(std::span<const S> logits);

/// Independent normal distributions: means from the network, logarithms of the standard deviations
/// as free parameters that do not depend on the state.
template <class S>
struct DiagonalGaussian {
  std::span<const S> mean;    ///< [feature]
  std::span<const S> log_std; ///< [feature]

  /// Draws an action. It is not clipped: what the environment cannot take is clipped for it alone,
  /// while log_prob is asked about the action drawn.
  void sample(Rng& rng, std::span<float> action) const;
  /// Sum over features of log N(action; mean, std).
  S log_prob(std::span<const float> action) const;
  /// Sum over features of log_std + log(2 pi e) / 2, in nats.
  S entropy() const;
  /// Writes d_mean and adds to d_log_std, given the loss's derivatives by log_prob(action) and
  /// entropy().
  void gradient(std::span<const float> action, S d_log_prob, S d_entropy, std::span<S> d_mean,
                std::span<S> d_log_std) const;
};

extern template class Categorical<float>;
extern template class Categorical<double>;
extern template struct DiagonalGaussian<float>;
extern template struct DiagonalGaussian<double>;

} // namespace rl::nn
