#pragma once

#include <string>
#include <utility>
#include <vector>

#include <caf/all.hpp>

#include "gcs/types/ids.hpp"
#include "gcs/types/records.hpp"
#include "gcs/types/resources.hpp"
#include "gcs/types/task_spec.hpp"

/// The one header of values that knows CAF: message types and atoms, announced to CAF by
/// `config.add_message_types<caf::id_block::caf_ray>()`. What each message means stands in the
/// `actors.hpp` of the folder whose actors understand it.
///
/// A type that is not listed compiles and then travels as an empty message (CAF 0.17.6), so the
/// test gcs/messages_test sends every listed type through a serializer.

// An atom has at most ten characters.
CAF_BEGIN_TYPE_ID_BLOCK(caf_ray, first_custom_type_id)

  CAF_ADD_TYPE_ID(caf_ray, (caf_ray::task_id))
  CAF_ADD_TYPE_ID(caf_ray, (caf_ray::object_id))
  CAF_ADD_TYPE_ID(caf_ray, (caf_ray::actor_id))
  CAF_ADD_TYPE_ID(caf_ray, (caf_ray::node_id))
  CAF_ADD_TYPE_ID(caf_ray, (caf_ray::group_id))
  CAF_ADD_TYPE_ID(caf_ray, (caf_ray::error))
  CAF_ADD_TYPE_ID(caf_ray, (caf_ray::resource_set))
  CAF_ADD_TYPE_ID(caf_ray, (std::vector<caf_ray::resource_set>))
  CAF_ADD_TYPE_ID(caf_ray, (caf_ray::task_spec))
  CAF_ADD_TYPE_ID(caf_ray, (std::vector<caf_ray::task_spec>))
  CAF_ADD_TYPE_ID(caf_ray, (caf_ray::node_record))
  CAF_ADD_TYPE_ID(caf_ray, (std::vector<std::pair<std::string, std::string>>))

  /// To oneself: a mailbag has turned non-empty, take what is in it.
  CAF_ADD_ATOM(caf_ray, caf_ray, drain_atom, "drain")
  /// To oneself: the timer.
  CAF_ADD_ATOM(caf_ray, caf_ray, tick_atom, "tick")
  /// All components: describe yourself in numbers.
  CAF_ADD_ATOM(caf_ray, caf_ray, status_atom, "status")

CAF_END_TYPE_ID_BLOCK(caf_ray)
