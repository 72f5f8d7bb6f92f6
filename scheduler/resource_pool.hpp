#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gcs/types/placement.hpp"
#include "gcs/types/resources.hpp"
#include "gcs/types/task_spec.hpp"

/// What a node offers, what of it is set aside for placement groups, and what is in use.
namespace caf_ray::scheduler {

/// What a task needs in order to run: amounts, and from where.
struct demand {
  resource_set resources;
  /// Nil: from the node itself.
  group_id group;
  /// Bundle of the group; -1: any of its bundles on this node.
  std::int32_t bundle = -1;

  bool operator==(const demand&) const = default;
  /// True when the two may take from the same amounts.
  bool competes_with(const demand& other) const noexcept {
    return group == other.group
           && (!group || bundle == other.bundle || bundle < 0 || other.bundle < 0);
  }
};

inline demand demand_of(const task_spec& spec) {
  auto& options = spec.opts();
  return {options.resources, options.group, options.group ? options.bundle : -1};
}

/// Total and available amounts of a node and of the bundles set aside from it. Pure.
///
/// Invariant: what the node has = available + what tasks hold + what bundles were given; likewise
/// for a bundle. Available never falls below zero, with one exception: the CPU of a task that
/// waits is lent to others, and taken back at once when it goes on.
class resource_pool {
public:
  /// What one task holds. Comes from `acquire`, ends with `release`.
  struct lease {
    group_id group;
    std::int32_t bundle = -1;
    /// Tells a bundle from a later one of the same name; 0: from the node.
    std::uint64_t serial = 0;
    /// Held by an actor for its life, so nobody may count on its return.
    bool lasting = false;
    /// The CPU is lent out.
    bool lent = false;
  };

  explicit resource_pool(resource_set total = {});

  const resource_set& total() const noexcept { return node_.total; }
  /// What nobody holds and no bundle was given.
  const resource_set& available() const noexcept { return node_.available; }

  /// Could be satisfied here if all else were idle.
  bool feasible(const demand& need) const;
  /// Grows whenever `feasible` may have another answer.
  std::uint64_t generation() const noexcept { return generation_; }
  /// Grows whenever `acquire` may succeed where it did not before.
  std::uint64_t freed() const noexcept { return freed_; }

  /// Nothing when some amount is lacking now.
  std::optional<lease> acquire(const demand& need, bool lasting);
  /// `amounts` are those of the demand that was acquired; likewise below.
  void release(const resource_set& amounts, const lease& held);
  /// The holder waits: others may use its CPU.
  void lend(const resource_set& amounts, lease& held);
  /// The holder goes on: its CPU is in use again, even below zero.
  void take_back(const resource_set& amounts, lease& held);

  /// Bit i: too little is available now of the i-th of the amounts, of the first 64.
  std::uint64_t lacking(const demand& need) const;
  /// True when `need` would fit once the tasks that now run, and do not wait, have ended.
  bool will_fit(const demand& need) const;
  /// "CPU: 2 of 2 in use, 1 needed" for what is lacking, of the node or of each bundle that comes
  /// into question; empty when nothing is lacking.
  std::string explain(const demand& need) const;

  /// Sets all bundles aside or none; false: not enough is available. Indices that the group
  /// already has here are left as they are.
  bool prepare(group_id group, const std::vector<bundle_request>& bundles);
  /// Tasks may use the bundles from now on; false: the group has none here.
  bool commit(group_id group);
  /// Gives the bundles back that are not committed.
  void abort(group_id group);
  /// Gives all bundles back. What tasks hold of them goes to the node when they end.
  void remove(group_id group);
  bool has_group(group_id group) const;

private:
  struct part {
    resource_set total;
    resource_set available;
    /// Held by tasks that run, do not wait, and end by themselves.
    resource_set returning;
    std::uint64_t serial = 0;
    bool committed = false;

    bool fits_once_returned(const resource_set& need) const;
  };
  using bundle_key = std::pair<group_id, std::int32_t>;

  /// Calls `visit(key, part)` for each part that may serve `need`, until it returns true.
  template <class Self, class Visit>
  static bool any_part(Self& self, const demand& need, Visit visit);
  part& part_of(const lease& held);
  template <class Predicate>
  void give_back(group_id group, Predicate wanted);

  part node_;
  std::map<bundle_key, part> bundles_;
  std::uint64_t next_serial_ = 1;
  std::uint64_t generation_ = 0;
  std::uint64_t freed_ = 0;
};

} // namespace caf_ray::scheduler
