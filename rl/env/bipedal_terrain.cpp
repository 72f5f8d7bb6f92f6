#include "rl/env/bipedal_terrain.hpp"

namespace rl {

namespace {

enum class Kind { grass, stump, stairs, pit };

int between(Rng& rng, int low, int high) { // high is outside
  return low + static_cast<int>(rng.below(static_cast<std::uint64_t>(high - low)));
}

double sign(double value) {
  return value > 0 ? 1 : value < 0 ? -1 : 0;
}

// Four corners, from the upper or lower left one.
std::array<BipedalTerrain::Corner, 4> block(double x, double y, double width, double height) {
  return {{{x, y}, {x + width, y}, {x + width, y + height}, {x, y + height}}};
}

} // namespace

BipedalTerrain::BipedalTerrain(Rng& rng, bool hardcore) {
  auto kind = Kind::grass;
  auto begins = false; // whether this point is the first of its kind
  auto left = start;   // points of this kind
  double y = level, velocity = 0, before = 0;
  int stairs = 0, stair_width = 0, direction = 0;
  for (int i = 0; i < length; ++i) {
    auto x = i * step;
    switch (kind) {
      case Kind::grass:
        if (begins)
          break;
        velocity = 0.8 * velocity + 0.01 * sign(level - y);
        if (i > start)
          velocity += rng.uniform(-1, 1) / 30;
        y += velocity;
        break;
      case Kind::pit:
        if (begins) {
          left = between(rng, 3, 5);
          obstacles.push_back(block(x, y, step, -4 * step));
          obstacles.push_back(block(x + step * left, y, step, -4 * step));
          left += 2;
          before = y;
        } else {
          y = left > 1 ? before - 4 * step : before;
        }
        break;
      case Kind::stump:
        if (begins) {
          left = between(rng, 1, 3);
          obstacles.push_back(block(x, y, left * step, left * step));
        }
        break;
      case Kind::stairs:
        if (begins) {
          direction = rng.uniform() > 0.5 ? 1 : -1;
          stair_width = between(rng, 4, 5);
          stairs = between(rng, 3, 5);
          before = y;
          for (int s = 0; s < stairs; ++s)
            obstacles.push_back(block(x + s * stair_width * step, y + s * direction * step,
                                      stair_width * step, -step));
          left = stairs * stair_width;
        } else {
          auto climbed = static_cast<double>(stairs * stair_width - left - direction) / stair_width;
          y = before + climbed * direction * step;
        }
        break;
    }
    begins = false;
    height.push_back(y);
    if (--left == 0) {
      left = between(rng, grass / 2, grass);
      kind = kind == Kind::grass && hardcore ? static_cast<Kind>(between(rng, 1, 4)) : Kind::grass;
      begins = true;
    }
  }
}

} // namespace rl
