#include "rl/impala_workers.hpp"

#include <algorithm>
#include <unordered_set>

namespace rl {

RayAsyncWorkers::RayAsyncWorkers(const AsyncSpec& spec, int slots)
  : spec_(spec), slots_(std::min(slots, spec.groups)) {
  check_groups(spec);
  for (int i = 0; i < spec.groups; ++i) {
    groups_.push_back({group_range(spec, i), {}, {}, {}});
    start(groups_.back());
  }
}

RayAsyncWorkers::~RayAsyncWorkers() {
  if (!ray::IsInitialized())
    return;
  for (auto& group : groups_)
    try {
      group.actor.Kill();
    } catch (const ray::internal::RayException&) { // it is dead already
    }
}

void RayAsyncWorkers::start(Group& group) const {
  group.actor =
    ray::Actor(RolloutActor::Create)
      .Remote(to_message(spec_.workers), group.range.first, group.range.count, group.states);
}

void RayAsyncWorkers::set_weights(std::span<const float> weights) {
  weights_ = ray::Put(ray::Array<float>(weights));
  ++version_;
}

void RayAsyncWorkers::ask(std::size_t i) {
  auto& group = groups_[i];
  group.request = group.actor.Task(&RolloutActor::Sample)
                    .Remote(weights_, static_cast<std::int64_t>(spec_.steps));
  group.version = version_;
  asked_.push_back(i);
}

std::vector<ray::ObjectRef<Fragment>> RayAsyncWorkers::requests() const {
  std::vector<ray::ObjectRef<Fragment>> refs;
  for (auto i : asked_)
    refs.push_back(groups_[i].request);
  return refs;
}

// The fragment of a request that has an answer; null when the actor died, which is then replaced
// and asked again.
std::shared_ptr<Fragment> RayAsyncWorkers::take(std::size_t i) {
  auto& group = groups_[i];
  std::erase(asked_, i);
  try {
    auto fragment = group.request.Get();
    group.deaths = 0;
    return fragment;
  } catch (const ray::internal::RayException& error) {
    if (!is_death(error) || ++group.deaths > most_replacements)
      throw;
    ++lost_;
    start(group);
    ask(i);
    return nullptr;
  }
}

void RayAsyncWorkers::gather(int count, Arrivals& out) {
  std::vector<bool> busy(groups_.size());
  for (auto i : asked_)
    busy[i] = true;
  for (std::size_t i = 0; i < groups_.size(); ++i)
    if (!busy[i])
      ask(i);
  out.queue = static_cast<std::int64_t>(ray::Wait(requests(), count, 0).ready.size());

  std::vector<std::shared_ptr<Fragment>> fragments;
  std::vector<std::size_t> taken;
  while (taken.size() < static_cast<std::size_t>(count)) {
    auto wanted = count - static_cast<int>(taken.size());
    std::unordered_set<std::string> ready;
    for (auto& ref : ray::Wait(requests(), wanted, -1).ready)
      ready.insert(ref.ID());
    for (auto i : std::vector<std::size_t>(asked_)) {
      if (taken.size() == static_cast<std::size_t>(count)
          || !ready.contains(groups_[i].request.ID()))
        continue;
      if (auto fragment = take(i)) {
        taken.push_back(i);
        fragments.push_back(std::move(fragment));
      }
    }
  }

  std::vector<BatchView> parts;
  std::vector<std::vector<BatchEnd>> ends(taken.size());
  std::vector<int> first;
  out.times = {};
  out.lag = 0;
  for (std::size_t i = 0; i < taken.size(); ++i) {
    auto& group = groups_[taken[i]];
    auto& fragment = *fragments[i];
    parts.push_back(to_view(fragment, ends[i]));
    first.push_back(group.range.first);
    out.times.sampling += fragment.sampling_seconds;
    out.times.simulation += fragment.simulation_seconds;
    out.lag += static_cast<double>(version_ - group.version) / count;
    group.states = fragment.states;
  }
  out.lost = lost_;
  join_parts(parts, first, out);
}

std::vector<std::string> RayAsyncWorkers::save() {
  std::vector<std::string> states;
  for (auto& group : groups_) {
    if (group.states.empty())
      group.states = RolloutWorker(spec_.workers, group.range.first, group.range.count).save();
    states.insert(states.end(), group.states.begin(), group.states.end());
  }
  states.push_back(std::string(sizeof(std::uint64_t), '\0')); // the first group's turn
  return states;
}

void RayAsyncWorkers::load(std::span<const std::string> states) {
  auto envs = static_cast<std::size_t>(spec_.workers.envs);
  if (states.size() != envs + 1)
    throw Error(ErrorCode::bad_checkpoint, "the saved run has " + std::to_string(states.size() - 1)
                                             + " environments, this one " + std::to_string(envs));
  std::vector<ray::ObjectRef<std::string>> refs;
  for (auto& group : groups_) {
    auto part = states.subspan(static_cast<std::size_t>(group.range.first),
                               static_cast<std::size_t>(group.range.count));
    group.states.assign(part.begin(), part.end());
    refs.push_back(group.actor.Task(&RolloutActor::Load).Remote(group.states));
  }
  for (auto& wrong : ray::Get(refs))
    if (!wrong->empty())
      throw Error(ErrorCode::bad_checkpoint, *wrong);
}

std::unique_ptr<AsyncWorkers> make_async_workers(const AsyncSpec& spec, int workers) {
  if (workers == 0)
    return std::make_unique<SerialAsyncWorkers>(spec);
  return std::make_unique<RayAsyncWorkers>(spec, workers);
}

} // namespace rl
