#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "gcs/types/task_spec.hpp"

namespace caf_ray {

/// A task on its way through one process: the spec and how far it has come. Created by who submits
/// (libray derives from it and adds the futures), passed on by pointer, never copied.
///
///   waiting for inputs -> ready -> dispatched -> running -> done
///
/// `claim` decides who runs it: the executor that got it, a thread that waits for its result and
/// runs it in place, or a cancel that makes sure nobody does. Whoever turns the claim wins.
struct scheduled_task {
  enum class claim_state : std::uint8_t { free, taken, cancelled };

  task_spec spec;
  /// How often it has been started before.
  std::uint32_t attempt = 0;
  /// Inputs that are not on this node yet. Owned by the local scheduler, which also marks here
  /// where the task stands when it misses none.
  std::uint32_t missing = 0;
  std::atomic<claim_state> claim{claim_state::free};
  /// A global scheduler has chosen this node: only if it cannot run here does it go up (again).
  bool placed = false;
  /// Set by the local scheduler once its resources are held for it.
  std::atomic<bool> dispatched{false};

  virtual ~scheduled_task() = default;

  /// True for the one caller that may run it (or, with `cancelled`, may declare it never ran).
  bool try_claim(claim_state as = claim_state::taken) noexcept {
    auto expected = claim_state::free;
    return claim.compare_exchange_strong(expected, as, std::memory_order_acq_rel);
  }
};

using task_ptr = std::shared_ptr<scheduled_task>;

} // namespace caf_ray
