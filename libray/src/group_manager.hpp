#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <caf/all.hpp>

#include "gcs/types/messages.hpp"
#include "scheduler/actors.hpp"

/// Placement groups: from a request to reserved bundles, in two phases.
namespace caf_ray {

/// Key of a group's id in the `names` table. No actor has such a name: it begins with a word that
/// no namespace contains.
std::string group_name_key(const std::string& ray_namespace, const std::string& name);

using group_manager_actor = caf::typed_actor<
  /// Reserve these bundles as soon as they fit. The record is in the GCS already; its changes
  /// follow there.
  caf::reacts_to<create_atom, group_id, group_record>,
  /// Give everything back; answered when no task can start in the group any more. False when it is
  /// not known here, or is removed already.
  caf::replies_to<remove_atom, group_id>::with<bool>,
  /// The record once it is `created`, or gone, or after this many milliseconds as it is then.
  /// Groups that are not known here, removed ones too, have the state `removed` and no bundles.
  caf::replies_to<await_atom, group_id, std::int64_t>::with<group_record>,
  /// The local scheduler of this node is that; null: the node is gone. Groups that had bundles
  /// there are placed again.
  caf::reacts_to<scheduler::peer_atom, node_id, caf::strong_actor_ptr>,
  /// To oneself: try the pending ones again.
  caf::reacts_to<tick_atom>,
  /// To oneself: the patience of somebody who waits for this group is over.
  caf::reacts_to<tick_atom, group_id>>;

struct group_manager_options {
  scheduler::global_actor global;
  scheduler::local_actor local;
  node_id local_node;
  /// Writes the record to the GCS, and frees the name of a removed one. Called on the actor's
  /// thread; must not block.
  std::function<void(group_id, const group_record&)> record;
  std::chrono::milliseconds retry_interval{100};
};

/// Invariants: `groups` has those that are not removed; a group is in `busy` while an answer for it
/// is on its way; whoever is in `waiting` has a group in `groups` that is not created.
struct group_manager_state {
  static inline const char* name = "group-manager";
  explicit group_manager_state(group_manager_actor::pointer self) : self(self) {}

  void try_to_place(group_id id);
  void planned(group_id id, const scheduler::group_plan& plan);
  void prepared(group_id id, const error& failed);
  void committed(group_id id, const error& failed);
  /// Asks the nodes of a group's bundles the same; `then` is called once all have answered, with
  /// the first error or none. `ask` sends the request to one.
  using answer_handler = std::function<void(const error&)>;
  void
  ask_nodes(const group_record& record,
            const std::function<void(node_id, const scheduler::local_actor&, answer_handler)>& ask,
            answer_handler then);
  void ask_to_return(group_id id, const group_record& record, answer_handler then);
  void connect(node_id node, const caf::strong_actor_ptr& local);
  void postpone(group_id id, const std::string& reason);
  void set_state(group_id id, group_state state);
  /// Writes the record, and the global scheduler tells tasks that wait what it says.
  void tell(group_id id, const group_record& record);
  /// Forgets a group; the record says that it is removed.
  void forget(group_id id);
  caf::result<bool> remove(group_id id);
  caf::result<group_record> wait_for(group_id id, std::chrono::milliseconds patience);
  /// Answers those whose patience ends before `until`.
  void answer(group_id id, caf::actor_clock::time_point until);

  struct waiter {
    caf::actor_clock::time_point until;
    caf::typed_response_promise<group_record> promise;
  };

  group_manager_actor::pointer self;
  group_manager_options options;
  std::map<group_id, group_record> groups;
  std::map<group_id, std::vector<waiter>> waiting;
  /// Local schedulers.
  std::map<node_id, scheduler::local_actor> nodes;
  std::set<group_id> busy;
};

/// At start: nothing reserved. At exit: all groups are removed, whoever waits hears of it. Runs in
/// the shared scheduler.
group_manager_actor::behavior_type
group_manager(group_manager_actor::stateful_pointer<group_manager_state> self,
              group_manager_options options);

} // namespace caf_ray
