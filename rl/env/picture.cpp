#include "rl/env/picture.hpp"

#include <algorithm>
#include <cmath>

namespace rl {

void Picture::clear(int width, int height, Colour background) {
  width_ = width;
  height_ = height;
  pixels_.assign(static_cast<std::size_t>(width) * static_cast<std::size_t>(height), background);
}

// The pixels of row y whose centres lie in [from, to).
void Picture::row(int y, double from, double to, Colour colour) {
  auto first = std::max(0.0, std::ceil(from - 0.5));
  auto last = std::min<double>(width_, std::ceil(to - 0.5));
  if (first >= last)
    return;
  auto begin = pixels_.begin() + static_cast<std::ptrdiff_t>(y) * width_;
  std::fill(begin + static_cast<std::ptrdiff_t>(first), begin + static_cast<std::ptrdiff_t>(last),
            colour);
}

void Picture::polygon(std::span<const Point> corners, Colour colour) {
  if (corners.empty())
    return;
  double top = corners[0].y, bottom = top;
  for (auto& each : corners) {
    if (!std::isfinite(each.x) || !std::isfinite(each.y))
      return;
    top = std::min(top, each.y);
    bottom = std::max(bottom, each.y);
  }
  auto first = static_cast<int>(std::max(0.0, std::ceil(top - 0.5)));
  auto last = static_cast<int>(std::min<double>(height_, std::ceil(bottom - 0.5)));
  for (auto y = first; y < last; ++y) {
    auto centre = y + 0.5;
    crossings_.clear();
    for (std::size_t i = 0; i < corners.size(); ++i) {
      auto& a = corners[i];
      auto& b = corners[(i + 1) % corners.size()];
      if ((a.y <= centre) != (b.y <= centre))
        crossings_.push_back(a.x + (centre - a.y) / (b.y - a.y) * (b.x - a.x));
    }
    std::sort(crossings_.begin(), crossings_.end());
    for (std::size_t i = 0; i + 1 < crossings_.size(); i += 2)
      row(y, crossings_[i], crossings_[i + 1], colour);
  }
}

void Picture::rectangle(double left, double top, double right, double bottom, Colour colour) {
  Point corners[] = {{left, top}, {right, top}, {right, bottom}, {left, bottom}};
  polygon(corners, colour);
}

void Picture::line(Point from, Point to, double thickness, Colour colour) {
  auto dx = to.x - from.x, dy = to.y - from.y, length = std::hypot(dx, dy);
  if (!(length > 0))
    return;
  auto x = -dy / length * thickness / 2, y = dx / length * thickness / 2;
  Point corners[] = {
    {from.x + x, from.y + y}, {to.x + x, to.y + y}, {to.x - x, to.y - y}, {from.x - x, from.y - y}};
  polygon(corners, colour);
}

void Picture::disc(Point centre, double radius, Colour colour) {
  if (!std::isfinite(centre.x) || !std::isfinite(centre.y) || !(radius > 0))
    return;
  auto first = static_cast<int>(std::max(0.0, std::ceil(centre.y - radius - 0.5)));
  auto last = static_cast<int>(std::min<double>(height_, std::ceil(centre.y + radius - 0.5)));
  for (auto y = first; y < last; ++y) {
    auto dy = y + 0.5 - centre.y;
    auto half = std::sqrt(std::max(0.0, radius * radius - dy * dy));
    row(y, centre.x - half, centre.x + half, colour);
  }
}

} // namespace rl
