#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "scheduler/local_queue.hpp"

/// The tasks that a local scheduler handed up.
namespace caf_ray::scheduler {

///   asked --pending--> pending          (asked again when its deadline passes)
///     |  \                |
///     |   +---run_on------+--> sent --taken--> (out of the table)
///     +--run_on this node, never, withdrawn--> (out of the table)
///
/// Pure; time comes in. A replica is a key that the table only compares.
class away_table {
public:
  using time_point = std::chrono::steady_clock::time_point;

  enum class phase : std::uint8_t {
    /// A replica was asked.
    asked,
    /// A replica keeps the request, for `reason`.
    pending,
    /// On its way to `node`.
    sent,
  };

  struct entry {
    numbered_task what;
    phase stage = phase::asked;
    /// Who was asked last; null: nobody could be.
    const void* replica = nullptr;
    /// When to ask again; unused while sent.
    time_point deadline;
    node_id node;
    std::string reason;
  };

  bool empty() const noexcept { return entries_.empty(); }
  std::size_t size() const noexcept { return entries_.size(); }

  void add(numbered_task task) {
    auto id = task.task->spec.id;
    entries_[id].what = std::move(task);
  }

  /// Null when absent. Valid until the entry is removed.
  entry* find(task_id task) {
    auto at = entries_.find(task);
    return at == entries_.end() ? nullptr : &at->second;
  }

  /// Removes and returns; the task is null when absent.
  entry take(task_id task) {
    auto node = entries_.extract(task);
    return node ? std::move(node.mapped()) : entry{};
  }

  void asked(task_id task, const void* replica, time_point deadline) {
    auto& x = entries_.at(task);
    x.stage = phase::asked;
    x.replica = replica;
    x.deadline = deadline;
  }

  void pending(task_id task, std::string reason, time_point ask_again) {
    auto& x = entries_.at(task);
    x.stage = phase::pending;
    x.reason = std::move(reason);
    x.deadline = ask_again;
  }

  void sent(task_id task, node_id node) {
    auto& x = entries_.at(task);
    x.stage = phase::sent;
    x.node = node;
  }

  /// Not sent, and the deadline has passed.
  std::vector<task_id> due(time_point now) const {
    return select([now](const entry& x) { return x.stage != phase::sent && x.deadline <= now; });
  }
  /// Not sent, and this replica was asked last.
  std::vector<task_id> asked_of(const void* replica) const {
    return select(
      [replica](const entry& x) { return x.stage != phase::sent && x.replica == replica; });
  }
  std::vector<task_id> sent_to(node_id node) const {
    return select([node](const entry& x) { return x.stage == phase::sent && x.node == node; });
  }
  std::vector<task_id> all() const {
    return select([](const entry&) { return true; });
  }

private:
  template <class Predicate>
  std::vector<task_id> select(Predicate wanted) const {
    std::vector<task_id> result;
    for (auto& [id, x] : entries_)
      if (wanted(x))
        result.push_back(id);
    return result;
  }

  std::unordered_map<task_id, entry> entries_;
};

} // namespace caf_ray::scheduler
