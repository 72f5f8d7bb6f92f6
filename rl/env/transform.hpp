// Wrappers that change what an agent sees, does or gets, without a memory beyond the episode: clip
// actions, clip rewards, stack observations, write choices as one-hot vectors.
#pragma once

#include <memory>
#include <vector>

#include "rl/env/wrapper.hpp"

namespace rl {

/// Takes any finite action and clips it to the bounds of the environment's box. Throws
/// Error{bad_space} when its actions are no box.
class ClipAction final : public Wrapper {
public:
  explicit ClipAction(std::unique_ptr<Env> env);

  /// The same shape without bounds.
  const Space& action_space() const override { return space_; }
  Step step(std::span<const float> action, std::span<float> observation) override;

private:
  Space space_;
  std::vector<float> clipped_;
};

/// Clips each reward to [low, high]. Throws Error{bad_value} when low > high.
class ClipReward final : public Wrapper {
public:
  ClipReward(std::unique_ptr<Env> env, double low, double high);

  Step step(std::span<const float> action, std::span<float> observation) override;

private:
  double low_, high_;
};

/// Shows the latest `count` observations, oldest first: shape {count, ...the environment's}. An
/// episode begins with its first observation repeated. Throws Error{bad_value} when count < 1 and
/// Error{bad_space} when observations are no box.
class FrameStack final : public Wrapper {
public:
  FrameStack(std::unique_ptr<Env> env, int count);

  const Space& observation_space() const override { return space_; }
  void reset(std::optional<std::uint64_t> seed, std::span<float> observation) override;
  Step step(std::span<const float> action, std::span<float> observation) override;

private:
  std::size_t count_, size_; // frames, floats a frame
  Space space_;
  std::vector<float> frames_; // [frame, feature], oldest first
};

/// Shows a choice among n as n numbers, all 0 but a 1 at the choice: what a network can read.
/// Throws Error{bad_space} when observations are not discrete.
class OneHotObservation final : public Wrapper {
public:
  explicit OneHotObservation(std::unique_ptr<Env> env);

  const Space& observation_space() const override { return space_; }
  void reset(std::optional<std::uint64_t> seed, std::span<float> observation) override;
  Step step(std::span<const float> action, std::span<float> observation) override;

private:
  Space space_;
};

} // namespace rl
