#include "rl/q_network.hpp"

#include <algorithm>
#include <cmath>

#include "rl/error.hpp"
#include "rl/nn/heads.hpp"
#include "rl/nn/layer_sizes.hpp"

namespace rl {

template <class S>
QNetwork<S>::QNetwork(QSpec spec) : spec_(std::move(spec)) {
  if (!std::holds_alternative<Box>(spec_.observation_space)
      || !std::holds_alternative<Discrete>(spec_.action_space))
    throw Error(ErrorCode::bad_space, "a Q network goes from a box to discrete actions, not from "
                                        + describe(spec_.observation_space) + " to "
                                        + describe(spec_.action_space));
  activation_ = nn::activation_of(spec_.activation);
  observation_size_ = value_size(spec_.observation_space);
  choices_ = static_cast<std::size_t>(std::get<Discrete>(spec_.action_space).n);
  if (!spec_.duelling) {
    plain_ = nn::Mlp<S>(nn::layer_sizes(observation_size_, spec_.hidden, choices_), activation_);
  } else {
    auto shared = spec_.hidden; // all but the last, which each stream has of its own
    std::vector<std::int64_t> own;
    if (!shared.empty()) {
      own.push_back(shared.back());
      shared.pop_back();
    }
    auto features = observation_size_;
    if (shares_layers()) {
      features = static_cast<std::size_t>(std::max<std::int64_t>(shared.back(), 0));
      shared.pop_back();
      plain_ = nn::Mlp<S>(nn::layer_sizes(observation_size_, shared, features), activation_);
    }
    value_ = nn::Mlp<S>(nn::layer_sizes(features, own, 1), activation_);
    advantage_ = nn::Mlp<S>(nn::layer_sizes(features, own, choices_), activation_);
  }
  parameter_count_ =
    plain_.parameter_count() + value_.parameter_count() + advantage_.parameter_count();
}

template <class S>
std::vector<S> QNetwork<S>::initialise(Rng& rng) const {
  std::vector<S> parameters(parameter_count_);
  constexpr double last = 0.1;
  auto all = std::span(parameters);
  plain_.initialise(plain_part(all), std::sqrt(2.0), spec_.duelling ? std::sqrt(2.0) : last, rng);
  value_.initialise(value_part(all), std::sqrt(2.0), last, rng);
  advantage_.initialise(advantage_part(all), std::sqrt(2.0), last, rng);
  return parameters;
}

template <class S>
void QNetwork<S>::check_weights(std::span<const S> parameters) const {
  if (parameters.size() != parameter_count_)
    throw Error(ErrorCode::bad_value, "this network has " + std::to_string(parameter_count_)
                                        + " weights, not " + std::to_string(parameters.size()));
}

template <class S>
std::span<const S> QNetwork<S>::forward(std::span<const S> parameters,
                                        std::span<const S> observation,
                                        Workspace& workspace) const {
  auto rows = observation.size() / observation_size_;
  if (!spec_.duelling)
    return plain_.forward(parameters, rows, observation, workspace.plain);
  auto features = observation;
  if (shares_layers()) {
    auto raw = plain_.forward(plain_part(parameters), rows, observation, workspace.plain);
    workspace.features.assign(raw.begin(), raw.end());
    nn::activate(activation_, std::span(workspace.features));
    features = workspace.features;
  }
  auto value = value_.forward(value_part(parameters), rows, features, workspace.value);
  auto advantage =
    advantage_.forward(advantage_part(parameters), rows, features, workspace.advantage);
  workspace.q.resize(rows * choices_);
  for (std::size_t row = 0; row < rows; ++row) {
    auto* a = &advantage[row * choices_];
    S mean = 0;
    for (std::size_t i = 0; i < choices_; ++i)
      mean += a[i];
    mean /= static_cast<S>(choices_);
    for (std::size_t i = 0; i < choices_; ++i)
      workspace.q[row * choices_ + i] = value[row] + a[i] - mean;
  }
  return workspace.q;
}

template <class S>
void QNetwork<S>::backward(std::span<const S> parameters, std::span<const S> observation,
                           std::span<const S> d_q, std::span<S> gradient,
                           Workspace& workspace) const {
  auto rows = observation.size() / observation_size_;
  if (!spec_.duelling) {
    plain_.backward(parameters, rows, observation, workspace.plain, d_q, gradient);
    return;
  }
  // d V = sum of d Q; d A_i = d Q_i - mean of d Q.
  workspace.d_value.resize(rows);
  workspace.d_advantage.resize(rows * choices_);
  for (std::size_t row = 0; row < rows; ++row) {
    auto* d = &d_q[row * choices_];
    S sum = 0;
    for (std::size_t i = 0; i < choices_; ++i)
      sum += d[i];
    workspace.d_value[row] = sum;
    for (std::size_t i = 0; i < choices_; ++i)
      workspace.d_advantage[row * choices_ + i] = d[i] - sum / static_cast<S>(choices_);
  }
  auto shared = shares_layers();
  auto features = shared ? std::span<const S>(workspace.features) : observation;
  workspace.d_features.resize(shared ? features.size() : 0);
  workspace.d_more.resize(shared ? features.size() : 0);
  value_.backward(value_part(parameters), rows, features, workspace.value, workspace.d_value,
                  value_part(gradient), workspace.d_features);
  advantage_.backward(advantage_part(parameters), rows, features, workspace.advantage,
                      workspace.d_advantage, advantage_part(gradient), workspace.d_more);
  if (!shared)
    return;
  for (std::size_t i = 0; i < features.size(); ++i)
    workspace.d_features[i] += workspace.d_more[i];
  nn::activate_gradient<S>(activation_, features, workspace.d_features);
  plain_.backward(plain_part(parameters), rows, observation, workspace.plain, workspace.d_features,
                  plain_part(gradient));
}

template <class S>
void QNetwork<S>::act(std::span<const S> parameters, std::span<const S> observation,
                      std::span<const double> epsilon, std::span<Rng> rngs, std::span<float> action,
                      Workspace& workspace) const {
  act_greedily(parameters, observation, action, workspace);
  for (std::size_t row = 0; row < rngs.size(); ++row)
    if (rngs[row].uniform() < epsilon[row])
      action[row] = static_cast<float>(rngs[row].below(choices_));
}

template <class S>
void QNetwork<S>::act_greedily(std::span<const S> parameters, std::span<const S> observation,
                               std::span<float> action, Workspace& workspace) const {
  auto q = forward(parameters, observation, workspace);
  for (std::size_t row = 0; row < action.size(); ++row)
    action[row] = nn::most_likely(q.subspan(row * choices_, choices_));
}

template class QNetwork<float>;
template class QNetwork<double>;

} // namespace rl
