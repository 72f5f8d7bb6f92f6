#include "rl/space.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "rl/error.hpp"
#include "rl/rng.hpp"

namespace rl {

namespace {

std::string bounds(const std::vector<float>& values) {
  std::ostringstream out;
  if (std::all_of(values.begin(), values.end(), [&](float x) { return x == values.front(); })) {
    out << values.front();
    return out.str();
  }
  for (std::size_t i = 0; i < values.size(); ++i)
    out << (i == 0 ? "[" : " ") << values[i];
  out << "]";
  return out.str();
}

} // namespace

Box make_box(std::vector<float> low, std::vector<float> high) {
  if (low.empty() || low.size() != high.size())
    throw Error(ErrorCode::bad_value, "a box needs as many low as high bounds, and at least one");
  for (std::size_t i = 0; i < low.size(); ++i)
    if (!(low[i] <= high[i]))
      throw Error(ErrorCode::bad_value,
                  "low bound " + std::to_string(i) + " of a box lies above its high bound");
  auto size = static_cast<int>(low.size());
  return {std::move(low), std::move(high), {size}};
}

Box make_box(int size, float low, float high) {
  auto count = static_cast<std::size_t>(size);
  return make_box(std::vector<float>(count, low), std::vector<float>(count, high));
}

std::size_t value_size(const Space& space) {
  auto* box = std::get_if<Box>(&space);
  return box ? box->low.size() : 1;
}

bool contains(const Space& space, std::span<const float> value) {
  if (value.size() != value_size(space))
    return false;
  if (auto* discrete = std::get_if<Discrete>(&space))
    return value[0] >= 0 && value[0] < static_cast<float>(discrete->n)
           && value[0] == std::floor(value[0]);
  auto& box = std::get<Box>(space);
  for (std::size_t i = 0; i < value.size(); ++i)
    if (!(box.low[i] <= value[i] && value[i] <= box.high[i]))
      return false;
  return true;
}

void sample(const Space& space, Rng& rng, std::span<float> value) {
  if (auto* discrete = std::get_if<Discrete>(&space)) {
    value[0] = static_cast<float>(rng.below(static_cast<std::uint64_t>(discrete->n)));
    return;
  }
  auto& box = std::get<Box>(space);
  for (std::size_t i = 0; i < box.low.size(); ++i) {
    auto low = static_cast<double>(box.low[i]), high = static_cast<double>(box.high[i]);
    if (!std::isfinite(low))
      low = std::isfinite(high) ? high - 1 : -1;
    if (!std::isfinite(high))
      high = std::isfinite(static_cast<double>(box.low[i])) ? low + 1 : 1;
    value[i] = std::clamp(static_cast<float>(rng.uniform(low, high)), box.low[i], box.high[i]);
  }
}

void stretch_to_space(const Space& space, std::span<const float> unit, std::span<float> out) {
  auto& box = std::get<Box>(space);
  for (std::size_t i = 0; i < unit.size(); ++i) {
    auto low = box.low[i % box.low.size()], high = box.high[i % box.low.size()];
    out[i] = std::clamp(low + 0.5f * (unit[i] + 1) * (high - low), low, high);
  }
}

std::string describe(const Space& space) {
  if (auto* discrete = std::get_if<Discrete>(&space))
    return "Discrete(" + std::to_string(discrete->n) + ")";
  auto& box = std::get<Box>(space);
  std::string shape;
  for (auto side : box.shape)
    shape += std::to_string(side) + (box.shape.size() == 1 ? "," : ", ");
  if (box.shape.size() > 1)
    shape.resize(shape.size() - 2);
  return "Box(" + bounds(box.low) + ", " + bounds(box.high) + ", (" + shape + "))";
}

} // namespace rl
