#include "objstore/object_table.hpp"

#include <cassert>
#include <utility>

namespace caf_ray::objstore {

std::optional<object_table::slot> object_table::find(object_id id) const {
  auto i = index_.find(id);
  if (i == index_.end())
    return std::nullopt;
  return i->second;
}

std::optional<object_table::slot> object_table::insert(object_id id, std::size_t size_bytes) {
  auto [i, added] = index_.try_emplace(id, none);
  if (!added)
    return std::nullopt;
  slot at;
  if (free_.empty()) {
    at = static_cast<slot>(entries_.size());
    entries_.emplace_back();
  } else {
    at = free_.back();
    free_.pop_back();
    entries_[at] = entry{};
  }
  i->second = at;
  auto& x = entries_[at];
  x.id = id;
  x.size_bytes = size_bytes;
  add_pin(x);
  ++totals_.object_count;
  return at;
}

void object_table::place(slot at, std::size_t offset_bytes) {
  auto& x = entries_[at];
  assert(x.state == object_state::created || x.state == object_state::restoring);
  assert(x.offset_bytes == no_offset && offset_bytes != no_offset);
  x.offset_bytes = offset_bytes;
  totals_.memory_bytes += x.size_bytes;
}

void object_table::seal(slot at) {
  auto& x = entries_[at];
  assert(x.state == object_state::created && x.offset_bytes != no_offset);
  x.state = object_state::sealed;
}

leavings object_table::abort(slot at) {
  auto& x = entries_[at];
  assert(x.state == object_state::created && x.pin_count == 1);
  if (!x.erased)
    erase(at);
  drop_pin(x);
  return remove(at);
}

void object_table::pin(slot at) {
  auto& x = entries_[at];
  assert(x.state == object_state::sealed || x.state == object_state::spilling);
  if (x.pin_count == 0 && x.state == object_state::sealed)
    unlink(at);
  add_pin(x);
}

leavings object_table::unpin(slot at) {
  auto& x = entries_[at];
  assert(x.state == object_state::sealed || x.state == object_state::spilling);
  drop_pin(x);
  if (x.pin_count > 0 || x.state == object_state::spilling)
    return {};
  if (x.erased)
    return remove(at);
  link_newest(at);
  return {};
}

leavings object_table::erase(slot at) {
  auto& x = entries_[at];
  assert(!x.erased);
  index_.erase(x.id);
  x.erased = true;
  --totals_.object_count;
  if (x.pin_count > 0 || x.state == object_state::spilling)
    return {};
  if (x.state == object_state::sealed)
    unlink(at);
  return remove(at);
}

object_table::room object_table::make_room(std::size_t need_bytes, std::size_t batch_bytes,
                                           std::uint64_t spill_budget_bytes) {
  room result;
  std::size_t spill_bytes = 0;
  for (auto at = oldest_; at != none;) {
    auto& x = entries_[at];
    auto next = x.newer;
    bool clean = x.disk.file != 0;
    bool enough = result.size_bytes >= need_bytes;
    if (enough && (result.to_spill.empty() || spill_bytes >= batch_bytes))
      break;
    if (clean && !enough) {
      unlink(at);
      x.state = object_state::spilled;
      result.evicted.push_back({take_memory(x), {}});
      set_spilled(x, true);
      result.size_bytes += x.size_bytes;
    } else if (!clean && x.size_bytes <= spill_budget_bytes - spill_bytes) {
      unlink(at);
      x.state = object_state::spilling;
      result.to_spill.push_back(at);
      result.size_bytes += x.size_bytes;
      spill_bytes += x.size_bytes;
    } else if (spill_bytes >= spill_budget_bytes && clean_count_ == 0) {
      break;
    }
    at = next;
  }
  return result;
}

leavings object_table::finish_spill(slot at, const disk_copy* copy) {
  auto& x = entries_[at];
  assert(x.state == object_state::spilling);
  x.state = object_state::sealed;
  if (copy)
    x.disk = *copy;
  if (x.pin_count > 0)
    return {};
  if (x.erased)
    return remove(at);
  if (!copy) {
    link_oldest(at);
    return {};
  }
  x.state = object_state::spilled;
  set_spilled(x, true);
  return {take_memory(x), {}};
}

void object_table::begin_restore(slot at) {
  auto& x = entries_[at];
  assert(x.state == object_state::spilled && x.pin_count == 0);
  x.state = object_state::restoring;
  add_pin(x);
}

leavings object_table::finish_restore(slot at, bool read) {
  auto& x = entries_[at];
  assert(x.state == object_state::restoring && x.pin_count == 1);
  if (read) {
    x.state = object_state::sealed;
    set_spilled(x, false);
    return {};
  }
  x.state = object_state::spilled;
  drop_pin(x);
  if (x.erased)
    return remove(at);
  return {take_memory(x), {}};
}

std::vector<object_info> object_table::list() const {
  std::vector<object_info> result;
  result.reserve(index_.size());
  for (const auto& [id, at] : index_) {
    const auto& x = entries_[at];
    result.push_back({id, x.size_bytes, x.state, x.pin_count, x.disk.file != 0});
  }
  return result;
}

void object_table::add_pin(entry& x) {
  if (x.pin_count++ == 0) {
    ++totals_.pinned_count;
    totals_.pinned_bytes += x.size_bytes;
  }
}

void object_table::drop_pin(entry& x) {
  assert(x.pin_count > 0);
  if (--x.pin_count == 0) {
    --totals_.pinned_count;
    totals_.pinned_bytes -= x.size_bytes;
  }
}

std::size_t object_table::take_memory(entry& x) {
  if (x.offset_bytes != no_offset)
    totals_.memory_bytes -= x.size_bytes;
  return std::exchange(x.offset_bytes, no_offset);
}

void object_table::set_spilled(entry& x, bool spilled) {
  if (spilled) {
    ++totals_.spilled_count;
    totals_.spilled_bytes += x.size_bytes;
  } else {
    --totals_.spilled_count;
    totals_.spilled_bytes -= x.size_bytes;
  }
}

leavings object_table::remove(slot at) {
  auto& x = entries_[at];
  assert(x.erased && x.pin_count == 0);
  if (x.state == object_state::spilled)
    set_spilled(x, false);
  leavings result{take_memory(x), x.disk};
  free_.push_back(at);
  return result;
}

void object_table::link_newest(slot at) {
  auto& x = entries_[at];
  clean_count_ += x.disk.file != 0;
  x.older = newest_;
  x.newer = none;
  (newest_ == none ? oldest_ : entries_[newest_].newer) = at;
  newest_ = at;
}

void object_table::link_oldest(slot at) {
  auto& x = entries_[at];
  clean_count_ += x.disk.file != 0;
  x.newer = oldest_;
  x.older = none;
  (oldest_ == none ? newest_ : entries_[oldest_].older) = at;
  oldest_ = at;
}

void object_table::unlink(slot at) {
  auto& x = entries_[at];
  clean_count_ -= x.disk.file != 0;
  (x.older == none ? oldest_ : entries_[x.older].newer) = x.newer;
  (x.newer == none ? newest_ : entries_[x.newer].older) = x.older;
}

} // namespace caf_ray::objstore
