#include "libray/src/object_entry.hpp"

#include <array>
#include <utility>

namespace caf_ray {

namespace {

struct alignas(64) padded_mutex {
  std::mutex mutex;
};

/// Calls and empties the list; the entry's lock is held.
void call_listeners(ObjectEntry& entry) {
  while (auto listener = entry.listeners) {
    entry.listeners = listener->next;
    if (listener->next)
      listener->next->previous = nullptr;
    listener->next = nullptr;
    listener->linked = false;
    listener->on_ready();
  }
}

template <class Set>
bool resolve_with(ObjectEntry& entry, bool& was_watched, ObjectEntry::State state, Set&& set) {
  std::lock_guard guard(lock_of(entry));
  if (entry.state.load(std::memory_order_relaxed) != ObjectEntry::State::pending)
    return false;
  set();
  was_watched = std::exchange(entry.watched, false);
  entry.state.store(state, std::memory_order_release);
  call_listeners(entry);
  return true;
}

} // namespace

std::mutex& lock_of(const ObjectEntry& entry) noexcept {
  static std::array<padded_mutex, 256> pool;
  auto hash = std::hash<object_id>{}(entry.id);
  return pool[hash >> 56].mutex;
}

bool listen(ObjectEntry& entry, ready_listener& listener) {
  std::lock_guard guard(lock_of(entry));
  if (entry.state.load(std::memory_order_relaxed) != ObjectEntry::State::pending)
    return false;
  listener.previous = nullptr;
  listener.next = entry.listeners;
  if (entry.listeners)
    entry.listeners->previous = &listener;
  entry.listeners = &listener;
  listener.linked = true;
  return true;
}

void unlisten(ObjectEntry& entry, ready_listener& listener) {
  std::lock_guard guard(lock_of(entry));
  if (!listener.linked)
    return;
  if (listener.previous)
    listener.previous->next = listener.next;
  else
    entry.listeners = listener.next;
  if (listener.next)
    listener.next->previous = listener.previous;
  listener.linked = false;
}

bool resolve(ObjectEntry& entry, stored_value& value, bool& was_watched) {
  return resolve_with(entry, was_watched, ObjectEntry::State::ready,
                      [&] { entry.value = std::move(value); });
}

bool resolve(ObjectEntry& entry, std::shared_ptr<const error> e, bool& was_watched) {
  return resolve_with(entry, was_watched, ObjectEntry::State::failed,
                      [&] { entry.error = std::move(e); });
}

} // namespace caf_ray
