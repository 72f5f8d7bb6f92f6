#include "libray/src/runtime.hpp"

#include <condition_variable>
#include <cstring>
#include <thread>
#include <unordered_set>

#include "gcs/types/codec.hpp"
#include "libray/src/exception.hpp"
#include "libray/src/value_memory.hpp"
#include "ray/api/ray_exception.h"

namespace caf_ray {

using namespace std::chrono_literals;
using ray::internal::BytesOwner;
using ray::internal::BytesRef;
using ray::internal::RayException;
using ray::internal::RayTimeoutException;

namespace {

/// A waiting driver looks this long before it sleeps: a sleeping thread costs 28 us to wake.
constexpr auto spin_time = 30us;

/// A full store may take this long to make room (spilling to a slow disk) before Put gives up.
constexpr auto store_patience = std::chrono::minutes(5);

/// An object of the store, pinned while somebody reads it.
class pinned_value final : public BytesOwner {
public:
  explicit pinned_value(objstore::pinned p) : pin(std::move(p)) {}
  objstore::pinned pin;

private:
  ~pinned_value() override = default;
};

/// Memory of the store that is being written.
class unsealed_value final : public BytesOwner {
public:
  explicit unsealed_value(objstore::writable w) : writer(std::move(w)) {}
  objstore::writable writer;

private:
  ~unsealed_value() override = default;
};

/// Counts objects down and wakes its thread at zero.
class countdown {
public:
  explicit countdown(std::size_t count) : remaining_(count) {}

  void arrived() {
    std::lock_guard guard(mutex_);
    if (remaining_ > 0 && --remaining_ == 0)
      done_.notify_one();
  }
  bool wait(int timeout_ms) {
    std::unique_lock guard(mutex_);
    auto is_done = [this] { return remaining_ == 0; };
    if (timeout_ms < 0) {
      done_.wait(guard, is_done);
      return true;
    }
    return done_.wait_for(guard, std::chrono::milliseconds(timeout_ms), is_done);
  }

private:
  std::mutex mutex_;
  std::condition_variable done_;
  std::size_t remaining_;
};

struct counting_listener final : ready_listener {
  countdown* counter = nullptr;
  void on_ready() override { counter->arrived(); }
};

std::string name_of(const ObjectEntry& entry) {
  auto text = "object " + to_string(entry.id);
  std::lock_guard guard(lock_of(entry));
  if (entry.producer)
    text += " of task " + entry.producer->spec.display_name();
  return text;
}

/// Whoever looks again and again with short timeouts shall not keep the scheduler busy with
/// questions; who has waited long can wait a little longer for an answer.
std::chrono::milliseconds why_patience(int timeout_ms) {
  return timeout_ms < 100 ? 0ms : std::min<std::chrono::milliseconds>(timeout_ms * 1ms / 10, 200ms);
}

} // namespace

stored_value runtime::store_value(object_id id, const PackedValue& packed) {
  stored_value value;
  value.size = ray::internal::BlobSize(packed);
  value.contained = packed.contained;
  if (value.size <= inline_value_bytes) {
    auto to = make_value_memory(value.size, !packed.segments.empty(), value.owner);
    ray::internal::WriteBlob(packed, to);
    value.data = to;
    return value;
  }
  if (closed())
    throw_error({errc::shut_down, "ray::Shutdown was called"});
  auto writer = host_->create(id, value.size, store_patience);
  if (!writer && writer.error().code == errc::already_exists) {
    // A task that runs again makes what it made before; what nobody erased is still right.
    value.in_store = true;
    return value;
  }
  if (!writer)
    throw_error(writer.error());
  ray::internal::WriteBlob(packed, reinterpret_cast<char*>(writer->data().data()));
  writer->seal();
  value.in_store = true;
  host_->stored(id, value.size);
  return value;
}

void runtime::drop_value(object_id id, const stored_value& value) {
  if (value.in_store)
    host_->erase(id);
}

EntryPtr runtime::Put(const PackedValue& packed) {
  auto& ctx = context();
  auto id = derive_put(ctx.id, ctx.puts.fetch_add(1, std::memory_order_relaxed));
  if (ctx.task && ctx.task->attempt > 0)
    if (auto earlier = object_table::instance().find(id); earlier && !earlier->pending())
      return earlier;
  auto value = store_value(id, packed);
  auto entry = object_table::instance().insert(id);
  entry->value = std::move(value);
  entry->state.store(ObjectEntry::State::ready, std::memory_order_release);
  return entry;
}

EntryPtr runtime::CreateInPlace(std::size_t size, char*& data) {
  auto& ctx = context();
  auto id = derive_put(ctx.id, ctx.puts.fetch_add(1, std::memory_order_relaxed));
  auto writer = host_->create(id, size, store_patience);
  if (!writer)
    throw_error(writer.error());
  data = reinterpret_cast<char*>(writer->data().data());
  auto entry = object_table::instance().insert(id);
  entry->value.size = size;
  entry->value.owner = BytesRef::Adopt(new unsealed_value(std::move(*writer)));
  entry->value.data = data;
  return entry;
}

void runtime::SealInPlace(ObjectEntry& entry) {
  // The value's owner is the writer: take it out, seal it.
  stored_value value;
  value.size = entry.value.size;
  value.in_store = true;
  auto owner = std::move(entry.value.owner);
  static_cast<unsealed_value*>(owner.get())->writer.seal();
  deliver(entry, std::move(value));
  host_->stored(entry.id, entry.value.size);
}

void runtime::deliver(ObjectEntry& entry, stored_value value) {
  bool watched = false;
  if (!resolve(entry, value, watched)) {
    // Too late: the object has failed (cancelled, its actor killed), nobody will ask for this.
    if (entry.state.load(std::memory_order_acquire) == ObjectEntry::State::failed)
      drop_value(entry.id, value);
    return;
  }
  if (watched)
    host_->tell({scheduler::task_event::kind::object_ready, nullptr, entry.id});
}

void runtime::deliver(ObjectEntry& entry, const error& e) {
  bool watched = false;
  if (resolve(entry, std::make_shared<const error>(e), watched) && watched && !closed())
    host_->tell({scheduler::task_event::kind::object_ready, nullptr, entry.id});
}

void runtime::object_died(ObjectEntry& entry) {
  host_->released(entry);
  if (auto task = std::move(entry.producer)) {
    if (task->live_results.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      task->lineage_unneeded.store(true, std::memory_order_release);
      host_->forget(*task);
    }
  }
}

result<ValueBytes> runtime::try_read(ObjectEntry& entry) {
  if (entry.state.load(std::memory_order_acquire) == ObjectEntry::State::failed)
    return tl::unexpected(*entry.error);
  if (!entry.value.in_store)
    return ValueBytes{entry.value.data, entry.value.size, entry.value.owner};
  auto pin = host_->read(entry.id, store_patience);
  if (!pin)
    return fail(pin.error().code, name_of(entry) + ": " + pin.error().what);
  auto bytes = pin->bytes();
  return ValueBytes{reinterpret_cast<const char*>(bytes.data()), bytes.size(),
                    BytesRef::Adopt(new pinned_value(std::move(*pin)))};
}

ValueBytes runtime::read(ObjectEntry& entry) {
  auto bytes = try_read(entry);
  if (!bytes)
    throw_error(bytes.error());
  return std::move(*bytes);
}

void runtime::block(const std::function<void()>& wait) {
  // Every task of this thread's stack lends its CPU: the one that waits and those below it. The
  // node of a worker hears of all, since it sends another task meanwhile.
  auto tell = [this](scheduler::task_event::kind what) {
    for (auto ctx = task_context::current; ctx; ctx = ctx->below)
      if (ctx->task && ctx->task->dispatched.load(std::memory_order_relaxed)
          && (attached_ || ctx->task->spec.opts().resources.get("CPU") > 0))
        host_->tell({what, ctx->task, {}});
  };
  tell(scheduler::task_event::kind::blocked);
  {
    blocking_scope scope;
    wait();
  }
  tell(scheduler::task_event::kind::unblocked);
}

void runtime::ask_for(ObjectEntry& entry) {
  if (!attached_)
    return;
  {
    std::lock_guard guard(lock_of(entry));
    if (!entry.pending() || std::exchange(entry.wanted, true))
      return;
  }
  host_->want(entry);
}

bool runtime::wait_until(ObjectEntry& entry, int timeout_ms) {
  if (!entry.pending())
    return true;
  if (timeout_ms == 0)
    return false;
  if (timeout_ms < 0 && try_run_in_place(entry) && !entry.pending())
    return true;
  if (!this_thread_observer) {
    auto until = std::chrono::steady_clock::now() + spin_time;
    do {
      for (int i = 0; i < 64 && entry.pending(); ++i)
        __builtin_ia32_pause();
      std::this_thread::yield(); // who makes the object may need this very core
    } while (entry.pending() && std::chrono::steady_clock::now() < until);
    if (!entry.pending())
      return true;
  }
  ask_for(entry);
  countdown counter(1);
  counting_listener listener;
  listener.counter = &counter;
  if (!listen(entry, listener))
    return true;
  // Listening first, then looking: close() sets the flag before it resolves what is pending.
  if (!closed())
    block([&] { counter.wait(timeout_ms); });
  unlisten(entry, listener);
  if (closed() && entry.pending())
    throw_error({errc::shut_down, "ray::Shutdown was called while waiting for " + name_of(entry)});
  return !entry.pending();
}

ValueBytes runtime::Get(ObjectEntry& entry, int timeout_ms) {
  if (timeout_ms < -1)
    throw RayException("Get object error: a timeout of " + std::to_string(timeout_ms)
                       + " ms; give 0 or more, or -1 to wait for ever");
  if (!wait_until(entry, timeout_ms))
    throw RayTimeoutException("Get object error: " + name_of(entry) + " was not ready within "
                              + std::to_string(timeout_ms)
                              + " ms: " + why(entry, why_patience(timeout_ms)));
  return read(entry);
}

void runtime::GetAll(const std::vector<ObjectEntry*>& entries, int timeout_ms) {
  if (timeout_ms < -1)
    throw RayException("Get object error: a timeout of " + std::to_string(timeout_ms)
                       + " ms; give 0 or more, or -1 to wait for ever");
  using clock = std::chrono::steady_clock;
  auto deadline = clock::now() + std::chrono::milliseconds(std::max(timeout_ms, 0));
  for (auto entry : entries)
    ask_for(*entry); // not one after another: each may be a way to the node and back
  for (auto entry : entries) {
    auto left = timeout_ms;
    if (timeout_ms > 0) {
      auto rest = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock::now()).count();
      left = static_cast<int>(std::max<std::int64_t>(rest, 0));
    }
    if (!wait_until(*entry, left))
      throw RayTimeoutException("Get object error: " + name_of(*entry) + ", one of "
                                + std::to_string(entries.size()) + ", was not ready within "
                                + std::to_string(timeout_ms)
                                + " ms: " + why(*entry, why_patience(timeout_ms)));
    if (entry->state.load(std::memory_order_acquire) == ObjectEntry::State::failed)
      throw_error(*entry->error);
  }
}

std::vector<bool> runtime::Wait(const std::vector<ObjectEntry*>& entries, int count,
                                int timeout_ms) {
  const auto n = entries.size();
  if (count <= 0 || static_cast<std::size_t>(count) > n)
    throw RayException("Wait object error: Number of objects to wait for must be between 1 and the "
                       "number of ids. Asked for "
                       + std::to_string(count) + " of " + std::to_string(n) + ".");
  if (timeout_ms < -1)
    throw RayException("Wait object error: a timeout of " + std::to_string(timeout_ms)
                       + " ms; give 0 or more, or -1 to wait for ever");
  std::unordered_set<ObjectEntry*> distinct(entries.begin(), entries.end());
  if (distinct.size() != n)
    throw RayException("Wait object error: Duplicate object IDs not supported in wait ("
                       + std::to_string(n - distinct.size()) + " of " + std::to_string(n) + ").");
  std::size_t ready = 0;
  for (auto entry : entries)
    ready += !entry->pending();
  if (ready < static_cast<std::size_t>(count) && timeout_ms != 0) {
    countdown counter(static_cast<std::size_t>(count));
    std::vector<counting_listener> listeners(n);
    for (std::size_t i = 0; i < n; ++i) {
      listeners[i].counter = &counter;
      ask_for(*entries[i]);
      if (!listen(*entries[i], listeners[i]))
        counter.arrived();
    }
    if (!closed())
      block([&] { counter.wait(timeout_ms); });
    for (std::size_t i = 0; i < n; ++i)
      unlisten(*entries[i], listeners[i]);
    if (closed())
      throw_error({errc::shut_down,
                   "ray::Shutdown was called while waiting for " + std::to_string(n) + " objects"});
  }
  std::vector<bool> result(n);
  for (std::size_t i = 0, taken = 0; i < n && taken < static_cast<std::size_t>(count); ++i)
    if (!entries[i]->pending()) {
      result[i] = true;
      ++taken;
    }
  return result;
}

EntryPtr runtime::FindObject(const std::string& binary_id) {
  auto id = from_binary<object_id>(binary_id);
  if (!id)
    throw RayException("an object id has 16 bytes, not " + std::to_string(binary_id.size()));
  if (auto entry = object_table::instance().find(*id))
    return entry;
  auto entry = object_table::instance().find_or_insert(*id);
  if (host_->borrow(*entry))
    return entry;
  // Every object that lives is known here.
  deliver(*entry,
          error{errc::object_lost,
                "object " + to_string(*id)
                  + " does not exist: it was never created, or its last reference is gone"});
  return entry;
}

} // namespace caf_ray

namespace ray::internal {

using caf_ray::object_table;
using caf_ray::runtime_gate;

void Retain(ObjectEntry* entry) noexcept {
  entry->references.fetch_add(1, std::memory_order_relaxed);
}

namespace {

void Destroy(ObjectEntry* entry) {
  object_table::instance().remove(*entry);
  if (entry->value.in_store || entry->producer || entry->receipts > 0) {
    if (auto runtime = runtime_gate::enter())
      runtime->object_died(*entry);
    runtime_gate::leave();
  }
  delete entry->binary_id.load(std::memory_order_relaxed);
  delete entry;
}

} // namespace

void Release(ObjectEntry* entry) noexcept {
  if (entry->references.fetch_sub(1, std::memory_order_acq_rel) != 1)
    return;
  // Values name other objects, those again others: a list on this thread instead of recursion.
  thread_local std::vector<ObjectEntry*>* dying = nullptr;
  if (dying) {
    dying->push_back(entry);
    return;
  }
  std::vector<ObjectEntry*> list{entry};
  dying = &list;
  while (!list.empty()) {
    auto next = list.back();
    list.pop_back();
    Destroy(next);
  }
  dying = nullptr;
}

const std::string& BinaryId(ObjectEntry* entry) {
  static const std::string none;
  if (!entry)
    return none;
  if (auto id = entry->binary_id.load(std::memory_order_acquire))
    return *id;
  auto made = new std::string(to_binary(entry->id));
  const std::string* expected = nullptr;
  if (entry->binary_id.compare_exchange_strong(expected, made, std::memory_order_acq_rel))
    return *made;
  delete made;
  return *expected;
}

} // namespace ray::internal
