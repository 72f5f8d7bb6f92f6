#include "rl/evaluate.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "rl/env/registry.hpp"
#include "rl/error.hpp"
#include "rl/policy.hpp"
#include "rl/rng.hpp"

namespace rl {

Evaluation evaluate(const std::string& env_name, std::uint64_t seed, int episodes, const Act& act) {
  if (episodes < 1)
    throw Error(ErrorCode::bad_value, "an evaluation needs at least one episode");
  auto env = make_network_env(env_name);
  std::vector<float> observation(value_size(env->observation_space()));
  std::vector<float> action(value_size(env->action_space()));
  auto stream = derive_seed(seed, "evaluation");
  Evaluation result;
  std::vector<double> returns;
  for (int i = 0; i < episodes; ++i) {
    env->reset(derive_seed(stream, static_cast<std::uint64_t>(i)), observation);
    double total = 0;
    for (Step step; !step.terminated && !step.truncated; ++result.steps) {
      act(observation, action);
      clip_to_space(env->action_space(), action);
      step = env->step(action, observation);
      total += step.reward;
    }
    returns.push_back(total);
  }
  result.episodes = episodes;
  for (auto each : returns)
    result.mean += each / episodes;
  for (auto each : returns)
    result.deviation += (each - result.mean) * (each - result.mean) / episodes;
  result.deviation = std::sqrt(result.deviation);
  result.lowest = *std::min_element(returns.begin(), returns.end());
  result.highest = *std::max_element(returns.begin(), returns.end());
  return result;
}

} // namespace rl
