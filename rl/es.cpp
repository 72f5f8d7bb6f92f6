#include "rl/es.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "rl/env/registry.hpp"
#include "rl/learner.hpp"
#include "rl/rng.hpp"

namespace rl {

// ---- configuration: meaning, range, the paper's value (section 4 and its starter code) ----

std::vector<Field> EsConfig::fields() {
  return {
    {"pairs", &pairs, "antithetic pairs tried per update, half of the paper's n", 1, 1e6, "720"},
    {"episodes", &episodes, "episodes that each member of a pair plays", 1, 1000, "1"},
    {"sigma", &sigma, "standard deviation of the noise on each weight", 1e-9, 10, "0.02"},
    {"learning_rate", &learning_rate, "Adam's step size, alpha", 0, 1, "0.01"},
    {"weight_decay", &weight_decay, "pull of the weights towards 0", 0, 1, "0.005"},
    {"hidden", &hidden, "units of the hidden layers", 1, 65536, "64,64"},
    {"activation", &activation, "between layers: tanh (the paper) or relu"},
    {"normalise_observations", &normalise_observations, "show the network unit scale"},
  };
}

EsSpec es_spec(const EsConfig& config, const RunOptions& options) {
  auto env = make_network_env(options.env);
  PolicySpec policy{
    env->observation_space(),     env->action_space(), config.hidden, config.activation, false,
    config.normalise_observations};
  auto noisy = ActorCritic<float>(policy).trainable_count();
  return {options.env, std::move(policy), config.sigma, static_cast<int>(config.episodes), noisy};
}

// ---- what a worker does: algorithm 2, lines 4, 5 and 11 ----

EsScore try_pair(const EsSpec& spec, std::span<const float> weights, const EsJob& job) {
  ActorCritic<float> policy(spec.policy);
  policy.check_weights(weights);
  ActorCritic<float>::Workspace workspace;
  std::vector<float> noise(spec.noisy), tried(weights.begin(), weights.end());
  Rng(job.noise_seed).fill_normal(noise);
  EsScore score;
  if (spec.policy.normalise)
    score.observations = RunningMoments(policy.observation_size());
  auto play = [&](double sign) {
    auto scale = static_cast<float>(sign * spec.sigma);
    for (std::size_t i = 0; i < noise.size(); ++i)
      tried[i] = weights[i] + scale * noise[i];
    auto result =
      evaluate(spec.env, job.env_seed, spec.episodes, [&](auto observation, auto action) {
        if (spec.policy.normalise)
          score.observations.add(observation);
        policy.act_greedily(tried, observation, action, workspace);
      });
    score.steps += result.steps;
    return result.mean;
  };
  score.plus = play(1);
  score.minus = play(-1);
  return score;
}

std::vector<float> sum_noise(std::size_t weights, std::span<const EsJob> jobs,
                             std::span<const double> shares) {
  std::vector<float> sum(weights), noise(weights);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    auto share = static_cast<float>(shares[i]);
    if (share == 0)
      continue;
    Rng(jobs[i].noise_seed).fill_normal(noise);
    for (std::size_t k = 0; k < weights; ++k)
      sum[k] += share * noise[k];
  }
  return sum;
}

std::size_t noise_block(std::size_t weights) {
  constexpr std::size_t numbers = 1 << 15; // of a block
  return std::max<std::size_t>(1, numbers / weights);
}

void add_to(std::span<float> sum, std::span<const float> part) {
  for (std::size_t k = 0; k < sum.size(); ++k)
    sum[k] += part[k];
}

// ---- the same in one thread ----

std::vector<EsScore> SerialEsWorkers::try_pairs(std::span<const float> weights,
                                                std::span<const EsJob> jobs) {
  std::vector<EsScore> scores;
  for (auto& job : jobs)
    scores.push_back(try_pair(spec_, weights, job));
  return scores;
}

std::vector<float> SerialEsWorkers::weigh_noise(std::size_t weights, std::span<const EsJob> jobs,
                                                std::span<const double> shares) {
  auto block = noise_block(weights);
  std::vector<std::vector<float>> parts;
  for (std::size_t i = 0; i < jobs.size(); i += block) {
    auto count = std::min(block, jobs.size() - i);
    parts.push_back(sum_noise(weights, jobs.subspan(i, count), shares.subspan(i, count)));
  }
  return add_in_pairs(std::move(parts), [](auto one, auto& other) {
    add_to(one, other);
    return one;
  });
}

// ---- update ----

std::vector<double> centred_ranks(std::span<const double> scores) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](auto a, auto b) { return scores[a] < scores[b]; });
  std::vector<double> ranks(scores.size(), 0.0);
  if (scores.size() < 2)
    return ranks;
  for (std::size_t i = 0, j = 0; i < order.size(); i = j) {
    for (j = i + 1; j < order.size() && scores[order[j]] == scores[order[i]];)
      ++j;
    auto shared = static_cast<double>(i + j - 1) / 2; // mean of the ranks i .. j-1
    for (auto k = i; k < j; ++k)
      ranks[order[k]] = shared / static_cast<double>(scores.size() - 1) - 0.5;
  }
  return ranks;
}

std::vector<EsJob> es_jobs(std::uint64_t seed, std::int64_t update, std::int64_t pairs) {
  auto noise = derive_seed(seed, "noise"), env = derive_seed(seed, "environments");
  std::vector<EsJob> result;
  for (std::int64_t i = 0; i < pairs; ++i) {
    auto u = static_cast<std::uint64_t>(update), pair = static_cast<std::uint64_t>(i);
    result.push_back({derive_seed(noise, u, pair), derive_seed(env, u, pair)});
  }
  return result;
}

std::vector<double> es_returns(const char* algorithm, const EsSpec& spec,
                               std::span<const EsJob> jobs, std::span<const EsScore> scores) {
  std::vector<double> returns;
  for (std::size_t i = 0; i < scores.size(); ++i)
    for (auto member : {scores[i].plus, scores[i].minus}) {
      if (!std::isfinite(member)) // it has no rank
        throw Error(ErrorCode::not_finite,
                    std::string(algorithm) + ": the mean return of pair " + std::to_string(i)
                      + " in " + spec.env + " is " + std::to_string(member) + " (episodes of seed "
                      + std::to_string(jobs[i].env_seed)
                      + "); the environment gives rewards that are no numbers");
      returns.push_back(member);
    }
  return returns;
}

double count_scores(Run& run, const EsSpec& spec, std::span<const EsScore> scores) {
  auto best = scores.front().plus;
  for (auto& score : scores) {
    run.add_steps(score.steps);
    for (int i = 0; i < spec.episodes; ++i) { // each as good as their mean
      run.add_episode(score.plus);
      run.add_episode(score.minus);
    }
    best = std::max({best, score.plus, score.minus});
  }
  return best;
}

Es::Es(const EsConfig& config, const EsSpec& spec, std::uint64_t seed)
  : config_(config), spec_(spec), seed_(seed), policy_(spec.policy),
    scale_({.observations = config.normalise_observations}, policy_, 0),
    adam_(policy_.trainable_count()) {
  Rng start(derive_seed(seed, "initial weights"));
  weights_ = policy_.initialise(start);
}

std::vector<double> Es::shares(std::span<const EsJob> jobs, std::span<const EsScore> scores) const {
  auto ranks = centred_ranks(es_returns("ES", spec_, jobs, scores));
  // Gradient of the loss -E[F]: minus 1 / (n sigma) times the sum of F_i epsilon_i (algorithm 2,
  // line 11), with n = 2 pairs; the two members of a pair share their noise up to the sign.
  auto factor = 1.0 / (static_cast<double>(ranks.size()) * config_.sigma);
  std::vector<double> result;
  for (std::size_t i = 0; i < scores.size(); ++i)
    result.push_back(-factor * (ranks[2 * i] - ranks[2 * i + 1]));
  return result;
}

void Es::observe(std::span<const EsScore> scores) {
  for (auto& score : scores)
    scale_.add(score.observations);
  scale_.write(weights_);
}

double Es::step(std::vector<float> gradient) {
  auto norm = nn::clip_norm(std::span(gradient), 0);
  for (std::size_t k = 0; k < gradient.size(); ++k)
    gradient[k] += static_cast<float>(config_.weight_decay) * weights_[k];
  adam_.step(std::span(weights_).first(gradient.size()), gradient, config_.learning_rate);
  return norm;
}

void Es::save(Checkpoint& checkpoint) const {
  save_learner(checkpoint, weights_, adam_);
  scale_.save(checkpoint);
}

void Es::load(const Checkpoint& checkpoint) {
  load_learner(checkpoint, weights_, adam_);
  scale_.load(checkpoint);
}

// ---- train: algorithm 2. With ray, the workers are those of es_workers.cpp ----

TrainResult train_es(const EsConfig& config, Run& run, EsWorkers& workers) {
  auto& options = run.options();
  auto spec = es_spec(config, options);
  Es es(config, spec, run.seed());
  run.restore([&](const Checkpoint& checkpoint) { es.load(checkpoint); });
  auto save = [&](Checkpoint& checkpoint) { es.save(checkpoint); };
  auto evaluation = [&](const char* purpose) {
    return evaluate_policy(run, purpose, es.policy(), es.weights());
  };
  while (run.more()) {
    auto jobs = es.jobs(run.updates());
    auto scores = workers.try_pairs(es.weights(), jobs); // tasks, each a handful of pairs
    auto shares = es.shares(jobs, scores);
    auto norm = es.step(workers.weigh_noise(spec.noisy, jobs, shares)); // tasks, each a block
    es.observe(scores);
    run.log("es/best_return", count_scores(run, spec, scores));
    run.log("es/gradient_norm", norm);
    run.end_update(save);
    // The mean is that of the noisy copies: an evaluation of the middle decides.
    if (run.evaluation_due() && evaluation("confirm").mean >= options.stop_return)
      run.stop();
  }
  run.finish(save);
  return {
    {es.weights().begin(), es.weights().end()}, run.steps(), run.seconds(), evaluation("final")};
}

} // namespace rl
