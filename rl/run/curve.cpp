#include "rl/run/curve.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

namespace rl {

namespace {

constexpr double width = 800, height = 480;
constexpr double left = 84, right = 24, top = 52, bottom = 64;

std::string print(const char* format, auto... values) {
  char buffer[512];
  std::snprintf(buffer, sizeof buffer, format, values...);
  return buffer;
}

std::string escaped(const std::string& text) {
  std::string result;
  for (char c : text)
    result += c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : std::string(1, c);
  return result;
}

// One direction of the picture: values, their round tick distance, and where they land.
struct Axis {
  double low, high, tick;
  double from, to; // points

  double place(double value) const { return from + (value - low) / (high - low) * (to - from); }
};

// Bounds on multiples of 1, 2 or 5 times a power of ten, with about `ticks` of them.
Axis make_axis(double low, double high, int ticks, double from, double to) {
  if (!(high > low)) {
    auto room = std::max(1.0, std::abs(low) * 0.1);
    low -= room;
    high += room;
  }
  auto rough = (high - low) / ticks;
  auto power = std::pow(10, std::floor(std::log10(rough)));
  auto digit = rough / power;
  auto tick = power * (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10);
  return {std::floor(low / tick) * tick, std::ceil(high / tick) * tick, tick, from, to};
}

// 1500000 as 1.5M, 20000 as 20k.
std::string tick_text(double value) {
  auto size = std::abs(value);
  if (size >= 1e6)
    return print("%gM", value / 1e6);
  if (size >= 1e4)
    return print("%gk", value / 1e3);
  return print("%g", size < 1e-9 ? 0.0 : value);
}

std::string text_at(double x, double y, const char* anchor, int size, const std::string& text,
                    const char* extra = "") {
  return print("<text x='%.1f' y='%.1f' text-anchor='%s' font-size='%d' %s>", x, y, anchor, size,
               extra)
         + escaped(text) + "</text>\n";
}

std::string axes(const Axis& x, const Axis& y, const Curve& curve) {
  std::string out;
  for (int i = 0; y.low + i * y.tick <= y.high + y.tick / 2; ++i) {
    auto value = y.low + i * y.tick, at = y.place(value);
    out += print("<line x1='%.1f' x2='%.1f' y1='%.1f' y2='%.1f' stroke='#ddd'/>\n", x.from, x.to,
                 at, at);
    out += text_at(x.from - 8, at + 4, "end", 13, tick_text(value));
  }
  for (int i = 0; x.low + i * x.tick <= x.high + x.tick / 2; ++i) {
    auto value = x.low + i * x.tick, at = x.place(value);
    out += print("<line x1='%.1f' x2='%.1f' y1='%.1f' y2='%.1f' stroke='#555'/>\n", at, at, y.from,
                 y.from + 5);
    out += text_at(at, y.from + 20, "middle", 13, tick_text(value));
  }
  out += print("<rect x='%.1f' y='%.1f' width='%.1f' height='%.1f' fill='none' stroke='#555'/>\n",
               x.from, y.to, x.to - x.from, y.from - y.to);
  out += text_at((x.from + x.to) / 2, height - 16, "middle", 15, curve.x_label);
  auto middle = (y.from + y.to) / 2;
  out += text_at(22, middle, "middle", 15, curve.y_label,
                 print("transform='rotate(-90 22 %.1f)'", middle).c_str());
  return out;
}

} // namespace

std::string curve_svg(const Curve& curve) {
  std::vector<std::pair<double, double>> points;
  for (std::size_t i = 0; i < curve.x.size(); ++i)
    if (std::isfinite(curve.x[i]) && std::isfinite(curve.y[i]))
      points.emplace_back(curve.x[i], curve.y[i]);
  auto svg =
    print("<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %g %g' width='%g' height='%g' "
          "font-family='sans-serif' fill='#222'>\n<rect width='%g' height='%g' fill='white'/>\n",
          width, height, width, height, width, height);
  svg += text_at(width / 2, 30, "middle", 18, curve.title);
  if (points.empty())
    return svg + text_at(width / 2, height / 2, "middle", 15, "no episode has ended yet")
           + "</svg>\n";
  auto by_y = [](auto& a, auto& b) { return a.second < b.second; };
  auto low = std::min_element(points.begin(), points.end(), by_y)->second;
  auto high = std::max_element(points.begin(), points.end(), by_y)->second;
  if (curve.target) {
    low = std::min(low, *curve.target);
    high = std::max(high, *curve.target);
  }
  auto x = make_axis(0, points.back().first, 8, left, width - right);
  x.high = std::max(points.back().first, x.tick / 100); // no empty strip on the right
  auto y = make_axis(low, high, 6, height - bottom, top);
  svg += axes(x, y, curve);
  if (curve.target) {
    auto at = y.place(*curve.target);
    svg += print("<line x1='%.1f' x2='%.1f' y1='%.1f' y2='%.1f' stroke='#2a7' stroke-width='1.5' "
                 "stroke-dasharray='6 4'/>\n",
                 x.from, x.to, at, at);
    svg += text_at(x.to - 6, at + 16, "end", 13, "solved: " + tick_text(*curve.target),
                   "style='fill:#2a7'");
  }
  svg += "<polyline fill='none' stroke='#1565c0' stroke-width='2' stroke-linejoin='round' points='";
  auto stride = std::max<std::size_t>(1, points.size() / 2000); // more points cannot be seen
  for (std::size_t i = 0; i < points.size(); ++i)
    if (i % stride == 0 || i + 1 == points.size())
      svg += print("%.1f,%.1f ", x.place(points[i].first), y.place(points[i].second));
  return svg + "'/>\n</svg>\n";
}

} // namespace rl
