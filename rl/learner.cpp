#include "rl/learner.hpp"

#include <cmath>
#include <string>

namespace rl {

void judge(const ActorCritic<float>& policy, std::span<const float> weights, const Batch& batch,
           ActorCritic<float>::Workspace& workspace, BatchValues& values) {
  auto envs = batch.shape.envs;
  auto all = policy.value(weights, batch.observation, workspace); // [time + 1, env]
  values.now.assign(all.begin(), all.end() - static_cast<std::ptrdiff_t>(envs));
  values.next.assign(all.begin() + static_cast<std::ptrdiff_t>(envs), all.end());
  if (batch.ends.empty())
    return;
  auto final_values = policy.value(weights, batch.final_observation, workspace);
  for (std::size_t i = 0; i < batch.ends.size(); ++i)
    values.next[batch.ends[i].time * envs + batch.ends[i].env] = final_values[i];
}

Evaluation evaluate_acts(Run& run, const char* purpose, const Act& act) {
  auto& options = run.options();
  auto result = evaluate(options.env, derive_seed(run.seed(), purpose),
                         static_cast<int>(options.evaluation_episodes), act);
  run.add(result);
  return result;
}

Evaluation evaluate_policy(Run& run, const char* purpose, const ActorCritic<float>& policy,
                           std::span<const float> weights) {
  ActorCritic<float>::Workspace workspace;
  return evaluate_acts(run, purpose, [&](auto observation, auto action) {
    policy.act_greedily(weights, observation, action, workspace);
  });
}

void save_learner(Checkpoint& checkpoint, std::span<const float> weights,
                  const nn::Adam<float>& adam, const Rng* rng) {
  checkpoint.put_floats("weights", weights);
  ByteWriter out;
  adam.save(out);
  if (rng)
    rng->save(out);
  checkpoint.put("learner", out.take());
}

void load_learner(const Checkpoint& checkpoint, std::vector<float>& weights, nn::Adam<float>& adam,
                  Rng* rng) {
  auto loaded = load_weights(checkpoint, weights.size());
  ByteReader in(checkpoint.get("learner"));
  adam.load(in);
  if (rng) {
    *rng = Rng::load(in);
  }
  weights = std::move(loaded);
}

std::vector<float> load_weights(const Checkpoint& checkpoint, std::size_t expected) {
  auto weights = checkpoint.get_floats("weights");
  if (weights.size() != expected)
    throw Error(ErrorCode::bad_checkpoint, "the checkpoint has " + std::to_string(weights.size())
                                             + " weights, this network " + std::to_string(expected)
                                             + ": its layers are others");
  return weights;
}

void require_finite(double value, const char* what, std::int64_t step) {
  if (std::isfinite(value))
    return;
  auto where = step > 0 ? " in gradient step " + std::to_string(step) : std::string();
  throw Error(ErrorCode::not_finite, std::string(what) + " is not finite" + where
                                       + ", training has diverged; a smaller learning_rate or "
                                         "reward_scale may help");
}

} // namespace rl
