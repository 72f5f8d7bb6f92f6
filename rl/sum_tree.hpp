// A sum tree: weights in slots, drawn in proportion, in logarithmic time (Schaul et al. 2016,
// appendix B.2.1).
#pragma once

#include <cstddef>
#include <vector>

namespace rl {

/// A complete binary tree whose leaves are the slots and whose inner nodes hold the sums of their
/// children. Each sum is computed anew from its two children, so errors of rounding do not pile up
/// however often weights change.
class SumTree {
public:
  /// Slots 0 .. slots-1, all of weight 0. Throws Error{bad_value} when there are none.
  explicit SumTree(std::size_t slots);

  std::size_t slots() const { return slots_; }

  /// `weight` is finite and not negative.
  void set(std::size_t slot, double weight);
  double get(std::size_t slot) const { return nodes_[leaves_ + slot]; }

  /// Sum of all weights.
  double total() const { return nodes_[1]; }

  /// The slot into which `at` falls when the weights lie side by side in order of their slots,
  /// 0 <= at < total(). Never a slot of weight 0 while there is another, whatever rounding does.
  std::size_t find(double at) const;

private:
  std::size_t slots_;
  std::size_t leaves_;        // a power of two, at least slots_
  std::vector<double> nodes_; // the root is 1, the children of i are 2i and 2i + 1
};

} // namespace rl
