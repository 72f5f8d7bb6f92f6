// PPO's workers as ray actors: the remote half of ppo.cpp.
//
//   ray::Init();
//   auto workers = rl::make_workers(rl::ppo_workers(config, options), 4);
//   rl::train_ppo(config, run, *workers);
//
// Each actor owns a block of the run's environments and its own copy of the policy's shape. Weights
// are put into the object store once an update and read there by all; fragments come back as arrays
// that are read where they lie. With each fragment comes where its environments then stand: an
// actor that dies is replaced by one that goes on from there, and the batch is the same. The
// results are those of the serial workers to the bit, for any number of workers and of deaths.
// Actors are placed where the runtime has room; nothing here knows hosts.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <ray/api.h>

#include "rl/rollout_actor.hpp"
#include "rl/workers.hpp"

namespace rl {

/// All environments of a run, in actors that end with the object. Needs ray::Init. What an
/// environment throws comes out of sample() as a RayTaskException; an actor that died is replaced,
/// up to 3 times a fragment, then its RayActorException comes out.
class RayWorkers final : public Workers {
public:
  /// `workers` actors, at most one an environment.
  RayWorkers(const WorkersSpec& spec, int workers);
  ~RayWorkers() override;

  void set_weights(std::span<const float> weights) override;
  void sample(std::size_t steps, Batch& out) override;
  std::vector<std::string> save() override;
  void load(std::span<const std::string> states) override;

  /// The actor that has block `i` now, to look at or to kill.
  const ray::ActorHandle<RolloutActor>& actor(std::size_t i) const { return blocks_[i].actor; }

private:
  // Neighbouring environments, and the actor that has them.
  struct Block {
    int first = 0, count = 0;
    std::vector<std::string> states; // after the latest fragment; empty at the beginning
    ray::ActorHandle<RolloutActor> actor;
  };

  void start(Block& block) const;
  ray::ObjectRef<Fragment> ask(Block& block, std::size_t steps) const;
  std::shared_ptr<Fragment> receive(Block& block, ray::ObjectRef<Fragment> ref,
                                    std::size_t steps) const;

  WorkersSpec spec_;
  std::vector<Block> blocks_; // by environment
  ray::ObjectRef<ray::Array<float>> weights_;
};

/// RayWorkers with that many actors; SerialWorkers, in the caller's thread, when `workers` is 0.
std::unique_ptr<Workers> make_workers(const WorkersSpec& spec, int workers);

} // namespace rl
