#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <mutex>
#include <vector>

#include "libray/src/object_entry.hpp"

namespace caf_ray {

/// All objects that this process refers to, by id. One per process, never destroyed: refs may
/// outlive every runtime. Thread-safe.
///
/// Invariant: an entry is in the table from `insert` until its last reference is gone or
/// `abandon_all` took it out; a look-up never revives one whose count has reached zero.
class object_table {
public:
  static object_table& instance();

  /// A new pending object that this process makes. The caller owns the first reference.
  EntryPtr insert(object_id id);
  /// The entry of that id, made (pending) when there is none.
  EntryPtr find_or_insert(object_id id);
  /// Null when this process does not know it.
  EntryPtr find(object_id id);

  /// Takes out every entry, for the end of a runtime. `visit` is called on each, with a reference
  /// held.
  void abandon_all(const std::function<void(ObjectEntry&)>& visit);

  /// Calls `visit` on each entry there is, with a reference held and no lock.
  void for_each(const std::function<void(ObjectEntry&)>& visit);

  std::size_t size() const;

  /// For Release: takes the entry out if it is in.
  void remove(ObjectEntry& entry);

private:
  struct shard {
    mutable std::mutex mutex;
    std::vector<ObjectEntry*> buckets = std::vector<ObjectEntry*>(64);
    std::size_t count = 0;
  };

  static constexpr std::size_t shard_count = 64;

  static std::size_t hash(object_id id) noexcept { return std::hash<object_id>{}(id); }
  shard& shard_of(object_id id) noexcept { return shards_[hash(id) % shard_count]; }
  static ObjectEntry*& bucket(shard& s, object_id id) noexcept {
    return s.buckets[(hash(id) >> 16) & (s.buckets.size() - 1)];
  }
  static ObjectEntry* find_locked(shard& s, object_id id);
  static ObjectEntry* insert_locked(shard& s, object_id id);
  static void resize(shard& s, std::size_t buckets);

  std::array<shard, shard_count> shards_;
};

} // namespace caf_ray
