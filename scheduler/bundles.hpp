#pragma once

#include <span>
#include <utility>
#include <vector>

#include "gcs/types/placement.hpp"

/// Which nodes get the bundles of a placement group. Pure.
namespace caf_ray::scheduler {

/// A node that may get bundles.
struct bundle_host {
  node_id id;
  resource_set total;
  resource_set available;
};

/// A node for each bundle, within what is available:
///
///   pack           as few nodes as can be found
///   spread         as many different nodes as possible, then evenly
///   strict_pack    one node
///   strict_spread  all different
///
/// strict_pack and strict_spread find a placement whenever there is one. pack and spread search
/// too, but give up after a bounded number of steps (bin packing is NP-hard): then the group stays
/// pending although it might fit. No places: the reason says which bundle or what sum does not
/// fit, and whether it never will or just not now.
group_plan place_bundles(group_strategy strategy, std::span<const resource_set> bundles,
                         std::span<const bundle_host> hosts);

} // namespace caf_ray::scheduler
