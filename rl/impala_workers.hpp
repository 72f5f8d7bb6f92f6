// IMPALA's workers as ray actors: the remote half of impala.cpp, and the asynchronous half of
// whoever takes fragments as they come.
//
//   ray::Init();
//   auto workers = rl::make_async_workers(rl::impala_workers(config, options), 2);
//   rl::train_impala(config, run, *workers);
//
// Each group of environments is an actor (rollout_actor.hpp) with one request under way; as many of
// them sample at a time as there are slots. Whoever gathers waits with ray::Wait for k of the n
// requests, oldest first, and has the others go on meanwhile: with more groups than fragments and
// slots together, no worker waits for the learner, and no group for another one's long episodes.
// An actor that died is replaced by one that goes on where the latest fragment taken from it ended:
// its death costs the fragment under way, which is counted, and nothing else.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <ray/api.h>

#include "rl/async_workers.hpp"
#include "rl/rollout_actor.hpp"

namespace rl {

/// All groups of a run, in actors that end with the object. Needs ray::Init. What an environment
/// throws comes out of gather() as a RayTaskException; a group whose actor dies more than 3 times
/// without a fragment between ends it with its RayActorException.
class RayAsyncWorkers final : public AsyncWorkers {
public:
  /// `slots` is how many of them the runtime lets sample at a time, for lanes().
  RayAsyncWorkers(const AsyncSpec& spec, int slots);
  ~RayAsyncWorkers() override;

  void set_weights(std::span<const float> weights) override;
  void gather(int count, Arrivals& out) override;
  int lanes() const override { return slots_; }
  std::vector<std::string> save() override;
  void load(std::span<const std::string> states) override;

  /// The actor that has group `i` now, to look at or to kill.
  const ray::ActorHandle<RolloutActor>& actor(std::size_t i) const { return groups_[i].actor; }

private:
  struct Group {
    GroupRange range;
    std::vector<std::string> states; // after the latest fragment taken; empty at the beginning
    ray::ActorHandle<RolloutActor> actor;
    ray::ObjectRef<Fragment> request; // none while it is idle
    std::int64_t version = 0;         // of the weights of the request
    int deaths = 0;                   // since the latest fragment
  };

  void start(Group& group) const;
  void ask(std::size_t group);
  std::shared_ptr<Fragment> take(std::size_t group);
  std::vector<ray::ObjectRef<Fragment>> requests() const;

  AsyncSpec spec_;
  int slots_;
  std::vector<Group> groups_;
  std::vector<std::size_t> asked_; // groups with a request under way, oldest first
  ray::ObjectRef<ray::Array<float>> weights_;
  std::int64_t version_ = 0; // of weights_
  std::int64_t lost_ = 0;
};

/// RayAsyncWorkers for that many slots; SerialAsyncWorkers, in the caller's thread, when `workers`
/// is 0.
std::unique_ptr<AsyncWorkers> make_async_workers(const AsyncSpec& spec, int workers);

} // namespace rl
