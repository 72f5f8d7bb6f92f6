#include "rl/sum_tree.hpp"

#include <bit>

#include "rl/error.hpp"

namespace rl {

SumTree::SumTree(std::size_t slots) : slots_(slots), leaves_(std::bit_ceil(slots)) {
  if (slots < 1)
    throw Error(ErrorCode::bad_value, "a sum tree needs at least one slot");
  nodes_.resize(2 * leaves_);
}

void SumTree::set(std::size_t slot, double weight) {
  auto node = leaves_ + slot;
  nodes_[node] = weight;
  for (node /= 2; node > 0; node /= 2)
    nodes_[node] = nodes_[2 * node] + nodes_[2 * node + 1];
}

std::size_t SumTree::find(double at) const {
  std::size_t node = 1;
  while (node < leaves_) {
    auto left = nodes_[2 * node], right = nodes_[2 * node + 1];
    auto go_right = right > 0 && (at >= left || left == 0);
    if (go_right)
      at -= left;
    node = 2 * node + (go_right ? 1 : 0);
  }
  return node - leaves_;
}

} // namespace rl
