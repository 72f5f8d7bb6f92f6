#include "rl/batch.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "rl/error.hpp"

namespace rl {

void Batch::resize(const BatchShape& to) {
  shape = to;
  auto count = to.steps * to.envs;
  observation.resize((to.steps + 1) * to.envs * to.observation);
  action.resize(count * to.action);
  log_prob.resize(count);
  reward.resize(count);
  terminated.resize(count);
  truncated.resize(count);
  ends.clear();
  final_observation.clear();
}

std::span<float> Batch::observation_row(std::size_t time, std::size_t env) {
  auto begin = (time * shape.envs + env) * shape.observation;
  return std::span(observation).subspan(begin, (shape.envs - env) * shape.observation);
}

BatchView Batch::view() const {
  return {shape,      observation, action, log_prob,         reward,
          terminated, truncated,   ends,   final_observation};
}

void Batch::insert(const BatchView& part, std::size_t env) {
  auto expected = part.shape;
  expected.envs = shape.envs;
  if (expected != shape || env + part.shape.envs > shape.envs)
    throw Error(ErrorCode::bad_value, "a part of a batch does not fit into the whole");
  auto copy = [&](const auto& from, auto& to, std::size_t rows, std::size_t width) {
    for (std::size_t t = 0; t < rows; ++t)
      std::copy_n(from.data() + t * part.shape.envs * width, part.shape.envs * width,
                  to.data() + (t * shape.envs + env) * width);
  };
  copy(part.observation, observation, shape.steps + 1, shape.observation);
  copy(part.action, action, shape.steps, shape.action);
  copy(part.log_prob, log_prob, shape.steps, 1);
  copy(part.reward, reward, shape.steps, 1);
  copy(part.terminated, terminated, shape.steps, 1);
  copy(part.truncated, truncated, shape.steps, 1);
  for (auto end : part.ends) {
    end.env += env;
    ends.push_back(end);
  }
  final_observation.insert(final_observation.end(), part.final_observation.begin(),
                           part.final_observation.end());
}

void Batch::sort_ends() {
  std::vector<std::size_t> order(ends.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](auto a, auto b) {
    return std::tie(ends[a].time, ends[a].env) < std::tie(ends[b].time, ends[b].env);
  });
  std::vector<BatchEnd> sorted_ends;
  std::vector<float> sorted_observations;
  for (auto i : order) {
    sorted_ends.push_back(ends[i]);
    auto from = final_observation.begin() + static_cast<std::ptrdiff_t>(i * shape.observation);
    sorted_observations.insert(sorted_observations.end(), from,
                               from + static_cast<std::ptrdiff_t>(shape.observation));
  }
  ends = std::move(sorted_ends);
  final_observation = std::move(sorted_observations);
}

} // namespace rl
