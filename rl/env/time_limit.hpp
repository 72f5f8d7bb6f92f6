// A time limit around an environment: what it stops is truncated, never terminated.
#pragma once

#include <memory>
#include <utility>

#include "rl/env/wrapper.hpp"

namespace rl {

/// Owns `env` and truncates its episodes after `max_steps` (> 0) steps.
class TimeLimit final : public Wrapper {
public:
  TimeLimit(std::unique_ptr<Env> env, int max_steps)
    : Wrapper(std::move(env)), max_steps_(max_steps) {
    if (max_steps <= 0)
      throw Error(ErrorCode::bad_value, "a time limit must be at least one step");
  }

  void reset(std::optional<std::uint64_t> seed, std::span<float> observation) override {
    steps_ = 0;
    inner().reset(seed, observation);
  }

  Step step(std::span<const float> action, std::span<float> observation) override {
    if (steps_ >= max_steps_)
      throw Error(ErrorCode::bad_environment,
                  "step after the time limit ended the episode; reset first");
    auto result = inner().step(action, observation);
    result.truncated = result.truncated || ++steps_ >= max_steps_;
    return result;
  }

private:
  int max_steps_;
  int steps_ = 0;
};

} // namespace rl
