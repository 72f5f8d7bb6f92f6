#include "rl/impala.hpp"

#include <algorithm>
#include <cmath>

#include "rl/env/registry.hpp"
#include "rl/vtrace.hpp"

namespace rl {

// ---- configuration: meaning, range, the paper's value (appendix D, table D.3) ----

std::vector<Field> ImpalaConfig::fields() {
  return {
    {"envs", &envs, "environments sampled in parallel", 1, 65536},
    {"groups", &groups, "groups of environments, each sampled on its own, n", 1, 65536},
    {"fragments", &fragments, "fragments an update takes, k", 1, 65536, "32"},
    {"horizon", &horizon, "steps of a fragment, unroll length n", 1, 1e6, "20"},
    {"learning_rate", &learning_rate, "RMSProp's step size at the start", 0, 1, "6e-4"},
    {"anneal", &anneal, "let the step size fall linearly to 0 at stop_steps"},
    {"gamma", &gamma, "discount of later rewards", 0, 1, "0.99"},
    {"lambda", &lambda, "factor on the traces c", 0, 1, "1"},
    {"rho_bar", &rho_bar, "clip of the weights of a step", 0, 1e6, "1"},
    {"c_bar", &c_bar, "clip of the traces", 0, 1e6, "1"},
    {"value_weight", &value_weight, "weight of the value loss", 0, 100, "0.5"},
    {"entropy_weight", &entropy_weight, "weight of the entropy bonus", 0, 10, "0.01"},
    {"max_gradient_norm", &max_gradient_norm, "gradient norm above which it is scaled; 0: never", 0,
     std::numeric_limits<double>::infinity(), "40 (a sum over steps, not a mean)"},
    {"reward_scale", &reward_scale, "factor on rewards before learning", 0},
    {"normalise_observations", &normalise_observations, "show the networks unit scale"},
    {"normalise_rewards", &normalise_rewards, "learn from rewards whose discounted sum has it too"},
    {"filters", &filters, "3x3 filters of each convolution before them, for images", 1, 65536},
    {"hidden", &hidden, "units of the hidden layers", 1, 65536},
    {"activation", &activation, "between layers: tanh or relu"},
  };
}

AsyncSpec impala_workers(const ImpalaConfig& config, const RunOptions& options) {
  auto env = make_network_env(options.env);
  AsyncSpec spec{{options.env,
                  static_cast<std::uint64_t>(options.seed),
                  static_cast<int>(config.envs),
                  {env->observation_space(), env->action_space(), config.hidden, config.activation,
                   true, config.normalise_observations, config.filters}},
                 static_cast<int>(config.groups),
                 static_cast<std::size_t>(config.horizon)};
  check_groups(spec);
  if (config.fragments > config.groups)
    throw Error(ErrorCode::bad_value, "fragments=" + std::to_string(config.fragments)
                                        + ": an update takes at most one of each of the "
                                        + std::to_string(config.groups)
                                        + " groups; give more groups or fewer fragments");
  return spec;
}

Impala::Impala(const ImpalaConfig& config, const PolicySpec& spec, std::uint64_t seed)
  : config_(config), policy_(spec),
    scale_({config.normalise_observations, config.normalise_rewards, config.gamma}, policy_,
           static_cast<std::size_t>(config.envs)),
    adam_(policy_.trainable_count(), {.beta1 = 0, .beta2 = 0.99, .epsilon = 1e-5}),
    gradient_(policy_.trainable_count()) {
  Rng start(derive_seed(seed, "initial weights"));
  weights_ = policy_.initialise(start);
}

// ---- update: section 4.2, one gradient step for the fragments of an update ----

ImpalaLosses Impala::update(const Batch& batch, std::span<const std::size_t> envs, double left) {
  auto rows = batch.size();
  auto acted_on = std::span(batch.observation).first(rows * batch.shape.observation);
  for (auto* column : {&log_ratio_, &entropy_, &advantage_, &target_})
    column->resize(rows);

  // log pi / mu: of the policy as it is now, and as it was when it acted
  policy_.evaluate(weights_, acted_on, batch.action, log_ratio_, entropy_, workspace_);
  ImpalaLosses losses;
  for (std::size_t i = 0; i < rows; ++i) {
    log_ratio_[i] -= batch.log_prob[i];
    losses.rho += std::min(config_.rho_bar, std::exp(static_cast<double>(log_ratio_[i])))
                  / static_cast<double>(rows);
  }
  reward_ = batch.reward;
  scale_.add(batch, envs);
  scale_.scale(reward_);
  for (auto& each : reward_)
    each *= static_cast<float>(config_.reward_scale);
  judge(policy_, weights_, batch, workspace_, value_);
  vtrace({batch.shape.steps, batch.shape.envs, log_ratio_, reward_, value_.now, value_.next,
          batch.terminated, batch.truncated, target_, advantage_},
         {config_.gamma, config_.lambda, config_.rho_bar, config_.c_bar});

  std::fill(gradient_.begin(), gradient_.end(), 0.0f);
  losses.loss =
    a2c_loss<float>(policy_, weights_, {acted_on, batch.action, advantage_, target_},
                    config_.value_weight, config_.entropy_weight, gradient_, workspace_);
  losses.loss.gradient_norm = nn::clip_norm(std::span(gradient_), config_.max_gradient_norm);
  require_finite(losses.loss.gradient_norm, "IMPALA's gradient");
  adam_.step(std::span(weights_).first(gradient_.size()), gradient_, config_.learning_rate * left);
  scale_.write(weights_); // for the fragments asked for from now on
  return losses;
}

void Impala::save(Checkpoint& checkpoint) const {
  save_learner(checkpoint, weights_, adam_);
  scale_.save(checkpoint);
}

void Impala::load(const Checkpoint& checkpoint) {
  load_learner(checkpoint, weights_, adam_);
  scale_.load(checkpoint);
}

// ---- train. With ray, the workers are those of impala_workers.cpp ----

TrainResult train_impala(const ImpalaConfig& config, Run& run, AsyncWorkers& workers) {
  auto& options = run.options();
  Impala impala(config, impala_workers(config, options).workers.policy, run.seed());
  run.restore([&](const Checkpoint& checkpoint) {
    impala.load(checkpoint);
    workers.load(checkpoint.get_list("workers"));
  });
  auto save = [&](Checkpoint& checkpoint) {
    impala.save(checkpoint);
    checkpoint.put_list("workers", workers.save());
  };
  auto evaluation = [&](const char* purpose) {
    return evaluate_policy(run, purpose, impala.policy(), impala.weights());
  };
  Arrivals arrivals;
  SamplingTimes spent; // in fragments that were taken
  auto start = run.seconds();
  while (run.more()) {
    workers.set_weights(impala.weights());                        // one object that all read
    workers.gather(static_cast<int>(config.fragments), arrivals); // the first k of n
    auto [loss, rho] =
      impala.update(arrivals.batch, arrivals.envs, config.anneal ? run.left() : 1.0);
    run.add(arrivals.batch);
    spent.sampling += arrivals.times.sampling;
    spent.simulation += arrivals.times.simulation;
    auto percent = 100 / ((run.seconds() - start) * workers.lanes());
    run.log("loss/policy", loss.policy);
    run.log("loss/value", loss.value);
    run.log("loss/entropy", loss.entropy);
    run.log("loss/gradient_norm", loss.gradient_norm);
    run.log("loss/rho", rho);
    run.log("async/lag", arrivals.lag);
    run.log("async/queue", static_cast<double>(arrivals.queue));
    run.log("async/lost", static_cast<double>(arrivals.lost));
    run.log("async/sampling_percent", percent * spent.sampling);
    run.log("async/simulation_percent", percent * spent.simulation);
    run.end_update(save);
    if (run.evaluation_due() && evaluation("confirm").mean >= options.stop_return)
      run.stop();
  }
  run.finish(save);
  return {{impala.weights().begin(), impala.weights().end()},
          run.steps(),
          run.seconds(),
          evaluation("final")};
}

} // namespace rl
