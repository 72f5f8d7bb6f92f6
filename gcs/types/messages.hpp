#pragma once

#include <string>
#include <utility>
#include <vector>

#include <caf/all.hpp>

#include "gcs/types/ids.hpp"
#include "gcs/types/objects.hpp"
#include "gcs/types/operations.hpp"
#include "gcs/types/placement.hpp"
#include "gcs/types/records.hpp"
#include "gcs/types/resources.hpp"
#include "gcs/types/task_spec.hpp"

/// The one header of values that knows CAF: message types and atoms, announced to CAF by
/// `announce_messages`. What each message means stands in the
/// `actors.hpp` of the folder whose actors understand it.
///
/// A type that is not listed compiles and then travels as an empty message (CAF 0.17.6), so the
/// test gcs/messages_test sends every listed type through a serializer.

// An atom has at most ten characters.
CAF_BEGIN_TYPE_ID_BLOCK(caf_ray, first_custom_type_id)

  CAF_ADD_TYPE_ID(caf_ray, (caf_ray::task_id))
  CAF_ADD_TYPE_ID(caf_ray, (caf_ray::object_id))
  CAF_ADD_TYPE_ID(caf_ray, (caf_ray::actor_id))
  CAF_ADD_TYPE_ID(caf_ray, (caf_ray::node_id))
  CAF_ADD_TYPE_ID(caf_ray, (caf_ray::group_id))
  CAF_ADD_TYPE_ID(caf_ray, (caf_ray::error))
  CAF_ADD_TYPE_ID(caf_ray, (caf_ray::resource_set))
  CAF_ADD_TYPE_ID(caf_ray, (std::vector<caf_ray::resource_set>))
  CAF_ADD_TYPE_ID(caf_ray, (caf_ray::task_spec))
  CAF_ADD_TYPE_ID(caf_ray, (std::vector<caf_ray::task_spec>))
  CAF_ADD_TYPE_ID(caf_ray, (caf_ray::node_record))
  CAF_ADD_TYPE_ID(caf_ray, (std::vector<std::pair<std::string, std::string>>))

  CAF_ADD_TYPE_ID(caf_ray, (caf_ray::gcs::write_batch))
  CAF_ADD_TYPE_ID(caf_ray, (caf_ray::gcs::write_ack))
  CAF_ADD_TYPE_ID(caf_ray, (caf_ray::gcs::read_batch))
  CAF_ADD_TYPE_ID(caf_ray, (std::vector<caf_ray::gcs::read_answer>))
  CAF_ADD_TYPE_ID(caf_ray, (caf_ray::gcs::watch_request))
  CAF_ADD_TYPE_ID(caf_ray, (std::vector<caf_ray::gcs::change>))
  CAF_ADD_TYPE_ID(caf_ray, (caf_ray::gcs::shard_status))

  CAF_ADD_TYPE_ID(caf_ray, (std::vector<caf_ray::task_id>))
  CAF_ADD_TYPE_ID(caf_ray, (caf_ray::group_strategy))
  CAF_ADD_TYPE_ID(caf_ray, (caf_ray::group_record))
  CAF_ADD_TYPE_ID(caf_ray, (caf_ray::scheduler::node_updates))
  CAF_ADD_TYPE_ID(caf_ray, (std::vector<caf_ray::scheduler::placement_request>))
  CAF_ADD_TYPE_ID(caf_ray, (std::vector<caf_ray::scheduler::placement>))
  CAF_ADD_TYPE_ID(caf_ray, (std::vector<caf_ray::scheduler::forwarded_task>))
  CAF_ADD_TYPE_ID(caf_ray, (std::vector<caf_ray::scheduler::bundle_request>))
  CAF_ADD_TYPE_ID(caf_ray, (caf_ray::scheduler::group_plan))

  CAF_ADD_TYPE_ID(caf_ray, (caf_ray::objstore::store_stats))
  CAF_ADD_TYPE_ID(caf_ray, (std::vector<caf_ray::objstore::object_info>))

  /// To oneself: a mailbag has turned non-empty, take what is in it.
  CAF_ADD_ATOM(caf_ray, caf_ray, drain_atom, "drain")
  /// To oneself: the timer.
  CAF_ADD_ATOM(caf_ray, caf_ray, tick_atom, "tick")
  /// All components: describe yourself in numbers.
  CAF_ADD_ATOM(caf_ray, caf_ray, status_atom, "status")

  // What these ask stands in gcs/actors.hpp.
  CAF_ADD_ATOM(caf_ray, caf_ray::gcs, write_atom, "gcswrite")
  CAF_ADD_ATOM(caf_ray, caf_ray::gcs, ack_atom, "gcsack")
  CAF_ADD_ATOM(caf_ray, caf_ray::gcs, read_atom, "gcsread")
  CAF_ADD_ATOM(caf_ray, caf_ray::gcs, answer_atom, "gcsanswer")
  CAF_ADD_ATOM(caf_ray, caf_ray::gcs, watch_atom, "gcswatch")
  CAF_ADD_ATOM(caf_ray, caf_ray::gcs, unwatch_atom, "gcsunwatch")
  CAF_ADD_ATOM(caf_ray, caf_ray::gcs, changes_atom, "gcschanges")
  CAF_ADD_ATOM(caf_ray, caf_ray::gcs, replace_atom, "gcsreplace")

  // What these ask stands in scheduler/actors.hpp.
  CAF_ADD_ATOM(caf_ray, caf_ray::scheduler, place_atom, "schplace")
  CAF_ADD_ATOM(caf_ray, caf_ray::scheduler, placed_atom, "schplaced")
  CAF_ADD_ATOM(caf_ray, caf_ray::scheduler, forget_atom, "schforget")
  CAF_ADD_ATOM(caf_ray, caf_ray::scheduler, nodes_atom, "schnodes")
  CAF_ADD_ATOM(caf_ray, caf_ray::scheduler, group_atom, "schgroup")
  CAF_ADD_ATOM(caf_ray, caf_ray::scheduler, plan_atom, "schplan")
  CAF_ADD_ATOM(caf_ray, caf_ray::scheduler, replicas_atom, "schreplica")
  CAF_ADD_ATOM(caf_ray, caf_ray::scheduler, peer_atom, "schpeer")
  CAF_ADD_ATOM(caf_ray, caf_ray::scheduler, run_atom, "schrun")
  CAF_ADD_ATOM(caf_ray, caf_ray::scheduler, taken_atom, "schtaken")
  CAF_ADD_ATOM(caf_ray, caf_ray::scheduler, why_atom, "schwhy")
  CAF_ADD_ATOM(caf_ray, caf_ray::scheduler, cancel_atom, "schcancel")
  CAF_ADD_ATOM(caf_ray, caf_ray::scheduler, prepare_atom, "schprepare")
  CAF_ADD_ATOM(caf_ray, caf_ray::scheduler, commit_atom, "schcommit")
  CAF_ADD_ATOM(caf_ray, caf_ray::scheduler, return_atom, "schreturn")

  // What these mean: objstore/actors.hpp.
  CAF_ADD_ATOM(caf_ray, caf_ray::objstore, list_atom, "objlist")
  CAF_ADD_ATOM(caf_ray, caf_ray::objstore, spill_atom, "objspill")

  // -- libray
  // What these mean: libray/src/cluster/actors.hpp.
  CAF_ADD_ATOM(caf_ray, caf_ray::cluster, hello_atom, "hello")
  CAF_ADD_ATOM(caf_ray, caf_ray::cluster, welcome_atom, "welcome")
  CAF_ADD_ATOM(caf_ray, caf_ray::cluster, refuse_atom, "refuse")
  CAF_ADD_ATOM(caf_ray, caf_ray::cluster, batch_atom, "batch")
  CAF_ADD_ATOM(caf_ray, caf_ray::cluster, credit_atom, "credit")
  CAF_ADD_ATOM(caf_ray, caf_ray::cluster, leave_atom, "leave")
  CAF_ADD_ATOM(caf_ray, caf_ray::cluster, enter_atom, "enter")
  CAF_ADD_ATOM(caf_ray, caf_ray::cluster, neighbour_atom, "neighbour")

  CAF_ADD_ATOM(caf_ray, caf_ray, create_atom, "grpcreate")
  CAF_ADD_ATOM(caf_ray, caf_ray, remove_atom, "grpremove")
  CAF_ADD_ATOM(caf_ray, caf_ray, await_atom, "grpawait")

CAF_END_TYPE_ID_BLOCK(caf_ray)

namespace caf_ray {

/// Announces all of the above to a system that is not made yet, and one type that CAF has a number
/// for but does not announce itself (0.17.6).
inline void announce_messages(caf::actor_system_config& config) {
  config.add_message_types<caf::id_block::caf_ray>();
  config.add_message_type<std::vector<caf::strong_actor_ptr>>("std::vector<caf::strong_actor_ptr>");
}

} // namespace caf_ray
