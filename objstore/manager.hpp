#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "gcs/types/limits.hpp"
#include "objstore/actors.hpp"
#include "objstore/store.hpp"

/// The object manager: keeps some memory free before anybody has to wait for it, and says what is
/// in the store.
namespace caf_ray::objstore {

/// Entries of one listing; it travels in a control message.
inline constexpr std::uint32_t max_listed_objects = 10'000;
static_assert(max_listed_objects * sizeof(object_info) < max_control_message_bytes);

struct manager_options {
  /// Required. Shared with the actor, which ends when its system says so.
  std::shared_ptr<store> objects;
  /// Parts of the capacity. In use above the high mark: spill in the background until the low one.
  double high_mark = 0.8;
  double low_mark = 0.6;
  /// Written between two looks at the mailbox.
  std::size_t step_bytes = 64 * 1024 * 1024;
  /// Between looks at the marks.
  std::chrono::milliseconds check_interval{100};
  /// Between calls of `report`; a multiple of the above.
  std::chrono::milliseconds report_interval{1000};
  /// Called on the actor's thread with what the store is now; must not block. May be empty.
  std::function<void(const store_stats&)> report;
};

/// Invariant: a spill message is on its way exactly when `spilling`.
struct manager_state {
  static inline const char* name = "object-manager";

  void tick();
  void spill();
  std::vector<object_info> largest(std::uint32_t count) const;

  manager_actor::stateful_pointer<manager_state> self = nullptr;
  manager_options options;
  bool spilling = false;
  /// Until the next report.
  std::chrono::milliseconds report_in{0};

private:
  std::size_t mark_bytes(const store_stats& stats, double mark) const;
};

/// At start: reports at once, then watches the marks. At exit: drops its share of the store. It has
/// no peers. Spawn it in the shared scheduler: spilling happens inside a `blocking_scope`. Quits at
/// once with invalid_argument's text when the options make no sense.
manager_actor::behavior_type manager(manager_actor::stateful_pointer<manager_state> self,
                                     manager_options options);

} // namespace caf_ray::objstore
