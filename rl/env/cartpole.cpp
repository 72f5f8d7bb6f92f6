#include "rl/env/cartpole.hpp"

#include <cmath>
#include <limits>
#include <numbers>

#include "rl/env/checks.hpp"
#include "rl/env/picture.hpp"

namespace rl {

namespace {

constexpr double gravity = 9.8;
constexpr double pole_mass = 0.1;
constexpr double total_mass = 1.0 + pole_mass;
constexpr double half_length = 0.5;
constexpr double pole_moment = pole_mass * half_length;
constexpr double push = 10.0;
constexpr double interval = 0.02;
constexpr double position_limit = 2.4;
constexpr double angle_limit = 12 * 2 * std::numbers::pi / 360;

void observe(const std::array<double, 4>& state, std::span<float> observation) {
  for (std::size_t i = 0; i < state.size(); ++i)
    observation[i] = static_cast<float>(state[i]);
}

} // namespace

const Space& CartPole::observation_space() const {
  static const Space space = [] {
    constexpr auto infinity = std::numeric_limits<float>::infinity();
    auto x = static_cast<float>(2 * position_limit), angle = static_cast<float>(2 * angle_limit);
    return make_box({-x, -infinity, -angle, -infinity}, {x, infinity, angle, infinity});
  }();
  return space;
}

const Space& CartPole::action_space() const {
  static const Space space = Discrete{2};
  return space;
}

void CartPole::reset(std::optional<std::uint64_t> seed, std::span<float> observation) {
  if (seed)
    rng_ = Rng(*seed);
  for (auto& each : state_)
    each = rng_.uniform(-0.05, 0.05);
  running_ = true;
  observe(state_, observation);
}

Step CartPole::step(std::span<const float> action, std::span<float> observation) {
  require_running(running_, "CartPole");
  auto force = require_choice(action, 2, "CartPole") == 1 ? push : -push;
  auto [x, velocity, angle, spin] = state_;
  auto cosine = std::cos(angle), sine = std::sin(angle);
  auto temp = (force + pole_moment * (spin * spin) * sine) / total_mass;
  auto spin_rate = (gravity * sine - cosine * temp)
                   / (half_length * (4.0 / 3.0 - pole_mass * (cosine * cosine) / total_mass));
  auto acceleration = temp - pole_moment * spin_rate * cosine / total_mass;
  // Positions advance with the old velocities.
  state_ = {x + interval * velocity, velocity + interval * acceleration, angle + interval * spin,
            spin + interval * spin_rate};
  observe(state_, observation);
  running_ = std::abs(state_[0]) <= position_limit && std::abs(state_[2]) <= angle_limit;
  return {.reward = 1.0, .terminated = !running_, .truncated = false};
}

bool CartPole::draw(Picture& picture) const {
  picture.clear(300, 120, {255, 255, 255});
  View view{{150, 90}, 60};
  auto [x, velocity, angle, spin] = state_;
  picture.rectangle(0, 89, 300, 91, {90, 90, 90});
  auto base = view(x, 0);
  picture.rectangle(base.x - 18, base.y - 10, base.x + 18, base.y + 10, {0, 0, 0});
  picture.line(base, view(x + 2 * half_length * std::sin(angle), std::cos(angle)), 6,
               {202, 152, 101});
  picture.disc(base, 4, {129, 132, 203});
  return true;
}

} // namespace rl
