#include "rl/sac.hpp"

#include <algorithm>
#include <cmath>

#include "rl/env/registry.hpp"
#include "rl/fitting.hpp"
#include "rl/learner.hpp"
#include "rl/nn/layer_sizes.hpp"
#include "rl/nn/squashed.hpp"

namespace rl {

// ---- configuration: meaning, range, the paper's value (table 1) ----

std::vector<Field> SacConfig::fields() {
  return {
    {"envs", &envs, "environments stepped together", 1, 65536, "1"},
    {"train_interval", &train_interval, "environment steps between two times of learning", 1, 1e9,
     "1"},
    {"gradient_steps", &gradient_steps, "gradient steps each time", 1, 1e6, "1"},
    {"minibatch", &minibatch, "transitions in a gradient step", 1, 1e6, "256"},
    {"capacity", &capacity, "transitions in the replay", 1, 1e9, "1e6"},
    {"learning_starts", &learning_starts, "environment steps of random actions before learning", 1,
     1e9, "10000"},
    {"learning_rate", &learning_rate, "Adam's step size at the start, for all", 0, 1, "3e-4"},
    {"anneal", &anneal, "let the step size fall linearly to 0 at stop_steps"},
    {"gamma", &gamma, "discount of later rewards", 0, 1, "0.99"},
    {"tau", &tau, "share of the critics that goes into their targets each step", 0, 1, "0.005"},
    {"alpha", &alpha, "temperature at the start: what entropy is worth", 1e-9, 1e6},
    {"tune_alpha", &tune_alpha, "learn the temperature; without that it stays"},
    {"target_entropy", &target_entropy, "entropy to keep, per number of the action", -100, 100,
     "-1"},
    {"reward_scale", &reward_scale, "factor on rewards before learning", 0},
    {"hidden", &hidden, "units of the hidden layers, of each network", 1, 65536, "256,256"},
    {"activation", &activation, "between layers: relu (the paper) or tanh"},
    {"log_steps", &log_steps, "environment steps in a row of the log", 1, 1e9},
  };
}

// ---- policy ----

template <class S>
SacPolicy<S>::SacPolicy(std::size_t observation_size, std::size_t size,
                        const std::vector<std::int64_t>& hidden, const std::string& activation)
  : action_size(size),
    network(nn::layer_sizes(observation_size, hidden, 2 * size), nn::activation_of(activation)) {}

template <class S>
void SacPolicy<S>::act(std::span<const S> parameters, std::span<const S> observation,
                       std::span<const S> noise, Workspace& workspace) const {
  auto rows = noise.size() / action_size;
  auto outputs = network.forward(parameters, rows, observation, workspace.network);
  workspace.action.resize(rows * action_size);
  workspace.log_prob.resize(rows);
  for (std::size_t row = 0; row < rows; ++row) {
    auto at = row * action_size;
    nn::SquashedGaussian<S> head{outputs.subspan(2 * at, action_size),
                                 outputs.subspan(2 * at + action_size, action_size)};
    workspace.log_prob[row] = head.act(noise.subspan(at, action_size),
                                       std::span(workspace.action).subspan(at, action_size));
  }
}

// ---- losses ----

template <class S>
double sac_critic_loss(const TwinCritic<S>& critic, std::span<const S> parameters,
                       std::span<const S> observation, std::span<const S> action,
                       std::span<const S> target, std::span<S> gradient,
                       typename TwinCritic<S>::Workspace& workspace) {
  auto rows = target.size();
  auto share = S{1} / static_cast<S>(rows);
  auto q = critic.forward(parameters, observation, action, workspace);
  std::vector<S> d_first(rows), d_second(rows);
  double loss = 0;
  for (std::size_t i = 0; i < rows; ++i) {
    auto first = q.first[i] - target[i], second = q.second[i] - target[i];
    loss += static_cast<double>(S{0.5} * (first * first + second * second) * share);
    d_first[i] = first * share;
    d_second[i] = second * share;
  }
  critic.backward(parameters, d_first, d_second, gradient, workspace);
  return loss;
}

template <class S>
SacLosses sac_policy_loss(const SacPolicy<S>& policy, std::span<const S> parameters,
                          const TwinCritic<S>& critic, std::span<const S> critic_parameters,
                          S alpha, std::span<const S> observation, std::span<const S> noise,
                          std::span<S> gradient, typename SacPolicy<S>::Workspace& workspace,
                          typename TwinCritic<S>::Workspace& critic_workspace) {
  auto width = policy.action_size;
  auto rows = noise.size() / width;
  auto share = S{1} / static_cast<S>(rows);
  policy.act(parameters, observation, noise, workspace);
  auto q = critic.forward(critic_parameters, observation, workspace.action, critic_workspace);
  workspace.d_first.resize(rows);
  workspace.d_second.resize(rows);
  SacLosses losses;
  for (std::size_t i = 0; i < rows; ++i) {
    bool first = q.first[i] <= q.second[i];
    auto smaller = first ? q.first[i] : q.second[i];
    workspace.d_first[i] = first ? -share : S{0};
    workspace.d_second[i] = first ? S{0} : -share;
    losses.policy += static_cast<double>((alpha * workspace.log_prob[i] - smaller) * share);
    losses.entropy -= static_cast<double>(workspace.log_prob[i] * share);
    losses.q += static_cast<double>(smaller * share);
  }
  workspace.d_action.resize(rows * width);
  workspace.d_output.resize(rows * 2 * width);
  critic.action_gradient(critic_parameters, workspace.d_first, workspace.d_second,
                         workspace.d_action, critic_workspace);
  auto outputs = policy.network.output(rows, workspace.network);
  auto d_outputs = std::span(workspace.d_output);
  auto actions = std::span<const S>(workspace.action),
       d_actions = std::span<const S>(workspace.d_action);
  for (std::size_t row = 0; row < rows; ++row) {
    auto at = row * width;
    nn::SquashedGaussian<S>{outputs.subspan(2 * at, width), outputs.subspan(2 * at + width, width)}
      .gradient(noise.subspan(at, width), actions.subspan(at, width), d_actions.subspan(at, width),
                alpha * share, d_outputs.subspan(2 * at, width),
                d_outputs.subspan(2 * at + width, width));
  }
  policy.network.backward(parameters, rows, observation, workspace.network, d_outputs, gradient);
  return losses;
}

// ---- learner ----

Sac::Sac(const SacConfig& config, std::size_t observation_size, std::size_t action_size,
         std::uint64_t seed)
  : config_(config), policy_(observation_size, action_size, config.hidden, config.activation),
    critic_(observation_size, action_size, config.hidden, config.activation),
    weights_(policy_.network.parameter_count()), log_alpha_(std::log(config.alpha)),
    adam_(weights_.size()), critic_adam_(critic_.parameter_count()), alpha_adam_(1),
    rng_(derive_seed(seed, "policy noise")), gradient_(weights_.size()),
    critic_gradient_(critic_.parameter_count()) {
  Rng start(derive_seed(seed, "initial weights"));
  policy_.network.initialise(weights_, std::sqrt(2.0), 0.01, start);
  critic_weights_ = critic_.initialise(start);
  target_ = critic_weights_;
}

double Sac::alpha() const {
  return std::exp(log_alpha_);
}

void Sac::act(std::span<const float> observation, std::span<Rng> rngs, std::span<float> action) {
  acting_noise_.resize(action.size());
  for (std::size_t i = 0; i < action.size(); ++i)
    acting_noise_[i] = static_cast<float>(rngs[i / policy_.action_size].normal());
  policy_.act(weights_, observation, acting_noise_, acting_);
  std::ranges::copy(acting_.action, action.begin());
}

void Sac::act_greedily(std::span<const float> observation, std::span<float> action) {
  auto width = policy_.action_size;
  auto rows = action.size() / width;
  auto outputs = policy_.network.forward(weights_, rows, observation, acting_.network);
  for (std::size_t row = 0; row < rows; ++row)
    nn::SquashedGaussian<float>{outputs.subspan(2 * row * width, width), {}}.act_greedily(
      action.subspan(row * width, width));
}

std::span<const float> Sac::draw_noise(std::size_t rows) {
  noise_.resize(rows * policy_.action_size);
  rng_.fill_normal(noise_);
  return noise_;
}

std::span<const float> Sac::targets(const Transitions& rows) {
  auto count = rows.size();
  policy_.act(weights_, rows.next_observation, draw_noise(count), workspace_);
  auto q = critic_.forward(target_, rows.next_observation, workspace_.action, critic_workspace_);
  auto temperature = static_cast<float>(alpha());
  target_values_.resize(count);
  for (std::size_t i = 0; i < count; ++i)
    target_values_[i] =
      rows.reward[i]
      + rows.discount[i]
          * (std::min(q.first[i], q.second[i]) - temperature * workspace_.log_prob[i]);
  return target_values_;
}

// ---- update: the inner loop of algorithm 1 ----

SacLosses Sac::update(const ReplaySample& sample, double left) {
  auto& rows = sample.rows;
  auto learning_rate = config_.learning_rate * left;
  targets(rows);
  std::fill(critic_gradient_.begin(), critic_gradient_.end(), 0.0f);
  auto critic_loss = sac_critic_loss<float>(critic_, critic_weights_, rows.observation, rows.action,
                                            target_values_, critic_gradient_, critic_workspace_);
  auto critic_norm = nn::clip_norm(std::span(critic_gradient_), 0);
  require_finite(critic_norm, "SAC's gradient of the critics", updates_ + 1);
  critic_adam_.step(critic_weights_, critic_gradient_, learning_rate);

  std::fill(gradient_.begin(), gradient_.end(), 0.0f);
  auto losses = sac_policy_loss<float>(
    policy_, weights_, critic_, critic_weights_, static_cast<float>(alpha()), rows.observation,
    draw_noise(rows.size()), gradient_, workspace_, critic_workspace_);
  losses.policy_gradient_norm = nn::clip_norm(std::span(gradient_), 0);
  require_finite(losses.policy_gradient_norm, "SAC's gradient of the policy", updates_ + 1);
  adam_.step(weights_, gradient_, learning_rate);

  if (config_.tune_alpha) { // J(alpha) (equation 18) by log alpha
    auto target = config_.target_entropy * static_cast<double>(policy_.action_size);
    double slope[] = {losses.entropy - target};
    alpha_adam_.step(std::span(&log_alpha_, 1), slope, learning_rate);
  }
  average_into(target_, critic_weights_, config_.tau);
  ++updates_;
  losses.critic = critic_loss;
  losses.critic_gradient_norm = critic_norm;
  losses.alpha = alpha();
  return losses;
}

void Sac::save(Checkpoint& checkpoint) const {
  checkpoint.put_floats("weights", weights_);
  checkpoint.put_floats("critics", critic_weights_);
  checkpoint.put_floats("targets", target_);
  ByteWriter out;
  adam_.save(out);
  critic_adam_.save(out);
  alpha_adam_.save(out);
  out.put(log_alpha_);
  out.put(updates_);
  rng_.save(out);
  checkpoint.put("learner", out.take());
}

void Sac::load(const Checkpoint& checkpoint) {
  auto weights = checkpoint.get_floats("weights"), critics = checkpoint.get_floats("critics"),
       targets = checkpoint.get_floats("targets");
  if (weights.size() != weights_.size() || critics.size() != critic_weights_.size()
      || targets.size() != target_.size())
    throw Error(ErrorCode::bad_checkpoint,
                "the checkpoint has " + std::to_string(weights.size()) + " weights, this network "
                  + std::to_string(weights_.size()) + ": its layers are others");
  ByteReader in(checkpoint.get("learner"));
  adam_.load(in);
  critic_adam_.load(in);
  alpha_adam_.load(in);
  log_alpha_ = in.get<double>();
  updates_ = in.get<std::int64_t>();
  rng_ = Rng::load(in);
  weights_ = std::move(weights);
  critic_weights_ = std::move(critics);
  target_ = std::move(targets);
}

// ---- train: algorithm 1 ----

TrainResult train_sac(const SacConfig& config, Run& run) {
  auto& options = run.options();
  require_no_workers("sac", options.workers, nullptr);
  require_bounded_actions("sac", options.env, make_network_env(options.env)->action_space());
  Collector collector({.env = options.env,
                       .seed = run.seed(),
                       .envs = static_cast<int>(config.envs),
                       .gamma = config.gamma,
                       .reward_scale = config.reward_scale});
  Sac sac(config, collector.observation_size(), collector.action_size(), run.seed());
  Replay replay({.capacity = static_cast<std::size_t>(config.capacity), // D
                 .observation_size = collector.observation_size(),
                 .action_size = collector.action_size()});
  Rng draws(derive_seed(run.seed(), "replay"));
  run.restore([&](const Checkpoint& checkpoint) {
    sac.load(checkpoint);
    load_replay(checkpoint, replay, draws);
    collector.load(checkpoint.get_list("collector"));
  });
  auto save = [&](Checkpoint& checkpoint) {
    sac.save(checkpoint);
    save_replay(checkpoint, replay, draws);
    checkpoint.put_list("collector", collector.save());
  };
  std::vector<float> action(static_cast<std::size_t>(config.envs) * collector.action_size()),
    stretched(action.size());
  auto evaluation = [&](const char* purpose) {
    std::vector<float> middle(collector.action_size());
    return evaluate_acts(run, purpose, [&](auto observation, auto out) {
      sac.act_greedily(observation, middle);
      stretch_to_space(collector.action_space(), middle, out);
    });
  };
  Transitions rows{collector.observation_size(), collector.action_size()};
  ReplaySample sample;
  while (run.more()) {
    SacLosses sum;
    double learnt = 0;
    for (auto end = run.steps() + config.log_steps; run.steps() < end && run.more();) {
      rows.clear();
      for (std::int64_t t = 0; t < config.train_interval; t += config.envs) {
        if (run.steps() < config.learning_starts)
          draw_in_unit_box(collector.rngs(), action);
        else
          sac.act(collector.observation(), collector.rngs(), action);
        stretch_to_space(collector.action_space(), action, stretched);
        collector.step(stretched, action, rows);
        run.add_steps(config.envs);
        for (auto& episode : collector.ended())
          run.add_episode(episode.total);
      }
      replay.add(rows);
      if (run.steps() < config.learning_starts)
        continue;
      for (std::int64_t g = 0; g < config.gradient_steps; ++g, ++learnt) {
        replay.sample(static_cast<std::size_t>(config.minibatch), 0, draws, sample);
        auto losses = sac.update(sample, config.anneal ? run.left() : 1.0);
        sum.critic += losses.critic;
        sum.policy += losses.policy;
        sum.entropy += losses.entropy;
        sum.q += losses.q;
        sum.critic_gradient_norm += losses.critic_gradient_norm;
        sum.policy_gradient_norm += losses.policy_gradient_norm;
      }
    }
    learnt = std::max(learnt, 1.0);
    run.log("loss/critic", sum.critic / learnt);
    run.log("loss/policy", sum.policy / learnt);
    run.log("loss/q", sum.q / learnt);
    run.log("loss/critic_gradient_norm", sum.critic_gradient_norm / learnt);
    run.log("loss/policy_gradient_norm", sum.policy_gradient_norm / learnt);
    run.log("explore/entropy", sum.entropy / learnt);
    run.log("explore/alpha", sac.alpha());
    run.log("replay/size", static_cast<double>(replay.size()));
    run.end_update(save);
    // The mean is that of a policy that explores: an evaluation of the greedy one decides.
    if (run.return_reached() && evaluation("confirm").mean >= options.stop_return)
      run.stop();
  }
  run.finish(save);
  return {
    {sac.weights().begin(), sac.weights().end()}, run.steps(), run.seconds(), evaluation("final")};
}

#define RL_SAC(S)                                                                                  \
  template struct SacPolicy<S>;                                                                    \
  template double sac_critic_loss<S>(const TwinCritic<S>&, std::span<const S>, std::span<const S>, \
                                     std::span<const S>, std::span<const S>, std::span<S>,         \
                                     TwinCritic<S>::Workspace&);                                   \
  template SacLosses sac_policy_loss<S>(const SacPolicy<S>&, std::span<const S>,                   \
                                        const TwinCritic<S>&, std::span<const S>, S,               \
                                        std::span<const S>, std::span<const S>, std::span<S>,      \
                                        SacPolicy<S>::Workspace&, TwinCritic<S>::Workspace&);
RL_SAC(float)
RL_SAC(double)
#undef RL_SAC

} // namespace rl
