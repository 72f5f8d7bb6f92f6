// The ground of BipedalWalker: drawn from the random stream, without Box2D.
#pragma once

#include <array>
#include <vector>

#include "rl/rng.hpp"

namespace rl {

/// In metres. Gymnasium's random stream is used in the same order, but its integers are drawn
/// otherwise, so hardcore courses differ from Gymnasium's.
struct BipedalTerrain {
  static constexpr double step = 14.0 / 30; ///< horizontal distance of two points
  static constexpr int length = 200;        ///< points
  static constexpr int grass = 10;          ///< points of grass at the end, and between obstacles
  static constexpr int start = 20;          ///< flat points at the beginning
  static constexpr double level = 400.0 / 30 / 4;

  struct Corner {
    double x, y;
  };

  std::vector<double> height;                   ///< [length]
  std::vector<std::array<Corner, 4>> obstacles; ///< stumps, stairs, walls of pits

  BipedalTerrain(Rng& rng, bool hardcore);
};

} // namespace rl
