// A time limit around an environment: what it stops is truncated, never terminated.
#pragma once

#include <memory>
#include <utility>

#include "rl/env/env.hpp"
#include "rl/error.hpp"

namespace rl {

/// Owns `env` and truncates its episodes after `max_steps` (> 0) steps.
class TimeLimit final : public Env {
public:
  TimeLimit(std::unique_ptr<Env> env, int max_steps) : env_(std::move(env)), max_steps_(max_steps) {
    if (max_steps <= 0)
      throw Error(ErrorCode::bad_value, "a time limit must be at least one step");
  }

  const Space& observation_space() const override { return env_->observation_space(); }
  const Space& action_space() const override { return env_->action_space(); }

  void reset(std::optional<std::uint64_t> seed, std::span<float> observation) override {
    steps_ = 0;
    env_->reset(seed, observation);
  }

  Step step(std::span<const float> action, std::span<float> observation) override {
    auto result = env_->step(action, observation);
    result.truncated = result.truncated || ++steps_ >= max_steps_;
    return result;
  }

  Env& inner() { return *env_; }

private:
  std::unique_ptr<Env> env_;
  int max_steps_;
  int steps_ = 0;
};

} // namespace rl
