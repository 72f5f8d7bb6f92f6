// A learning curve as an SVG picture that a browser opens: return over environment steps.
#pragma once

#include <optional>
#include <span>
#include <string>

namespace rl {

/// What to draw. `x` and `y` have equal sizes, x not decreasing; points with a NaN are left out.
struct Curve {
  std::string title;   ///< such as "PPO on CartPole-v1, seed 1"
  std::string x_label; ///< with unit
  std::string y_label; ///< with unit
  std::span<const double> x;
  std::span<const double> y;
  std::optional<double> target = std::nullopt; ///< a dashed line, such as the solved return
};

/// The picture, 800 by 480 points, complete in itself. With no points it says so.
std::string curve_svg(const Curve& curve);

} // namespace rl
