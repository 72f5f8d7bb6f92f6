// A RolloutWorker as a ray actor, and what travels between it and a learner: what the remote halves
// of all algorithms with workers are made of (ppo_workers, impala_workers).
//
//   auto actor = ray::Actor(rl::RolloutActor::Create).Remote(rl::to_message(spec), 0, 4, states);
//   auto fragment = actor.Task(&rl::RolloutActor::Sample).Remote(weights, 128).Get();
//   std::vector<rl::BatchEnd> ends;
//   batch.insert(rl::to_view(*fragment, ends), 0);
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <ray/api.h>

#include "rl/workers.hpp"

namespace rl {

/// A WorkersSpec as it travels: without the spaces, which follow from the environment's name.
struct RolloutSpec {
  std::string env;
  std::uint64_t seed = 0;
  int envs = 0;
  std::vector<std::int64_t> hidden;
  std::string activation;
  bool normalise = false;
  std::vector<std::int64_t> filters;
  MSGPACK_DEFINE(env, seed, envs, hidden, activation, normalise, filters)
};

/// A Batch whose columns lie in the object store.
struct Fragment {
  std::vector<std::uint64_t> shape; ///< steps, envs, observation, action
  ray::Array<float> observation, action, log_prob, reward, final_observation;
  ray::Array<std::uint8_t> terminated, truncated;
  std::vector<std::int64_t> ends;  ///< time, column, environment, length of each
  std::vector<double> totals;      ///< return of each
  std::vector<std::string> states; ///< where each environment stands after it (RolloutWorker::save)
  double sampling_seconds = 0, simulation_seconds = 0; ///< of SamplingTimes
  MSGPACK_DEFINE(shape, observation, action, log_prob, reward, final_observation, terminated,
                 truncated, ends, totals, states, sampling_seconds, simulation_seconds)
};

/// A RolloutWorker as an actor.
class RolloutActor {
public:
  /// Environments `first` .. `first + count - 1`, which go on from `states`, or begin when empty.
  static RolloutActor* Create(RolloutSpec spec, int first, int count,
                              std::vector<std::string> states);

  Fragment Sample(ray::Array<float> weights, std::int64_t steps);

  /// Goes on from there. Returns what is wrong with them, or nothing.
  std::string Load(std::vector<std::string> states);

private:
  explicit RolloutActor(RolloutWorker worker) : worker_(std::move(worker)) {}

  RolloutWorker worker_;
  Batch batch_;
};

/// The spec as it travels.
RolloutSpec to_message(const WorkersSpec& spec);

/// The columns where they lie; `ends` becomes the view's and must live as long.
BatchView to_view(const Fragment& fragment, std::vector<BatchEnd>& ends);

/// Whether an actor is gone, by no fault of the code that ran in it.
bool is_death(const ray::internal::RayException& error);

/// How often in turn an actor that dies is replaced, before its error comes out.
inline constexpr int most_replacements = 3;

} // namespace rl
