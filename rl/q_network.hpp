// The action-value network of DQN: an observation goes in, a value for every choice comes out.
//
// Duelling (Wang et al. 2016): two streams share the first layers, one says how good the situation
// is, the other how much better each choice is than their mean: Q = V + A - mean A (equation 9).
// The last hidden layer is the one that each stream has of its own.
//
// Layout of the parameters: the network; or, duelling: shared layers | value stream | advantage
// stream. As everywhere, somebody else holds them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "rl/nn/mlp.hpp"
#include "rl/rng.hpp"
#include "rl/space.hpp"

namespace rl {

/// What a network is made from. Equal specs give equal layouts on every machine.
struct QSpec {
  Space observation_space;
  Space action_space;
  std::vector<std::int64_t> hidden = {64, 64};
  std::string activation = "relu";
  bool duelling = false;
};

/// S is float to train and to act; double to check gradients.
template <class S>
class QNetwork {
public:
  /// Throws Error{bad_space} unless observations are a box and actions are discrete.
  explicit QNetwork(QSpec spec);

  const QSpec& spec() const { return spec_; }
  std::size_t parameter_count() const { return parameter_count_; }
  std::size_t observation_size() const { return observation_size_; }
  std::size_t choices() const { return choices_; }

  /// Fresh parameters: orthogonal with gain sqrt 2, and 0.1 in the last layer: values begin near 0.
  std::vector<S> initialise(Rng& rng) const;

  /// Throws Error{bad_value} unless there are parameter_count() of them. The functions below do not
  /// look.
  void check_weights(std::span<const S> parameters) const;

  /// Memory of one caller; grows, never shrinks.
  struct Workspace {
    nn::Workspace<S> plain, value, advantage; // `plain`: the only network, or the shared layers
    std::vector<S> features;                  // what the streams see, [row, feature]
    std::vector<S> q;                         // [row, choice]
    std::vector<S> d_value, d_advantage, d_features, d_more; // what backward computes in
  };

  /// Q [row, choice] for observations [row, feature]. It lies in the workspace until its next use.
  std::span<const S> forward(std::span<const S> parameters, std::span<const S> observation,
                             Workspace& workspace) const;

  /// Adds to `gradient` the gradient of a loss, given its gradient `d_q` [row, choice], after
  /// forward with the same arguments and workspace.
  void backward(std::span<const S> parameters, std::span<const S> observation,
                std::span<const S> d_q, std::span<S> gradient, Workspace& workspace) const;

  /// Writes for every row the choice of the largest value, the first among equals; or, with the
  /// row's probability `epsilon`, any. Row i draws from rngs[i]. Rows do not influence each other.
  void act(std::span<const S> parameters, std::span<const S> observation,
           std::span<const double> epsilon, std::span<Rng> rngs, std::span<float> action,
           Workspace& workspace) const;

  /// The same without drawing.
  void act_greedily(std::span<const S> parameters, std::span<const S> observation,
                    std::span<float> action, Workspace& workspace) const;

private:
  bool shares_layers() const { return spec_.duelling && spec_.hidden.size() > 1; }
  // The parts of the parameters, or of their gradient.
  template <class T>
  std::span<T> plain_part(std::span<T> all) const {
    return all.first(plain_.parameter_count());
  }
  template <class T>
  std::span<T> value_part(std::span<T> all) const {
    return all.subspan(plain_.parameter_count(), value_.parameter_count());
  }
  template <class T>
  std::span<T> advantage_part(std::span<T> all) const {
    return all.last(advantage_.parameter_count());
  }

  QSpec spec_;
  nn::Activation activation_ = nn::Activation::relu;
  std::size_t observation_size_ = 0;
  std::size_t choices_ = 0;
  nn::Mlp<S> plain_, value_, advantage_;
  std::size_t parameter_count_ = 0;
};

extern template class QNetwork<float>;
extern template class QNetwork<double>;

} // namespace rl
