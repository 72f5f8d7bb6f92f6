#pragma once

#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "scheduler/actors.hpp"
#include "scheduler/cluster_view.hpp"

/// A replica of the global scheduler: chooses nodes for tasks that their own node handed up, and
/// for the bundles of placement groups. Any number of replicas may run; they know nothing of each
/// other. What a replica remembers it can lose: local schedulers ask again.
namespace caf_ray::scheduler {

struct global_options {
  policy_options policy;
  /// For ties between nodes.
  std::uint64_t seed = 0;
};

/// Invariant: an open request was last answered with `pending` and its asker is monitored.
struct global_state {
  static inline const char* name = "global-scheduler";

  explicit global_state(global_actor::pointer self) : self(self) {}

  struct open_request {
    placement_request request;
    caf::strong_actor_ptr asker;
    std::string reason;
  };

  void place(const caf::strong_actor_ptr& asker, std::vector<placement_request>& requests);
  /// Looks at the open requests again and tells their askers what has changed.
  void reconsider();
  void asker_lost(const caf::actor_addr& asker);
  void answer(const caf::strong_actor_ptr& asker, std::vector<placement>& answers);

  global_actor::pointer self;
  cluster_view view;
  std::unordered_map<task_id, open_request> open;
  /// Monitored.
  std::set<caf::actor_addr> askers;
  std::mt19937_64 random;
  std::uint64_t placed_count = 0;
};

/// At start: knows no node; tell it the nodes and groups of the GCS, then every change. At exit:
/// forgets everything. When a local scheduler dies: forgets its requests. Runs in the shared
/// scheduler; has no timer.
global_actor::behavior_type global_scheduler(global_actor::stateful_pointer<global_state> self,
                                             global_options options);

} // namespace caf_ray::scheduler
