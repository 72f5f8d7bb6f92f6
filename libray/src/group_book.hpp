#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "libray/src/object_table.hpp"
#include "libray/src/pending_task.hpp"

namespace caf_ray {

/// The placement groups that this process uses, and which tasks it has started in each: so that a
/// call is checked without asking anybody, and a removal finds what it has to end. Thread-safe.
/// Tasks without a group never come here.
///
/// Invariant: a task that was noted and whose first result is pending is in the list of its group.
class group_book {
public:
  /// A task by its id, as its results are found in the object table by it.
  struct noted_task {
    task_id id;
    std::uint32_t return_count = 0;
  };

  void add(group_id group, std::size_t bundles) {
    std::lock_guard guard(mutex_);
    groups_.try_emplace(group).first->second.bundles = bundles;
  }

  /// Nothing for a group that was not added.
  std::optional<std::size_t> bundles(group_id group) const {
    std::lock_guard guard(mutex_);
    auto found = groups_.find(group);
    return found == groups_.end() ? std::nullopt : std::optional(found->second.bundles);
  }

  /// Before the task is submitted.
  void note(const task_spec& spec) {
    std::lock_guard guard(mutex_);
    auto found = groups_.find(spec.opts().group);
    if (found == groups_.end() || found->second.removed)
      return;
    auto& tasks = found->second.tasks;
    if (tasks.size() >= found->second.purge_at) {
      std::erase_if(tasks, [](const noted_task& x) { return !is_pending(x.id); });
      found->second.purge_at = std::max(least_purge, 2 * tasks.size());
    }
    tasks.push_back({spec.id, spec.return_count});
  }

  /// The tasks of a group that is removed; of later ones nobody needs to know.
  std::vector<noted_task> close(group_id group) {
    std::lock_guard guard(mutex_);
    auto found = groups_.find(group);
    if (found == groups_.end())
      return {};
    found->second.removed = true;
    return std::exchange(found->second.tasks, {});
  }

private:
  static constexpr std::size_t least_purge = 1024;

  struct group {
    std::size_t bundles = 0;
    bool removed = false;
    std::vector<noted_task> tasks;
    /// Size of `tasks` at which those that have ended are taken out.
    std::size_t purge_at = least_purge;
  };

  /// A pending task holds its results, so they are in the table.
  static bool is_pending(task_id id) {
    auto first = object_table::instance().find(result_of(id, 1));
    return first && first->pending();
  }

  mutable std::mutex mutex_;
  std::unordered_map<group_id, group> groups_;
};

} // namespace caf_ray
