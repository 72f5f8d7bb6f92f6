#include "rl/policy.hpp"

#include <algorithm>
#include <cmath>

#include "rl/error.hpp"

namespace rl {

namespace {

std::vector<std::size_t> layer_sizes(std::size_t in, const std::vector<std::int64_t>& hidden,
                                     std::size_t out) {
  std::vector<std::size_t> sizes = {in};
  for (auto size : hidden) {
    if (size < 1)
      throw Error(ErrorCode::bad_value, "a hidden layer needs at least one unit");
    sizes.push_back(static_cast<std::size_t>(size));
  }
  sizes.push_back(out);
  return sizes;
}

nn::Convolutions convolutions(const Space& observations, const std::vector<std::int64_t>& filters) {
  nn::Convolutions result;
  if (filters.empty())
    return result;
  auto& shape = std::get<Box>(observations).shape;
  if (shape.size() != 3)
    throw Error(ErrorCode::bad_space, "filters are for images [row, column, channel], not for "
                                        + describe(observations) + "; leave them out");
  auto side = [&](std::size_t i) { return static_cast<std::size_t>(shape[i]); };
  result.image = {side(0), side(1), side(2)};
  for (auto count : filters)
    result.filters.push_back(static_cast<std::size_t>(std::max<std::int64_t>(count, 0)));
  return result;
}

} // namespace

template <class S>
ActorCritic<S>::ActorCritic(PolicySpec spec) : spec_(std::move(spec)) {
  if (!std::holds_alternative<Box>(spec_.observation_space))
    throw Error(ErrorCode::bad_space, "this policy needs observations from a box, not "
                                        + describe(spec_.observation_space));
  if (discrete() && std::get<Discrete>(spec_.action_space).n < 2)
    throw Error(ErrorCode::bad_space,
                "there is nothing to learn with the actions " + describe(spec_.action_space));
  action_size_ = value_size(spec_.action_space);
  auto outputs =
    discrete() ? static_cast<std::size_t>(std::get<Discrete>(spec_.action_space).n) : action_size_;
  auto inputs = value_size(spec_.observation_space);
  auto activation = nn::activation_of(spec_.activation);
  auto front = convolutions(spec_.observation_space, spec_.filters);
  policy_ = nn::Mlp<S>(layer_sizes(inputs, spec_.hidden, outputs), activation, front);
  if (spec_.critic)
    value_ = nn::Mlp<S>(layer_sizes(inputs, spec_.hidden, 1), activation, front);
  trainable_count_ =
    policy_.parameter_count() + (discrete() ? 0 : action_size_) + value_.parameter_count();
}

template <class S>
std::vector<S> ActorCritic<S>::initialise(Rng& rng) const {
  std::vector<S> parameters(parameter_count());
  policy_.initialise(policy_part(std::span(parameters)), std::sqrt(2.0), 0.01, rng);
  value_.initialise(value_part(std::span(parameters)), std::sqrt(2.0), 1.0, rng);
  std::fill_n(parameters.rbegin(), scale_count() / 2, S{1});
  return parameters;
}

template <class S>
void ActorCritic<S>::check_weights(std::span<const S> parameters) const {
  if (parameters.size() != parameter_count())
    throw Error(ErrorCode::bad_value, "this policy has " + std::to_string(parameter_count())
                                        + " weights, not " + std::to_string(parameters.size()));
}

// Observations as the networks see them. The clip keeps a feature that hardly ever moved so far
// from drowning all others when it does.
template <class S>
std::span<const S> ActorCritic<S>::scaled(std::span<const S> parameters,
                                          std::span<const S> observation,
                                          Workspace& workspace) const {
  if (!spec_.normalise)
    return observation;
  auto width = observation_size();
  auto* mean = parameters.data() + trainable_count_;
  auto* factor = mean + width;
  auto& to = workspace.observation;
  if (to.size() < observation.size())
    to.resize(observation.size());
  for (std::size_t row = 0; row < observation.size(); row += width)
    for (std::size_t i = 0; i < width; ++i)
      to[row + i] = std::clamp((observation[row + i] - mean[i]) * factor[i], S{-10}, S{10});
  return std::span<const S>(to).first(observation.size());
}

template <class S>
void ActorCritic<S>::act(std::span<const S> parameters, std::span<const S> observation,
                         std::span<Rng> rngs, std::span<float> action, std::span<float> log_prob,
                         Workspace& workspace) const {
  auto rows = rngs.size();
  auto outputs = policy_.forward(policy_part(parameters), rows,
                                 scaled(parameters, observation, workspace), workspace.policy);
  auto width = policy_.output_size();
  for (std::size_t row = 0; row < rows; ++row) {
    auto output = outputs.subspan(row * width, width);
    if (discrete()) {
      nn::Categorical<S> head(output);
      action[row] = head.sample(rngs[row]);
      log_prob[row] = static_cast<float>(head.log_prob(action[row]));
    } else {
      nn::DiagonalGaussian<S> head{output, log_std_part(parameters)};
      auto drawn = action.subspan(row * action_size_, action_size_);
      head.sample(rngs[row], drawn);
      log_prob[row] = static_cast<float>(head.log_prob(drawn));
    }
  }
}

template <class S>
void ActorCritic<S>::act_greedily(std::span<const S> parameters, std::span<const S> observation,
                                  std::span<float> action, Workspace& workspace) const {
  auto rows = observation.size() / observation_size();
  auto outputs = policy_.forward(policy_part(parameters), rows,
                                 scaled(parameters, observation, workspace), workspace.policy);
  auto width = policy_.output_size();
  for (std::size_t row = 0; row < rows; ++row) {
    auto output = outputs.subspan(row * width, width);
    if (discrete())
      action[row] = nn::most_likely(output);
    else
      for (std::size_t i = 0; i < width; ++i)
        action[row * width + i] = static_cast<float>(output[i]);
  }
}

template <class S>
std::span<const S> ActorCritic<S>::value(std::span<const S> parameters,
                                         std::span<const S> observation,
                                         Workspace& workspace) const {
  auto rows = observation.size() / observation_size();
  return value_.forward(value_part(parameters), rows, scaled(parameters, observation, workspace),
                        workspace.value);
}

template <class S>
void ActorCritic<S>::evaluate(std::span<const S> parameters, std::span<const S> observation,
                              std::span<const float> action, std::span<S> log_prob,
                              std::span<S> entropy, Workspace& workspace) const {
  auto rows = log_prob.size();
  auto outputs = policy_.forward(policy_part(parameters), rows,
                                 scaled(parameters, observation, workspace), workspace.policy);
  auto width = policy_.output_size();
  for (std::size_t row = 0; row < rows; ++row) {
    auto output = outputs.subspan(row * width, width);
    if (discrete()) {
      nn::Categorical<S> head(output);
      log_prob[row] = head.log_prob(action[row]);
      entropy[row] = head.entropy();
    } else {
      nn::DiagonalGaussian<S> head{output, log_std_part(parameters)};
      log_prob[row] = head.log_prob(action.subspan(row * action_size_, action_size_));
      entropy[row] = head.entropy();
    }
  }
}

template <class S>
void ActorCritic<S>::backward(std::span<const S> parameters, std::span<const S> observation,
                              std::span<const float> action, std::span<const S> d_log_prob,
                              std::span<const S> d_entropy, std::span<const S> d_value,
                              std::span<S> gradient, Workspace& workspace) const {
  auto rows = d_log_prob.size();
  auto width = policy_.output_size();
  workspace.d_output.resize(rows * width);
  auto outputs = policy_.output(rows, workspace.policy);
  for (std::size_t row = 0; row < rows; ++row) {
    auto output = outputs.subspan(row * width, width);
    auto d_output = std::span(workspace.d_output).subspan(row * width, width);
    if (discrete())
      nn::Categorical<S>(output).gradient(action[row], d_log_prob[row], d_entropy[row], d_output);
    else
      nn::DiagonalGaussian<S>{output, log_std_part(parameters)}.gradient(
        action.subspan(row * action_size_, action_size_), d_log_prob[row], d_entropy[row], d_output,
        log_std_part(gradient));
  }
  auto seen = scaled(parameters, observation, workspace);
  policy_.backward(policy_part(parameters), rows, seen, workspace.policy, workspace.d_output,
                   policy_part(gradient));
  value_.backward(value_part(parameters), rows, seen, workspace.value, d_value,
                  value_part(gradient));
}

void clip_to_space(const Space& space, std::span<float> action) {
  auto* box = std::get_if<Box>(&space);
  if (!box)
    return;
  for (std::size_t i = 0; i < action.size(); ++i) {
    auto feature = i % box->low.size();
    action[i] = std::clamp(action[i], box->low[feature], box->high[feature]);
  }
}

template class ActorCritic<float>;
template class ActorCritic<double>;

} // namespace rl
