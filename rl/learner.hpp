// What the loops of several algorithms do alike: judge a batch, evaluate a policy, keep a learner's
// state.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "rl/batch.hpp"
#include "rl/evaluate.hpp"
#include "rl/nn/adam.hpp"
#include "rl/policy.hpp"
#include "rl/rng.hpp"
#include "rl/run/run.hpp"

namespace rl {

/// V along a batch, both [time, env].
struct BatchValues {
  std::vector<float> now;  ///< of the observation that a step acted on
  std::vector<float> next; ///< of what it led to: the final observation where an episode ended
};

/// Fills `values`. Where a step terminated, `next` is there but means nothing.
void judge(const ActorCritic<float>& policy, std::span<const float> weights, const Batch& batch,
           ActorCritic<float>::Workspace& workspace, BatchValues& values);

/// Evaluates these actions over RunOptions::evaluation_episodes, and logs it. `purpose` names the
/// stream of episodes: "confirm" or "final".
Evaluation evaluate_acts(Run& run, const char* purpose, const Act& act);
/// The same for a policy's most likely actions.
Evaluation evaluate_policy(Run& run, const char* purpose, const ActorCritic<float>& policy,
                           std::span<const float> weights);

/// The parts "weights" and "learner" of a checkpoint: parameters, optimiser and, where a learner
/// draws, its stream. load_learner throws Error{bad_checkpoint} when they are of another network.
void save_learner(Checkpoint& checkpoint, std::span<const float> weights,
                  const nn::Adam<float>& adam, const Rng* rng = nullptr);
void load_learner(const Checkpoint& checkpoint, std::vector<float>& weights, nn::Adam<float>& adam,
                  Rng* rng = nullptr);

/// The part "weights" alone, as many as `expected`. Throws Error{bad_checkpoint}.
std::vector<float> load_weights(const Checkpoint& checkpoint, std::size_t expected);

/// Throws Error{not_finite} when a norm or loss is NaN or infinite. `what` is how the text calls
/// it, such as "PPO's gradient"; `step` is the gradient step, counted from 1, where one is counted.
void require_finite(double value, const char* what, std::int64_t step = 0);

} // namespace rl
