// Ape-X's actors and replay shards as ray actors: the remote half of apex.cpp.
//
//   ray::Init();
//   auto workers = rl::make_apex_workers(config, options, 2);
//   rl::train_apex(config, run, *workers);
//
// Fragments go from the actor that made them to a shard without passing through the driver, which
// only holds their references. Each shard has drawn its next samples before the learner asks. The
// runtime chooses hosts; nothing here knows them.
//
// An actor that dies costs the fragment that it worked on: another one takes its environments, with
// episodes of its own. A shard that dies costs its transitions: another one begins empty, and the
// learner draws from the others meanwhile. Both are counted.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <ray/api.h>

#include "rl/apex.hpp"

namespace rl {

/// Transitions whose columns lie in the object store.
struct TransitionsMessage {
  std::uint64_t observation_size = 0, action_size = 0;
  ray::Array<float> observation, action, reward, discount, next_observation;
  MSGPACK_DEFINE(observation_size, action_size, observation, action, reward, discount,
                 next_observation)
};

/// An ApexFragment as it travels.
struct ApexFragmentMessage {
  TransitionsMessage rows;
  ray::Array<float> errors;
  std::vector<double> returns;
  std::int64_t steps = 0;
  std::int64_t updates = 0; ///< the learner's, when the weights that acted were published
  MSGPACK_DEFINE(rows, errors, returns, steps, updates)
};

/// What a shard says about a fragment that it has taken.
struct ApexReceipt {
  std::vector<double> returns;
  std::int64_t steps = 0;
  std::int64_t updates = 0;
  std::uint64_t size = 0; ///< transitions in the shard now
  MSGPACK_DEFINE(returns, steps, updates, size)
};

/// A sample of a shard; no rows while the shard is empty.
struct ApexSampleMessage {
  TransitionsMessage rows;
  ray::Array<float> importance;
  std::vector<std::uint64_t> numbers;
  MSGPACK_DEFINE(rows, importance, numbers)
};

/// An ApexActing as an actor. `config` is write_fields of an ApexConfig.
class ApexActor {
public:
  static ApexActor* Create(std::string config, std::string env, std::uint64_t seed, int first,
                           int count, int life);
  ApexFragmentMessage Act(ray::Array<float> weights, std::int64_t updates);

private:
  explicit ApexActor(ApexActing acting) : acting_(std::move(acting)) {}

  ApexActing acting_;
};

/// A Replay as an actor.
class ReplayShard {
public:
  static ReplayShard* Create(std::string config, std::uint64_t observation_size, std::uint64_t seed,
                             std::uint64_t shard, int life);
  ApexReceipt Add(ApexFragmentMessage fragment);
  ApexSampleMessage Sample();
  void Update(std::vector<std::uint64_t> numbers, ray::Array<float> errors);

private:
  ReplayShard(const ApexConfig& config, Replay replay, Rng draws);

  std::int64_t minibatch_;
  double beta_;
  Replay replay_;
  Rng draws_;
  ReplaySample sample_;
};

/// Actors and shards that end with the object. Needs ray::Init. What an environment throws comes
/// out of act() as a RayTaskException; an actor or shard that dies is replaced, up to 3 times in a
/// row without having done anything, then its RayActorException comes out.
class RayApexWorkers final : public ApexWorkers {
public:
  /// `actors` actors, at most one an environment.
  RayApexWorkers(const ApexConfig& config, const RunOptions& options, int actors);
  ~RayApexWorkers() override;

  void set_weights(std::span<const float> weights, std::int64_t updates) override;
  ApexArrivals act(bool go, bool wait) override;
  std::size_t size() const override;
  bool sample(ApexSample& out) override;
  void update(const ApexSample& of, std::span<const float> errors) override;
  void save(Checkpoint&) override {}
  void load(const Checkpoint&) override {}

  /// To look at or to kill.
  const ray::ActorHandle<ApexActor>& actor(std::size_t i) const { return actors_[i].handle; }
  const ray::ActorHandle<ReplayShard>& shard(std::size_t i) const { return shards_[i].handle; }

private:
  struct Actor {
    int first = 0, count = 0, life = 0, failures = 0;
    ray::ActorHandle<ApexActor> handle;
    bool busy = false;
    std::size_t shard = 0; // that the fragment under way goes to
    int shard_life = 0;    // of that shard
    ray::ObjectRef<ApexFragmentMessage> fragment;
    ray::ObjectRef<ApexReceipt> receipt;
  };
  struct Shard {
    int life = 0, failures = 0;
    std::size_t size = 0;
    ray::ActorHandle<ReplayShard> handle;
    std::vector<ray::ObjectRef<ApexSampleMessage>> samples; // asked for, oldest first
  };

  void start(Actor& actor);
  void start(std::size_t shard);
  void begin_fragment(Actor& actor);
  void receive(Actor& actor, ApexArrivals& arrivals);
  void replace_shard(std::size_t shard);

  ApexConfig config_;
  std::string config_text_, env_;
  std::uint64_t seed_;
  std::size_t observation_size_;
  std::vector<Actor> actors_;
  std::vector<Shard> shards_;
  ray::ObjectRef<ray::Array<float>> weights_;
  std::int64_t updates_ = 0;
  std::size_t next_add_ = 0, next_sample_ = 0;
  std::int64_t shard_deaths_ = 0; // not told yet
};

/// RayApexWorkers with that many actors; SerialApexWorkers, in the caller's thread, when it is 0.
std::unique_ptr<ApexWorkers> make_apex_workers(const ApexConfig& config, const RunOptions& options,
                                               int actors);

} // namespace rl
