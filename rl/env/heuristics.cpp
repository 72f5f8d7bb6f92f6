#include "rl/env/heuristics.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

namespace rl {

void lunar_lander_pilot(std::span<const float> observation, std::span<float> action) {
  double s[8];
  std::copy_n(observation.begin(), 8, s);
  auto wanted_angle = std::clamp(s[0] * 0.5 + s[2], -0.4, 0.4); // lean towards the pad
  auto wanted_height = 0.55 * std::abs(s[0]);                   // come down while coming near
  auto turn = (wanted_angle - s[4]) * 0.5 - s[5];
  auto hover = (wanted_height - s[1]) * 0.5 - s[3] * 0.5;
  if (s[6] != 0 || s[7] != 0) { // standing: only brake the fall
    turn = 0;
    hover = -s[3] * 0.5;
  }
  if (action.size() == 2) {
    action[0] = static_cast<float>(std::clamp(hover * 20 - 1, -1.0, 1.0));
    action[1] = static_cast<float>(std::clamp(-turn * 20, -1.0, 1.0));
  } else if (hover > std::abs(turn) && hover > 0.05) {
    action[0] = 2;
  } else {
    action[0] = turn < -0.05 ? 3.0f : turn > 0.05 ? 1.0f : 0.0f;
  }
}

void BipedalWalkerPilot::act(std::span<const float> observation, std::span<float> action) {
  if (std::exchange(first_, false)) {
    std::fill_n(action.begin(), 4, 0.0f);
    return;
  }
  constexpr double speed = 0.29; // above this it would fall forward
  constexpr double straight = 0.1;
  double s[14];
  std::copy_n(observation.begin(), 14, s);
  auto moving = static_cast<std::size_t>(moving_), supporting = 1 - moving;
  auto* leg = &s[4 + 5 * moving]; // hip angle, hip speed, knee angle, knee speed, contact
  auto* support = &s[4 + 5 * supporting];
  std::optional<double> hip[2], knee[2]; // wanted angles
  if (phase_ == Phase::stand_on_one_leg) {
    hip[moving] = 1.1;
    knee[moving] = -0.6;
    supporting_knee_ = std::min(supporting_knee_ + (s[2] > speed ? 0.06 : 0.03), straight);
    knee[supporting] = supporting_knee_;
    if (support[0] < 0.10)
      phase_ = Phase::put_other_down;
  }
  if (phase_ == Phase::put_other_down) {
    hip[moving] = 0.1;
    knee[moving] = straight;
    knee[supporting] = supporting_knee_;
    if (leg[4] != 0) {
      phase_ = Phase::push_off;
      supporting_knee_ = std::min(leg[2], straight);
    }
  }
  if (phase_ == Phase::push_off) {
    knee[moving] = supporting_knee_;
    knee[supporting] = 1.0;
    if (support[2] > 0.88 || s[2] > 1.2 * speed) {
      phase_ = Phase::stand_on_one_leg;
      moving_ = 1 - moving_;
    }
  }
  for (std::size_t i = 0; i < 2; ++i) {
    auto* own = &s[4 + 5 * i];
    auto hip_torque = hip[i] ? 0.9 * (*hip[i] - own[0]) - 0.25 * own[1] : 0.0;
    auto knee_torque = knee[i] ? 4.0 * (*knee[i] - own[2]) - 0.25 * own[3] : 0.0;
    hip_torque += 0.9 * s[0] + 1.5 * s[1]; // head up
    knee_torque -= 15.0 * s[3];            // damp hopping
    action[2 * i] = static_cast<float>(std::clamp(0.5 * hip_torque, -1.0, 1.0));
    action[2 * i + 1] = static_cast<float>(std::clamp(0.5 * knee_torque, -1.0, 1.0));
  }
}

} // namespace rl
