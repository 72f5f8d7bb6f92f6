#pragma once

#include <compare>
#include <cstdint>
#include <utility>
#include <vector>

#include "gcs/id_map.hpp"
#include "gcs/types/ids.hpp"

namespace caf_ray::gcs {

/// Where a task's record lies on the disk. The table `tasks` is ordered by this, so that new
/// records are appended; ids are random, and random keys cost LMDB ten times as much.
struct task_place {
  job_id job = 0;
  std::uint64_t sequence = 0;

  auto operator<=>(const task_place&) const = default;
};

/// Ids to places, in memory; rebuilt from the table when it is opened. Changes can be taken back
/// until `commit`, for a transaction that fails.
class task_index {
public:
  const task_place* find(task_id id) const noexcept { return places_.find(id); }

  /// A record read from the disk.
  void load(task_id id, task_place place) {
    places_.try_emplace(id, place);
    next_ = std::max(next_, place.sequence + 1);
    last_ = std::max(last_, place);
  }

  struct inserted {
    task_place place;
    /// It was not there before.
    bool fresh;
    /// It lies behind all others.
    bool append;
  };
  inserted insert(task_id id, job_id job) {
    auto [place, fresh] = places_.try_emplace(id, task_place{job, next_});
    if (!fresh)
      return {*place, false, false};
    ++next_;
    undo_.push_back({id, false, {}});
    bool append = last_ < *place;
    last_ = std::max(last_, *place);
    return {*place, true, append};
  }

  void erase(task_id id) {
    auto place = places_.find(id);
    if (!place)
      return;
    undo_.push_back({id, true, *place});
    places_.erase(id);
  }

  void commit() { undo_.clear(); }

  /// Sequence numbers given meanwhile stay unused.
  void roll_back() {
    for (auto step = undo_.rbegin(); step != undo_.rend(); ++step) {
      if (step->existed)
        places_.try_emplace(step->id, step->before);
      else
        places_.erase(step->id);
    }
    undo_.clear();
  }

  std::size_t size() const noexcept { return places_.size(); }

private:
  struct change {
    task_id id;
    bool existed;
    task_place before;
  };

  id_map<task_id, task_place> places_;
  std::vector<change> undo_;
  std::uint64_t next_ = 1;
  task_place last_;
};

} // namespace caf_ray::gcs
