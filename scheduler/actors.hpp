#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <caf/all.hpp>

#include "gcs/types/messages.hpp"

/// Who understands what in this folder. Tasks of one process never come this way: they go through
/// `local_ports`. What concerns many tasks at once travels as plain messages with ids and lists;
/// the few CAF requests (why, cancel, plan, bundles, status) are asked by people or once a group.
namespace caf_ray::scheduler {

/// The local scheduler of a node.
using local_actor = caf::typed_actor<
  /// To oneself, from the mailbags of `local_ports`: submissions or events are there.
  caf::reacts_to<drain_atom>,
  /// To oneself: heartbeat, deadlines.
  caf::reacts_to<tick_atom>,
  /// Describe yourself in numbers: the record that heartbeats carry, as of now.
  caf::replies_to<status_atom>::with<node_record>,
  /// What does this task wait for? A sentence for people; also when the task is not here.
  caf::replies_to<why_atom, task_id>::with<std::string>,
  /// Make sure that this task never runs here. True when it was here and had not started: it was
  /// handed to `local_options::drop` with `cancelled`. False: already started, or unknown.
  caf::replies_to<cancel_atom, task_id>::with<bool>,

  /// These nodes have joined, changed or gone (alive = false).
  caf::reacts_to<nodes_atom, node_updates>,
  /// The global replicas, all of them, replacing those known before. Each a `global_actor`.
  caf::reacts_to<replicas_atom, std::vector<caf::strong_actor_ptr>>,
  /// The local scheduler of another node (a `local_actor`); null: it is gone.
  caf::reacts_to<peer_atom, node_id, caf::strong_actor_ptr>,
  /// From a global replica: where tasks that went up shall run, or why they cannot yet.
  caf::reacts_to<placed_atom, std::vector<placement>>,
  /// From another local scheduler: these were placed here. Answered by taken_atom.
  caf::reacts_to<run_atom, node_id, std::vector<forwarded_task>>,
  /// From another local scheduler: these are in my queues now, do not keep them.
  caf::reacts_to<taken_atom, node_id, std::vector<task_id>>,

  /// Placement group, first phase: set all these bundles aside, or none. Repeating it is harmless.
  /// Errors: unschedulable when less is free now. Given back by itself when no commit follows
  /// within `local_options::prepare_deadline`.
  caf::replies_to<prepare_atom, group_id, std::vector<bundle_request>>::with<error>,
  /// Second phase: tasks may use the bundles. Repeating it is harmless. Errors: not_found when
  /// nothing is prepared (any more).
  caf::replies_to<commit_atom, group_id>::with<error>,
  /// Gives all bundles of the group on this node back, prepared or committed; what running tasks
  /// hold of them returns when they end. Never fails.
  caf::replies_to<return_atom, group_id>::with<error>>;

/// A replica of the global scheduler.
using global_actor = caf::typed_actor<
  /// Where shall these tasks of that node run? The sender, a `local_actor`, gets one or more
  /// (placed_atom, placements); `pending` ones are answered again when the cluster changes.
  caf::reacts_to<place_atom, node_id, std::vector<placement_request>>,
  /// These tasks need no answer any more.
  caf::reacts_to<forget_atom, std::vector<task_id>>,
  /// These nodes have joined, changed or gone (alive = false).
  caf::reacts_to<nodes_atom, node_updates>,
  /// This placement group is so now: tasks of a `created` one go where its bundles are, those of a
  /// `removed` one never run.
  caf::reacts_to<group_atom, group_id, group_record>,
  /// Which nodes shall get these bundles? No places and a reason when they do not fit now.
  caf::replies_to<plan_atom, group_strategy, std::vector<resource_set>>::with<group_plan>,
  /// Describe yourself in numbers: (name, value) pairs.
  caf::replies_to<status_atom>::with<std::vector<std::pair<std::string, std::string>>>>;

} // namespace caf_ray::scheduler
