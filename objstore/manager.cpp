#include "objstore/manager.hpp"

#include <algorithm>
#include <utility>

namespace caf_ray::objstore {

void manager_state::tick() {
  auto stats = options.objects->stats();
  report_in -= options.check_interval;
  if (options.report && report_in.count() <= 0) {
    report_in = options.report_interval;
    options.report(stats);
  }
  if (!spilling && stats.used_bytes > mark_bytes(stats, options.high_mark)) {
    spilling = true;
    self->send(self, spill_atom_v);
  }
  self->delayed_send(self, options.check_interval, tick_atom_v);
}

void manager_state::spill() {
  auto target = mark_bytes(options.objects->stats(), options.low_mark);
  auto spilled = options.objects->spill_down_to(target, options.step_bytes);
  // A full disk, or nothing that is unpinned: the timer looks again.
  spilling = spilled && *spilled > 0 && options.objects->stats().used_bytes > target;
  if (spilling)
    self->send(self, spill_atom_v);
}

std::vector<object_info> manager_state::largest(std::uint32_t count) const {
  auto all = options.objects->objects();
  auto middle =
    all.begin() + std::min<std::ptrdiff_t>(std::min(count, max_listed_objects), std::ssize(all));
  std::partial_sort(all.begin(), middle, all.end(), [](const auto& a, const auto& b) {
    return a.size_bytes != b.size_bytes ? a.size_bytes > b.size_bytes : a.id < b.id;
  });
  all.erase(middle, all.end());
  return all;
}

std::size_t manager_state::mark_bytes(const store_stats& stats, double mark) const {
  return static_cast<std::size_t>(static_cast<double>(stats.capacity_bytes) * mark);
}

manager_actor::behavior_type manager(manager_actor::stateful_pointer<manager_state> self,
                                     manager_options options) {
  auto& state = self->state;
  state.self = self;
  state.options = std::move(options);
  const auto& given = state.options;
  if (!given.objects || given.low_mark < 0 || given.low_mark > given.high_mark
      || given.check_interval.count() <= 0) {
    self->quit(caf::make_error(caf::sec::runtime_error,
                               "object manager: no store, marks out of order, or no interval"));
    return manager_actor::behavior_type::make_empty_behavior();
  }
  self->send(self, tick_atom_v);
  return {
    [self](status_atom) { return self->state.options.objects->stats(); },
    [self](list_atom, std::uint32_t count) { return self->state.largest(count); },
    [self](spill_atom) { self->state.spill(); },
    [self](tick_atom) { self->state.tick(); },
  };
}

} // namespace caf_ray::objstore
