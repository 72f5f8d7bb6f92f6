#include "rl/td3.hpp"

#include <algorithm>
#include <cmath>

#include "rl/env/registry.hpp"
#include "rl/fitting.hpp"
#include "rl/learner.hpp"
#include "rl/nn/layer_sizes.hpp"

namespace rl {

// ---- configuration: meaning, range, the paper's value (section 6.1, appendix C and F) ----

std::vector<Field> Td3Config::fields() {
  return {
    {"envs", &envs, "environments stepped together", 1, 65536, "1"},
    {"train_interval", &train_interval, "environment steps between two times of learning", 1, 1e9,
     "1"},
    {"gradient_steps", &gradient_steps, "gradient steps each time", 1, 1e6, "1"},
    {"minibatch", &minibatch, "transitions in a gradient step", 1, 1e6, "100 (code 256)"},
    {"capacity", &capacity, "transitions in the replay", 1, 1e9, "1e6"},
    {"learning_starts", &learning_starts, "environment steps of random actions before learning", 1,
     1e9, "10000 (easy tasks 1000)"},
    {"learning_rate", &learning_rate, "Adam's step size at the start", 0, 1, "1e-3"},
    {"anneal", &anneal, "let the step size fall linearly to 0 at stop_steps"},
    {"gamma", &gamma, "discount of later rewards", 0, 1, "0.99"},
    {"tau", &tau, "share of the networks that goes into their targets each time", 0, 1, "0.005"},
    {"policy_delay", &policy_delay, "gradient steps of the critics per one of the policy, d", 1,
     1e6, "2"},
    {"target_noise", &target_noise, "deviation of the noise on target actions, sigma", 0, 10,
     "0.2"},
    {"target_noise_clip", &target_noise_clip, "where that noise is clipped, c", 0, 10, "0.5"},
    {"exploration_noise", &exploration_noise, "deviation of the noise on actions taken", 0, 10,
     "0.1"},
    {"reward_scale", &reward_scale, "factor on rewards before learning", 0},
    {"hidden", &hidden, "units of the hidden layers, of each network", 1, 65536, "400,300"},
    {"activation", &activation, "between layers: relu (the paper) or tanh"},
    {"log_steps", &log_steps, "environment steps in a row of the log", 1, 1e9},
  };
}

// ---- policy ----

template <class S>
Td3Policy<S>::Td3Policy(std::size_t observation_size, std::size_t action_size,
                        const std::vector<std::int64_t>& hidden, const std::string& activation)
  : network(nn::layer_sizes(observation_size, hidden, action_size), nn::activation_of(activation)) {
}

template <class S>
std::span<const S> Td3Policy<S>::act(std::span<const S> parameters, std::span<const S> observation,
                                     Workspace& workspace) const {
  auto rows = observation.size() / network.input_size();
  auto outputs = network.forward(parameters, rows, observation, workspace.network);
  workspace.action.assign(outputs.begin(), outputs.end());
  nn::activate(nn::Activation::tanh, std::span(workspace.action));
  return workspace.action;
}

// ---- losses ----

template <class S>
double td3_critic_loss(const TwinCritic<S>& critic, std::span<const S> parameters,
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
    loss += static_cast<double>((first * first + second * second) * share);
    d_first[i] = 2 * first * share;
    d_second[i] = 2 * second * share;
  }
  critic.backward(parameters, d_first, d_second, gradient, workspace);
  return loss;
}

template <class S>
double td3_policy_loss(const Td3Policy<S>& policy, std::span<const S> parameters,
                       const TwinCritic<S>& critic, std::span<const S> critic_parameters,
                       std::span<const S> observation, std::span<S> gradient,
                       typename Td3Policy<S>::Workspace& workspace,
                       typename TwinCritic<S>::Workspace& critic_workspace) {
  auto rows = observation.size() / policy.network.input_size();
  auto action = policy.act(parameters, observation, workspace);
  auto q = critic.forward(critic_parameters, observation, action, critic_workspace);
  auto share = S{1} / static_cast<S>(rows);
  double loss = 0;
  for (auto each : q.first)
    loss -= static_cast<double>(each * share);
  workspace.d_first.assign(rows, -share);
  workspace.d_second.assign(rows, S{0}); // the second critic has no say here
  workspace.d_action.resize(action.size());
  critic.action_gradient(critic_parameters, workspace.d_first, workspace.d_second,
                         workspace.d_action, critic_workspace);
  nn::activate_gradient<S>(nn::Activation::tanh, action, workspace.d_action);
  policy.network.backward(parameters, rows, observation, workspace.network, workspace.d_action,
                          gradient);
  return loss;
}

// ---- learner ----

Td3::Td3(const Td3Config& config, std::size_t observation_size, std::size_t action_size,
         std::uint64_t seed)
  : config_(config), policy_(observation_size, action_size, config.hidden, config.activation),
    critic_(observation_size, action_size, config.hidden, config.activation),
    weights_(policy_.network.parameter_count()), adam_(weights_.size()),
    critic_adam_(critic_.parameter_count()), rng_(derive_seed(seed, "target noise")),
    gradient_(weights_.size()), critic_gradient_(critic_.parameter_count()) {
  Rng start(derive_seed(seed, "initial weights"));
  policy_.network.initialise(weights_, std::sqrt(2.0), 0.01, start);
  critic_weights_ = critic_.initialise(start);
  target_ = weights_;
  critic_target_ = critic_weights_;
}

void Td3::act(std::span<const float> observation, std::span<Rng> rngs, std::span<float> action) {
  act_greedily(observation, action);
  auto width = policy_.network.output_size();
  for (std::size_t i = 0; i < action.size(); ++i) {
    auto noise = config_.exploration_noise * rngs[i / width].normal();
    action[i] = std::clamp(action[i] + static_cast<float>(noise), -1.0f, 1.0f);
  }
}

void Td3::act_greedily(std::span<const float> observation, std::span<float> action) {
  std::ranges::copy(policy_.act(weights_, observation, acting_), action.begin());
}

std::span<const float> Td3::targets(const Transitions& rows) {
  auto next = policy_.act(target_, rows.next_observation, workspace_);
  blurred_.assign(next.begin(), next.end());
  auto clip = config_.target_noise_clip;
  for (auto& each : blurred_) {
    auto noise = std::clamp(config_.target_noise * rng_.normal(), -clip, clip);
    each = std::clamp(each + static_cast<float>(noise), -1.0f, 1.0f);
  }
  auto q = critic_.forward(critic_target_, rows.next_observation, blurred_, critic_workspace_);
  target_values_.resize(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i)
    target_values_[i] = rows.reward[i] + rows.discount[i] * std::min(q.first[i], q.second[i]);
  return target_values_;
}

// ---- update: the inner loop of algorithm 1 ----

Td3Losses Td3::update(const ReplaySample& sample, double left) {
  auto& rows = sample.rows;
  auto learning_rate = config_.learning_rate * left;
  Td3Losses losses;
  targets(rows);
  std::fill(critic_gradient_.begin(), critic_gradient_.end(), 0.0f);
  losses.critic = td3_critic_loss<float>(critic_, critic_weights_, rows.observation, rows.action,
                                         target_values_, critic_gradient_, critic_workspace_);
  losses.critic_gradient_norm = nn::clip_norm(std::span(critic_gradient_), 0);
  require_finite(losses.critic_gradient_norm, "TD3's gradient of the critics", updates_ + 1);
  critic_adam_.step(critic_weights_, critic_gradient_, learning_rate);
  losses.policy_moved = (updates_ + 1) % config_.policy_delay == 0;
  if (losses.policy_moved) {
    std::fill(gradient_.begin(), gradient_.end(), 0.0f);
    losses.policy =
      td3_policy_loss<float>(policy_, weights_, critic_, critic_weights_, rows.observation,
                             gradient_, workspace_, critic_workspace_);
    losses.policy_gradient_norm = nn::clip_norm(std::span(gradient_), 0);
    require_finite(losses.policy_gradient_norm, "TD3's gradient of the policy", updates_ + 1);
    adam_.step(weights_, gradient_, learning_rate);
    average_into(target_, weights_, config_.tau);
    average_into(critic_target_, critic_weights_, config_.tau);
  }
  ++updates_;
  return losses;
}

void Td3::save(Checkpoint& checkpoint) const {
  checkpoint.put_floats("weights", weights_);
  checkpoint.put_floats("target", target_);
  checkpoint.put_floats("critics", critic_weights_);
  checkpoint.put_floats("critic targets", critic_target_);
  ByteWriter out;
  adam_.save(out);
  critic_adam_.save(out);
  out.put(updates_);
  rng_.save(out);
  checkpoint.put("learner", out.take());
}

void Td3::load(const Checkpoint& checkpoint) {
  auto weights = checkpoint.get_floats("weights"), target = checkpoint.get_floats("target"),
       critics = checkpoint.get_floats("critics"),
       critic_targets = checkpoint.get_floats("critic targets");
  if (weights.size() != weights_.size() || target.size() != weights_.size()
      || critics.size() != critic_weights_.size() || critic_targets.size() != critics.size())
    throw Error(ErrorCode::bad_checkpoint,
                "the checkpoint has " + std::to_string(weights.size()) + " weights, this network "
                  + std::to_string(weights_.size()) + ": its layers are others");
  ByteReader in(checkpoint.get("learner"));
  adam_.load(in);
  critic_adam_.load(in);
  updates_ = in.get<std::int64_t>();
  rng_ = Rng::load(in);
  weights_ = std::move(weights);
  target_ = std::move(target);
  critic_weights_ = std::move(critics);
  critic_target_ = std::move(critic_targets);
}

// ---- train: algorithm 1 ----

TrainResult train_td3(const Td3Config& config, Run& run) {
  auto& options = run.options();
  require_no_workers("td3", options.workers, nullptr);
  require_bounded_actions("td3", options.env, make_network_env(options.env)->action_space());
  Collector collector({.env = options.env,
                       .seed = run.seed(),
                       .envs = static_cast<int>(config.envs),
                       .gamma = config.gamma,
                       .reward_scale = config.reward_scale});
  Td3 td3(config, collector.observation_size(), collector.action_size(), run.seed());
  Replay replay({.capacity = static_cast<std::size_t>(config.capacity), // B
                 .observation_size = collector.observation_size(),
                 .action_size = collector.action_size()});
  Rng draws(derive_seed(run.seed(), "replay"));
  run.restore([&](const Checkpoint& checkpoint) {
    td3.load(checkpoint);
    load_replay(checkpoint, replay, draws);
    collector.load(checkpoint.get_list("collector"));
  });
  auto save = [&](Checkpoint& checkpoint) {
    td3.save(checkpoint);
    save_replay(checkpoint, replay, draws);
    checkpoint.put_list("collector", collector.save());
  };
  std::vector<float> action(static_cast<std::size_t>(config.envs) * collector.action_size()),
    stretched(action.size());
  auto evaluation = [&](const char* purpose) {
    std::vector<float> unit(collector.action_size());
    return evaluate_acts(run, purpose, [&](auto observation, auto out) {
      td3.act_greedily(observation, unit);
      stretch_to_space(collector.action_space(), unit, out);
    });
  };
  Transitions rows{collector.observation_size(), collector.action_size()};
  ReplaySample sample;
  while (run.more()) {
    Td3Losses sum;
    double learnt = 0, moved = 0;
    for (auto end = run.steps() + config.log_steps; run.steps() < end && run.more();) {
      rows.clear();
      for (std::int64_t t = 0; t < config.train_interval; t += config.envs) {
        if (run.steps() < config.learning_starts)
          draw_in_unit_box(collector.rngs(), action);
        else
          td3.act(collector.observation(), collector.rngs(), action);
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
        auto losses = td3.update(sample, config.anneal ? run.left() : 1.0);
        moved += losses.policy_moved;
        sum.critic += losses.critic;
        sum.policy += losses.policy;
        sum.critic_gradient_norm += losses.critic_gradient_norm;
        sum.policy_gradient_norm += losses.policy_gradient_norm;
      }
    }
    learnt = std::max(learnt, 1.0);
    moved = std::max(moved, 1.0);
    run.log("loss/critic", sum.critic / learnt);
    run.log("loss/policy", sum.policy / moved);
    run.log("loss/critic_gradient_norm", sum.critic_gradient_norm / learnt);
    run.log("loss/policy_gradient_norm", sum.policy_gradient_norm / moved);
    run.log("replay/size", static_cast<double>(replay.size()));
    run.end_update(save);
    // The mean is that of a policy that explores: an evaluation without noise decides.
    if (run.return_reached() && evaluation("confirm").mean >= options.stop_return)
      run.stop();
  }
  run.finish(save);
  return {
    {td3.weights().begin(), td3.weights().end()}, run.steps(), run.seconds(), evaluation("final")};
}

#define RL_TD3(S)                                                                                  \
  template struct Td3Policy<S>;                                                                    \
  template double td3_critic_loss<S>(const TwinCritic<S>&, std::span<const S>, std::span<const S>, \
                                     std::span<const S>, std::span<const S>, std::span<S>,         \
                                     TwinCritic<S>::Workspace&);                                   \
  template double td3_policy_loss<S>(                                                              \
    const Td3Policy<S>&, std::span<const S>, const TwinCritic<S>&, std::span<const S>,             \
    std::span<const S>, std::span<S>, Td3Policy<S>::Workspace&, TwinCritic<S>::Workspace&);
RL_TD3(float)
RL_TD3(double)
#undef RL_TD3

} // namespace rl
