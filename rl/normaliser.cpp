#include "rl/normaliser.hpp"

#include <algorithm>
#include <cmath>
#include <string>

namespace rl {

namespace {

constexpr double epsilon = 1e-8;
constexpr float bound = 10;

} // namespace

Normaliser::Normaliser(const NormaliserOptions& options, const ActorCritic<float>& policy,
                       std::size_t envs)
  : options_(options), observation_(options.observations ? policy.observation_size() : 0),
    running_(options.rewards ? envs : 0) {}

void Normaliser::add(const Batch& batch, std::span<const std::size_t> envs) {
  auto width = batch.shape.observation;
  if (options_.observations)
    for (std::size_t row = 0; row < batch.size(); ++row)
      observation_.add(std::span(batch.observation).subspan(row * width, width));
  if (!options_.rewards)
    return;
  for (std::size_t row = 0; row < batch.size(); ++row) {
    auto column = row % batch.shape.envs;
    auto& total = running_[envs.empty() ? column : envs[column]];
    total =
      options_.gamma * (batch.terminated[row] ? 0 : total) + static_cast<double>(batch.reward[row]);
    total_.add(total);
  }
}

void Normaliser::add(const RunningMoments& observations) {
  if (options_.observations)
    observation_.merge(observations);
}

void Normaliser::scale(std::span<float> reward) const {
  if (!options_.rewards)
    return;
  auto factor = static_cast<float>(1 / std::sqrt(total_.variance(0) + epsilon));
  for (auto& each : reward)
    each = std::clamp(each * factor, -bound, bound);
}

void Normaliser::write(std::span<float> parameters) const {
  auto width = observation_.features();
  if (!options_.observations || observation_.count() == 0)
    return;
  auto tail = parameters.last(2 * width);
  for (std::size_t i = 0; i < width; ++i) {
    tail[i] = static_cast<float>(observation_.mean()[i]);
    tail[width + i] = static_cast<float>(1 / std::sqrt(observation_.variance(i) + epsilon));
  }
}

void Normaliser::save(Checkpoint& checkpoint) const {
  ByteWriter out;
  observation_.save(out);
  total_.save(out);
  out.put_all(std::span<const double>(running_));
  checkpoint.put("normaliser", out.take());
}

void Normaliser::load(const Checkpoint& checkpoint) {
  ByteReader in(checkpoint.get("normaliser"));
  observation_.load(in);
  total_.load(in);
  auto running = in.get_all<double>();
  if (running.size() != running_.size())
    throw Error(ErrorCode::bad_checkpoint,
                "the saved run scales the rewards of " + std::to_string(running.size())
                  + " environments, this one of " + std::to_string(running_.size()));
  running_ = std::move(running);
}

} // namespace rl
