#include "rl/ppo_workers.hpp"

#include <algorithm>

namespace rl {

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
  block.actor = ray::Actor(RolloutActor::Create)
                  .Remote(to_message(spec_), block.first, block.count, block.states);
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
