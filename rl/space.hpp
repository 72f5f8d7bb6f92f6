// What an observation or an action may be: one of n choices, or a point in a box.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace rl {

class Rng;

/// One of the choices 0 .. n-1. In an array it takes one float that holds the index (exact to
/// 2^24).
struct Discrete {
  int n = 0;
  bool operator==(const Discrete&) const = default;
};

/// A point with `low[i] <= x[i] <= high[i]`; infinite bounds are allowed. `shape` is the shape a
/// person thinks of ({3} or {84, 84, 4}); in an array the point lies flat, row-major.
struct Box {
  std::vector<float> low;
  std::vector<float> high;
  std::vector<int> shape;
  bool operator==(const Box&) const = default;
};

/// A box of one dimension. Throws Error{bad_value} when the sizes differ or a bound is crossed.
Box make_box(std::vector<float> low, std::vector<float> high);

/// A box of `size` equal bounds.
Box make_box(int size, float low, float high);

using Space = std::variant<Discrete, Box>;

/// How many floats a value of the space takes in an array: 1 for Discrete, all features for Box.
std::size_t value_size(const Space& space);

/// Whether `value` is a value of the space: right size, integral where discrete, inside the bounds,
/// not NaN.
bool contains(const Space& space, std::span<const float> value);

/// Draws a value of the space into `value` (of value_size): uniform where both bounds are finite,
/// within 1 of the finite bound where one is, in [-1, 1] where none is.
void sample(const Space& space, Rng& rng, std::span<float> value);

/// Rows of a box with finite bounds, from a policy's point in [-1, 1] each: -1 is the low bound, 1
/// the high one. Both are [row, feature]; `out` stays inside the bounds.
void stretch_to_space(const Space& space, std::span<const float> unit, std::span<float> out);

/// For people, as Gymnasium writes it: "Discrete(2)", "Box(-2, 2, (1,))".
std::string describe(const Space& space);

} // namespace rl
