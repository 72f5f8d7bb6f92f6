// Two action-value networks Q(s, a) for actions in boxes. Whoever needs a careful value takes the
// smaller of the two (Fujimoto et al. 2018: clipped double Q-learning); SAC and TD3 share them.
//
// Layout of the parameters: first network | second network.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "rl/nn/mlp.hpp"
#include "rl/rng.hpp"

namespace rl {

/// S is float to train; double to check gradients.
template <class S>
class TwinCritic {
public:
  /// Two networks from observation and action, side by side, to one number.
  TwinCritic(std::size_t observation_size, std::size_t action_size,
             const std::vector<std::int64_t>& hidden, const std::string& activation);

  std::size_t parameter_count() const { return 2 * network_.parameter_count(); }

  /// Fresh parameters, others for each: orthogonal with gain sqrt 2, and 1 in the last layer.
  std::vector<S> initialise(Rng& rng) const;

  struct Workspace {
    nn::Workspace<S> first, second;
    std::vector<S> input;   // [row, observation | action]
    std::vector<S> d_input; // the same
  };

  /// Both values, [row]; they lie in the workspace until its next use.
  struct Values {
    std::span<const S> first, second;
  };
  Values forward(std::span<const S> parameters, std::span<const S> observation,
                 std::span<const S> action, Workspace& workspace) const;

  /// After forward with the same parameters and workspace: adds to `gradient` the gradient of a
  /// loss whose gradients by both values are given, [row].
  void backward(std::span<const S> parameters, std::span<const S> d_first,
                std::span<const S> d_second, std::span<S> gradient, Workspace& workspace) const;

  /// The same by the actions: writes `d_action` [row, feature], and leaves the parameters' gradient
  /// out.
  void action_gradient(std::span<const S> parameters, std::span<const S> d_first,
                       std::span<const S> d_second, std::span<S> d_action,
                       Workspace& workspace) const;

private:
  template <class T>
  std::span<T> first_part(std::span<T> all) const {
    return all.first(network_.parameter_count());
  }
  template <class T>
  std::span<T> second_part(std::span<T> all) const {
    return all.subspan(network_.parameter_count());
  }

  std::size_t observation_size_, action_size_;
  nn::Mlp<S> network_;
};

/// target = (1 - tau) target + tau weights (Polyak averaging; Lillicrap et al. 2016).
void average_into(std::span<float> target, std::span<const float> weights, double tau);

extern template class TwinCritic<float>;
extern template class TwinCritic<double>;

} // namespace rl
