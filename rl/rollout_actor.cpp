#include "rl/rollout_actor.hpp"

#include "rl/env/registry.hpp"

namespace rl {

namespace {

WorkersSpec to_spec(const RolloutSpec& spec) {
  auto env = make_network_env(spec.env);
  return {spec.env,
          spec.seed,
          spec.envs,
          {env->observation_space(), env->action_space(), spec.hidden, spec.activation, true,
           spec.normalise, spec.filters}};
}

Fragment to_fragment(const Batch& batch, std::vector<std::string> states,
                     const SamplingTimes& times) {
  auto& s = batch.shape;
  Fragment fragment{{s.steps, s.envs, s.observation, s.action},
                    ray::Array<float>(batch.observation),
                    ray::Array<float>(batch.action),
                    ray::Array<float>(batch.log_prob),
                    ray::Array<float>(batch.reward),
                    ray::Array<float>(batch.final_observation),
                    ray::Array<std::uint8_t>(batch.terminated),
                    ray::Array<std::uint8_t>(batch.truncated),
                    {},
                    {},
                    std::move(states),
                    times.sampling,
                    times.simulation};
  for (auto& end : batch.ends) {
    fragment.ends.insert(fragment.ends.end(),
                         {static_cast<std::int64_t>(end.time), static_cast<std::int64_t>(end.env),
                          end.episode.env, end.episode.length});
    fragment.totals.push_back(end.episode.total);
  }
  return fragment;
}

} // namespace

// ---- on the way ----

RolloutSpec to_message(const WorkersSpec& spec) {
  auto& policy = spec.policy;
  return {spec.env,          spec.seed,        spec.envs,     policy.hidden,
          policy.activation, policy.normalise, policy.filters};
}

BatchView to_view(const Fragment& fragment, std::vector<BatchEnd>& ends) {
  for (std::size_t i = 0; i < fragment.totals.size(); ++i) {
    auto* end = &fragment.ends[4 * i];
    ends.push_back({static_cast<std::size_t>(end[0]),
                    static_cast<std::size_t>(end[1]),
                    {static_cast<int>(end[2]), fragment.totals[i], end[3]}});
  }
  auto& s = fragment.shape;
  return {{s[0], s[1], s[2], s[3]},  fragment.observation, fragment.action,    fragment.log_prob,
          fragment.reward,           fragment.terminated,  fragment.truncated, ends,
          fragment.final_observation};
}

bool is_death(const ray::internal::RayException& error) {
  return dynamic_cast<const ray::internal::RayActorException*>(&error)
         || dynamic_cast<const ray::internal::RayWorkerException*>(&error)
         || dynamic_cast<const ray::internal::UnreconstructableException*>(&error);
}

// ---- in the actor ----

RolloutActor* RolloutActor::Create(RolloutSpec spec, int first, int count,
                                   std::vector<std::string> states) {
  RolloutWorker worker(to_spec(spec), first, count);
  if (!states.empty())
    worker.load(states);
  return new RolloutActor(std::move(worker));
}

Fragment RolloutActor::Sample(ray::Array<float> weights, std::int64_t steps) {
  worker_.sample(weights, static_cast<std::size_t>(steps), batch_);
  return to_fragment(batch_, worker_.save(), worker_.times());
}

std::string RolloutActor::Load(std::vector<std::string> states) {
  try {
    worker_.load(states);
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

// The text is the name that other processes call: with its namespace, so that it stays ours.
RAY_REMOTE(rl::RolloutActor::Create, &rl::RolloutActor::Sample, &rl::RolloutActor::Load)

} // namespace rl
