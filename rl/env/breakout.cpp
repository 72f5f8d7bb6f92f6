#include "rl/env/breakout.hpp"

#include <algorithm>

#include "rl/env/checks.hpp"
#include "rl/env/picture.hpp"
#include "rl/error.hpp"

namespace rl {

namespace {

constexpr int ground = Breakout::side - 1;
constexpr int first_brick_row = 1, brick_rows = 3;
enum Channel : std::size_t { paddle, ball, trail, brick_channel, channels };

} // namespace

Breakout::Breakout(double sticky) : sticky_(sticky) {
  if (!(sticky >= 0 && sticky <= 1))
    throw Error(ErrorCode::bad_value,
                "Breakout: the probability of a sticky action lies in [0, 1]");
}

const Space& Breakout::observation_space() const {
  static const Space space = [] {
    auto box = make_box(side * side * static_cast<int>(channels), 0, 1);
    box.shape = {side, side, static_cast<int>(channels)};
    return box;
  }();
  return space;
}

const Space& Breakout::action_space() const {
  static const Space space = Discrete{3};
  return space;
}

void Breakout::lay_bricks() {
  std::fill_n(bricks_.begin() + first_brick_row * side, brick_rows * side, true);
}

void Breakout::reset(std::optional<std::uint64_t> seed, std::span<float> observation) {
  if (seed)
    rng_ = Rng(*seed);
  auto from_left = rng_.below(2) == 0;
  ball_ = trail_ = {from_left ? 0 : side - 1, 3};
  heading_ = {from_left ? 1 : -1, 1};
  paddle_ = 4;
  last_action_ = 0;
  inside_bricks_ = false;
  bricks_.fill(false);
  lay_bricks();
  running_ = true;
  observe(observation);
}

Step Breakout::step(std::span<const float> action, std::span<float> observation) {
  require_running(running_, "Breakout");
  auto chosen = require_choice(action, 3, "Breakout");
  if (rng_.uniform() >= sticky_)
    last_action_ = chosen;
  if (last_action_ != 0)
    paddle_ = std::clamp(paddle_ + (last_action_ == 1 ? -1 : 1), 0, side - 1);

  Step result;
  trail_ = ball_;
  Place next = {ball_.x + heading_.x, ball_.y + heading_.y};
  if (next.x < 0 || next.x >= side) {
    next.x = std::clamp(next.x, 0, side - 1);
    heading_.x = -heading_.x;
  }
  auto among_bricks = false;
  if (next.y < 0) {
    next.y = 0;
    heading_.y = 1;
  } else if (brick(next)) {
    among_bricks = true; // flies on through them after the one it struck
    if (!inside_bricks_) {
      result.reward = 1;
      inside_bricks_ = true;
      brick(next) = false;
      next.y = ball_.y;
      heading_.y = -heading_.y;
    }
  } else if (next.y == ground) {
    if (std::ranges::none_of(bricks_, [](bool each) { return each; }))
      lay_bricks();
    if (ball_.x == paddle_) { // from straight above
      heading_.y = -heading_.y;
      next.y = ball_.y;
    } else if (next.x == paddle_) { // on the corner: back where it came from
      heading_ = {-heading_.x, -heading_.y};
      next.y = ball_.y;
    } else {
      result.terminated = true;
    }
  }
  if (!among_bricks)
    inside_bricks_ = false;
  ball_ = next;
  running_ = !result.terminated;
  observe(observation);
  return result;
}

void Breakout::observe(std::span<float> observation) const {
  auto at = [&](Place place, Channel channel) -> float& {
    return observation[static_cast<std::size_t>(place.y * side + place.x) * channels + channel];
  };
  for (std::size_t i = 0; i < bricks_.size(); ++i) {
    auto* field = &observation[i * channels];
    field[paddle] = field[ball] = field[trail] = 0;
    field[brick_channel] = bricks_[i] ? 1 : 0;
  }
  at({paddle_, ground}, paddle) = 1;
  at(ball_, ball) = 1;
  at(trail_, trail) = 1;
}

bool Breakout::draw(Picture& picture) const {
  constexpr double cell = 16;
  picture.clear(160, 160, {0, 0, 0});
  auto field = [&](int x, int y, Colour colour) {
    picture.rectangle(x * cell + 1, y * cell + 1, x * cell + cell - 1, y * cell + cell - 1, colour);
  };
  for (int y = 0; y < side; ++y)
    for (int x = 0; x < side; ++x)
      if (bricks_[static_cast<std::size_t>(y * side + x)])
        field(x, y, {180, 80, 60});
  field(trail_.x, trail_.y, {70, 70, 90});
  field(ball_.x, ball_.y, {240, 240, 240});
  field(paddle_, ground, {80, 160, 240});
  return true;
}

} // namespace rl
