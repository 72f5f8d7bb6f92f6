#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "objstore/arena.hpp"
#include "objstore/object_table.hpp"
#include "objstore/spill.hpp"
#include "objstore/store.hpp"

namespace caf_ray::objstore {

/// What is behind `store` and behind every handle. Ends with whichever of them is last.
///
/// One lock over table and arena; it is never held across system calls that can wait. Threads that
/// lack space stand in a queue. The one in front works for its space: it extends the arena, then
/// evicts and spills; one thread does either at a time. Whoever frees memory serves the queue, in
/// order, and allocates for those it wakes, so nobody can take what was freed for another. Only
/// when the front can do nothing (all is pinned or the disk is full) are those behind it served
/// too if they fit: they may hold the pins that the front waits for.
class store_core final : public block_owner {
public:
  using clock = std::chrono::steady_clock;
  using slot = object_table::slot;

  store_core(store_options options, std::unique_ptr<arena> memory);

  result<pin_block*> create(object_id id, std::size_t size_bytes, std::chrono::milliseconds wait,
                            std::stop_token stop = {});
  result<pin_block*> get(object_id id, std::chrono::milliseconds wait, std::stop_token stop = {});
  pin_block* try_get(object_id id);
  std::optional<object_state> state(object_id id) const;
  void erase(object_id id);
  result<std::size_t> spill_down_to(std::size_t target_bytes, std::size_t limit_bytes);
  void close();
  store_stats stats() const;
  std::vector<object_info> objects() const;
  /// Its base and descriptor never change.
  const arena& memory() const noexcept { return *arena_; }

  void seal(pin_block* block) noexcept override;
  void abort(pin_block* block) noexcept override;
  void unpin(pin_block* block) noexcept override;

  /// The store is gone: no calls but those of handles from now on. Deletes itself with the last.
  void abandon();

private:
  using lock_type = std::unique_lock<std::mutex>;

  /// What a stop request does to whoever waits. The callback must be made before the lock is taken
  /// and destroyed after it was given back: its end waits for this call, and this for the lock.
  struct waker {
    store_core* core;
    void operator()() const {
      lock_type lock{core->mutex_};
      core->wake_all();
    }
  };

  /// A thread in the queue; lives on its stack.
  struct waiter {
    std::size_t size_bytes;
    std::condition_variable wake;
    std::optional<std::size_t> granted;
  };

  // -- space: store_space.cpp

  /// What the one in front could do for itself just now.
  enum class outcome { extended, made_room, busy, nothing };

  /// Memory for an object; `queue_for` waits for it.
  std::optional<std::size_t> allocate_now(std::size_t size_bytes);
  result<std::size_t> queue_for(lock_type& lock, std::size_t size_bytes, clock::time_point deadline,
                                const std::stop_token& stop);
  result<outcome> work(lock_type& lock, std::size_t size_bytes);
  error why_full(std::size_t size_bytes) const;

  /// Takes up to `step_bytes` from the system. False if it has none.
  bool extend_arena(lock_type& lock, std::size_t step_bytes);
  /// Evicts and spills about `need_bytes`; returns the bytes it chose. Errors: io_failed; a full
  /// disk is no error but leaves `disk_error_`.
  result<std::size_t> make_room(lock_type& lock, std::size_t need_bytes);
  /// Has the table choose, and frees what it evicts.
  object_table::room choose_victims(std::size_t need_bytes, std::size_t batch_bytes,
                                    std::uint64_t spill_budget_bytes);
  result<void> spill(lock_type& lock, const object_table::room& victims);

  /// Gives free memory to the queue.
  void serve();
  void grant(std::list<waiter*>::iterator at, std::size_t offset_bytes);
  /// There may be something to do for the one in front.
  void wake_front();

  void prefault();

  // -- the rest: store_core.cpp

  /// Reads a spilled object into memory and pins it.
  result<void> restore(lock_type& lock, slot at, clock::time_point deadline,
                       const std::stop_token& stop);

  /// From now; waits of more than a year are one of a year.
  static clock::time_point after(std::chrono::milliseconds wait);
  static error shut_down_error();
  static error cancelled_error();
  /// Has everybody who waits look at what changed.
  void wake_all();

  pin_block* new_block(slot at);
  void recycle(pin_block* block);
  void free(const leavings& rest);
  /// Opens the lock and does what must not be done under it: removes dead copies from the disk,
  /// and this object itself when the store and all handles are gone.
  void finish(lock_type& lock);

  void announce(object_id id);
  std::condition_variable& changes_of(object_id id);

  const store_options options_;
  mutable std::mutex mutex_;
  object_table table_;
  std::unique_ptr<arena> arena_;
  /// Shared with handles that release something while the store ends; null after its end.
  std::shared_ptr<spill_folder> disk_;

  std::list<waiter*> queue_;
  /// The front found nothing to do the last time it tried.
  bool stuck_ = false;
  bool extending_ = false;
  bool spilling_ = false;
  bool closed_ = false;
  bool abandoned_ = false;
  std::size_t next_step_bytes_;
  /// Why system or disk refused, as long as that was their last word, and when to ask again.
  std::optional<error> memory_error_;
  clock::time_point next_extension_{};
  std::optional<error> disk_error_;
  clock::time_point next_spill_{};

  /// Threads in `get` wait here for a writer or restorer, spread by id.
  static constexpr std::size_t change_count = 64;
  std::array<std::condition_variable, change_count> changes_;
  std::size_t watching_count_ = 0;

  /// Disk copies to release once the lock is open.
  std::vector<disk_copy> dead_copies_;
  /// Handles that are out, and those to use again.
  std::size_t handle_count_ = 0;
  std::vector<std::unique_ptr<pin_block[]>> block_pages_;
  std::vector<pin_block*> free_blocks_;

  /// Only the fields that count since the start.
  store_stats totals_;
  /// The arena grew, or could not.
  std::condition_variable extended_;
  std::thread prefaulter_;
};

} // namespace caf_ray::objstore
