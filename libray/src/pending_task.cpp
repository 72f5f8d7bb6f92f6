#include "libray/src/pending_task.hpp"

#include <array>
#include <mutex>
#include <utility>

#include "libray/src/actor_entry.hpp"

namespace caf_ray {

namespace {

struct alignas(64) padded_mutex {
  std::mutex mutex;
};

/// One lock of a small pool, the same for the same task: a million tasks may be queued. Innermost:
/// nothing is released or called under it.
std::mutex& lock_of(const pending_task& task) noexcept {
  static std::array<padded_mutex, 256> pool;
  return pool[std::hash<task_id>{}(task.spec.id) >> 56].mutex;
}

} // namespace

pending_task::~pending_task() {
  if (actor)
    ray::internal::Release(actor);
}

void pending_task::let_go() {
  // Their destructors may end other objects and tasks: outside the lock.
  std::vector<EntryPtr> old_inputs, old_contained, old_results;
  std::lock_guard guard(lock_of(*this));
  old_inputs.swap(inputs);
  old_contained.swap(contained);
  old_results.swap(results);
}

void pending_task::take_over(pending_task& failed) {
  {
    std::lock_guard guard(lock_of(failed)); // the same lock as this one's: ids are equal
    inputs = std::exchange(failed.inputs, {});
    contained = std::exchange(failed.contained, {});
    results = std::exchange(failed.results, {});
  }
  live_results.store(failed.live_results.load());
}

bool pending_task::inputs_ready() const {
  std::lock_guard guard(lock_of(*this));
  for (auto& input : inputs)
    if (input->pending())
      return false;
  return true;
}

} // namespace caf_ray
