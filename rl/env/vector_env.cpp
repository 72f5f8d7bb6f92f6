#include "rl/env/vector_env.hpp"

#include <algorithm>

#include "rl/env/registry.hpp"
#include "rl/rng.hpp"

namespace rl {

VectorEnv::VectorEnv(const std::string& name, std::uint64_t seed, int first, int count)
  : seed_(seed), first_(first) {
  if (count < 1)
    throw Error(ErrorCode::bad_value, "a vector environment needs at least one environment");
  for (int i = 0; i < count; ++i)
    envs_.push_back(make_env(name));
  observation_size_ = value_size(observation_space());
  action_size_ = value_size(action_space());
  episodes_.resize(envs_.size());
  observation_.resize(envs_.size() * observation_size_);
  final_observation_.resize(observation_.size());
  ended_.reserve(envs_.size());
  for (std::size_t row = 0; row < envs_.size(); ++row)
    begin(row);
}

void VectorEnv::begin(std::size_t row) {
  auto& episode = episodes_[row];
  episode.length = 0;
  episode.total = 0;
  episode.actions.clear();
  auto env = static_cast<std::uint64_t>(first_) + row;
  envs_[row]->reset(derive_seed(seed_, env, episode.number),
                    std::span(observation_).subspan(row * observation_size_, observation_size_));
}

Step VectorEnv::advance(std::size_t row, std::span<const float> action,
                        std::span<float> observation) {
  auto result = envs_[row]->step(action, observation);
  auto& episode = episodes_[row];
  episode.actions.insert(episode.actions.end(), action.begin(), action.end());
  episode.total += result.reward;
  ++episode.length;
  return result;
}

void VectorEnv::step(std::span<const float> actions, const StepRows& out) {
  ended_.clear();
  for (std::size_t row = 0; row < envs_.size(); ++row) {
    auto observation = std::span(observation_).subspan(row * observation_size_, observation_size_);
    auto result = advance(row, actions.subspan(row * action_size_, action_size_), observation);
    out.reward[row] = static_cast<float>(result.reward);
    out.terminated[row] = result.terminated;
    out.truncated[row] = result.truncated;
    if (result.terminated || result.truncated) {
      auto& episode = episodes_[row];
      ended_.push_back({first_ + static_cast<int>(row), episode.total, episode.length});
      std::copy(observation.begin(), observation.end(),
                final_observation_.begin() + static_cast<std::ptrdiff_t>(row * observation_size_));
      ++episode.number;
      begin(row);
    }
  }
}

std::span<const float> VectorEnv::final_observation(int row) const {
  return std::span(final_observation_)
    .subspan(static_cast<std::size_t>(row) * observation_size_, observation_size_);
}

void VectorEnv::save(int row, ByteWriter& out) const {
  auto& episode = episodes_[static_cast<std::size_t>(row)];
  out.put<std::uint64_t>(static_cast<std::uint64_t>(first_ + row));
  out.put(episode.number);
  out.put_all(std::span<const float>(episode.actions));
}

void VectorEnv::load(int row_index, ByteReader& in) {
  auto row = static_cast<std::size_t>(row_index);
  if (in.get<std::uint64_t>() != static_cast<std::uint64_t>(first_) + row)
    throw Error(ErrorCode::bad_checkpoint, "the saved state belongs to another environment");
  episodes_[row].number = in.get<std::uint64_t>();
  auto actions = in.get_all<float>();
  begin(row);
  auto observation = std::span(observation_).subspan(row * observation_size_, observation_size_);
  for (std::size_t i = 0; i + action_size_ <= actions.size(); i += action_size_) {
    auto result = advance(row, std::span(actions).subspan(i, action_size_), observation);
    if (result.terminated || result.truncated)
      throw Error(ErrorCode::bad_checkpoint,
                  "replaying a saved episode ended it: the environment is not the one that was "
                  "saved, or it does not repeat itself from its seed");
  }
}

} // namespace rl
