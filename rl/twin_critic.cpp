#include "rl/twin_critic.hpp"

#include <algorithm>
#include <cmath>

#include "rl/nn/layer_sizes.hpp"

namespace rl {

template <class S>
TwinCritic<S>::TwinCritic(std::size_t observation_size, std::size_t action_size,
                          const std::vector<std::int64_t>& hidden, const std::string& activation)
  : observation_size_(observation_size), action_size_(action_size) {
  network_ = nn::Mlp<S>(nn::layer_sizes(observation_size + action_size, hidden, 1),
                        nn::activation_of(activation));
}

template <class S>
std::vector<S> TwinCritic<S>::initialise(Rng& rng) const {
  std::vector<S> parameters(parameter_count());
  network_.initialise(first_part(std::span(parameters)), std::sqrt(2.0), 1, rng);
  network_.initialise(second_part(std::span(parameters)), std::sqrt(2.0), 1, rng);
  return parameters;
}

template <class S>
typename TwinCritic<S>::Values
TwinCritic<S>::forward(std::span<const S> parameters, std::span<const S> observation,
                       std::span<const S> action, Workspace& workspace) const {
  auto rows = action.size() / action_size_;
  auto width = observation_size_ + action_size_;
  workspace.input.resize(rows * width);
  for (std::size_t row = 0; row < rows; ++row) {
    auto* to = &workspace.input[row * width];
    std::copy_n(&observation[row * observation_size_], observation_size_, to);
    std::copy_n(&action[row * action_size_], action_size_, to + observation_size_);
  }
  return {network_.forward(first_part(parameters), rows, workspace.input, workspace.first),
          network_.forward(second_part(parameters), rows, workspace.input, workspace.second)};
}

template <class S>
void TwinCritic<S>::backward(std::span<const S> parameters, std::span<const S> d_first,
                             std::span<const S> d_second, std::span<S> gradient,
                             Workspace& workspace) const {
  network_.backward(first_part(parameters), d_first.size(), workspace.input, workspace.first,
                    d_first, first_part(gradient));
  network_.backward(second_part(parameters), d_second.size(), workspace.input, workspace.second,
                    d_second, second_part(gradient));
}

template <class S>
void TwinCritic<S>::action_gradient(std::span<const S> parameters, std::span<const S> d_first,
                                    std::span<const S> d_second, std::span<S> d_action,
                                    Workspace& workspace) const {
  auto rows = d_first.size();
  auto width = observation_size_ + action_size_;
  workspace.d_input.resize(rows * width);
  std::fill(d_action.begin(), d_action.end(), S{0});
  auto add = [&](std::span<const S> part, std::span<const S> d, nn::Workspace<S>& of) {
    network_.backward(part, rows, workspace.input, of, d, {}, workspace.d_input);
    for (std::size_t row = 0; row < rows; ++row)
      for (std::size_t i = 0; i < action_size_; ++i)
        d_action[row * action_size_ + i] += workspace.d_input[row * width + observation_size_ + i];
  };
  add(first_part(parameters), d_first, workspace.first);
  add(second_part(parameters), d_second, workspace.second);
}

void average_into(std::span<float> target, std::span<const float> weights, double tau) {
  auto t = static_cast<float>(tau);
  for (std::size_t i = 0; i < target.size(); ++i)
    target[i] += t * (weights[i] - target[i]);
}

template class TwinCritic<float>;
template class TwinCritic<double>;

} // namespace rl
