#pragma once

#include <caf/all.hpp>

#include "gcs/types/messages.hpp"

/// Who understands what in this folder. Plain messages that carry numbers, not CAF requests: an
/// actor's outstanding requests cost O(n^2) in CAF 0.17.6. Between one sender and one shard,
/// messages keep their order, and a read that follows a write sees it.
namespace caf_ray::gcs {

/// One shard of the GCS.
using shard_actor = caf::typed_actor<
  /// Apply this batch once; after the commit the sender gets (ack_atom, write_ack). A batch that
  /// comes before its predecessor is dropped silently: send again, in order. Errors in the ack:
  /// io_failed (the shard has stopped writing), corrupt (the batch).
  caf::reacts_to<write_atom, write_batch>,
  /// Read these; the sender gets (answer_atom, read_answers), in one or more messages, in order,
  /// from committed state. Dropped silently while a batch that they shall see is missing: send
  /// again. Errors in an answer: io_failed, corrupt, invalid_argument.
  caf::reacts_to<read_atom, read_batch>,
  /// From now on tell this actor of changes: it gets (changes_atom, shard, changes) after each
  /// commit that matches, until it ends or says unwatch.
  caf::reacts_to<watch_atom, watch_request, caf::strong_actor_ptr>,
  /// No more of that; what is on its way still arrives.
  caf::reacts_to<unwatch_atom, watch_request, caf::strong_actor_ptr>,
  /// Describe yourself in numbers.
  caf::replies_to<status_atom>::with<shard_status>,
  /// To oneself: commit what has gathered.
  caf::reacts_to<drain_atom>,
  /// To oneself: the timer.
  caf::reacts_to<tick_atom>>;

/// What a shard sends to clients and subscribers.
using shard_listener = caf::typed_actor<
  /// The batch is committed, or never will be.
  caf::reacts_to<ack_atom, write_ack>,
  /// Answers to reads.
  caf::reacts_to<answer_atom, std::vector<read_answer>>,
  /// Committed writes that a subscription matches, of this shard, in the order of their commit.
  caf::reacts_to<changes_atom, std::uint32_t, std::vector<change>>>;

} // namespace caf_ray::gcs
