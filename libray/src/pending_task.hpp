#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "libray/src/object_entry.hpp"
#include "ray/api/function_manager.h"
#include "scheduler/scheduled_task.hpp"

namespace ray::internal {
struct ActorEntry;
}

namespace caf_ray {

using ray::internal::ActorEntry;

/// A task of this process with what keeps its objects alive.
///
/// Entries and tasks point to each other while the task is pending; `let_go` ends that when the
/// results are resolved (or the runtime ends). Whoever has turned the claim may use the three lists
/// as they are; everybody else only through the functions below, which lock them.
struct pending_task : scheduled_task {
  const ray::internal::RemoteFunction* function = nullptr;
  /// What the arguments refer to, in the order of the spec's object arguments, and what argument
  /// values contain.
  std::vector<EntryPtr> inputs;
  std::vector<EntryPtr> contained;
  std::vector<EntryPtr> results;
  /// It came from the node to be run here; `results` is empty, `host::completed` takes them.
  bool foreign = false;
  /// Where the node looks whether it has started; null: nowhere.
  std::atomic<std::uint8_t>* start_mark = nullptr;
  /// How long it ran; for `host::completed`.
  std::uint64_t run_ns = 0;
  /// Results that the node has not told of; where the node runs it.
  std::atomic<std::uint32_t> unresolved{0};
  /// The attempt of the task that called this one.
  std::uint32_t parent_attempt = 0;
  /// The actor that is created or called; a reference is held.
  ActorEntry* actor = nullptr;
  /// How many results somebody may still ask for; at zero its lineage is forgotten.
  std::atomic<std::uint32_t> live_results{0};
  std::atomic<bool> lineage_unneeded{false};

  pending_task() = default;
  ~pending_task() override;

  /// Empties the lists. Later calls do nothing.
  void let_go();

  /// Moves everything from an attempt that has failed to this one, which shall make its results.
  void take_over(pending_task& failed);

  /// Whether the local scheduler holds resources for it once it is dispatched.
  bool holds_resources() const noexcept {
    return spec.options && (!spec.options->resources.empty() || spec.options->group);
  }

  /// All inputs are ready (value or error), or let go.
  bool inputs_ready() const;

  /// Somebody may still learn what becomes of this task. For whoever has the claim.
  bool results_pending() const noexcept {
    if (foreign)
      return true;
    for (auto& result : results)
      if (result->pending())
        return true;
    return false;
  }
};

using pending_task_ptr = std::shared_ptr<pending_task>;

} // namespace caf_ray
