#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <vector>

#include <caf/all.hpp>

#include "gcs/types/messages.hpp"
#include "scheduler/actors.hpp"

/// Placement groups: from a request to reserved bundles, in two phases.
namespace caf_ray {

using group_manager_actor = caf::typed_actor<
  /// Reserve these bundles as soon as they fit; the record's state follows in the GCS.
  caf::reacts_to<create_atom, group_id, group_record>,
  /// Give everything back; answered when no task can start in the group any more. False when it is
  /// not known here.
  caf::replies_to<remove_atom, group_id>::with<bool>,
  /// The record once it is `created` or `removed`; unknown groups have the state `removed` and no
  /// bundles. Waits as long as the asker's request does.
  caf::replies_to<await_atom, group_id>::with<group_record>,
  /// To oneself: try the pending ones again.
  caf::reacts_to<tick_atom>>;

struct group_manager_options {
  scheduler::global_actor global;
  scheduler::local_actor local;
  node_id local_node;
  /// Writes the record to the GCS. Called on the actor's thread; must not block.
  std::function<void(group_id, const group_record&)> record;
  std::chrono::milliseconds retry_interval{100};
};

/// Invariant: a group is in `busy` while an answer for it is on its way.
struct group_manager_state {
  static inline const char* name = "group-manager";
  explicit group_manager_state(group_manager_actor::pointer self) : self(self) {}

  void try_to_place(group_id id);
  void planned(group_id id, const scheduler::group_plan& plan);
  void prepared(group_id id, const error& e);
  void postpone(group_id id, const std::string& reason);
  void set_state(group_id id, group_state state);
  caf::result<bool> remove(group_id id);

  group_manager_actor::pointer self;
  group_manager_options options;
  std::map<group_id, group_record> groups;
  std::map<group_id, std::vector<caf::typed_response_promise<group_record>>> waiting;
  std::map<group_id, bool> busy;
};

/// At start: nothing reserved. At exit: promises that are open get the group as it is. Runs in the
/// shared scheduler.
group_manager_actor::behavior_type
group_manager(group_manager_actor::stateful_pointer<group_manager_state> self,
              group_manager_options options);

} // namespace caf_ray
