// Generalised advantage estimation (Schulman et al. 2016), which knows that an episode cut off by a
// time limit, or by the end of a fragment, still has a future, and one that terminated has none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace rl {

/// The columns that gae reads and writes. All are [time, env], row-major, `steps` by `envs`.
struct GaeColumns {
  std::size_t steps = 0;
  std::size_t envs = 0;
  std::span<const float> reward;
  /// V(s_t): value of the observation acted on.
  std::span<const float> value;
  /// V of the observation that the step led to, before any reset: of the final observation where an
  /// episode was cut off, of the next row otherwise. Where the step terminated it is not read.
  std::span<const float> next_value;
  std::span<const std::uint8_t> terminated;
  std::span<const std::uint8_t> truncated;
  /// Out: A_t = delta_t + gamma lambda A_{t+1}, with delta_t = r_t + gamma V_next - V_t (equation
  /// 16).
  std::span<float> advantage;
};

/// Computes the advantages. `gamma` and `lambda` are in [0, 1]. The sum of a step's advantage and
/// value is the target for the value function (lambda-return).
void gae(const GaeColumns& columns, double gamma, double lambda);

} // namespace rl
