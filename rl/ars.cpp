#include "rl/ars.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "rl/env/registry.hpp"
#include "rl/learner.hpp"

namespace rl {

// ---- configuration: meaning, range, the paper's values (table 9: Swimmer, HalfCheetah) ----

std::vector<Field> ArsConfig::fields() {
  return {
    {"directions", &directions, "directions tried per update, N", 1, 1e6, "1, 32"},
    {"top", &top, "how many of them count, b", 1, 1e6, "1, 4"},
    {"step_size", &step_size, "step size, alpha", 0, 10, "0.02"},
    {"noise", &noise, "standard deviation of the noise on each weight, nu", 1e-9, 10, "0.01, 0.03"},
    {"episodes", &episodes, "episodes that each member of a pair plays", 1, 1000, "1"},
    {"normalise_observations", &normalise_observations, "show the policy unit scale: V2, not V1"},
  };
}

EsSpec ars_spec(const ArsConfig& config, const RunOptions& options) {
  auto env = make_network_env(options.env);
  PolicySpec policy{env->observation_space(),     env->action_space(), {}, "tanh", false,
                    config.normalise_observations};
  ActorCritic<float> shape(policy);
  auto outputs = std::holds_alternative<Discrete>(policy.action_space)
                   ? static_cast<std::size_t>(std::get<Discrete>(policy.action_space).n)
                   : shape.action_size();
  auto noisy = shape.observation_size() * outputs; // w, which comes before the biases
  return {options.env, std::move(policy), config.noise, static_cast<int>(config.episodes), noisy};
}

// ---- update: algorithm 2, lines 5 to 8 ----

Ars::Ars(const ArsConfig& config, const EsSpec& spec, std::uint64_t seed)
  : config_(config), spec_(spec), seed_(seed), policy_(spec.policy),
    scale_({.observations = config.normalise_observations}, policy_, 0) {
  if (config.top > config.directions)
    throw Error(ErrorCode::bad_value, "top=" + std::to_string(config.top) + ": of "
                                        + std::to_string(config.directions)
                                        + " directions no more can count; give more directions");
  Rng unused(0);
  weights_ = policy_.initialise(unused);
  std::fill_n(weights_.begin(), policy_.trainable_count(), 0.0f); // M_0 = 0
}

std::vector<double> Ars::shares(std::span<const EsJob> jobs,
                                std::span<const EsScore> scores) const {
  auto returns = es_returns("ARS", spec_, jobs, scores);
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  auto best = [&](std::size_t i) { return std::max(scores[i].plus, scores[i].minus); };
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return best(a) > best(b); });
  order.resize(std::min(order.size(), static_cast<std::size_t>(config_.top)));

  auto used = 2 * static_cast<double>(order.size());
  double mean = 0, variance = 0; // of the returns used
  for (auto i : order)
    mean += (scores[i].plus + scores[i].minus) / used;
  for (auto i : order)
    variance += (std::pow(scores[i].plus - mean, 2) + std::pow(scores[i].minus - mean, 2)) / used;
  std::vector<double> result(scores.size(), 0.0);
  if (variance > 0)
    for (auto i : order)
      result[i] = (scores[i].plus - scores[i].minus)
                  / (static_cast<double>(order.size()) * std::sqrt(variance));
  return result;
}

double Ars::step(std::span<const float> direction, std::span<const EsScore> scores) {
  auto alpha = static_cast<float>(config_.step_size);
  double square = 0;
  for (std::size_t i = 0; i < direction.size(); ++i) {
    auto step = alpha * direction[i];
    weights_[i] += step;
    square += static_cast<double>(step) * static_cast<double>(step);
  }
  for (auto& score : scores)
    scale_.add(score.observations);
  scale_.write(weights_);
  return std::sqrt(square);
}

void Ars::save(Checkpoint& checkpoint) const {
  checkpoint.put_floats("weights", weights_);
  scale_.save(checkpoint);
}

void Ars::load(const Checkpoint& checkpoint) {
  auto weights = load_weights(checkpoint, weights_.size());
  scale_.load(checkpoint);
  weights_ = std::move(weights);
}

// ---- train: algorithm 2. With ray, the workers are those of es_workers.cpp ----

TrainResult train_ars(const ArsConfig& config, Run& run, EsWorkers& workers) {
  auto spec = ars_spec(config, run.options());
  Ars ars(config, spec, run.seed());
  run.restore([&](const Checkpoint& checkpoint) { ars.load(checkpoint); });
  auto save = [&](Checkpoint& checkpoint) { ars.save(checkpoint); };
  auto evaluation = [&](const char* purpose) {
    return evaluate_policy(run, purpose, ars.policy(), ars.weights());
  };
  while (run.more()) {
    auto jobs = ars.jobs(run.updates());
    auto scores = workers.try_pairs(ars.weights(), jobs); // r+ and r-
    auto shares = ars.shares(jobs, scores);
    auto length = ars.step(workers.weigh_noise(spec.noisy, jobs, shares), scores);
    run.log("ars/best_return", count_scores(run, spec, scores));
    run.log("ars/step_length", length);
    run.end_update(save);
    // The mean is that of the noisy copies: an evaluation of M decides.
    if (run.evaluation_due() && evaluation("confirm").mean >= run.options().stop_return)
      run.stop();
  }
  run.finish(save);
  return {
    {ars.weights().begin(), ars.weights().end()}, run.steps(), run.seconds(), evaluation("final")};
}

} // namespace rl
