#include "objstore/store_core.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "gcs/blocking.hpp"

namespace caf_ray::objstore {

namespace {

constexpr std::size_t block_page_count = 64;

constexpr std::size_t first_step_bytes = 4 * 1024 * 1024;

std::string describe(object_id id) {
  return "object " + to_string(id);
}

} // namespace

store_core::store_core(store_options options, std::unique_ptr<arena> memory)
  : options_(std::move(options)), arena_(std::move(memory)),
    disk_(std::make_shared<spill_folder>(
      spill_folder::options{options_.spill_directory, options_.spill_limit_bytes})),
    next_step_bytes_(std::min(first_step_bytes, options_.commit_step_bytes)) {
  if (options_.prefault_bytes > arena_->committed_bytes())
    prefaulter_ = std::thread{[this] { prefault(); }};
}

store_core::clock::time_point store_core::after(std::chrono::milliseconds wait) {
  constexpr std::chrono::milliseconds most = std::chrono::hours(24 * 365);
  return clock::now() + std::min(wait, most);
}

error store_core::shut_down_error() {
  return {errc::shut_down, "the object store was closed"};
}

error store_core::cancelled_error() {
  return {errc::cancelled, "the wait for the object store was cancelled"};
}

void store_core::wake_all() {
  for (auto* waiter : queue_)
    waiter->wake.notify_one();
  for (auto& condition : changes_)
    condition.notify_all();
}

// -- calls of the store -------------------------------------------------------------------------

result<pin_block*> store_core::create(object_id id, std::size_t size_bytes,
                                      std::chrono::milliseconds wait, std::stop_token stop) {
  if (size_bytes > arena_->largest_bytes())
    return fail(errc::store_full, describe(id) + " of " + std::to_string(size_bytes)
                                    + " bytes is larger than the object store of "
                                    + std::to_string(arena_->capacity_bytes()));
  std::stop_callback stopping{stop, waker{this}};
  lock_type lock{mutex_};
  if (closed_)
    return tl::unexpected{shut_down_error()};
  auto at = table_.insert(id, size_bytes);
  if (!at)
    return fail(errc::already_exists, describe(id) + " exists already");
  auto offset = allocate_now(size_bytes);
  if (!offset) {
    auto waited = queue_for(lock, size_bytes, after(wait), stop);
    if (!waited) {
      free(table_.abort(*at));
      announce(id);
      finish(lock);
      return tl::unexpected{std::move(waited).error()};
    }
    offset = *waited;
  }
  table_.place(*at, *offset);
  ++totals_.created_total;
  return new_block(*at);
}

result<pin_block*> store_core::get(object_id id, std::chrono::milliseconds wait,
                                   std::stop_token stop) {
  std::optional<clock::time_point> deadline;
  std::stop_callback stopping{stop, waker{this}};
  lock_type lock{mutex_};
  for (;;) {
    auto at = table_.find(id);
    if (!at)
      return fail(errc::not_found, describe(id) + " is not in the object store");
    auto state = table_.state(*at);
    if (state == object_state::sealed || state == object_state::spilling) {
      table_.pin(*at);
      return new_block(*at);
    }
    if (closed_)
      return tl::unexpected{shut_down_error()};
    if (stop.stop_requested())
      return tl::unexpected{cancelled_error()};
    if (!deadline)
      deadline = after(wait);
    if (state == object_state::spilled) {
      auto restored = restore(lock, *at, *deadline, stop);
      auto block = restored ? new_block(*at) : nullptr;
      announce(id);
      finish(lock);
      if (!restored)
        return tl::unexpected{std::move(restored).error()};
      return block;
    }
    blocking_scope waiting;
    ++watching_count_;
    auto status = changes_of(id).wait_until(lock, *deadline);
    --watching_count_;
    if (status == std::cv_status::timeout && table_.find(id) == at && table_.state(*at) == state)
      return fail(errc::timed_out, describe(id) + " was not sealed in time");
  }
}

pin_block* store_core::try_get(object_id id) {
  lock_type lock{mutex_};
  auto at = table_.find(id);
  if (!at)
    return nullptr;
  auto state = table_.state(*at);
  if (state != object_state::sealed && state != object_state::spilling)
    return nullptr;
  table_.pin(*at);
  return new_block(*at);
}

std::optional<object_state> store_core::state(object_id id) const {
  lock_type lock{mutex_};
  auto at = table_.find(id);
  if (!at)
    return std::nullopt;
  return table_.state(*at);
}

void store_core::erase(object_id id) {
  lock_type lock{mutex_};
  auto at = table_.find(id);
  if (!at)
    return;
  free(table_.erase(*at));
  announce(id);
  finish(lock);
}

result<std::size_t> store_core::spill_down_to(std::size_t target_bytes, std::size_t limit_bytes) {
  blocking_scope waiting;
  std::size_t done = 0;
  lock_type lock{mutex_};
  while (!closed_ && !spilling_ && done < limit_bytes && arena_->used_bytes() > target_bytes) {
    auto need = std::min(
      {arena_->used_bytes() - target_bytes, limit_bytes - done, options_.spill_batch_bytes});
    auto made = make_room(lock, need);
    if (!made)
      return tl::unexpected{std::move(made).error()};
    if (*made == 0 && disk_error_)
      return tl::unexpected{*disk_error_};
    if (*made == 0)
      break;
    done += *made;
  }
  auto closed = closed_;
  finish(lock);
  if (closed)
    return tl::unexpected{shut_down_error()};
  return done;
}

void store_core::close() {
  lock_type lock{mutex_};
  closed_ = true;
  wake_all();
  extended_.notify_all();
}

store_stats store_core::stats() const {
  lock_type lock{mutex_};
  auto result = totals_;
  const auto& sums = table_.totals();
  result.capacity_bytes = arena_->capacity_bytes();
  result.committed_bytes = arena_->committed_bytes();
  result.used_bytes = arena_->used_bytes();
  result.memory_bytes = sums.memory_bytes;
  result.pinned_bytes = sums.pinned_bytes;
  result.spilled_bytes = sums.spilled_bytes;
  result.spill_file_bytes = disk_->file_bytes();
  result.object_count = sums.object_count;
  result.pinned_count = sums.pinned_count;
  result.spilled_count = sums.spilled_count;
  result.waiting_count = queue_.size();
  result.spill_writes_total = disk_->write_count();
  result.disk_error = disk_error_ ? disk_error_->what : std::string{};
  return result;
}

std::vector<object_info> store_core::objects() const {
  lock_type lock{mutex_};
  return table_.list();
}

void store_core::abandon() {
  close();
  if (prefaulter_.joinable())
    prefaulter_.join();
  lock_type lock{mutex_};
  auto disk = std::exchange(disk_, nullptr);
  dead_copies_.clear();
  lock.unlock();
  disk.reset();
  lock.lock();
  abandoned_ = true;
  finish(lock);
}

// -- calls of the handles -----------------------------------------------------------------------

void store_core::seal(pin_block* block) noexcept {
  lock_type lock{mutex_};
  table_.seal(block->slot);
  announce(block->id);
}

void store_core::abort(pin_block* block) noexcept {
  lock_type lock{mutex_};
  auto id = block->id;
  free(table_.abort(block->slot));
  recycle(block);
  announce(id);
  finish(lock);
}

void store_core::unpin(pin_block* block) noexcept {
  lock_type lock{mutex_};
  free(table_.unpin(block->slot));
  recycle(block);
  wake_front();
  finish(lock);
}

result<void> store_core::restore(lock_type& lock, slot at, clock::time_point deadline,
                                 const std::stop_token& stop) {
  auto size_bytes = table_.size_bytes(at);
  auto copy = table_.disk(at);
  table_.begin_restore(at);
  auto offset = allocate_now(size_bytes);
  if (!offset) {
    auto waited = queue_for(lock, size_bytes, deadline, stop);
    if (!waited) {
      free(table_.finish_restore(at, false));
      return tl::unexpected{std::move(waited).error()};
    }
    offset = *waited;
  }
  table_.place(at, *offset);
  lock.unlock();
  auto read = disk_->read(copy, {arena_->base() + *offset, size_bytes});
  lock.lock();
  auto gone = table_.erased(at);
  if (read && !gone) {
    free(table_.finish_restore(at, true));
    totals_.restored_bytes_total += size_bytes;
    return {};
  }
  if (!read && read.error().code == errc::corrupt && !gone)
    free(table_.erase(at));
  auto id = table_.id(at);
  free(table_.finish_restore(at, false));
  if (gone)
    return fail(errc::not_found, describe(id) + " was erased while it was read back");
  return tl::unexpected{error{read.error().code, describe(id) + ": " + read.error().what}};
}

// -- handles and ends ---------------------------------------------------------------------------

pin_block* store_core::new_block(slot at) {
  if (free_blocks_.empty()) {
    auto& page = block_pages_.emplace_back(std::make_unique<pin_block[]>(block_page_count));
    for (std::size_t i = 0; i < block_page_count; ++i)
      free_blocks_.push_back(&page[i]);
  }
  auto block = free_blocks_.back();
  free_blocks_.pop_back();
  ++handle_count_;
  block->references.store(1, std::memory_order_relaxed);
  block->slot = at;
  block->data = arena_->base() + table_.offset_bytes(at);
  block->size_bytes = table_.size_bytes(at);
  block->id = table_.id(at);
  block->owner = this;
  return block;
}

void store_core::recycle(pin_block* block) {
  free_blocks_.push_back(block);
  --handle_count_;
}

void store_core::free(const leavings& rest) {
  if (rest.disk.file != 0 && disk_)
    dead_copies_.push_back(rest.disk);
  if (rest.offset_bytes == no_offset)
    return;
  arena_->deallocate(rest.offset_bytes);
  if (!queue_.empty())
    serve();
}

void store_core::announce(object_id id) {
  if (watching_count_ > 0)
    changes_of(id).notify_all();
}

std::condition_variable& store_core::changes_of(object_id id) {
  return changes_[std::hash<object_id>{}(id) % change_count];
}

void store_core::finish(lock_type& lock) {
  auto last = abandoned_ && handle_count_ == 0;
  std::vector<disk_copy> dead;
  std::shared_ptr<spill_folder> disk;
  if (!dead_copies_.empty()) {
    dead.swap(dead_copies_);
    disk = disk_;
  }
  lock.unlock();
  for (const auto& copy : dead)
    disk->release(copy);
  if (last)
    delete this;
}

} // namespace caf_ray::objstore
