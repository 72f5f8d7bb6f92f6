#include "rl/apex.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "rl/env/registry.hpp"
#include "rl/fitting.hpp"
#include "rl/learner.hpp"

namespace rl {

// ---- configuration: meaning, range, the paper's value (section 4.1 and appendix C) ----

ApexConfig::ApexConfig() {
  dqn.prioritised = dqn.duelling = true;
  dqn.n_step = 3;
  dqn.max_gradient_norm = 40;
}

std::vector<Field> ApexConfig::fields() {
  std::vector<Field> all = {
    {"envs", &envs, "environments of all actors together", 1, 65536, "360"},
    {"fragment", &fragment, "steps of each environment that an actor sends at a time", 1, 1e6,
     "50"},
    {"shards", &shards, "parts of the replay", 1, 1024, "1"},
    {"epsilon", &epsilon, "exploration probability of the first environment", 0, 1, "0.4"},
    {"epsilon_alpha", &epsilon_alpha, "how much less the last one explores: epsilon^(1 + alpha)", 0,
     100, "7"},
    {"steps_per_update", &steps_per_update,
     "environment steps per gradient step at which actors wait", 1e-3, 1e9, "about 10"},
    {"publish_interval", &publish_interval, "gradient steps between two sets of weights for actors",
     1, 1e9},
  };
  // Those of the learner; with a meaning where it is another than DQN's.
  struct Learner {
    const char *name, *paper, *meaning = nullptr;
  };
  const Learner learner[] = {
    {"minibatch", "512"},
    {"capacity", "2e6", "transitions in all shards of the replay"},
    {"learning_starts", "50000", "transitions in the replay before learning starts"},
    {"target_interval", "2500"},
    {"learning_rate", "6.25e-5 (RMSProp)"},
    {"anneal", ""},
    {"gamma", "0.99"},
    {"double_q", ""},
    {"duelling", ""},
    {"n_step", "3"},
    {"alpha", "0.6", "how much TD errors count when transitions are drawn"},
    {"beta", "0.4", "exponent of the importance weights"},
    {"max_gradient_norm", "40"},
    {"reward_scale", ""},
    {"hidden", ""},
    {"activation", ""},
    {"log_steps", ""}};
  for (auto& field : dqn.fields())
    for (auto& each : learner)
      if (field.name == each.name) {
        field.paper = each.paper;
        if (each.meaning)
          field.meaning = each.meaning;
        all.push_back(field);
      }
  return all;
}

double apex_epsilon(const ApexConfig& config, std::int64_t env) {
  auto part =
    config.envs > 1 ? static_cast<double>(env) / static_cast<double>(config.envs - 1) : 0.0;
  return std::pow(config.epsilon, 1 + part * config.epsilon_alpha);
}

namespace {

QSpec apex_spec(const ApexConfig& config, const std::string& name) {
  auto env = make_network_env(name);
  require_discrete_actions("apex", name, env->action_space());
  return {env->observation_space(), env->action_space(), config.dqn.hidden, config.dqn.activation,
          config.dqn.duelling};
}

} // namespace

ReplayOptions apex_shard(const ApexConfig& config, std::size_t observation_size) {
  auto capacity = std::max<std::int64_t>(1, config.dqn.capacity / config.shards);
  return {.capacity = static_cast<std::size_t>(capacity),
          .observation_size = observation_size,
          .action_size = 1,
          .alpha = config.dqn.alpha};
}

Rng apex_draws(std::uint64_t seed, std::size_t shard, int life) {
  return Rng(derive_seed(derive_seed(seed, "replay"), shard, static_cast<std::uint64_t>(life)));
}

// ---- actor: algorithm 1 ----

ApexActing::ApexActing(const ApexConfig& config, const std::string& env, std::uint64_t seed,
                       int first, int count, int life)
  : steps_(config.fragment), network_(apex_spec(config, env)),
    collector_({.env = env,
                .seed = life == 0 ? seed : derive_seed(seed, static_cast<std::uint64_t>(life)),
                .first = first,
                .envs = count,
                .steps = static_cast<std::size_t>(config.dqn.n_step),
                .gamma = config.dqn.gamma,
                .reward_scale = config.dqn.reward_scale}) {
  for (int i = 0; i < count; ++i)
    epsilon_.push_back(apex_epsilon(config, first + i));
  action_.resize(epsilon_.size());
  fragment_.rows.observation_size = collector_.observation_size();
  fragment_.rows.action_size = 1;
}

const ApexFragment& ApexActing::act(std::span<const float> weights) {
  network_.check_weights(weights);
  fragment_.rows.clear();
  fragment_.returns.clear();
  for (std::int64_t t = 0; t < steps_; ++t) {
    network_.act(weights, collector_.observation(), epsilon_, collector_.rngs(), action_,
                 workspace_);
    collector_.step(action_, action_, fragment_.rows);
    for (auto& episode : collector_.ended())
      fragment_.returns.push_back(episode.total);
  }
  fragment_.steps = steps_ * collector_.count();
  estimate_errors(weights);
  return fragment_;
}

// Line 8: |Q(s, a) - (reward + discount max Q(s', .))|, all by the network that acted.
void ApexActing::estimate_errors(std::span<const float> weights) {
  auto& rows = fragment_.rows;
  auto choices = network_.choices();
  fragment_.errors.resize(rows.size());
  auto q = network_.forward(weights, rows.observation, workspace_);
  for (std::size_t i = 0; i < rows.size(); ++i)
    fragment_.errors[i] =
      q[i * choices + static_cast<std::size_t>(rows.action[i])] - rows.reward[i];
  q = network_.forward(weights, rows.next_observation, workspace_);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto next = q.subspan(i * choices, choices);
    fragment_.errors[i] -= rows.discount[i] * *std::max_element(next.begin(), next.end());
  }
}

// ---- the same in one thread ----

SerialApexWorkers::SerialApexWorkers(const ApexConfig& config, const RunOptions& options)
  : config_(config), acting_(config, options.env, static_cast<std::uint64_t>(options.seed), 0,
                             static_cast<int>(config.envs), 0) {
  auto width = value_size(make_network_env(options.env)->observation_space());
  for (std::size_t i = 0; i < static_cast<std::size_t>(config.shards); ++i) {
    shards_.emplace_back(apex_shard(config, width));
    draws_.push_back(apex_draws(static_cast<std::uint64_t>(options.seed), i, 0));
  }
}

void SerialApexWorkers::set_weights(std::span<const float> weights, std::int64_t updates) {
  weights_.assign(weights.begin(), weights.end());
  updates_ = updates;
}

ApexArrivals SerialApexWorkers::act(bool go, bool) {
  if (!go)
    return {};
  auto& fragment = acting_.act(weights_);
  auto shard = static_cast<std::size_t>(fragments_++) % shards_.size();
  shards_[shard].add(fragment.rows, fragment.errors);
  return {.steps = fragment.steps, .returns = fragment.returns, .fragments = 1};
}

std::size_t SerialApexWorkers::size() const {
  std::size_t sum = 0;
  for (auto& shard : shards_)
    sum += shard.size();
  return sum;
}

bool SerialApexWorkers::sample(ApexSample& out) {
  out.shard = static_cast<std::size_t>(samples_++) % shards_.size();
  if (shards_[out.shard].size() == 0)
    return false;
  shards_[out.shard].sample(static_cast<std::size_t>(config_.dqn.minibatch), config_.dqn.beta,
                            draws_[out.shard], out.sample);
  return true;
}

void SerialApexWorkers::update(const ApexSample& of, std::span<const float> errors) {
  shards_[of.shard].update(of.sample.numbers, errors);
}

void SerialApexWorkers::save(Checkpoint& checkpoint) {
  std::vector<std::string> shards;
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    ByteWriter out;
    shards_[i].save(out);
    draws_[i].save(out);
    shards.push_back(out.take());
  }
  checkpoint.put_list("shards", shards);
  checkpoint.put_list("actors", acting_.save());
  checkpoint.put_floats("published", weights_);
  ByteWriter counts;
  for (auto each : {updates_, fragments_, samples_})
    counts.put(each);
  checkpoint.put("counts", counts.take());
}

void SerialApexWorkers::load(const Checkpoint& checkpoint) {
  auto shards = checkpoint.get_list("shards");
  if (shards.size() != shards_.size())
    throw Error(ErrorCode::bad_checkpoint, "the saved run has " + std::to_string(shards.size())
                                             + " shards of replay, this one "
                                             + std::to_string(shards_.size()));
  for (std::size_t i = 0; i < shards.size(); ++i) {
    ByteReader in(shards[i]);
    shards_[i].load(in);
    draws_[i] = Rng::load(in);
  }
  acting_.load(checkpoint.get_list("actors"));
  weights_ = checkpoint.get_floats("published");
  ByteReader counts(checkpoint.get("counts"));
  for (auto* each : {&updates_, &fragments_, &samples_})
    *each = counts.get<std::int64_t>();
}

// ---- train: algorithm 2. With ray, the workers are those of apex_workers.cpp ----

TrainResult train_apex(const ApexConfig& config, Run& run, ApexWorkers& workers) {
  auto& options = run.options();
  Dqn dqn(config.dqn, apex_spec(config, options.env), run.seed());
  workers.set_weights(dqn.weights(), 0);
  run.restore([&](const Checkpoint& checkpoint) {
    dqn.load(checkpoint);
    workers.set_weights(dqn.weights(), dqn.updates());
    workers.load(checkpoint);
  });
  auto save = [&](Checkpoint& checkpoint) {
    dqn.save(checkpoint);
    workers.save(checkpoint);
  };
  QNetwork<float>::Workspace workspace;
  auto evaluation = [&](const char* purpose) {
    return evaluate_acts(run, purpose, [&](auto observation, auto action) {
      dqn.network().act_greedily(dqn.weights(), observation, action, workspace);
    });
  };
  ApexSample batch;
  std::vector<float> error(static_cast<std::size_t>(config.dqn.minibatch));
  std::int64_t actor_deaths = 0, shard_deaths = 0;
  while (run.more()) {
    DqnLosses sum;
    double learnt = 0, fragments = 0, lag = 0, under_way = 0, asked = 0;
    auto begun = run.steps(), end = begun + config.dqn.log_steps;
    auto since = run.seconds();
    while (run.steps() < end && run.more()) {
      auto filled = workers.size() >= static_cast<std::size_t>(config.dqn.learning_starts);
      auto due = static_cast<double>(config.dqn.learning_starts)
                 + config.steps_per_update * static_cast<double>(dqn.updates());
      auto arrived =
        workers.act(!filled || static_cast<double>(run.steps()) < due, !filled); // method calls
      run.add_steps(arrived.steps);
      for (auto total : arrived.returns)
        run.add_episode(total);
      fragments += static_cast<double>(arrived.fragments);
      lag += arrived.lag;
      under_way += static_cast<double>(arrived.under_way);
      ++asked;
      actor_deaths += arrived.actor_deaths;
      shard_deaths += arrived.shard_deaths;
      if (!filled || !workers.sample(batch)) // drawn before it was asked for
        continue;
      auto losses = dqn.update(batch.sample, error, config.dqn.anneal ? run.left() : 1.0);
      workers.update(batch, error); // nobody waits for it
      if (dqn.updates() % config.publish_interval == 0)
        workers.set_weights(dqn.weights(), dqn.updates()); // one object that all read
      sum.loss += losses.loss;
      sum.error += losses.error;
      sum.q += losses.q;
      sum.gradient_norm += losses.gradient_norm;
      ++learnt;
    }
    auto seconds = std::max(run.seconds() - since, 1e-9);
    auto per_update = std::max(learnt, 1.0);
    run.log("loss/huber", sum.loss / per_update);
    run.log("loss/td_error", sum.error / per_update);
    run.log("loss/q", sum.q / per_update);
    run.log("loss/gradient_norm", sum.gradient_norm / per_update);
    run.log("replay/size", static_cast<double>(workers.size()));
    run.log("replay/added_per_second", static_cast<double>(run.steps() - begun) / seconds);
    run.log("replay/sampled_per_second", learnt * static_cast<double>(error.size()) / seconds);
    run.log("actors/lag", lag / std::max(fragments, 1.0));
    run.log("actors/fragments_under_way", under_way / std::max(asked, 1.0));
    run.log("actors/deaths", static_cast<double>(actor_deaths));
    run.log("replay/deaths", static_cast<double>(shard_deaths));
    run.end_update(save);
    // The mean is that of actors that explore: an evaluation of the greedy policy decides.
    if (run.return_reached() && evaluation("confirm").mean >= options.stop_return)
      run.stop();
  }
  run.finish(save);
  return {
    {dqn.weights().begin(), dqn.weights().end()}, run.steps(), run.seconds(), evaluation("final")};
}

} // namespace rl
