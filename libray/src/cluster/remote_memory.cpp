#include "libray/src/cluster/remote_memory.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

#include <sys/mman.h>
#include <sys/stat.h>

#include "gcs/blocking.hpp"

namespace caf_ray::cluster {

using objstore::pin_block;

result<remote_memory*> remote_memory::map(int descriptor, asker ask) {
  struct stat info {};
  if (fstat(descriptor, &info) != 0)
    return fail(errc::io_failed, std::string("the node's object memory: ") + std::strerror(errno));
  auto size = static_cast<std::size_t>(info.st_size);
  auto base = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (base == MAP_FAILED)
    return fail(errc::io_failed, "cannot map the node's object memory of " + std::to_string(size)
                                   + " bytes: " + std::strerror(errno));
  return new remote_memory(static_cast<std::byte*>(base), size, std::move(ask));
}

remote_memory::remote_memory(std::byte* base, std::size_t size_bytes, asker ask)
  : base_(base), size_bytes_(size_bytes), ask_(std::move(ask)) {}

remote_memory::~remote_memory() {
  munmap(base_, size_bytes_);
}

template <class Ask>
result<remote_memory::answer> remote_memory::inquire(questions& all, object_id id,
                                                     std::chrono::milliseconds patience, Ask ask) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  {
    lock_type lock(mutex_);
    if (closed_.code != errc::none)
      return tl::unexpected(closed_);
    ++all[id].waiting;
  }
  ask();
  blocking_scope scope;
  lock_type lock(mutex_);
  auto is_over = [&] { return !all[id].answers.empty() || closed_.code != errc::none; };
  bool in_time = answered_.wait_until(lock, deadline, is_over);
  auto at = all.find(id);
  auto& question = at->second;
  --question.waiting;
  result<answer> outcome = tl::unexpected(closed_);
  if (!question.answers.empty()) {
    outcome = std::move(question.answers.back());
    question.answers.pop_back();
  } else if (in_time == false) {
    outcome = fail(errc::timed_out,
                   "the node has not answered within " + std::to_string(patience.count()) + " ms");
  }
  if (question.waiting == 0)
    all.erase(at);
  if (outcome && outcome->failure.code != errc::none)
    return tl::unexpected(std::move(outcome->failure));
  return outcome;
}

bool remote_memory::deliver(questions& all, object_id id, answer a) {
  lock_type lock(mutex_);
  auto at = all.find(id);
  if (at == all.end() || at->second.answers.size() >= at->second.waiting)
    return false;
  if (a.failure.code == errc::none
      && (a.offset_bytes > size_bytes_ || a.size_bytes > size_bytes_ - a.offset_bytes))
    a.failure = {errc::corrupt, "object " + to_string(id) + " lies outside the memory of its node"};
  at->second.answers.push_back(std::move(a));
  answered_.notify_all();
  return true;
}

void remote_memory::created(const created_op& op) {
  if (!deliver(creating_, op.object, {op.failure, op.offset_bytes, op.size_bytes})
      && op.failure.code == errc::none)
    ask_.abort({op.object});
}

void remote_memory::pinned(const pinned_op& op) {
  if (!deliver(pinning_, op.object, {op.failure, op.offset_bytes, op.size_bytes})
      && op.failure.code == errc::none)
    ask_.unpin({op.object, 1});
}

result<objstore::writable> remote_memory::create(object_id id, std::size_t size_bytes,
                                                 std::chrono::milliseconds patience) {
  auto place = inquire(creating_, id, patience, [&] { ask_.create({id, size_bytes}); });
  if (!place)
    return tl::unexpected(std::move(place.error()));
  return objstore::writable(new_block(id, *place));
}

result<objstore::pinned> remote_memory::read(object_id id, std::chrono::milliseconds patience) {
  auto place = inquire(pinning_, id, patience, [&] { ask_.pin({id}); });
  if (!place)
    return tl::unexpected(std::move(place.error()));
  return objstore::pinned(new_block(id, *place));
}

pin_block* remote_memory::new_block(object_id id, const answer& place) {
  auto block = new pin_block;
  block->references.store(1, std::memory_order_relaxed);
  block->data = base_ + place.offset_bytes;
  block->size_bytes = place.size_bytes;
  block->id = id;
  block->owner = this;
  lock_type lock(mutex_);
  ++handle_count_;
  return block;
}

void remote_memory::close(error why) {
  lock_type lock(mutex_);
  if (closed_.code == errc::none)
    closed_ = std::move(why);
  answered_.notify_all();
}

void remote_memory::abandon() {
  bool last;
  {
    lock_type lock(mutex_);
    abandoned_ = true;
    last = handle_count_ == 0;
  }
  if (last)
    delete this;
}

template <class Tell>
void remote_memory::drop(pin_block* block, Tell tell) noexcept {
  delete block;
  bool last, silent;
  {
    lock_type lock(mutex_);
    silent = abandoned_;
    last = --handle_count_ == 0 && abandoned_;
  }
  if (!silent)
    tell();
  if (last)
    delete this;
}

/// The writer's block goes on as a reader's: the node keeps a pin for it.
void remote_memory::seal(pin_block* block) noexcept {
  lock_type lock(mutex_);
  if (abandoned_)
    return;
  lock.unlock();
  ask_.seal({block->id});
}

void remote_memory::abort(pin_block* block) noexcept {
  drop(block, [this, id = block->id] { ask_.abort({id}); });
}

void remote_memory::unpin(pin_block* block) noexcept {
  drop(block, [this, id = block->id] { ask_.unpin({id, 1}); });
}

} // namespace caf_ray::cluster
