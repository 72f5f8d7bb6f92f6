#pragma once

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace caf_ray::gcs {

/// Map from ids to small values, in one flat array: half the memory of a node-based map and no
/// allocation per entry, for indexes that are updated at task rate.
///
/// Linear probing; erasing shifts the entries behind back, so there are no tombstones; shrinks when
/// it has emptied. The nil id cannot be a key. Pointers stay valid until the next insert or erase.
template <class Id, class T>
class id_map {
public:
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }

  T* find(Id id) noexcept {
    if (size_ == 0)
      return nullptr;
    auto at = probe(id);
    return slots_[at].id ? &slots_[at].value : nullptr;
  }
  const T* find(Id id) const noexcept { return const_cast<id_map*>(this)->find(id); }

  /// The value of `id`, made if it was not there, and whether it was made.
  std::pair<T*, bool> try_emplace(Id id, T value = {}) {
    assert(id);
    if (4 * (size_ + 1) > 3 * slots_.size())
      resize(slots_.empty() ? 16 : 2 * slots_.size());
    auto at = probe(id);
    if (slots_[at].id)
      return {&slots_[at].value, false};
    slots_[at] = slot{id, std::move(value)};
    ++size_;
    return {&slots_[at].value, true};
  }

  bool erase(Id id) {
    if (size_ == 0)
      return false;
    auto hole = probe(id);
    if (!slots_[hole].id)
      return false;
    for (auto at = next(hole); slots_[at].id; at = next(at)) {
      // An entry may move into the hole unless its home lies between the two.
      auto from_home = (at - home(slots_[at].id)) & mask();
      if (from_home >= ((at - hole) & mask())) {
        slots_[hole] = std::move(slots_[at]);
        hole = at;
      }
    }
    slots_[hole] = slot{};
    --size_;
    if (slots_.size() > 1024 && 16 * size_ < slots_.size())
      resize(slots_.size() / 4);
    return true;
  }

  void swap(id_map& other) noexcept {
    slots_.swap(other.slots_);
    std::swap(size_, other.size_);
  }

  /// Keeps the memory.
  void clear() {
    if (size_ > 0)
      std::fill(slots_.begin(), slots_.end(), slot{});
    size_ = 0;
  }

  template <class F>
  void for_each(F f) {
    for (auto& s : slots_)
      if (s.id)
        f(s.id, s.value);
  }

private:
  struct slot {
    Id id{};
    [[no_unique_address]] T value{};
  };

  std::size_t mask() const noexcept { return slots_.size() - 1; }
  std::size_t next(std::size_t at) const noexcept { return (at + 1) & mask(); }
  std::size_t home(Id id) const noexcept {
    return std::hash<Id>{}(id) >> (64 - std::countr_zero(slots_.size()));
  }
  std::size_t probe(Id id) const noexcept {
    auto at = home(id);
    while (slots_[at].id && slots_[at].id != id)
      at = next(at);
    return at;
  }
  void resize(std::size_t count) {
    auto old = std::exchange(slots_, std::vector<slot>(count));
    for (auto& s : old)
      if (s.id)
        slots_[probe(s.id)] = std::move(s);
  }

  std::vector<slot> slots_;
  std::size_t size_ = 0;
};

} // namespace caf_ray::gcs
