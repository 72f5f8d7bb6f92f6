// FrozenLake-v1 and FrozenLake8x8-v1: cross a slippery lake without falling into a hole.
// Source: Gymnasium's task, its maps, probabilities and order of random draws.
#pragma once

#include <string_view>

#include "rl/env/env.hpp"
#include "rl/rng.hpp"

namespace rl {

/// Observation: the field one stands on, row by row from 0. Action: 0 left, 1 down, 2 right, 3 up;
/// on ice that is slippery one moves there or to either side of it, a third each; the border holds
/// one back. Reward: 1 for reaching the goal, which terminates; so does a hole, with 0. The
/// registered environments are slippery and add a limit of 100 (8x8: 200) steps.
class FrozenLake final : public Env {
public:
  enum class Map { small, large }; ///< 4 x 4, 8 x 8
  enum class Ice { slippery, firm };

  explicit FrozenLake(Map map, Ice ice = Ice::slippery);

  const Space& observation_space() const override { return observation_space_; }
  const Space& action_space() const override;
  void reset(std::optional<std::uint64_t> seed, std::span<float> observation) override;
  Step step(std::span<const float> action, std::span<float> observation) override;
  bool draw(Picture& picture) const override;

  int side() const { return side_; }
  /// 'S' start, 'F' ice, 'H' hole, 'G' goal.
  char field(int place) const { return map_[static_cast<std::size_t>(place)]; }
  /// Where one step in a direction leads from a place.
  int neighbour(int place, int direction) const;

private:
  std::string_view map_; // row by row
  int side_;
  Ice ice_;
  Space observation_space_;
  int place_ = 0;
  bool running_ = false;
  Rng rng_;
};

} // namespace rl
