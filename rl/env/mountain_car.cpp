#include "rl/env/mountain_car.hpp"

#include <algorithm>
#include <cmath>

#include "rl/env/checks.hpp"
#include "rl/env/picture.hpp"

namespace rl {

namespace {

constexpr double leftmost = -1.2, rightmost = 0.6, max_speed = 0.07;
constexpr double slope = 0.0025;
constexpr double push = 0.001, goal = 0.5;               // discrete
constexpr double power = 0.0015, continuous_goal = 0.45; // continuous

void observe(const std::array<double, 2>& state, std::span<float> observation) {
  observation[0] = static_cast<float>(state[0]);
  observation[1] = static_cast<float>(state[1]);
}

// One step with this acceleration from the engine; the wall on the left stops the car.
std::array<double, 2> moved(const std::array<double, 2>& state, double acceleration) {
  auto velocity = std::clamp(state[1] + acceleration, -max_speed, max_speed);
  auto position = std::clamp(state[0] + velocity, leftmost, rightmost);
  if (position == leftmost && velocity < 0)
    velocity = 0;
  return {position, velocity};
}

double height(double position) {
  return 0.45 * std::sin(3 * position) + 0.55;
}

void draw_car(Picture& picture, double position, double flag) {
  picture.clear(300, 220, {255, 255, 255});
  View view{{300.0 * 1.2 / 1.8, 214}, 300.0 / 1.8};
  constexpr int pieces = 60;
  auto at = [](int i) { return leftmost + (rightmost - leftmost) * i / pieces; };
  for (int i = 0; i < pieces; ++i)
    picture.line(view(at(i), height(at(i))), view(at(i + 1), height(at(i + 1))), 2, {0, 0, 0});
  picture.line(view(flag, height(flag)), view(flag, height(flag) + 0.25), 1.5, {0, 0, 0});
  Point cloth[] = {view(flag, height(flag) + 0.25), view(flag, height(flag) + 0.15),
                   view(flag + 0.12, height(flag) + 0.2)};
  picture.polygon(cloth, {204, 204, 0});
  auto tilt = std::atan(0.45 * 3 * std::cos(3 * position));
  auto along = [&](double forward, double up) {
    return view(position + forward * std::cos(tilt) - up * std::sin(tilt),
                height(position) + forward * std::sin(tilt) + up * std::cos(tilt));
  };
  Point body[] = {along(-0.1, 0.05), along(0.1, 0.05), along(0.1, 0.13), along(-0.1, 0.13)};
  picture.polygon(body, {40, 40, 40});
  picture.disc(along(-0.06, 0.04), 6, {128, 128, 128});
  picture.disc(along(0.06, 0.04), 6, {128, 128, 128});
}

const Space& positions_and_velocities() {
  static const Space space = make_box({-1.2f, -0.07f}, {0.6f, 0.07f});
  return space;
}

} // namespace

const Space& MountainCar::observation_space() const {
  return positions_and_velocities();
}

const Space& MountainCar::action_space() const {
  static const Space space = Discrete{3};
  return space;
}

void MountainCar::reset(std::optional<std::uint64_t> seed, std::span<float> observation) {
  if (seed)
    rng_ = Rng(*seed);
  state_ = {rng_.uniform(-0.6, -0.4), 0};
  running_ = true;
  observe(state_, observation);
}

Step MountainCar::step(std::span<const float> action, std::span<float> observation) {
  require_running(running_, "MountainCar");
  auto direction = require_choice(action, 3, "MountainCar") - 1;
  state_ = moved(state_, direction * push + std::cos(3 * state_[0]) * -slope);
  running_ = !(state_[0] >= goal && state_[1] >= 0);
  observe(state_, observation);
  return {.reward = -1.0, .terminated = !running_, .truncated = false};
}

bool MountainCar::draw(Picture& picture) const {
  draw_car(picture, state_[0], goal);
  return true;
}

const Space& MountainCarContinuous::observation_space() const {
  return positions_and_velocities();
}

const Space& MountainCarContinuous::action_space() const {
  static const Space space = make_box({-1}, {1});
  return space;
}

void MountainCarContinuous::reset(std::optional<std::uint64_t> seed, std::span<float> observation) {
  if (seed)
    rng_ = Rng(*seed);
  state_ = {rng_.uniform(-0.6, -0.4), 0};
  running_ = true;
  observe(state_, observation);
}

Step MountainCarContinuous::step(std::span<const float> action, std::span<float> observation) {
  require_running(running_, "MountainCarContinuous");
  require_finite(action.first(1), "MountainCarContinuous");
  auto given = static_cast<double>(action[0]);
  auto next = moved(state_, std::clamp(given, -1.0, 1.0) * power - slope * std::cos(3 * state_[0]));
  running_ = !(next[0] >= continuous_goal && next[1] >= 0);
  observe(next, observation);
  state_ = {static_cast<double>(observation[0]), static_cast<double>(observation[1])};
  auto reward = (running_ ? 0.0 : 100.0) - given * given * 0.1;
  return {.reward = reward, .terminated = !running_, .truncated = false};
}

bool MountainCarContinuous::draw(Picture& picture) const {
  draw_car(picture, state_[0], continuous_goal);
  return true;
}

} // namespace rl
