// Small pictures of environments: a grid of colours and the few shapes that they are drawn with.
//
//   rl::Picture picture;
//   if (env->draw(picture)) gif.add(picture);          // gif.hpp
//
// No smoothing of edges: few colours keep recordings small, and every pixel can be told in advance.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace rl {

struct Colour {
  std::uint8_t red = 0, green = 0, blue = 0;
  bool operator==(const Colour&) const = default;
};

/// A place in pixels: x to the right, y downwards, (0, 0) the upper left corner of the first pixel.
struct Point {
  double x = 0, y = 0;
};

class Picture {
public:
  /// Makes it `width` x `height` pixels (both > 0) of one colour. Keeps its memory.
  void clear(int width, int height, Colour background);

  int width() const { return width_; }
  int height() const { return height_; }
  std::span<const Colour> pixels() const { return pixels_; } ///< [row, column]
  Colour at(int x, int y) const {
    return pixels_[static_cast<std::size_t>(y) * static_cast<std::size_t>(width_)
                   + static_cast<std::size_t>(x)];
  }

  /// Shapes cover the pixels whose centre they contain; what lies outside the picture is cut off,
  /// and a shape with a coordinate that is not finite is left out.
  void polygon(std::span<const Point> corners, Colour colour);
  void rectangle(double left, double top, double right, double bottom, Colour colour);
  void line(Point from, Point to, double thickness, Colour colour);
  void disc(Point centre, double radius, Colour colour);

private:
  void row(int y, double from, double to, Colour colour);

  int width_ = 0, height_ = 0;
  std::vector<Colour> pixels_;
  std::vector<double> crossings_; // of one row, kept between calls
};

/// From the coordinates of a task (y upwards) to pixels: `scale` pixels a unit, the task's origin
/// at `origin`.
struct View {
  Point origin;
  double scale = 1;

  Point operator()(double x, double y) const {
    return {origin.x + scale * x, origin.y - scale * y};
  }
};

} // namespace rl
