#pragma once

#include <memory>
#include <vector>

#include "gcs/actors.hpp"
#include "gcs/client.hpp"

/// Where the client meets CAF.
namespace caf_ray::gcs {

/// A client of these shards, which must be all of them, in order of their index. Spawns the port
/// actor, which lives as long as the client. The client must end before the actor system.
std::unique_ptr<client> make_client(caf::actor_system& system, std::vector<shard_actor> shards,
                                    client_options options = {});

/// The shard of this index is now that actor (the old one has died): what is pending is sent again
/// to the new one, and subscriptions are renewed there.
void replace_shard(client& c, std::uint32_t index, const shard_actor& shard);

} // namespace caf_ray::gcs
