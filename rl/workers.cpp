#include "rl/workers.hpp"

#include <algorithm>
#include <chrono>

namespace rl {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

} // namespace

RolloutWorker::RolloutWorker(const WorkersSpec& spec, int first, int count)
  : envs_(spec.env, derive_seed(spec.seed, "environments"), first, count), policy_(spec.policy) {
  auto seed = derive_seed(spec.seed, "actions");
  for (int i = 0; i < count; ++i)
    rngs_.emplace_back(derive_seed(seed, static_cast<std::uint64_t>(first + i)));
}

void RolloutWorker::sample(std::span<const float> weights, std::size_t steps, Batch& out) {
  policy_.check_weights(weights);
  auto start = Clock::now();
  times_ = {};
  std::size_t measured = 0; // steps whose time in environments is known
  auto envs = static_cast<std::size_t>(count());
  auto width = policy_.action_size();
  out.resize({steps, envs, policy_.observation_size(), width});
  std::ranges::copy(envs_.observation(), out.observation_row(0).begin());
  for (std::size_t t = 0; t < steps; ++t) {
    auto column = [&](auto& values, std::size_t size) {
      return std::span(values).subspan(t * envs * size, envs * size);
    };
    auto action = column(out.action, width);
    policy_.act(weights, envs_.observation(), rngs_, action, column(out.log_prob, 1), workspace_);
    clipped_.assign(action.begin(), action.end());
    clip_to_space(envs_.action_space(), clipped_);
    auto measure = t % 8 == 0; // reading the clock takes as long as a step of a simple environment
    auto before = measure ? Clock::now() : start;
    envs_.step(clipped_,
               {column(out.reward, 1), column(out.terminated, 1), column(out.truncated, 1)});
    if (measure) {
      times_.simulation += seconds_since(before);
      ++measured;
    }
    std::ranges::copy(envs_.observation(), out.observation_row(t + 1).begin());
    for (auto& episode : envs_.ended()) {
      auto env = episode.env - envs_.first();
      out.ends.push_back({t, static_cast<std::size_t>(env), episode});
      std::ranges::copy(envs_.final_observation(env), std::back_inserter(out.final_observation));
    }
  }
  if (measured > 0)
    times_.simulation *= static_cast<double>(steps) / static_cast<double>(measured);
  times_.sampling = seconds_since(start);
}

std::vector<std::string> RolloutWorker::save() const {
  std::vector<std::string> states;
  for (int i = 0; i < count(); ++i) {
    ByteWriter out;
    envs_.save(i, out);
    rngs_[static_cast<std::size_t>(i)].save(out);
    states.push_back(out.take());
  }
  return states;
}

void RolloutWorker::load(std::span<const std::string> states) {
  if (states.size() != rngs_.size())
    throw Error(ErrorCode::bad_checkpoint, "the saved run has " + std::to_string(states.size())
                                             + " environments, this one "
                                             + std::to_string(rngs_.size()));
  for (std::size_t i = 0; i < states.size(); ++i) {
    ByteReader in(states[i]);
    envs_.load(static_cast<int>(i), in);
    rngs_[i] = Rng::load(in);
  }
}

SerialWorkers::SerialWorkers(const WorkersSpec& spec) : worker_(spec, 0, spec.envs) {}

void SerialWorkers::set_weights(std::span<const float> weights) {
  weights_.assign(weights.begin(), weights.end());
}

void SerialWorkers::sample(std::size_t steps, Batch& out) {
  worker_.sample(weights_, steps, out);
}

std::vector<std::string> SerialWorkers::save() {
  return worker_.save();
}

void SerialWorkers::load(std::span<const std::string> states) {
  worker_.load(states);
}

} // namespace rl
