#include "rl/env/acrobot.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "rl/env/checks.hpp"
#include "rl/env/picture.hpp"

namespace rl {

namespace {

constexpr double pi = std::numbers::pi;
constexpr double gravity = 9.8;
constexpr double mass = 1.0;   // of each bar
constexpr double length = 1.0; // of each bar
constexpr double centre = 0.5; // of mass, from the joint above
constexpr double inertia = 1.0;
constexpr double interval = 0.2;
constexpr double max_speed[] = {4 * pi, 9 * pi};

using State = std::array<double, 4>;

// Time derivative of the state under a torque at the second joint.
State slope(const State& state, double torque) {
  auto [angle1, angle2, speed1, speed2] = state;
  auto cosine = std::cos(angle2), sine = std::sin(angle2);
  auto d1 = mass * (centre * centre)
            + mass * (length * length + centre * centre + 2 * length * centre * cosine) + inertia
            + inertia;
  auto d2 = mass * (centre * centre + length * centre * cosine) + inertia;
  auto phi2 = mass * centre * gravity * std::cos(angle1 + angle2 - pi / 2.0);
  auto phi1 = -mass * length * centre * (speed2 * speed2) * sine
              - 2 * mass * length * centre * speed2 * speed1 * sine
              + (mass * centre + mass * length) * gravity * std::cos(angle1 - pi / 2) + phi2;
  auto rate2 = (torque + d2 / d1 * phi1 - mass * length * centre * (speed1 * speed1) * sine - phi2)
               / (mass * (centre * centre) + inertia - d2 * d2 / d1);
  auto rate1 = -(d2 * rate2 + phi1) / d1;
  return {speed1, speed2, rate1, rate2};
}

State moved(const State& from, const State& along, double time) {
  State result;
  for (std::size_t i = 0; i < from.size(); ++i)
    result[i] = from[i] + time * along[i];
  return result;
}

// The classic Runge-Kutta method of fourth order, one step.
State integrate(const State& state, double torque) {
  auto k1 = slope(state, torque);
  auto k2 = slope(moved(state, k1, interval / 2), torque);
  auto k3 = slope(moved(state, k2, interval / 2), torque);
  auto k4 = slope(moved(state, k3, interval), torque);
  State result;
  for (std::size_t i = 0; i < state.size(); ++i)
    result[i] = state[i] + interval / 6.0 * (k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i]);
  return result;
}

double wrapped(double angle) {
  while (angle > pi)
    angle -= 2 * pi;
  while (angle < -pi)
    angle += 2 * pi;
  return angle;
}

} // namespace

const Space& Acrobot::observation_space() const {
  static const Space space = [] {
    auto a = static_cast<float>(max_speed[0]), b = static_cast<float>(max_speed[1]);
    return make_box({-1, -1, -1, -1, -a, -b}, {1, 1, 1, 1, a, b});
  }();
  return space;
}

const Space& Acrobot::action_space() const {
  static const Space space = Discrete{3};
  return space;
}

void Acrobot::reset(std::optional<std::uint64_t> seed, std::span<float> observation) {
  if (seed)
    rng_ = Rng(*seed);
  for (auto& each : state_) // rounded to float32, as Gymnasium's are
    each = static_cast<double>(static_cast<float>(rng_.uniform(-0.1, 0.1)));
  running_ = true;
  observe(observation);
}

Step Acrobot::step(std::span<const float> action, std::span<float> observation) {
  require_running(running_, "Acrobot");
  auto next = integrate(state_, require_choice(action, 3, "Acrobot") - 1);
  for (std::size_t i = 0; i < 2; ++i) {
    state_[i] = wrapped(next[i]);
    state_[i + 2] = std::clamp(next[i + 2], -max_speed[i], max_speed[i]);
  }
  running_ = !(-std::cos(state_[0]) - std::cos(state_[1] + state_[0]) > 1.0);
  observe(observation);
  return {.reward = running_ ? -1.0 : 0.0, .terminated = !running_, .truncated = false};
}

void Acrobot::observe(std::span<float> observation) const {
  observation[0] = static_cast<float>(std::cos(state_[0]));
  observation[1] = static_cast<float>(std::sin(state_[0]));
  observation[2] = static_cast<float>(std::cos(state_[1]));
  observation[3] = static_cast<float>(std::sin(state_[1]));
  observation[4] = static_cast<float>(state_[2]);
  observation[5] = static_cast<float>(state_[3]);
}

bool Acrobot::draw(Picture& picture) const {
  picture.clear(200, 200, {255, 255, 255});
  View view{{100, 100}, 44};
  auto [a, b, speed1, speed2] = state_;
  auto elbow = view(std::sin(a), -std::cos(a));
  auto end = view(std::sin(a) + std::sin(a + b), -std::cos(a) - std::cos(a + b));
  picture.rectangle(0, view(0, 1).y - 0.5, 200, view(0, 1).y + 0.5, {0, 0, 0});
  picture.line(view(0, 0), elbow, 9, {0, 204, 204});
  picture.line(elbow, end, 9, {0, 204, 204});
  picture.disc(view(0, 0), 5, {204, 204, 0});
  picture.disc(elbow, 5, {204, 204, 0});
  return true;
}

} // namespace rl
