#include "rl/env/vector_env.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "rl/env/registry.hpp"
#include "rl/rng.hpp"

namespace rl {

namespace {

// In integers, so that the loop is vectorised: all ones in the exponent are NaN or infinity.
bool all_finite(std::span<const float> values) {
  unsigned bad = 0;
  for (auto each : values)
    bad |= (std::bit_cast<std::uint32_t>(each) & 0x7f800000u) == 0x7f800000u;
  return bad == 0;
}

} // namespace

VectorEnv::VectorEnv(const std::string& name, std::uint64_t seed, int first, int count,
                     Autoreset autoreset)
  : name_(name), seed_(seed), first_(first), autoreset_(autoreset) {
  if (count < 1)
    throw Error(ErrorCode::bad_value, "a vector environment needs at least one environment");
  for (int i = 0; i < count; ++i)
    envs_.push_back(make_network_env(name));
  observation_size_ = value_size(observation_space());
  action_size_ = value_size(action_space());
  episodes_.resize(envs_.size());
  observation_.resize(envs_.size() * observation_size_);
  final_observation_.resize(observation_.size());
  began_.resize(envs_.size());
  ended_.reserve(envs_.size());
  for (std::size_t row = 0; row < envs_.size(); ++row)
    begin(row);
}

std::span<float> VectorEnv::observation_row(std::size_t row) {
  return std::span(observation_).subspan(row * observation_size_, observation_size_);
}

std::string VectorEnv::place(std::size_t row) const {
  auto& episode = episodes_[row];
  return "environment " + std::to_string(first_ + static_cast<int>(row)) + " ('" + name_
         + "'), episode " + std::to_string(episode.number) + ", step "
         + std::to_string(episode.length);
}

void VectorEnv::begin(std::size_t row) {
  auto& episode = episodes_[row];
  episode.length = 0;
  episode.total = 0;
  episode.over = false;
  episode.actions.clear();
  auto env = static_cast<std::uint64_t>(first_) + row;
  auto observation = observation_row(row);
  envs_[row]->reset(derive_seed(seed_, env, episode.number), observation);
  if (!all_finite(observation))
    throw Error(ErrorCode::not_finite, place(row) + ": the first observation is not finite");
}

Step VectorEnv::advance(std::size_t row, std::span<const float> action) {
  auto& episode = episodes_[row];
  auto observation = observation_row(row);
  Step result;
  try {
    result = envs_[row]->step(action, observation);
  } catch (const Error& error) {
    throw Error(error.code(), place(row) + ": " + error.what());
  }
  episode.actions.insert(episode.actions.end(), action.begin(), action.end());
  episode.total += result.reward;
  ++episode.length;
  episode.over = result.terminated || result.truncated;
  if (!all_finite(observation))
    throw Error(ErrorCode::not_finite, place(row) + ": the observation is not finite");
  if (!std::isfinite(result.reward))
    throw Error(ErrorCode::not_finite, place(row) + ": the reward is not finite");
  return result;
}

void VectorEnv::step(std::span<const float> actions, const StepRows& out) {
  if (actions.size() != envs_.size() * action_size_)
    throw Error(ErrorCode::bad_value,
                "a step of " + std::to_string(envs_.size()) + " environments takes "
                  + std::to_string(envs_.size() * action_size_) + " numbers of action, not "
                  + std::to_string(actions.size()));
  ended_.clear();
  for (std::size_t row = 0; row < envs_.size(); ++row) {
    auto& episode = episodes_[row];
    began_[row] = episode.over && autoreset_ == Autoreset::next_step;
    if (began_[row]) {
      ++episode.number;
      begin(row);
      out.reward[row] = 0;
      out.terminated[row] = out.truncated[row] = 0;
      continue;
    }
    if (episode.over)
      throw Error(ErrorCode::bad_environment,
                  place(row) + ": the episode is over and nothing resets it; call reset(row)");
    auto result = advance(row, actions.subspan(row * action_size_, action_size_));
    out.reward[row] = static_cast<float>(result.reward);
    out.terminated[row] = result.terminated;
    out.truncated[row] = result.truncated;
    if (episode.over) {
      ended_.push_back({first_ + static_cast<int>(row), episode.total, episode.length});
      std::ranges::copy(observation_row(row),
                        final_observation_.begin()
                          + static_cast<std::ptrdiff_t>(row * observation_size_));
      if (autoreset_ == Autoreset::same_step)
        reset(static_cast<int>(row));
    }
  }
}

void VectorEnv::reset(int row) {
  if (row < 0 || row >= count())
    throw Error(ErrorCode::bad_value, "there is no row " + std::to_string(row) + " among "
                                        + std::to_string(count()) + " environments");
  ++episodes_[static_cast<std::size_t>(row)].number;
  begin(static_cast<std::size_t>(row));
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
  for (std::size_t i = 0; i + action_size_ <= actions.size(); i += action_size_) {
    auto last = i + 2 * action_size_ > actions.size();
    advance(row, std::span(actions).subspan(i, action_size_));
    if (episodes_[row].over && !(last && autoreset_ != Autoreset::same_step))
      throw Error(ErrorCode::bad_checkpoint,
                  "replaying a saved episode ended it: the environment is not the one that was "
                  "saved, or it does not repeat itself from its seed");
  }
}

} // namespace rl
