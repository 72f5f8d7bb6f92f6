#include "rl/a2c.hpp"

#include <algorithm>

#include "rl/env/registry.hpp"
#include "rl/gae.hpp"

namespace rl {

// ---- configuration: meaning, range, the paper's value (Atari, section 5.1) ----

std::vector<Field> A2cConfig::fields() {
  return {
    {"envs", &envs, "environments sampled in parallel", 1, 65536, "16"},
    {"horizon", &horizon, "steps of each environment in a batch, t_max", 1, 1e6, "5"},
    {"learning_rate", &learning_rate, "RMSProp's step size at the start", 0, 1,
     "1e-4 to 1e-2, annealed"},
    {"anneal", &anneal, "let the step size fall linearly to 0 at stop_steps"},
    {"gamma", &gamma, "discount of later rewards", 0, 1, "0.99"},
    {"lambda", &lambda, "weight of longer advantage estimates", 0, 1, "1"},
    {"value_weight", &value_weight, "weight of the value loss, c1", 0, 100, "0.5"},
    {"entropy_weight", &entropy_weight, "weight of the entropy bonus, beta", 0, 10, "0.01"},
    {"max_gradient_norm", &max_gradient_norm, "gradient norm above which it is scaled; 0: never",
     0},
    {"reward_scale", &reward_scale, "factor on rewards before learning", 0},
    {"normalise_observations", &normalise_observations, "show the networks unit scale"},
    {"normalise_rewards", &normalise_rewards, "learn from rewards whose discounted sum has it too"},
    {"filters", &filters, "3x3 filters of each convolution before them, for images", 1, 65536},
    {"hidden", &hidden, "units of the hidden layers", 1, 65536},
    {"activation", &activation, "between layers: tanh or relu"},
  };
}

WorkersSpec a2c_workers(const A2cConfig& config, const RunOptions& options) {
  auto env = make_network_env(options.env);
  return {options.env,
          static_cast<std::uint64_t>(options.seed),
          static_cast<int>(config.envs),
          {env->observation_space(), env->action_space(), config.hidden, config.activation, true,
           config.normalise_observations, config.filters}};
}

A2c::A2c(const A2cConfig& config, const PolicySpec& spec, std::uint64_t seed)
  : config_(config), policy_(spec),
    scale_({config.normalise_observations, config.normalise_rewards, config.gamma}, policy_,
           static_cast<std::size_t>(config.envs)),
    adam_(policy_.trainable_count(), {.beta1 = 0, .beta2 = 0.99, .epsilon = 1e-5}),
    gradient_(policy_.trainable_count()) {
  Rng start(derive_seed(seed, "initial weights"));
  weights_ = policy_.initialise(start);
}

// ---- loss ----

template <class S>
A2cLosses a2c_loss(const ActorCritic<S>& policy, std::span<const S> parameters,
                   const A2cRows<S>& rows, double value_weight, double entropy_weight,
                   std::span<S> gradient, typename ActorCritic<S>::Workspace& workspace) {
  auto count = rows.advantage.size();
  auto share = S{1} / static_cast<S>(count);
  std::vector<S> log_prob(count), entropy(count), d_log_prob(count), d_entropy(count),
    d_value(count);
  policy.evaluate(parameters, rows.observation, rows.action, log_prob, entropy, workspace);
  auto value = policy.value(parameters, rows.observation, workspace);
  A2cLosses losses;
  for (std::size_t i = 0; i < count; ++i) {
    losses.policy -= static_cast<double>(log_prob[i] * rows.advantage[i] * share);
    d_log_prob[i] = -rows.advantage[i] * share;
    auto error = value[i] - rows.value_target[i];
    losses.value += static_cast<double>(S{0.5} * error * error * share);
    d_value[i] = static_cast<S>(value_weight) * error * share;
    losses.entropy += static_cast<double>(entropy[i] * share);
    d_entropy[i] = -static_cast<S>(entropy_weight) * share;
  }
  policy.backward(parameters, rows.observation, rows.action, d_log_prob, d_entropy, d_value,
                  gradient, workspace);
  return losses;
}

// ---- update: one gradient step a batch ----

A2cLosses A2c::update(const Batch& batch, double left) {
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
  target_.resize(batch.size());
  for (std::size_t i = 0; i < target_.size(); ++i)
    target_[i] = advantage_[i] + value_.now[i];

  std::fill(gradient_.begin(), gradient_.end(), 0.0f);
  auto acted_on = std::span(batch.observation).first(batch.size() * batch.shape.observation);
  auto losses =
    a2c_loss<float>(policy_, weights_, {acted_on, batch.action, advantage_, target_},
                    config_.value_weight, config_.entropy_weight, gradient_, workspace_);
  losses.gradient_norm = nn::clip_norm(std::span(gradient_), config_.max_gradient_norm);
  require_finite(losses.gradient_norm, "A2C's gradient");
  adam_.step(std::span(weights_).first(gradient_.size()), gradient_, config_.learning_rate * left);
  scale_.write(weights_); // from the next batch on
  return losses;
}

void A2c::save(Checkpoint& checkpoint) const {
  save_learner(checkpoint, weights_, adam_);
  scale_.save(checkpoint);
}

void A2c::load(const Checkpoint& checkpoint) {
  load_learner(checkpoint, weights_, adam_);
  scale_.load(checkpoint);
}

// ---- train. With ray, the workers are those of ppo_workers.cpp ----

TrainResult train_a2c(const A2cConfig& config, Run& run, Workers& workers) {
  auto& options = run.options();
  A2c a2c(config, a2c_workers(config, options).policy, run.seed());
  run.restore([&](const Checkpoint& checkpoint) {
    a2c.load(checkpoint);
    workers.load(checkpoint.get_list("workers"));
  });
  auto save = [&](Checkpoint& checkpoint) {
    a2c.save(checkpoint);
    checkpoint.put_list("workers", workers.save());
  };
  auto evaluation = [&](const char* purpose) {
    return evaluate_policy(run, purpose, a2c.policy(), a2c.weights());
  };
  Batch batch;
  while (run.more()) {
    workers.set_weights(a2c.weights());
    workers.sample(static_cast<std::size_t>(config.horizon), batch);
    auto losses = a2c.update(batch, config.anneal ? run.left() : 1.0);
    run.add(batch);
    run.log("loss/policy", losses.policy);
    run.log("loss/value", losses.value);
    run.log("loss/entropy", losses.entropy);
    run.log("loss/gradient_norm", losses.gradient_norm);
    run.end_update(save);
    if (run.evaluation_due() && evaluation("confirm").mean >= options.stop_return)
      run.stop();
  }
  run.finish(save);
  return {
    {a2c.weights().begin(), a2c.weights().end()}, run.steps(), run.seconds(), evaluation("final")};
}

template A2cLosses a2c_loss<float>(const ActorCritic<float>&, std::span<const float>,
                                   const A2cRows<float>&, double, double, std::span<float>,
                                   ActorCritic<float>::Workspace&);
template A2cLosses a2c_loss<double>(const ActorCritic<double>&, std::span<const double>,
                                    const A2cRows<double>&, double, double, std::span<double>,
                                    ActorCritic<double>::Workspace&);

} // namespace rl
