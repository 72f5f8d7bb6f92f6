// Ape-X: distributed prioritised experience replay (Horgan et al. 2018, arXiv 1803.00933), with DQN
// as the learner.
//
//   rl::ApexConfig config;
//   rl::Run run({.env = "CartPole-v1", .stop_steps = 200'000}, "apex", config.fields());
//   rl::SerialApexWorkers workers(config, run.options());       // or make_apex_workers(.., 2)
//   auto trained = rl::train_apex(config, run, workers);
//
// Many actors explore, each environment with a probability of its own; they work out what is new
// about their transitions themselves and send them to shards of the replay; one learner draws from
// the shards, learns, and tells them what is new about the transitions now. What it does, each with
// its source:
// - environment i of N explores with probability epsilon^(1 + i / (N - 1) epsilon_alpha) (4.1)
// - priorities of new transitions come from the actors' own networks (section 3)
// - the learner is DQN: double, duelling, 3 steps (section 3.1; dqn.hpp)
// - added here: actors wait while they are more than steps_per_update ahead of the learner, so that
//   few cores are shared by rule and not by luck
//
// With SerialApexWorkers everything happens in one thread, in an order that is always the same.
// With actors (apex_workers.hpp) the order is that of the clock: no two runs are alike.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "rl/collector.hpp"
#include "rl/dqn.hpp"
#include "rl/replay.hpp"
#include "rl/run/run.hpp"

namespace rl {

struct ApexConfig {
  std::int64_t envs = 16;
  std::int64_t fragment = 50;
  std::int64_t shards = 2;
  double epsilon = 0.4;
  double epsilon_alpha = 7;
  double steps_per_update = 8;
  std::int64_t publish_interval = 10;
  DqnConfig dqn; ///< of the learner; what it says about collecting is not used

  ApexConfig();

  std::vector<Field> fields();
};

/// The exploration probability of environment `env` of the run.
double apex_epsilon(const ApexConfig& config, std::int64_t env);

/// What an actor sends at a time.
struct ApexFragment {
  Transitions rows;
  std::vector<float> errors;   ///< [row], TD errors by the weights that acted
  std::vector<double> returns; ///< of the episodes that ended
  std::int64_t steps = 0;      ///< environment steps
};

/// Environments `first` .. `first + count - 1` of a run and the network that acts in them: what an
/// actor is made of, wherever it runs. One thread at a time.
class ApexActing {
public:
  /// `life` counts from 0; an actor that takes the place of a dead one has another, so that it does
  /// not live through the same episodes again. Errors: as dqn_spec and VectorEnv.
  ApexActing(const ApexConfig& config, const std::string& env, std::uint64_t seed, int first,
             int count, int life);

  /// Takes config.fragment steps in each environment. The result stays until the next call.
  const ApexFragment& act(std::span<const float> weights);

  std::vector<std::string> save() const { return collector_.save(); }
  void load(std::span<const std::string> states) { collector_.load(states); }

private:
  void estimate_errors(std::span<const float> weights);

  std::int64_t steps_;
  QNetwork<float> network_;
  QNetwork<float>::Workspace workspace_;
  Collector collector_;
  std::vector<double> epsilon_; // [env]
  std::vector<float> action_;   // [env]
  ApexFragment fragment_;
};

/// What has arrived in the replay since somebody asked.
struct ApexArrivals {
  std::int64_t steps = 0;
  std::vector<double> returns;
  std::int64_t fragments = 0;
  double lag = 0;                ///< sum over fragments: updates since their weights were published
  std::int64_t actor_deaths = 0; ///< whose fragment was lost
  std::int64_t shard_deaths = 0; ///< whose transitions were lost
  std::int64_t under_way = 0;    ///< fragments that actors work on now
};

/// A minibatch, and where it came from.
struct ApexSample {
  ReplaySample sample;
  std::size_t shard = 0;
  int life = 0; ///< of that shard
};

/// Whoever acts and keeps the transitions. One thread at a time.
class ApexWorkers {
public:
  virtual ~ApexWorkers() = default;

  /// The weights that actors take from their next fragment on; `updates` is the learner's count.
  virtual void set_weights(std::span<const float> weights, std::int64_t updates) = 0;

  /// With `go`, lets actors begin fragments; collects what has arrived. Waits for something to
  /// arrive when `wait`.
  virtual ApexArrivals act(bool go, bool wait) = 0;

  /// Transitions that can be drawn now, in all shards.
  virtual std::size_t size() const = 0;

  /// Draws from one shard after the other. False when that shard has nothing yet.
  virtual bool sample(ApexSample& out) = 0;

  /// The TD errors of a sample, for the shard that it came from.
  virtual void update(const ApexSample& of, std::span<const float> errors) = 0;

  /// What a resumed run needs besides the learner; nothing where order follows the clock.
  virtual void save(Checkpoint& checkpoint) = 0;
  virtual void load(const Checkpoint& checkpoint) = 0;
};

/// All in the caller's thread.
class SerialApexWorkers final : public ApexWorkers {
public:
  SerialApexWorkers(const ApexConfig& config, const RunOptions& options);

  void set_weights(std::span<const float> weights, std::int64_t updates) override;
  ApexArrivals act(bool go, bool wait) override;
  std::size_t size() const override;
  bool sample(ApexSample& out) override;
  void update(const ApexSample& of, std::span<const float> errors) override;
  void save(Checkpoint& checkpoint) override;
  void load(const Checkpoint& checkpoint) override;

private:
  ApexConfig config_;
  ApexActing acting_;
  std::vector<Replay> shards_;
  std::vector<Rng> draws_; // [shard]
  std::vector<float> weights_;
  std::int64_t updates_ = 0; // the learner's, when the weights were published
  std::int64_t fragments_ = 0, samples_ = 0;
};

/// One shard of the replay, and the stream that it is drawn from.
ReplayOptions apex_shard(const ApexConfig& config, std::size_t observation_size);
Rng apex_draws(std::uint64_t seed, std::size_t shard, int life);

/// Trains until the run says stop, then evaluates the greedy policy. Errors: those of the parts.
TrainResult train_apex(const ApexConfig& config, Run& run, ApexWorkers& workers);

} // namespace rl
