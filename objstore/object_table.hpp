#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <unordered_map>
#include <vector>

#include "gcs/types/ids.hpp"
#include "gcs/types/objects.hpp"

/// What the store knows about its objects and decides about them: pins, use order, whom to evict.
/// Pure: no clock, lock, file or memory; offsets and disk places are numbers to it. The states and
/// the steps between them are drawn in gcs/types/objects.hpp.
namespace caf_ray::objstore {

/// Where an object lies in a spill file, and what must be read there. File 0: nowhere.
struct disk_copy {
  std::uint32_t file = 0;
  std::uint64_t offset_bytes = 0;
  std::uint64_t checksum = 0;

  bool operator==(const disk_copy&) const = default;
};

inline constexpr std::size_t no_offset = std::numeric_limits<std::size_t>::max();

/// What nobody needs any more: the caller frees it.
struct leavings {
  std::size_t offset_bytes = no_offset;
  disk_copy disk;

  bool operator==(const leavings&) const = default;
};

/// Sums over the table, kept up to date.
struct table_totals {
  /// Objects that can be found, in any state.
  std::uint64_t object_count = 0;
  /// With memory, erased ones that are still pinned included.
  std::uint64_t memory_bytes = 0;
  std::uint64_t pinned_count = 0;
  std::uint64_t pinned_bytes = 0;
  /// Whose only copy is on disk.
  std::uint64_t spilled_count = 0;
  std::uint64_t spilled_bytes = 0;

  bool operator==(const table_totals&) const = default;
};

/// Invariants: an entry is in the use list exactly when it is sealed and unpinned. It has memory
/// when sealed or spilling, has none when spilled, and may have either when created or restoring.
/// Entries that are created or restoring have at least the pin of the thread that works on them.
/// A slot stays valid until `leavings` were returned for the last pin or piece of work on it.
class object_table {
public:
  using slot = std::uint32_t;

  /// What `make_room` decided. All of `to_spill` are in state spilling: report each with
  /// `finish_spill`.
  struct room {
    std::vector<leavings> evicted;
    std::vector<slot> to_spill;
    /// Sum of the sizes of both.
    std::size_t size_bytes = 0;
  };

  std::optional<slot> find(object_id id) const;

  /// A new object, created and pinned by its writer. Nothing if there is one of this id.
  std::optional<slot> insert(object_id id, std::size_t size_bytes);

  /// Gives an object that is created or restoring its memory.
  void place(slot at, std::size_t offset_bytes);

  /// The writer is done; its pin stays.
  void seal(slot at);

  /// The writer gave up; nobody else can have pinned it.
  leavings abort(slot at);

  /// One pin more, for an object in memory (sealed or spilling).
  void pin(slot at);

  /// One pin less, for an object that was sealed. The last makes it the most recently used.
  leavings unpin(slot at);

  /// Forgets the id now and the object as soon as possible.
  leavings erase(slot at);

  /// Chooses unpinned objects, least recently used first, until `need_bytes` are reached: those on
  /// disk already lose their memory here and now, the others are to be spilled. When there is
  /// anything to spill, goes on until `batch_bytes` are to be spilled, since large writes are
  /// cheap. Passes over what is larger than the rest of `spill_budget_bytes`.
  room make_room(std::size_t need_bytes, std::size_t batch_bytes, std::uint64_t spill_budget_bytes);

  /// The write of a victim ended; `copy` is null when it failed. Its memory is free unless somebody
  /// pinned it meanwhile.
  leavings finish_spill(slot at, const disk_copy* copy);

  /// The caller reads a spilled object back; holds a pin on it until `finish_restore`.
  void begin_restore(slot at);

  /// Read: sealed, and the pin stays. Not read: spilled as before, and the pin is gone.
  leavings finish_restore(slot at, bool read);

  object_id id(slot at) const { return entries_[at].id; }
  std::size_t size_bytes(slot at) const { return entries_[at].size_bytes; }
  std::size_t offset_bytes(slot at) const { return entries_[at].offset_bytes; }
  object_state state(slot at) const { return entries_[at].state; }
  const disk_copy& disk(slot at) const { return entries_[at].disk; }
  bool erased(slot at) const { return entries_[at].erased; }

  /// Whether anything is sealed, in memory and unpinned.
  bool has_victims() const { return oldest_ != none; }

  const table_totals& totals() const { return totals_; }
  std::vector<object_info> list() const;

private:
  static constexpr slot none = std::numeric_limits<slot>::max();

  struct entry {
    object_id id;
    std::size_t size_bytes = 0;
    std::size_t offset_bytes = no_offset;
    disk_copy disk;
    std::uint32_t pin_count = 0;
    object_state state = object_state::created;
    bool erased = false;
    /// Neighbours in the use list.
    slot older = none;
    slot newer = none;
  };

  void add_pin(entry& x);
  void drop_pin(entry& x);
  std::size_t take_memory(entry& x);
  void set_spilled(entry& x, bool spilled);
  leavings remove(slot at);
  /// The use list, from oldest_ to newest_.
  void link_newest(slot at);
  void link_oldest(slot at);
  void unlink(slot at);

  std::unordered_map<object_id, slot> index_;
  std::vector<entry> entries_;
  std::vector<slot> free_;
  slot oldest_ = none;
  slot newest_ = none;
  /// Members of the use list that are on disk already.
  std::size_t clean_count_ = 0;
  table_totals totals_;
};

} // namespace caf_ray::objstore
