// The sizes of a network's layers, from a configuration.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace rl::nn {

/// in, hidden ..., out. What is not positive becomes 0, which Mlp refuses.
inline std::vector<std::size_t> layer_sizes(std::size_t in, const std::vector<std::int64_t>& hidden,
                                            std::size_t out) {
  std::vector<std::size_t> sizes = {in};
  for (auto size : hidden)
    sizes.push_back(static_cast<std::size_t>(std::max<std::int64_t>(size, 0)));
  sizes.push_back(out);
  return sizes;
}

} // namespace rl::nn
