#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <caf/all.hpp>

#include "gcs/types/messages.hpp"
#include "libray/src/cluster/greeting.hpp"

/// Who understands what between a node and the processes of its host, and between nodes. Almost
/// everything rides in batches of operations (`wire.hpp`).
namespace caf_ray::cluster {

/// A node's hub, for the processes of its host and for the hubs of other nodes.
using hub_actor = caf::typed_actor<
  /// A node that is being started wants to be one of this cluster (its `node_greeting`, packed).
  /// Answered by the head's own greeting, and its GCS shards, group manager and global scheduler.
  /// Errors: version_mismatch, invalid_argument (clocks that differ too much), not_supported (this
  /// is not the head; the text says where that is).
  caf::replies_to<enter_atom, std::string>::with<error, std::string,
                                                 std::vector<caf::strong_actor_ptr>>,
  /// The hub of another node introduces itself (a `node_greeting`), with its local scheduler. It is
  /// answered in kind, once; from then on batches go both ways.
  caf::reacts_to<neighbour_atom, std::string, caf::strong_actor_ptr, caf::strong_actor_ptr>,
  /// These nodes have joined, changed or gone.
  caf::reacts_to<scheduler::nodes_atom, scheduler::node_updates>,
  /// A process introduces itself (a `hello`, packed) and the actor that speaks for it. That one
  /// gets welcome_atom or refuse_atom, and is monitored.
  caf::reacts_to<hello_atom, std::string, caf::strong_actor_ptr>,
  /// Carry these operations out. The sender has sent so many bytes of batches with this one.
  caf::reacts_to<batch_atom, std::uint64_t, std::string>,
  /// The sender has dealt with so many bytes of batches.
  caf::reacts_to<credit_atom, std::uint64_t>,
  /// The sender's process is about to end.
  caf::reacts_to<leave_atom>,
  /// Describe yourself in numbers: (name, value) pairs.
  caf::replies_to<status_atom>::with<std::vector<std::pair<std::string, std::string>>>,
  /// To oneself: something was posted from another thread.
  caf::reacts_to<drain_atom>,
  /// To oneself: the timer.
  caf::reacts_to<tick_atom>>;

/// What speaks for a process to its node.
using link_actor = caf::typed_actor<
  /// You are in: a `welcome`, packed; the GCS shards, and behind them the group manager.
  caf::reacts_to<welcome_atom, std::string, std::vector<caf::strong_actor_ptr>>,
  /// You are not, or not any more.
  caf::reacts_to<refuse_atom, error>,
  /// As above, in the other direction.
  caf::reacts_to<batch_atom, std::uint64_t, std::string>,
  caf::reacts_to<credit_atom, std::uint64_t>,
  /// The node asks this process to end.
  caf::reacts_to<leave_atom>,
  /// To oneself: operations are waiting to be sent.
  caf::reacts_to<drain_atom>>;

} // namespace caf_ray::cluster
