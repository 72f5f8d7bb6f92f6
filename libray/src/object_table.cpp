#include "libray/src/object_table.hpp"

#include <algorithm>

namespace caf_ray {

namespace {

/// A reference, unless the last one is gone already.
bool try_retain(ObjectEntry& entry) noexcept {
  auto count = entry.references.load(std::memory_order_relaxed);
  while (count != 0)
    if (entry.references.compare_exchange_weak(count, count + 1, std::memory_order_relaxed))
      return true;
  return false;
}

} // namespace

object_table& object_table::instance() {
  static auto table = new object_table;
  return *table;
}

ObjectEntry* object_table::find_locked(shard& s, object_id id) {
  for (auto entry = bucket(s, id); entry; entry = entry->next_in_bucket)
    if (entry->id == id && try_retain(*entry))
      return entry;
  return nullptr;
}

ObjectEntry* object_table::insert_locked(shard& s, object_id id) {
  if (s.count >= s.buckets.size())
    resize(s, s.buckets.size() * 2);
  auto entry = new ObjectEntry;
  entry->id = id;
  entry->in_table = true;
  auto& head = bucket(s, id);
  entry->next_in_bucket = head;
  head = entry;
  ++s.count;
  return entry;
}

void object_table::resize(shard& s, std::size_t buckets) {
  std::vector<ObjectEntry*> old(buckets);
  old.swap(s.buckets);
  for (auto entry : old) {
    while (entry) {
      auto next = entry->next_in_bucket;
      auto& head = bucket(s, entry->id);
      entry->next_in_bucket = head;
      head = entry;
      entry = next;
    }
  }
}

EntryPtr object_table::insert(object_id id) {
  auto& s = shard_of(id);
  std::lock_guard guard(s.mutex);
  return EntryPtr::Adopt(insert_locked(s, id));
}

EntryPtr object_table::find_or_insert(object_id id) {
  auto& s = shard_of(id);
  std::lock_guard guard(s.mutex);
  if (auto found = find_locked(s, id))
    return EntryPtr::Adopt(found);
  return EntryPtr::Adopt(insert_locked(s, id));
}

EntryPtr object_table::find(object_id id) {
  auto& s = shard_of(id);
  std::lock_guard guard(s.mutex);
  return EntryPtr::Adopt(find_locked(s, id));
}

void object_table::remove(ObjectEntry& entry) {
  auto& s = shard_of(entry.id);
  std::lock_guard guard(s.mutex);
  if (!entry.in_table)
    return;
  auto link = &bucket(s, entry.id);
  while (*link != &entry)
    link = &(*link)->next_in_bucket;
  *link = entry.next_in_bucket;
  entry.in_table = false;
  --s.count;
  if (s.buckets.size() > 1024 && s.count < s.buckets.size() / 8)
    resize(s, s.buckets.size() / 2);
}

void object_table::abandon_all(const std::function<void(ObjectEntry&)>& visit) {
  for (auto& s : shards_) {
    std::vector<EntryPtr> entries;
    {
      std::lock_guard guard(s.mutex);
      for (auto& head : s.buckets) {
        for (auto entry = head; entry; entry = entry->next_in_bucket) {
          entry->in_table = false;
          if (try_retain(*entry))
            entries.push_back(EntryPtr::Adopt(entry));
        }
        head = nullptr;
      }
      s.buckets.assign(64, nullptr);
      s.count = 0;
    }
    for (auto& entry : entries)
      visit(*entry);
  }
}

void object_table::for_each(const std::function<void(ObjectEntry&)>& visit) {
  for (auto& s : shards_) {
    std::vector<EntryPtr> entries;
    {
      std::lock_guard guard(s.mutex);
      for (auto entry : s.buckets)
        for (; entry; entry = entry->next_in_bucket)
          if (try_retain(*entry))
            entries.push_back(EntryPtr::Adopt(entry));
    }
    for (auto& entry : entries)
      visit(*entry);
  }
}

std::size_t object_table::size() const {
  std::size_t n = 0;
  for (auto& s : shards_) {
    std::lock_guard guard(s.mutex);
    n += s.count;
  }
  return n;
}

} // namespace caf_ray
