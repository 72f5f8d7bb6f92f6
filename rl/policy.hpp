// The actor-critic: one network that acts, one that judges, one flat array of parameters for both.
//
// Layout of the parameters: policy network | log standard deviations (box actions only) | value
// network | mean and 1 / deviation of each observed feature (only where observations are
// normalised). The last two are no learner's: statistics of the run (normaliser.hpp), which travel
// with the weights, so that whoever acts, tries, evaluates or resumes sees through the same ones.
// The object itself holds no parameters; anything contiguous serves, such as a view into shared
// memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "rl/nn/heads.hpp"
#include "rl/nn/mlp.hpp"
#include "rl/rng.hpp"
#include "rl/space.hpp"

namespace rl {

/// What a policy is made from. Equal specs give equal layouts on every machine.
struct PolicySpec {
  Space observation_space;
  Space action_space;
  std::vector<std::int64_t> hidden = {64, 64};
  std::string activation = "tanh";
  bool critic = true; ///< false: no value network, and value() and backward() must not be called
  bool normalise = false; ///< show the networks observations at unit scale, within [-10, 10]
  /// Filters of each 3 x 3 convolution before the hidden layers, for images [row, column, channel].
  std::vector<std::int64_t> filters = {};
};

/// S is float to train and to act; double to check gradients.
template <class S>
class ActorCritic {
public:
  /// Throws Error{bad_space} unless observations are a box, with filters an image that is large
  /// enough, and actions discrete or a flat box.
  explicit ActorCritic(PolicySpec spec);

  const PolicySpec& spec() const { return spec_; }
  std::size_t parameter_count() const { return trainable_count_ + scale_count(); }
  /// How many of them, the first ones, learning changes. Gradients have as many.
  std::size_t trainable_count() const { return trainable_count_; }
  std::size_t observation_size() const { return policy_.input_size(); }
  std::size_t action_size() const { return action_size_; }

  /// Fresh parameters: orthogonal with gains sqrt 2 (hidden), 0.01 (policy), 1 (value); log std 0;
  /// observations as they are.
  std::vector<S> initialise(Rng& rng) const;

  /// Throws Error{bad_value} unless there are parameter_count() of them. The functions below do not
  /// look.
  void check_weights(std::span<const S> parameters) const;

  /// Memory of one caller; grows, never shrinks.
  struct Workspace {
    nn::Workspace<S> policy;
    nn::Workspace<S> value;
    std::vector<S> observation; // at unit scale
    std::vector<S> d_output;
  };

  /// Draws an action for every row of `observation` [row, feature], row i from rngs[i]; writes
  /// `action` [row, feature] and `log_prob` [row]. Rows do not influence each other, to the last
  /// bit.
  void act(std::span<const S> parameters, std::span<const S> observation, std::span<Rng> rngs,
           std::span<float> action, std::span<float> log_prob, Workspace& workspace) const;

  /// The most likely action for every row.
  void act_greedily(std::span<const S> parameters, std::span<const S> observation,
                    std::span<float> action, Workspace& workspace) const;

  /// V for every row; the result lies in the workspace until its next use.
  std::span<const S> value(std::span<const S> parameters, std::span<const S> observation,
                           Workspace& workspace) const;

  /// log pi(action | observation) and the entropy of pi, per row. Keeps what backward needs.
  void evaluate(std::span<const S> parameters, std::span<const S> observation,
                std::span<const float> action, std::span<S> log_prob, std::span<S> entropy,
                Workspace& workspace) const;

  /// Adds to `gradient` the gradient of a loss, given its derivatives by every row's log_prob,
  /// entropy and value. Needs evaluate and value to have run with the same arguments and workspace.
  void backward(std::span<const S> parameters, std::span<const S> observation,
                std::span<const float> action, std::span<const S> d_log_prob,
                std::span<const S> d_entropy, std::span<const S> d_value, std::span<S> gradient,
                Workspace& workspace) const;

private:
  bool discrete() const { return std::holds_alternative<Discrete>(spec_.action_space); }
  template <class T>
  std::span<T> policy_part(std::span<T> all) const {
    return all.first(policy_.parameter_count());
  }
  template <class T>
  std::span<T> log_std_part(std::span<T> all) const {
    return all.subspan(policy_.parameter_count(), discrete() ? 0 : action_size_);
  }
  template <class T>
  std::span<T> value_part(std::span<T> all) const {
    return all.subspan(trainable_count_ - value_.parameter_count(), value_.parameter_count());
  }
  std::size_t scale_count() const { return spec_.normalise ? 2 * observation_size() : 0; }
  std::span<const S> scaled(std::span<const S> parameters, std::span<const S> observation,
                            Workspace& workspace) const;

  PolicySpec spec_;
  std::size_t action_size_ = 0;
  nn::Mlp<S> policy_;
  nn::Mlp<S> value_;
  std::size_t trainable_count_ = 0;
};

/// Clips every row of `action` [row, feature] into a box; leaves discrete actions alone. What the
/// environment gets; what was drawn stays in the batch.
void clip_to_space(const Space& space, std::span<float> action);

extern template class ActorCritic<float>;
extern template class ActorCritic<double>;

} // namespace rl
