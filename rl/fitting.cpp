#include "rl/fitting.hpp"

#include <cmath>

#include "rl/error.hpp"

namespace rl {

void require_discrete_actions(const char* algorithm, const std::string& env, const Space& actions) {
  auto* discrete = std::get_if<Discrete>(&actions);
  if (!discrete)
    throw Error(ErrorCode::bad_space,
                std::string(algorithm) + " chooses among discrete actions, but '" + env + "' takes "
                  + describe(actions) + ": train it with sac, td3, ppo or es");
  if (discrete->n < 2)
    throw Error(ErrorCode::bad_space,
                "there is nothing to learn in '" + env + "' with the actions " + describe(actions));
}

void require_bounded_actions(const char* algorithm, const std::string& env, const Space& actions) {
  auto* box = std::get_if<Box>(&actions);
  if (!box)
    throw Error(ErrorCode::bad_space, std::string(algorithm) + " acts in a box, but '" + env
                                        + "' takes " + describe(actions)
                                        + ": train it with dqn, apex, ppo or es");
  for (std::size_t i = 0; i < box->low.size(); ++i)
    if (!std::isfinite(box->low[i]) || !std::isfinite(box->high[i]) || box->low[i] == box->high[i])
      throw Error(ErrorCode::bad_space,
                  std::string(algorithm) + " needs actions between two finite bounds, but number "
                    + std::to_string(i) + " of '" + env + "' lies in " + describe(actions)
                    + ": bound it in the environment, or train with ppo or es");
}

void require_no_workers(const char* algorithm, std::int64_t workers, const char* instead) {
  if (workers == 0)
    return;
  throw Error(ErrorCode::bad_value, "workers=" + std::to_string(workers) + ": " + algorithm
                                      + " collects in its own thread; give workers=0"
                                      + (instead ? std::string(", or train with ") + instead
                                                     + ", which is made for workers"
                                                 : std::string()));
}

} // namespace rl
