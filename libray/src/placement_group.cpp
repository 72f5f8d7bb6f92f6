#include <algorithm>
#include <optional>

#include "gcs/types/codec.hpp"
#include "libray/src/exception.hpp"
#include "libray/src/group_manager.hpp"
#include "libray/src/runtime.hpp"
#include "ray/api.h"

namespace caf_ray {

using namespace std::chrono_literals;
using ray::internal::RayException;

namespace {

/// How long the group manager may take to answer.
constexpr auto answer_deadline = 10s;

group_id parse(const std::string& binary_id) {
  if (binary_id.empty())
    throw RayException("the placement group is empty: default-constructed, or from a look-up that "
                       "found nothing");
  auto id = from_binary<group_id>(binary_id);
  if (!id)
    throw RayException("\"" + binary_id + "\" is not the id of a placement group");
  return *id;
}

ray::PlacementGroup to_public(const std::string& binary_id, const group_record& record) {
  ray::PlacementGroupCreationOptions options;
  options.name = record.name;
  options.strategy = static_cast<ray::PlacementStrategy>(record.strategy);
  for (auto& bundle : record.bundles) {
    auto& map = options.bundles.emplace_back();
    for (auto& [name, units] : bundle.entries())
      map[name] = static_cast<double>(units) / resource_unit;
  }
  return {binary_id, std::move(options), static_cast<ray::PlacementGroupState>(record.state)};
}

group_strategy to_record(ray::PlacementStrategy strategy) {
  switch (strategy) {
    case ray::PlacementStrategy::PACK: return group_strategy::pack;
    case ray::PlacementStrategy::SPREAD: return group_strategy::spread;
    case ray::PlacementStrategy::STRICT_PACK: return group_strategy::strict_pack;
    case ray::PlacementStrategy::STRICT_SPREAD: return group_strategy::strict_spread;
    case ray::PlacementStrategy::UNRECOGNIZED: break;
  }
  throw RayException("CreatePlacementGroup: the strategy must be PACK, SPREAD, STRICT_PACK or "
                     "STRICT_SPREAD");
}

std::vector<resource_set>
to_record(const std::vector<std::unordered_map<std::string, double>>& bundles) {
  if (bundles.empty())
    throw RayException("CreatePlacementGroup: a group needs at least one bundle");
  std::vector<resource_set> sets;
  for (auto& bundle : bundles) {
    if (bundle.empty())
      throw RayException("CreatePlacementGroup: bundle " + std::to_string(&bundle - bundles.data())
                         + " names no resources");
    ray::internal::CheckTaskOptions(bundle);
    auto& set = sets.emplace_back();
    for (auto& [name, amount] : bundle)
      set.set(name, to_units(amount));
  }
  return sets;
}

} // namespace

/// Placement groups as the public API sees them. The GCS has their records, for look-ups; what they
/// have reserved is known to the group manager.
class group_api {
public:
  explicit group_api(ray::internal::RuntimeUse& use) : owner_(static_cast<runtime&>(*use)) {}

  ray::PlacementGroup create(const ray::PlacementGroupCreationOptions& given);
  void remove(const std::string& binary_id);
  bool wait(const std::string& binary_id, int timeout_seconds);
  std::vector<ray::PlacementGroup> all();
  ray::PlacementGroup find(const std::string& binary_id);
  ray::PlacementGroup find_named(const std::string& name);

private:
  gcs::client& control() { return owner_.host().control(); }
  std::optional<group_record> record_of(const std::string& binary_id);

  runtime& owner_;
};

ray::PlacementGroup group_api::create(const ray::PlacementGroupCreationOptions& given) {
  group_record record;
  record.bundles = to_record(given.bundles);
  record.strategy = to_record(given.strategy);
  record.name = given.name;
  record.job = owner_.job();
  record.ray_namespace = owner_.ray_namespace();
  auto id = random_id<group_id>();
  auto binary_id = to_binary(id);
  auto name_key = group_name_key(record.ray_namespace, record.name);
  if (!given.name.empty()
      && !value_or_throw(control().put_if_absent(gcs::table_kind::names, name_key, binary_id)))
    throw RayException("CreatePlacementGroup: the name \"" + given.name
                       + "\" is taken; remove that group or choose another name");
  // The record before the message: whoever has the group finds it, and its manager writes later.
  auto put = control().put(gcs::table_kind::groups, binary_id, encode(record), record.job);
  if (!put) {
    if (!given.name.empty())
      control().erase(gcs::table_kind::names, name_key);
    throw_error(put.error());
  }
  owner_.groups().add(id, record.bundles.size());
  caf::anon_send(owner_.host().groups(), create_atom_v, id, std::move(record));
  return {binary_id, given};
}

void group_api::remove(const std::string& binary_id) {
  auto id = parse(binary_id);
  caf::scoped_actor self(owner_.host().system());
  bool ended = false;
  std::optional<std::string> failure;
  owner_.block([&] {
    self->request(owner_.host().groups(), answer_deadline, remove_atom_v, id)
      .receive([&](bool known) { ended = known; },
               [&](const caf::error& e) { failure = owner_.host().system().render(e); });
  });
  if (failure && owner_.closed())
    throw_error({errc::shut_down, "ray::Shutdown was called while a placement group was removed"});
  if (failure)
    throw RayException("RemovePlacementGroup: " + *failure);
  owner_.group_removed(id);
  if (ended)
    return;
  // Removed before; or left in the GCS by a job that died, and nothing is reserved.
  if (auto stale = record_of(binary_id); stale && stale->state != group_state::removed) {
    stale->state = group_state::removed;
    control().put(gcs::table_kind::groups, binary_id, encode(*stale), stale->job);
    if (!stale->name.empty())
      control().erase(gcs::table_kind::names, group_name_key(stale->ray_namespace, stale->name));
  }
}

bool group_api::wait(const std::string& binary_id, int timeout_seconds) {
  auto record =
    owner_.await_group(parse(binary_id), std::chrono::seconds(std::max(timeout_seconds, 0)));
  if (record.state == group_state::removed)
    throw RayException("PlacementGroup::Wait: no placement group " + to_string(parse(binary_id))
                       + " exists, or it was removed");
  return record.state == group_state::created;
}

std::vector<ray::PlacementGroup> group_api::all() {
  std::vector<ray::PlacementGroup> groups;
  for (auto& [key, value] : value_or_throw(control().scan(gcs::table_kind::groups)))
    if (auto record = decode<group_record>(value))
      groups.push_back(to_public(key, *record));
  return groups;
}

std::optional<group_record> group_api::record_of(const std::string& binary_id) {
  auto value = value_or_throw(control().get(gcs::table_kind::groups, binary_id));
  auto record = value ? decode<group_record>(*value) : result<group_record>{};
  return value && record ? std::optional(std::move(*record)) : std::nullopt;
}

ray::PlacementGroup group_api::find(const std::string& binary_id) {
  auto record = from_binary<group_id>(binary_id) ? record_of(binary_id) : std::nullopt;
  return record ? to_public(binary_id, *record) : ray::PlacementGroup();
}

ray::PlacementGroup group_api::find_named(const std::string& name) {
  auto id = name.empty() ? std::nullopt
                         : value_or_throw(control().get(
                           gcs::table_kind::names, group_name_key(owner_.ray_namespace(), name)));
  auto group = id ? find(*id) : ray::PlacementGroup();
  return group.GetState() == ray::PlacementGroupState::REMOVED ? ray::PlacementGroup() : group;
}

group_record runtime::await_group(group_id id, std::chrono::milliseconds patience) {
  caf::scoped_actor self(host().system());
  std::optional<group_record> record;
  block([&] {
    self
      ->request(host().groups(), patience + answer_deadline, await_atom_v, id,
                std::int64_t{patience.count()})
      .receive([&](group_record& r) { record = std::move(r); }, [](const caf::error&) {});
  });
  if (closed())
    throw_error({errc::shut_down, "ray::Shutdown was called while waiting for a placement group"});
  if (!record)
    throw_error({errc::gcs_unavailable, "the manager of placement groups does not answer"});
  return std::move(*record);
}

void runtime::check_group(group_id id, std::int32_t bundle) {
  auto count = groups_.bundles(id);
  if (!count) {
    count = await_group(id, 0ms).bundles.size();
    if (*count == 0)
      throw RayException("SetPlacementGroup: there is no placement group " + to_string(id)
                         + ": it was never created, or has ended with its job");
    groups_.add(id, *count);
  }
  if (bundle < -1 || (bundle >= 0 && static_cast<std::size_t>(bundle) >= *count))
    throw RayException("SetPlacementGroup: " + std::to_string(bundle)
                       + " is no bundle of placement group " + to_string(id) + ", which has "
                       + std::to_string(*count) + " bundles; give 0 to "
                       + std::to_string(*count - 1) + ", or -1 for any of them");
}

void runtime::group_removed(group_id id) {
  auto why = "its placement group " + to_string(id) + " was removed";
  for (auto& actor : known_actors()) {
    bool inside;
    {
      std::lock_guard guard(actor->mutex);
      inside = actor->creation && actor->creation->spec.opts().group == id;
    }
    if (inside)
      actor_ended(*actor, why, false);
  }
  for (auto& [task_id, return_count] : groups_.close(id)) {
    pending_task_ptr task;
    if (auto first = object_table::instance().find(result_of(task_id, 1))) {
      std::lock_guard guard(lock_of(*first));
      if (first->pending())
        task = first->producer;
    }
    if (!task)
      continue;
    const error ended{errc::unschedulable,
                      "task " + task->spec.display_name() + " was ended: " + why};
    if (task->try_claim(scheduled_task::claim_state::cancelled)) {
      // If it was dispatched already, its task actor gives the resources back.
      host_->tell({scheduler::task_event::kind::withdrawn, task, {}});
      fail_task(*task, ended);
      end_task(*task);
      continue;
    }
    for (auto i = 1u; i <= return_count; ++i)
      if (auto result = object_table::instance().find(result_of(task_id, i)))
        deliver(*result, ended);
  }
}

} // namespace caf_ray

namespace ray {

using caf_ray::group_api;

PlacementGroup CreatePlacementGroup(const PlacementGroupCreationOptions& create_options) {
  internal::RuntimeUse use;
  return group_api(use).create(create_options);
}

void RemovePlacementGroup(const std::string& placement_group_id) {
  internal::RuntimeUse use;
  group_api(use).remove(placement_group_id);
}

std::vector<PlacementGroup> GetAllPlacementGroups() {
  internal::RuntimeUse use;
  return group_api(use).all();
}

PlacementGroup GetPlacementGroupById(const std::string& id) {
  internal::RuntimeUse use;
  return group_api(use).find(id);
}

PlacementGroup GetPlacementGroup(const std::string& name) {
  internal::RuntimeUse use;
  return group_api(use).find_named(name);
}

bool PlacementGroup::WaitForGroup(const std::string& id, int timeout_seconds) {
  internal::RuntimeUse use;
  return group_api(use).wait(id, timeout_seconds);
}

} // namespace ray
