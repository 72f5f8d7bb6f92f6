#include "rl/async_workers.hpp"

#include <algorithm>

namespace rl {

GroupRange group_range(const AsyncSpec& spec, int group) {
  auto first = spec.workers.envs * group / spec.groups;
  return {first, spec.workers.envs * (group + 1) / spec.groups - first};
}

void check_groups(const AsyncSpec& spec) {
  if (spec.groups < 1 || spec.groups > spec.workers.envs)
    throw Error(ErrorCode::bad_value, std::to_string(spec.workers.envs)
                                        + " environments cannot be divided into "
                                        + std::to_string(spec.groups) + " groups; give 1 to "
                                        + std::to_string(spec.workers.envs));
}

void join_parts(std::span<const BatchView> parts, std::span<const int> first, Arrivals& out) {
  auto shape = parts.front().shape;
  shape.envs = 0;
  for (auto& part : parts)
    shape.envs += part.shape.envs;
  out.batch.resize(shape);
  out.envs.clear();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    out.batch.insert(parts[i], out.envs.size());
    for (std::size_t column = 0; column < parts[i].shape.envs; ++column)
      out.envs.push_back(static_cast<std::size_t>(first[i]) + column);
  }
  out.batch.sort_ends();
}

SerialAsyncWorkers::SerialAsyncWorkers(const AsyncSpec& spec) : spec_(spec) {
  check_groups(spec);
  for (int group = 0; group < spec.groups; ++group) {
    auto [first, count] = group_range(spec, group);
    groups_.emplace_back(spec.workers, first, count);
  }
  fragments_.resize(groups_.size());
}

void SerialAsyncWorkers::set_weights(std::span<const float> weights) {
  weights_.assign(weights.begin(), weights.end());
}

void SerialAsyncWorkers::gather(int count, Arrivals& out) {
  std::vector<BatchView> parts;
  std::vector<int> first;
  out.times = {};
  for (; count > 0; --count, turn_ = (turn_ + 1) % groups_.size()) {
    auto& group = groups_[turn_];
    group.sample(weights_, spec_.steps, fragments_[turn_]);
    parts.push_back(fragments_[turn_].view());
    first.push_back(group_range(spec_, static_cast<int>(turn_)).first);
    out.times.sampling += group.times().sampling;
    out.times.simulation += group.times().simulation;
  }
  join_parts(parts, first, out);
}

std::vector<std::string> SerialAsyncWorkers::save() {
  std::vector<std::string> states;
  for (auto& group : groups_)
    std::ranges::move(group.save(), std::back_inserter(states));
  ByteWriter turn;
  turn.put<std::uint64_t>(turn_);
  states.push_back(turn.take());
  return states;
}

void SerialAsyncWorkers::load(std::span<const std::string> states) {
  auto envs = static_cast<std::size_t>(spec_.workers.envs);
  if (states.size() != envs + 1)
    throw Error(ErrorCode::bad_checkpoint, "the saved run has " + std::to_string(states.size() - 1)
                                             + " environments, this one " + std::to_string(envs));
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    auto [first, count] = group_range(spec_, static_cast<int>(i));
    groups_[i].load(
      states.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)));
  }
  turn_ = ByteReader(states.back()).get<std::uint64_t>() % groups_.size();
}

} // namespace rl
