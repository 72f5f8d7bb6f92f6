#include "objstore/store_core.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "gcs/blocking.hpp"

/// The part of store_core that finds space: the arena's growth, eviction and spilling, and the
/// queue of those who wait for it.
namespace caf_ray::objstore {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t smallest_step_bytes = 1024 * 1024;
constexpr std::size_t prefault_step_bytes = 16 * 1024 * 1024;

/// How soon a system or disk that had no space is asked again.
constexpr auto retry_interval = 100ms;

} // namespace

std::optional<std::size_t> store_core::allocate_now(std::size_t size_bytes) {
  if (!queue_.empty())
    return std::nullopt;
  return arena_->allocate(size_bytes);
}

result<std::size_t> store_core::queue_for(lock_type& lock, std::size_t size_bytes,
                                          clock::time_point deadline, const std::stop_token& stop) {
  blocking_scope waiting;
  waiter self{size_bytes, {}, {}};
  auto place = queue_.insert(queue_.end(), &self);
  auto leave = [&](error why) -> result<std::size_t> {
    if (self.granted)
      return *self.granted;
    auto was_front = place == queue_.begin();
    queue_.erase(place);
    if (was_front) {
      stuck_ = false;
      serve();
      wake_front();
    }
    return tl::unexpected{std::move(why)};
  };
  if (stuck_)
    serve();
  bool patient = true;
  while (!self.granted) {
    if (closed_)
      return leave(shut_down_error());
    if (stop.stop_requested())
      return leave(cancelled_error());
    auto until = deadline;
    if (queue_.front() == &self) {
      auto did = work(lock, size_bytes);
      if (!did)
        return leave(std::move(did).error());
      if (self.granted || *did == outcome::extended)
        continue;
      if (*did == outcome::nothing) {
        stuck_ = true;
        serve();
        if (disk_error_ && std::exchange(patient, false))
          deadline = std::min(deadline, after(options_.disk_full_patience));
        if (disk_error_ || memory_error_)
          until = std::min(deadline, after(retry_interval));
      }
      if (clock::now() >= deadline)
        return leave(why_full(size_bytes));
      if (*did == outcome::made_room)
        continue;
    }
    auto status = self.wake.wait_until(lock, until);
    if (status == std::cv_status::timeout && clock::now() >= deadline)
      return leave(why_full(size_bytes));
  }
  return *self.granted;
}

result<store_core::outcome> store_core::work(lock_type& lock, std::size_t size_bytes) {
  if (extending_)
    return outcome::busy;
  if (arena_->committed_bytes() < arena_->capacity_bytes() && clock::now() >= next_extension_)
    return extend_arena(lock, next_step_bytes_) ? outcome::extended : outcome::made_room;
  if (spilling_)
    return outcome::busy;
  // Free bytes that do not help lie in pieces: then make room as if there were none.
  auto free_bytes = arena_->committed_bytes() - arena_->used_bytes();
  auto need = size_bytes > free_bytes ? size_bytes - free_bytes
                                      : std::min(size_bytes, options_.spill_batch_bytes);
  auto made = make_room(lock, std::max<std::size_t>(need, 1));
  if (!made)
    return tl::unexpected{std::move(made).error()};
  return *made > 0 ? outcome::made_room : outcome::nothing;
}

error store_core::why_full(std::size_t size_bytes) const {
  const auto& sums = table_.totals();
  auto text = "no space for " + std::to_string(size_bytes) + " bytes in an object store of "
              + std::to_string(arena_->capacity_bytes()) + ": " + std::to_string(sums.memory_bytes)
              + " hold objects, " + std::to_string(sums.pinned_bytes) + " of them in use";
  if (memory_error_)
    text += "; " + memory_error_->what;
  if (disk_error_)
    text += "; " + disk_error_->what;
  return {errc::store_full, std::move(text)};
}

bool store_core::extend_arena(lock_type& lock, std::size_t step_bytes) {
  extending_ = true;
  lock.unlock();
  auto came = arena_->extend(step_bytes);
  lock.lock();
  extending_ = false;
  if (came) {
    arena_->adopt(*came);
    memory_error_.reset();
    next_step_bytes_ = std::min(2 * next_step_bytes_, options_.commit_step_bytes);
  } else if (step_bytes > smallest_step_bytes) {
    next_step_bytes_ = std::max(step_bytes / 2, smallest_step_bytes);
  } else {
    memory_error_ = std::move(came).error();
    next_extension_ = after(retry_interval);
  }
  extended_.notify_all();
  serve();
  wake_front();
  return came.has_value();
}

result<std::size_t> store_core::make_room(lock_type& lock, std::size_t need_bytes) {
  auto ask_disk = !disk_error_ || clock::now() >= next_spill_;
  if (ask_disk || !table_.has_victims())
    disk_error_.reset();
  auto batch =
    std::max(need_bytes, std::min(options_.spill_batch_bytes, arena_->capacity_bytes() / 8));
  auto room = choose_victims(need_bytes, batch, ask_disk ? disk_->budget_bytes() : 0);
  if (!room.to_spill.empty()) {
    auto spilled = spill(lock, room);
    if (spilled)
      return room.size_bytes;
    if (spilled.error().code != errc::store_full)
      return tl::unexpected{std::move(spilled).error()};
    disk_error_ = std::move(spilled).error();
    next_spill_ = after(retry_interval);
    return choose_victims(need_bytes, 0, 0).size_bytes;
  }
  if (room.size_bytes == 0 && ask_disk && table_.has_victims() && options_.spill_limit_bytes > 0) {
    disk_error_ =
      error{errc::store_full, "the spill limit of " + std::to_string(options_.spill_limit_bytes)
                                + " bytes is reached"};
    next_spill_ = after(retry_interval);
  }
  return room.size_bytes;
}

object_table::room store_core::choose_victims(std::size_t need_bytes, std::size_t batch_bytes,
                                              std::uint64_t spill_budget_bytes) {
  auto room = table_.make_room(need_bytes, batch_bytes, spill_budget_bytes);
  totals_.evicted_total += room.evicted.size();
  for (const auto& rest : room.evicted)
    free(rest);
  return room;
}

result<void> store_core::spill(lock_type& lock, const object_table::room& victims) {
  std::vector<std::span<const std::byte>> blocks;
  blocks.reserve(victims.to_spill.size());
  for (auto at : victims.to_spill)
    blocks.emplace_back(arena_->base() + table_.offset_bytes(at), table_.size_bytes(at));
  spilling_ = true;
  lock.unlock();
  auto copies = disk_->write(blocks);
  lock.lock();
  spilling_ = false;
  auto count = copies ? copies->size() : 0;
  // Backwards: those not written go back to the old end of the use list, the oldest last.
  for (auto i = victims.to_spill.size(); i-- > 0;) {
    auto at = victims.to_spill[i];
    if (i < count)
      totals_.spilled_bytes_total += table_.size_bytes(at);
    free(table_.finish_spill(at, i < count ? &(*copies)[i] : nullptr));
  }
  serve();
  wake_front();
  if (!copies)
    return tl::unexpected{std::move(copies).error()};
  return {};
}

void store_core::serve() {
  bool moved = false;
  while (!queue_.empty()) {
    auto offset = arena_->allocate(queue_.front()->size_bytes);
    if (!offset)
      break;
    grant(queue_.begin(), *offset);
    moved = true;
  }
  if (moved || !stuck_ || queue_.empty()) {
    if (moved)
      wake_front();
    return;
  }
  auto too_large = queue_.front()->size_bytes;
  for (auto i = std::next(queue_.begin()); i != queue_.end();) {
    auto at = i++;
    if ((*at)->size_bytes >= too_large)
      continue;
    if (auto offset = arena_->allocate((*at)->size_bytes))
      grant(at, *offset);
    else
      too_large = (*at)->size_bytes;
  }
}

void store_core::grant(std::list<waiter*>::iterator at, std::size_t offset_bytes) {
  (*at)->granted = offset_bytes;
  (*at)->wake.notify_one();
  queue_.erase(at);
}

void store_core::wake_front() {
  stuck_ = false;
  if (!queue_.empty())
    queue_.front()->wake.notify_one();
}

void store_core::prefault() {
  lock_type lock{mutex_};
  auto target = std::min(options_.prefault_bytes, arena_->capacity_bytes());
  while (!closed_ && !memory_error_ && arena_->committed_bytes() < target) {
    if (extending_)
      extended_.wait(lock);
    else
      extend_arena(lock, std::min({prefault_step_bytes, options_.commit_step_bytes,
                                   target - arena_->committed_bytes()}));
  }
}

} // namespace caf_ray::objstore
