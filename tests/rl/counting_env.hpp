// An environment whose every number can be told in advance.
#pragma once

#include "rl/env/registry.hpp"
#include "rl/error.hpp"
#include "rl/rng.hpp"

namespace rl::test {

/// Observation: (length of this episode, steps taken in it). The length is 1 to 9, drawn from the
/// seed. Reward: the number of the step, from 1. Ends after `length` steps: an even length
/// terminates, an odd one truncates. Action: a box of one.
class CountingEnv final : public Env {
public:
  const Space& observation_space() const override {
    static const Space space = make_box(2, 0, 10);
    return space;
  }
  const Space& action_space() const override {
    static const Space space = make_box(1, -1, 1);
    return space;
  }
  void reset(std::optional<std::uint64_t> seed, std::span<float> observation) override {
    if (seed)
      rng_ = Rng(*seed);
    length_ = 1 + static_cast<int>(rng_.below(9));
    steps_ = 0;
    observe(observation);
  }
  Step step(std::span<const float> action, std::span<float> observation) override {
    if (!contains(action_space(), action))
      throw Error(ErrorCode::bad_value, "CountingEnv got an action that was not clipped");
    ++steps_;
    observe(observation);
    auto over = steps_ == length_;
    return {static_cast<double>(steps_), over && length_ % 2 == 0, over && length_ % 2 == 1};
  }

private:
  void observe(std::span<float> observation) const {
    observation[0] = static_cast<float>(length_);
    observation[1] = static_cast<float>(steps_);
  }

  int length_ = 0;
  int steps_ = 0;
  Rng rng_;
};

/// Registers it, once, as "Counting-v0".
inline const char* counting_env() {
  static const bool known =
    register_env({"Counting-v0", [] { return std::make_unique<CountingEnv>(); }});
  return known ? "Counting-v0" : "";
}

} // namespace rl::test
