#include "rl/env/transform.hpp"

#include <algorithm>
#include <limits>

#include "rl/env/checks.hpp"

namespace rl {

namespace {

const Box& box_of(const Space& space, const char* wrapper, const char* what) {
  auto* box = std::get_if<Box>(&space);
  if (!box)
    throw Error(ErrorCode::bad_space,
                std::string(wrapper) + " needs " + what + " from a box, not " + describe(space));
  return *box;
}

Box without_bounds(Box box) {
  constexpr auto infinity = std::numeric_limits<float>::infinity();
  std::fill(box.low.begin(), box.low.end(), -infinity);
  std::fill(box.high.begin(), box.high.end(), infinity);
  return box;
}

Box repeated(const Box& box, std::size_t count) {
  Box result;
  for (std::size_t i = 0; i < count; ++i) {
    result.low.insert(result.low.end(), box.low.begin(), box.low.end());
    result.high.insert(result.high.end(), box.high.begin(), box.high.end());
  }
  result.shape = {static_cast<int>(count)};
  result.shape.insert(result.shape.end(), box.shape.begin(), box.shape.end());
  return result;
}

std::size_t frame_count(int count) {
  if (count < 1)
    throw Error(ErrorCode::bad_value,
                "FrameStack needs at least one frame, not " + std::to_string(count));
  return static_cast<std::size_t>(count);
}

int choices(const Space& space) {
  auto* discrete = std::get_if<Discrete>(&space);
  if (!discrete)
    throw Error(ErrorCode::bad_space,
                "OneHotObservation needs discrete observations, not " + describe(space));
  return discrete->n;
}

void write_one_hot(float choice, std::span<float> observation) {
  std::fill(observation.begin(), observation.end(), 0.0f);
  observation[static_cast<std::size_t>(choice)] = 1;
}

} // namespace

ClipAction::ClipAction(std::unique_ptr<Env> env)
  : Wrapper(std::move(env)),
    space_(without_bounds(box_of(inner().action_space(), "ClipAction", "actions"))),
    clipped_(value_size(space_)) {}

Step ClipAction::step(std::span<const float> action, std::span<float> observation) {
  require_finite(action.first(clipped_.size()), "ClipAction");
  auto& box = std::get<Box>(inner().action_space());
  for (std::size_t i = 0; i < clipped_.size(); ++i)
    clipped_[i] = std::clamp(action[i], box.low[i], box.high[i]);
  return inner().step(clipped_, observation);
}

ClipReward::ClipReward(std::unique_ptr<Env> env, double low, double high)
  : Wrapper(std::move(env)), low_(low), high_(high) {
  if (!(low <= high))
    throw Error(ErrorCode::bad_value, "ClipReward's lower bound lies above its upper bound");
}

Step ClipReward::step(std::span<const float> action, std::span<float> observation) {
  auto result = inner().step(action, observation);
  result.reward = std::clamp(result.reward, low_, high_);
  return result;
}

FrameStack::FrameStack(std::unique_ptr<Env> env, int count)
  : Wrapper(std::move(env)), count_(frame_count(count)),
    size_(value_size(inner().observation_space())),
    space_(repeated(box_of(inner().observation_space(), "FrameStack", "observations"), count_)),
    frames_(count_ * size_) {}

void FrameStack::reset(std::optional<std::uint64_t> seed, std::span<float> observation) {
  auto first = std::span(frames_).first(size_);
  inner().reset(seed, first);
  for (std::size_t i = 1; i < count_; ++i)
    std::copy(first.begin(), first.end(), frames_.begin() + static_cast<std::ptrdiff_t>(i * size_));
  std::copy(frames_.begin(), frames_.end(), observation.begin());
}

Step FrameStack::step(std::span<const float> action, std::span<float> observation) {
  // The last frame of `observation` is free to be written; only then do the others move.
  auto newest = observation.subspan((count_ - 1) * size_, size_);
  auto result = inner().step(action, newest);
  std::copy(frames_.begin() + static_cast<std::ptrdiff_t>(size_), frames_.end(), frames_.begin());
  std::copy(newest.begin(), newest.end(), frames_.end() - static_cast<std::ptrdiff_t>(size_));
  std::copy(frames_.begin(), frames_.end(), observation.begin());
  return result;
}

OneHotObservation::OneHotObservation(std::unique_ptr<Env> env)
  : Wrapper(std::move(env)), space_(make_box(choices(inner().observation_space()), 0, 1)) {}

void OneHotObservation::reset(std::optional<std::uint64_t> seed, std::span<float> observation) {
  float choice[1];
  inner().reset(seed, choice);
  write_one_hot(choice[0], observation);
}

Step OneHotObservation::step(std::span<const float> action, std::span<float> observation) {
  float choice[1];
  auto result = inner().step(action, choice);
  write_one_hot(choice[0], observation);
  return result;
}

} // namespace rl
