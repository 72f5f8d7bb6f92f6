#include "rl/gae.hpp"

#include <vector>

namespace rl {

void gae(const GaeColumns& c, double gamma, double lambda) {
  std::vector<double> later(c.envs, 0.0); // A_{t+1}, nothing is known after the last row
  for (auto t = c.steps; t-- > 0;)
    for (std::size_t env = 0; env < c.envs; ++env) {
      auto i = t * c.envs + env;
      auto ended = c.terminated[i] || c.truncated[i];
      auto future = c.terminated[i] ? 0.0 : static_cast<double>(c.next_value[i]);
      auto delta =
        static_cast<double>(c.reward[i]) + gamma * future - static_cast<double>(c.value[i]);
      later[env] = delta + (ended ? 0.0 : gamma * lambda * later[env]);
      c.advantage[i] = static_cast<float>(later[env]);
    }
}

} // namespace rl
