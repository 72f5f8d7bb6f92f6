#include "rl/env/normalise.hpp"

#include <algorithm>
#include <cmath>

namespace rl {

namespace {

constexpr double epsilon = 1e-8;

double positive(double bound, const char* wrapper) {
  if (!(bound > 0))
    throw Error(ErrorCode::bad_value, std::string(wrapper) + " needs a bound above 0");
  return bound;
}

Box bounded(const Space& space, double bound) {
  auto* box = std::get_if<Box>(&space);
  if (!box)
    throw Error(ErrorCode::bad_space,
                "NormaliseObservation needs observations from a box, not " + describe(space));
  auto result = *box;
  std::fill(result.low.begin(), result.low.end(), static_cast<float>(-bound));
  std::fill(result.high.begin(), result.high.end(), static_cast<float>(bound));
  return result;
}

} // namespace

NormaliseObservation::NormaliseObservation(std::unique_ptr<Env> env, double bound)
  : Wrapper(std::move(env)), bound_(positive(bound, "NormaliseObservation")),
    space_(bounded(inner().observation_space(), bound)), moments_(value_size(space_)) {}

void NormaliseObservation::reset(std::optional<std::uint64_t> seed, std::span<float> observation) {
  inner().reset(seed, observation);
  normalise(observation);
}

Step NormaliseObservation::step(std::span<const float> action, std::span<float> observation) {
  auto result = inner().step(action, observation);
  normalise(observation);
  return result;
}

void NormaliseObservation::normalise(std::span<float> observation) {
  if (!frozen_)
    moments_.add(observation);
  for (std::size_t i = 0; i < moments_.features(); ++i) {
    auto scaled = (static_cast<double>(observation[i]) - moments_.mean()[i])
                  / std::sqrt(moments_.variance(i) + epsilon);
    observation[i] = static_cast<float>(std::clamp(scaled, -bound_, bound_));
  }
}

NormaliseReward::NormaliseReward(std::unique_ptr<Env> env, double gamma, double bound)
  : Wrapper(std::move(env)), gamma_(gamma), bound_(positive(bound, "NormaliseReward")) {
  if (!(gamma >= 0 && gamma <= 1))
    throw Error(ErrorCode::bad_value,
                "NormaliseReward needs a discount from 0 to 1, not " + std::to_string(gamma));
}

Step NormaliseReward::step(std::span<const float> action, std::span<float> observation) {
  auto result = inner().step(action, observation);
  if (!frozen_) {
    discounted_ = discounted_ * gamma_ * (result.terminated ? 0 : 1) + result.reward;
    moments_.add(discounted_);
  }
  result.reward =
    std::clamp(result.reward / std::sqrt(moments_.variance(0) + epsilon), -bound_, bound_);
  return result;
}

} // namespace rl
