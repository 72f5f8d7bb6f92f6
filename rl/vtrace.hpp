// V-trace (Espeholt et al. 2018, arXiv 1802.01561, section 4.1): what steps are worth to a policy
// pi when another one, mu, took them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace rl {

/// The columns that vtrace reads and writes. All are [time, env], row-major, `steps` by `envs`.
/// Value, next_value, terminated and truncated mean what they do in GaeColumns.
struct VtraceColumns {
  std::size_t steps = 0;
  std::size_t envs = 0;
  std::span<const float> log_ratio; ///< log pi(a|s) - log mu(a|s)
  std::span<const float> reward;
  std::span<const float> value;      ///< V(x_t)
  std::span<const float> next_value; ///< V(x_{t+1}), not read where the step terminated
  std::span<const std::uint8_t> terminated;
  std::span<const std::uint8_t> truncated;
  /// Out: v_t, the target for V(x_t) (equation 1, in the recursive form of remark 1):
  /// v_t = V_t + delta_t + gamma c_t (v_{t+1} - V_{t+1}), with rho_t = min(rho_bar, pi/mu),
  /// c_t = lambda min(c_bar, pi/mu), delta_t = rho_t (r_t + gamma V_{t+1} - V_t). Where an episode
  /// or the columns end, nothing but delta_t is known: the sum stops there.
  std::span<float> target;
  /// Out: rho_t (r_t + gamma v_{t+1} - V_t), the advantage for the policy gradient (section 4.2);
  /// v_{t+1} is V(x_{t+1}) where the target's sum stops, and 0 after termination.
  std::span<float> advantage;
};

/// The paper's clipping thresholds; on-policy and at 1, v_t is the n-step return.
struct VtraceOptions {
  double gamma = 0.99;
  double lambda = 1;
  double rho_bar = 1; ///< at least c_bar
  double c_bar = 1;
};

/// Computes targets and advantages.
void vtrace(const VtraceColumns& columns, const VtraceOptions& options);

} // namespace rl
