#include "rl/run/progress.hpp"

#include <cmath>

namespace rl {

namespace {

std::string grouped(std::int64_t value) {
  auto digits = std::to_string(value);
  for (auto i = static_cast<std::ptrdiff_t>(digits.size()) - 3; i > 0; i -= 3)
    digits.insert(static_cast<std::size_t>(i), ",");
  return digits;
}

std::string short_rate(double value) {
  char buffer[32];
  if (value >= 1e6)
    std::snprintf(buffer, sizeof buffer, "%.1fM", value / 1e6);
  else if (value >= 1e4)
    std::snprintf(buffer, sizeof buffer, "%.0fk", value / 1e3);
  else
    std::snprintf(buffer, sizeof buffer, "%.0f", value);
  return buffer;
}

} // namespace

std::string progress_text(const Progress& p) {
  char mean[32] = "-";
  if (!std::isnan(p.mean_return))
    std::snprintf(mean, sizeof mean, "%.1f", p.mean_return);
  auto seconds = static_cast<long>(p.seconds);
  char text[160];
  std::snprintf(text, sizeof text, "%11s steps %7s steps/s   return %8s %8s episodes   %ld:%02ld",
                grouped(p.steps).c_str(), short_rate(p.steps_per_second).c_str(), mean,
                grouped(p.episodes).c_str(), seconds / 60, seconds % 60);
  return text;
}

ProgressLine::ProgressLine(bool terminal, std::FILE* out) : terminal_(terminal), out_(out) {}

ProgressLine::~ProgressLine() {
  if (open_)
    std::fputs("\n", out_);
}

void ProgressLine::show(const Progress& progress) {
  if (progress.seconds < next_)
    return;
  next_ = progress.seconds + (terminal_ ? 0.1 : 5.0);
  draw(progress, false);
}

void ProgressLine::finish(const Progress& progress) {
  draw(progress, true);
}

void ProgressLine::draw(const Progress& progress, bool last) {
  auto text = progress_text(progress);
  open_ = terminal_ && !last;
  std::fprintf(out_, terminal_ ? "\r%s\033[K%s" : "%s%s", text.c_str(), open_ ? "" : "\n");
  std::fflush(out_);
}

} // namespace rl
