#include "rl/env/pendulum.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "rl/env/checks.hpp"
#include "rl/env/picture.hpp"

namespace rl {

namespace {

constexpr double gravity = 10.0;
constexpr double mass = 1.0;
constexpr double length = 1.0;
constexpr double interval = 0.05;
constexpr double max_torque = 2.0;
constexpr double max_speed = 8.0;

// The same angle in [-pi, pi).
double wrapped(double angle) {
  constexpr auto pi = std::numbers::pi;
  auto turned = angle + pi;
  if (turned >= 0 && turned < 2 * pi) // mostly, and fmod is slow
    return turned - pi;
  turned = std::fmod(turned, 2 * pi);
  return (turned < 0 ? turned + 2 * pi : turned) - pi;
}

} // namespace

const Space& Pendulum::observation_space() const {
  static const Space space = make_box({-1, -1, -8}, {1, 1, 8});
  return space;
}

const Space& Pendulum::action_space() const {
  static const Space space = make_box({-2}, {2});
  return space;
}

void Pendulum::reset(std::optional<std::uint64_t> seed, std::span<float> observation) {
  if (seed)
    rng_ = Rng(*seed);
  state_[0] = rng_.uniform(-std::numbers::pi, std::numbers::pi);
  state_[1] = rng_.uniform(-1, 1);
  running_ = true;
  observe(observation);
}

Step Pendulum::step(std::span<const float> action, std::span<float> observation) {
  require_running(running_, "Pendulum");
  require_finite(action.first(1), "Pendulum");
  auto [angle, speed] = state_;
  auto torque = std::clamp(static_cast<double>(action[0]), -max_torque, max_torque);
  auto off = wrapped(angle);
  auto cost = off * off + 0.1 * (speed * speed) + 0.001 * (torque * torque);
  auto acceleration = 3 * gravity / (2 * length) * sine_ + 3.0 / (mass * length * length) * torque;
  state_[1] = std::clamp(speed + acceleration * interval, -max_speed, max_speed);
  state_[0] = angle + state_[1] * interval;
  observe(observation);
  return {.reward = -cost, .terminated = false, .truncated = false};
}

void Pendulum::observe(std::span<float> observation) {
  sine_ = std::sin(state_[0]);
  observation[0] = static_cast<float>(std::cos(state_[0]));
  observation[1] = static_cast<float>(sine_);
  observation[2] = static_cast<float>(state_[1]);
}

bool Pendulum::draw(Picture& picture) const {
  picture.clear(200, 200, {255, 255, 255});
  View view{{100, 100}, 80};
  picture.line(view(0, 0), view(-std::sin(state_[0]), std::cos(state_[0])), 16, {204, 77, 77});
  picture.disc(view(-std::sin(state_[0]), std::cos(state_[0])), 8, {204, 77, 77});
  picture.disc(view(0, 0), 8, {204, 77, 77});
  picture.disc(view(0, 0), 3, {0, 0, 0});
  return true;
}

} // namespace rl
