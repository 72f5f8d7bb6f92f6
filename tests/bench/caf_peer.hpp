#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

namespace caf_ray::bench {

/// What plain CAF does on this machine, on our executor or on the scheduler that CAF brings: an
/// actor system without anything else in it, made anew for each measurement so that its idle
/// threads disturb nobody. As many threads as the machine has cores.
class caf_peer {
public:
  enum class scheduler { ours, stock };

  explicit caf_peer(scheduler kind);
  ~caf_peer();

  /// Spawns `count` actors that each send one message to the caller and end. Per second, until the
  /// last message is there.
  double ephemeral_actors(std::size_t count);

  /// Sends an actor a number and waits until it comes back, `count` times. Microseconds each.
  double round_trip(std::size_t count);

  /// Sends an actor `count` messages at once. Per second, until it has handled the last.
  double flood(std::size_t count);

  /// Sends an actor `count` messages at once and receives its `count` answers. Seconds.
  double flood_and_answers(std::size_t count);

  /// Spawns `count` actors with a behaviour. Per second, until the last is initialised.
  double creation(std::size_t count);

  /// Resident bytes of each of `count` actors with a behaviour that are alive together.
  double bytes_each(std::size_t count);

private:
  /// Owned handles keep the actors alive.
  std::vector<caf::actor> spawn_counters(std::size_t count);

  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
};

} // namespace caf_ray::bench
