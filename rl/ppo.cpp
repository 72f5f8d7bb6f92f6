#include "rl/ppo.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "rl/env/registry.hpp"
#include "rl/gae.hpp"

namespace rl {

// ---- configuration: meaning, range, the paper's value (Atari, table 5, unless said) ----

std::vector<Field> PpoConfig::fields() {
  return {
    {"envs", &envs, "environments sampled in parallel, N", 1, 65536, "8"},
    {"horizon", &horizon, "steps of each environment in a batch, T", 1, 1e6, "128"},
    {"epochs", &epochs, "passes over a batch, K", 1, 1000, "3"},
    {"minibatch", &minibatch, "samples in a gradient step", 2, 1e7, "256"},
    {"learning_rate", &learning_rate, "Adam's step size at the start", 0, 1, "2.5e-4"},
    {"clip", &clip, "clip range of the ratio at the start, epsilon", 0, 10, "0.1 (MuJoCo 0.2)"},
    {"anneal", &anneal,
     "let step size and clip range fall linearly to 0 at stop_steps; without that they stay"},
    {"gamma", &gamma, "discount of later rewards", 0, 1, "0.99"},
    {"lambda", &lambda, "weight of longer advantage estimates", 0, 1, "0.95"},
    {"value_weight", &value_weight, "weight of the value loss, c1", 0, 100, "1"},
    {"entropy_weight", &entropy_weight, "weight of the entropy bonus, c2", 0, 10, "0.01"},
    {"max_gradient_norm", &max_gradient_norm, "gradient norm above which it is scaled; 0: never",
     0},
    {"reward_scale", &reward_scale, "factor on rewards before learning", 0},
    {"normalise_observations", &normalise_observations, "show the networks unit scale"},
    {"normalise_rewards", &normalise_rewards, "learn from rewards whose discounted sum has it too"},
    {"filters", &filters, "3x3 filters of each convolution before them, for images", 1, 65536},
    {"hidden", &hidden, "units of the hidden layers", 1, 65536, "64,64 (MuJoCo)"},
    {"activation", &activation, "between layers: tanh (the paper) or relu"},
  };
}

WorkersSpec ppo_workers(const PpoConfig& config, const RunOptions& options) {
  auto env = make_network_env(options.env);
  return {options.env,
          static_cast<std::uint64_t>(options.seed),
          static_cast<int>(config.envs),
          {env->observation_space(), env->action_space(), config.hidden, config.activation, true,
           config.normalise_observations, config.filters}};
}

Ppo::Ppo(const PpoConfig& config, const PolicySpec& spec, std::uint64_t seed)
  : config_(config), policy_(spec),
    scale_({config.normalise_observations, config.normalise_rewards, config.gamma}, policy_,
           static_cast<std::size_t>(config.envs)),
    adam_(policy_.trainable_count(), {.epsilon = 1e-5}), rng_(derive_seed(seed, "minibatches")),
    gradient_(policy_.trainable_count()) {
  Rng start(derive_seed(seed, "initial weights"));
  weights_ = policy_.initialise(start);
}

// ---- advantage: equations 11 and 12, with the value of what a time limit cut off ----

void Ppo::estimate_advantages(const Batch& batch) {
  judge(policy_, weights_, batch, workspace_, value_);
  reward_ = batch.reward;
  scale_.add(batch);
  scale_.scale(reward_);
  for (auto& each : reward_)
    each *= static_cast<float>(config_.reward_scale);
  advantage_.resize(batch.size());
  gae({batch.shape.steps, batch.shape.envs, reward_, value_.now, value_.next, batch.terminated,
       batch.truncated, advantage_},
      config_.gamma, config_.lambda);
}

// ---- loss ----

template <class S>
PpoLosses ppo_loss(const ActorCritic<S>& policy, std::span<const S> parameters,
                   const PpoMinibatch<S>& mini, const PpoConfig& config, double clip,
                   std::span<S> gradient, typename ActorCritic<S>::Workspace& workspace) {
  auto rows = mini.log_prob.size();
  auto share = S{1} / static_cast<S>(rows);
  std::vector<S> log_prob(rows), entropy(rows), d_log_prob(rows), d_entropy(rows), d_value(rows);
  policy.evaluate(parameters, mini.observation, mini.action, log_prob, entropy, workspace);
  auto value = policy.value(parameters, mini.observation, workspace);
  PpoLosses losses;
  for (std::size_t i = 0; i < rows; ++i) {
    auto log_ratio = log_prob[i] - mini.log_prob[i];
    auto ratio = std::exp(log_ratio); // r_t(theta)
    auto bounded = std::clamp(ratio, static_cast<S>(1 - clip), static_cast<S>(1 + clip));
    auto free = ratio * mini.advantage[i], limited = bounded * mini.advantage[i];
    losses.policy -= static_cast<double>(std::min(free, limited) * share);
    d_log_prob[i] =
      free <= limited ? -free * share : S{0}; // d r / d log pi = r; the bound has no slope
    auto error = value[i] - mini.value_target[i];
    losses.value += static_cast<double>(S{0.5} * error * error * share);
    d_value[i] = static_cast<S>(config.value_weight) * error * share;
    losses.entropy += static_cast<double>(entropy[i] * share);
    d_entropy[i] = -static_cast<S>(config.entropy_weight) * share;
    losses.kl += static_cast<double>((ratio - 1 - log_ratio) * share);
    losses.clipped += ratio == bounded ? 0.0 : static_cast<double>(share);
  }
  policy.backward(parameters, mini.observation, mini.action, d_log_prob, d_entropy, d_value,
                  gradient, workspace);
  return losses;
}

// ---- update ----

void Ppo::gather(const Batch& batch, std::span<const std::size_t> rows) {
  auto width = batch.shape.observation, action_width = batch.shape.action;
  auto& to = minibatch_;
  to.observation.resize(rows.size() * width);
  to.action.resize(rows.size() * action_width);
  to.log_prob.resize(rows.size());
  to.advantage.resize(rows.size());
  to.value_target.resize(rows.size());
  double mean = 0, square = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto row = rows[i];
    std::copy_n(&batch.observation[row * width], width, &to.observation[i * width]);
    std::copy_n(&batch.action[row * action_width], action_width, &to.action[i * action_width]);
    to.log_prob[i] = batch.log_prob[row];
    to.advantage[i] = advantage_[row];
    to.value_target[i] = advantage_[row] + value_.now[row];
    mean += static_cast<double>(advantage_[row]) / static_cast<double>(rows.size());
  }
  for (auto each : to.advantage)
    square += (static_cast<double>(each) - mean) * (static_cast<double>(each) - mean);
  auto deviation = std::sqrt(square / static_cast<double>(rows.size())) + 1e-8;
  for (auto& each : to.advantage)
    each = static_cast<float>((static_cast<double>(each) - mean) / deviation);
}

PpoLosses Ppo::update(const Batch& batch, double left) {
  estimate_advantages(batch);
  std::vector<std::size_t> order(batch.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  auto size = std::min(static_cast<std::size_t>(config_.minibatch), batch.size());
  PpoLosses sum;
  double count = 0;
  for (std::int64_t epoch = 0; epoch < config_.epochs; ++epoch) {
    rng_.shuffle(std::span(order));
    for (std::size_t begin = 0; begin + size <= order.size(); begin += size, ++count) {
      gather(batch, std::span(order).subspan(begin, size));
      std::fill(gradient_.begin(), gradient_.end(), 0.0f);
      auto losses = ppo_loss<float>(policy_, weights_, minibatch_, config_, config_.clip * left,
                                    gradient_, workspace_);
      auto norm = nn::clip_norm(std::span(gradient_), config_.max_gradient_norm);
      require_finite(norm, "PPO's gradient");
      adam_.step(std::span(weights_).first(gradient_.size()), gradient_,
                 config_.learning_rate * left);
      sum.policy += losses.policy;
      sum.value += losses.value;
      sum.entropy += losses.entropy;
      sum.kl += losses.kl;
      sum.clipped += losses.clipped;
      sum.gradient_norm += norm;
    }
  }
  for (auto* each :
       {&sum.policy, &sum.value, &sum.entropy, &sum.kl, &sum.clipped, &sum.gradient_norm})
    *each /= count;
  scale_.write(weights_); // from the next batch on
  return sum;
}

void Ppo::save(Checkpoint& checkpoint) const {
  save_learner(checkpoint, weights_, adam_, &rng_);
  scale_.save(checkpoint);
}

void Ppo::load(const Checkpoint& checkpoint) {
  load_learner(checkpoint, weights_, adam_, &rng_);
  scale_.load(checkpoint);
}

// ---- train: algorithm 1. With ray, the workers are those of ppo_workers.cpp ----

TrainResult train_ppo(const PpoConfig& config, Run& run, Workers& workers) {
  auto& options = run.options();
  Ppo ppo(config, ppo_workers(config, options).policy, run.seed());
  run.restore([&](const Checkpoint& checkpoint) {
    ppo.load(checkpoint);
    workers.load(checkpoint.get_list("workers"));
  });
  auto save = [&](Checkpoint& checkpoint) {
    ppo.save(checkpoint);
    checkpoint.put_list("workers", workers.save());
  };
  auto evaluation = [&](const char* purpose) {
    return evaluate_policy(run, purpose, ppo.policy(), ppo.weights());
  };
  Batch batch;
  while (run.more()) {
    workers.set_weights(ppo.weights());                              // one object that all read
    workers.sample(static_cast<std::size_t>(config.horizon), batch); // a method call an actor
    auto losses = ppo.update(batch, config.anneal ? run.left() : 1.0);
    run.add(batch);
    run.log("loss/policy", losses.policy);
    run.log("loss/value", losses.value);
    run.log("loss/entropy", losses.entropy);
    run.log("loss/kl", losses.kl);
    run.log("loss/clipped", losses.clipped);
    run.log("loss/gradient_norm", losses.gradient_norm);
    run.end_update(save);
    // The mean lags behind the policy and is noisy: an evaluation decides.
    if (run.evaluation_due() && evaluation("confirm").mean >= options.stop_return)
      run.stop();
  }
  run.finish(save);
  return {
    {ppo.weights().begin(), ppo.weights().end()}, run.steps(), run.seconds(), evaluation("final")};
}

template PpoLosses ppo_loss<float>(const ActorCritic<float>&, std::span<const float>,
                                   const PpoMinibatch<float>&, const PpoConfig&, double,
                                   std::span<float>, ActorCritic<float>::Workspace&);
template PpoLosses ppo_loss<double>(const ActorCritic<double>&, std::span<const double>,
                                    const PpoMinibatch<double>&, const PpoConfig&, double,
                                    std::span<double>, ActorCritic<double>::Workspace&);

} // namespace rl
