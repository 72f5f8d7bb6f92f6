#pragma once

#include <cstdint>
#include <vector>

#include <caf/all.hpp>

#include "gcs/types/messages.hpp"

/// Who understands what in this folder. Bytes of objects are in no message: whoever wants them has
/// the store.
namespace caf_ray::objstore {

/// The object manager of a host.
using manager_actor = caf::typed_actor<
  /// Describe yourself in numbers.
  caf::replies_to<status_atom>::with<store_stats>,
  /// Name your objects, the largest first, this many at most and never over `max_listed_objects`.
  caf::replies_to<list_atom, std::uint32_t>::with<std::vector<object_info>>,
  /// To oneself: spill the next batch.
  caf::reacts_to<spill_atom>,
  /// To oneself: the timer.
  caf::reacts_to<tick_atom>>;

} // namespace caf_ray::objstore
