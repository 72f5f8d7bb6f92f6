#include "rl/ppo_workers.hpp"

#include <algorithm>

#include "rl/env/registry.hpp"

namespace rl {

namespace {

constexpr int most_replacements = 3; // of the actor of one fragment

WorkersSpec to_spec(const RolloutSpec& spec) {
  auto env = make_network_env(spec.env);
  return {spec.env,
          spec.seed,
          spec.envs,
          {env->observation_space(), env->action_space(), spec.hidden, spec.activation, true,
           spec.normalise}};
}

Fragment to_fragment(const Batch& batch, std::vector<std::string> states) {
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
                    std::move(states)};
  for (auto& end : batch.ends) {
    fragment.ends.insert(fragment.ends.end(),
                         {static_cast<std::int64_t>(end.time), static_cast<std::int64_t>(end.env),
                          end.episode.env, end.episode.length});
    fragment.totals.push_back(end.episode.total);
  }
  return fragment;
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

// Whether the actor is gone, by no fault of the code that ran in it.
bool is_death(const ray::internal::RayException& error) {
  return dynamic_cast<const ray::internal::RayActorException*>(&error)
         || dynamic_cast<const ray::internal::RayWorkerException*>(&error)
         || dynamic_cast<const ray::internal::UnreconstructableException*>(&error);
}

} // namespace

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
  return to_fragment(batch_, worker_.save());
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

// ---- in the driver ----

RayWorkers::RayWorkers(const WorkersSpec& spec, int workers) : spec_(spec) {
  workers = std::clamp(workers, 1, spec.envs);
  blocks_.resize(static_cast<std::size_t>(workers));
  for (int i = 0; i < workers; ++i) { // as even as they can be
    auto& block = blocks_[static_cast<std::size_t>(i)];
    block.first = spec.envs * i / workers;
    block.count = spec.envs * (i + 1) / workers - block.first;
    start(block);
  }
}

RayWorkers::~RayWorkers() {
  if (!ray::IsInitialized())
    return;
  for (auto& block : blocks_)
    try {
      block.actor.Kill();
    } catch (const ray::internal::RayException&) { // it is dead already
    }
}

void RayWorkers::start(Block& block) const {
  auto& policy = spec_.policy;
  RolloutSpec spec{spec_.env,     spec_.seed,        spec_.envs,
                   policy.hidden, policy.activation, policy.normalise};
  block.actor =
    ray::Actor(RolloutActor::Create).Remote(spec, block.first, block.count, block.states);
}

ray::ObjectRef<Fragment> RayWorkers::ask(Block& block, std::size_t steps) const {
  return block.actor.Task(&RolloutActor::Sample).Remote(weights_, static_cast<std::int64_t>(steps));
}

void RayWorkers::set_weights(std::span<const float> weights) {
  weights_ = ray::Put(ray::Array<float>(weights));
}

void RayWorkers::sample(std::size_t steps, Batch& out) {
  std::vector<ray::ObjectRef<Fragment>> refs;
  for (auto& block : blocks_)
    refs.push_back(ask(block, steps));
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    auto& block = blocks_[i];
    auto fragment = receive(block, refs[i], steps);
    std::vector<BatchEnd> ends;
    auto part = to_view(*fragment, ends);
    if (i == 0)
      out.resize(
        {steps, static_cast<std::size_t>(spec_.envs), part.shape.observation, part.shape.action});
    out.insert(part, static_cast<std::size_t>(block.first));
    block.states = std::move(fragment->states);
  }
  out.sort_ends();
}

// Waits for a fragment. An actor that died before it was done is replaced by one that starts where
// the fragment does, with the same weights: it lives through the same.
std::shared_ptr<Fragment> RayWorkers::receive(Block& block, ray::ObjectRef<Fragment> ref,
                                              std::size_t steps) const {
  for (int replaced = 0;; ++replaced)
    try {
      return ref.Get();
    } catch (const ray::internal::RayException& error) {
      if (!is_death(error) || replaced == most_replacements)
        throw;
      start(block);
      ref = ask(block, steps);
    }
}

std::vector<std::string> RayWorkers::save() {
  std::vector<std::string> states;
  for (auto& block : blocks_) {
    if (block.states.empty())
      block.states = RolloutWorker(spec_, block.first, block.count).save();
    states.insert(states.end(), block.states.begin(), block.states.end());
  }
  return states;
}

void RayWorkers::load(std::span<const std::string> states) {
  if (states.size() != static_cast<std::size_t>(spec_.envs))
    throw Error(ErrorCode::bad_checkpoint, "the saved run has " + std::to_string(states.size())
                                             + " environments, this one "
                                             + std::to_string(spec_.envs));
  std::vector<ray::ObjectRef<std::string>> refs;
  for (auto& block : blocks_) {
    auto part =
      states.subspan(static_cast<std::size_t>(block.first), static_cast<std::size_t>(block.count));
    block.states.assign(part.begin(), part.end());
    refs.push_back(block.actor.Task(&RolloutActor::Load).Remote(block.states));
  }
  for (auto& wrong : ray::Get(refs))
    if (!wrong->empty())
      throw Error(ErrorCode::bad_checkpoint, *wrong);
}

std::unique_ptr<Workers> make_workers(const WorkersSpec& spec, int workers) {
  if (workers == 0)
    return std::make_unique<SerialWorkers>(spec);
  return std::make_unique<RayWorkers>(spec, workers);
}

} // namespace rl
