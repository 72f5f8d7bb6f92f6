// MinAtar/Breakout-v1: the game of bricks, paddle and ball on a screen of 10 x 10 fields.
// Source: K. Young and T. Tian, MinAtar (2019, arXiv 1903.03176): its rules, channels and sticky
// actions, with the three actions that have an effect.
#pragma once

#include <array>

#include "rl/env/env.hpp"
#include "rl/rng.hpp"

namespace rl {

/// Observation: 0 or 1 as [row, column, channel]; channels are paddle, ball, trail (where the ball
/// was before) and brick. Action: 0 stays, 1 moves left, 2 right; with probability 0.1 the action
/// before is repeated instead. Reward: 1 a brick; when all 30 are gone, new ones come with the next
/// touch of the ground. Missing the ball terminates. A paddle that never misses plays for ever: the
/// registered environment adds a limit of 5000 steps, which MinAtar has not.
class Breakout final : public Env {
public:
  static constexpr int side = 10;

  /// `sticky` is the probability that an action is repeated. Throws Error{bad_value} outside
  /// [0, 1].
  explicit Breakout(double sticky = 0.1);

  const Space& observation_space() const override;
  const Space& action_space() const override;
  void reset(std::optional<std::uint64_t> seed, std::span<float> observation) override;
  Step step(std::span<const float> action, std::span<float> observation) override;
  bool draw(Picture& picture) const override;

private:
  struct Place {
    int x, y;
  };

  bool& brick(Place place) { return bricks_[static_cast<std::size_t>(place.y * side + place.x)]; }
  void lay_bricks();
  void observe(std::span<float> observation) const;

  double sticky_;
  std::array<bool, side * side> bricks_{};
  Place ball_{}, trail_{}, heading_{}; // the heading's x and y are -1 or 1
  int paddle_ = 0;
  int last_action_ = 0;
  bool inside_bricks_ = false; // struck one, and not been free of them since
  bool running_ = false;
  Rng rng_;
};

} // namespace rl
