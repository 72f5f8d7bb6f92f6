#include "rl/vtrace.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace rl {

void vtrace(const VtraceColumns& c, const VtraceOptions& options) {
  // v_{t+1} - V_{t+1} of each environment; after the last row it is 0: v = V is all that is known.
  std::vector<double> correction(c.envs, 0.0);
  for (auto t = c.steps; t-- > 0;)
    for (std::size_t env = 0; env < c.envs; ++env) {
      auto i = t * c.envs + env;
      if (c.terminated[i] || c.truncated[i])
        correction[env] = 0; // what comes later is another episode
      auto ratio = std::exp(static_cast<double>(c.log_ratio[i]));
      auto rho = std::min(options.rho_bar, ratio);
      auto trace = options.lambda * std::min(options.c_bar, ratio);
      auto value = static_cast<double>(c.value[i]), reward = static_cast<double>(c.reward[i]);
      auto next = c.terminated[i] ? 0.0 : static_cast<double>(c.next_value[i]);
      auto delta = rho * (reward + options.gamma * next - value);
      c.advantage[i] =
        static_cast<float>(rho * (reward + options.gamma * (next + correction[env]) - value));
      correction[env] = delta + options.gamma * trace * correction[env];
      c.target[i] = static_cast<float>(value + correction[env]);
    }
}

} // namespace rl
