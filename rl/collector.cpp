#include "rl/collector.hpp"

namespace rl {

Collector::Collector(const CollectorOptions& options)
  : reward_scale_(options.reward_scale),
    envs_(options.env, derive_seed(options.seed, "environments"), options.first, options.envs),
    observation_size_(value_size(envs_.observation_space())),
    action_size_(value_size(envs_.action_space())) {
  auto seed = derive_seed(options.seed, "actions");
  auto envs = static_cast<std::size_t>(options.envs);
  for (std::size_t i = 0; i < envs; ++i)
    rngs_.emplace_back(derive_seed(seed, static_cast<std::uint64_t>(options.first) + i));
  windows_.assign(envs, NStepWindow(options.steps, options.gamma, observation_size_, action_size_));
  reward_.resize(envs);
  terminated_.resize(envs);
  truncated_.resize(envs);
}

void Collector::step(std::span<const float> given, std::span<const float> kept, Transitions& out) {
  before_.assign(envs_.observation().begin(), envs_.observation().end());
  envs_.step(given, {reward_, terminated_, truncated_});
  for (std::size_t row = 0; row < windows_.size(); ++row) {
    bool terminated = terminated_[row] != 0, truncated = truncated_[row] != 0;
    auto at = row * observation_size_;
    auto next = terminated || truncated ? envs_.final_observation(static_cast<int>(row))
                                        : envs_.observation().subspan(at, observation_size_);
    windows_[row].push({std::span(before_).subspan(at, observation_size_),
                        kept.subspan(row * action_size_, action_size_),
                        static_cast<float>(reward_scale_ * static_cast<double>(reward_[row])),
                        terminated, truncated, next},
                       out);
  }
}

std::vector<std::string> Collector::save() const {
  std::vector<std::string> states;
  for (std::size_t row = 0; row < windows_.size(); ++row) {
    ByteWriter out;
    envs_.save(static_cast<int>(row), out);
    rngs_[row].save(out);
    windows_[row].save(out);
    states.push_back(out.take());
  }
  return states;
}

void Collector::load(std::span<const std::string> states) {
  if (states.size() != windows_.size())
    throw Error(ErrorCode::bad_checkpoint, "the saved run has " + std::to_string(states.size())
                                             + " environments, this one "
                                             + std::to_string(windows_.size()));
  for (std::size_t row = 0; row < states.size(); ++row) {
    ByteReader in(states[row]);
    envs_.load(static_cast<int>(row), in);
    rngs_[row] = Rng::load(in);
    windows_[row].load(in);
  }
}

void draw_in_unit_box(std::span<Rng> rngs, std::span<float> action) {
  auto width = action.size() / rngs.size();
  for (std::size_t i = 0; i < action.size(); ++i)
    action[i] = static_cast<float>(rngs[i / width].uniform(-1, 1));
}

} // namespace rl
