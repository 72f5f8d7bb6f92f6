#include "gcs/types/codec.hpp"
#include "libray/src/exception.hpp"
#include "libray/src/group_manager.hpp"
#include "libray/src/runtime.hpp"
#include "ray/api.h"

namespace caf_ray {

using namespace std::chrono_literals;
using ray::internal::RayException;

/// Placement groups as the public API sees them.
class group_api {
public:
  explicit group_api(ray::internal::RuntimeUse& use) : owner_(static_cast<runtime&>(*use)) {}

  ray::PlacementGroup create(const ray::PlacementGroupCreationOptions& given);
  void remove(const std::string& binary_id);
  bool wait(const std::string& binary_id, int timeout_seconds);
  std::vector<ray::PlacementGroup> all();

private:
  gcs::client& control() { return owner_.host().control(); }
  std::string name_key(const group_record& r) const {
    return std::string("placement group\0", 16) + r.ray_namespace + '\0' + r.name;
  }
  static group_id parse(const std::string& binary_id) {
    auto id = from_binary<group_id>(binary_id);
    if (!id)
      throw RayException("\"" + binary_id + "\" is not the id of a placement group");
    return *id;
  }

  runtime& owner_;
};

ray::PlacementGroup group_api::create(const ray::PlacementGroupCreationOptions& given) {
  if (given.bundles.empty())
    throw RayException("CreatePlacementGroup: a group needs at least one bundle");
  group_record record;
  for (auto& bundle : given.bundles) {
    if (bundle.empty())
      throw RayException("CreatePlacementGroup: bundle "
                         + std::to_string(&bundle - given.bundles.data()) + " names no resources");
    ray::internal::CheckTaskOptions(bundle);
    resource_set set;
    for (auto& [name, amount] : bundle)
      set.set(name, to_units(amount));
    record.bundles.push_back(std::move(set));
  }
  switch (given.strategy) {
    case ray::PlacementStrategy::PACK: record.strategy = group_strategy::pack; break;
    case ray::PlacementStrategy::SPREAD: record.strategy = group_strategy::spread; break;
    case ray::PlacementStrategy::STRICT_PACK: record.strategy = group_strategy::strict_pack; break;
    case ray::PlacementStrategy::STRICT_SPREAD:
      record.strategy = group_strategy::strict_spread;
      break;
    default:
      throw RayException("CreatePlacementGroup: the strategy must be PACK, SPREAD, STRICT_PACK or "
                         "STRICT_SPREAD");
  }
  record.name = given.name;
  record.job = owner_.job();
  record.ray_namespace = owner_.ray_namespace();
  auto id = random_id<group_id>();
  if (!given.name.empty()) {
    auto mine = control().put_if_absent(gcs::table_kind::names, name_key(record), to_binary(id));
    if (!mine)
      throw_error(mine.error());
    if (!*mine)
      throw RayException("CreatePlacementGroup: the name \"" + given.name
                         + "\" is taken; remove that group or choose another name");
  }
  caf::anon_send(owner_.host().groups(), create_atom_v, id, record);
  return ray::PlacementGroup(to_binary(id), given);
}

void group_api::remove(const std::string& binary_id) {
  auto id = parse(binary_id);
  auto record = control().get(gcs::table_kind::groups, binary_id);
  if (!record)
    throw_error(record.error());
  if (*record)
    if (auto known = decode<group_record>(**record); known && !known->name.empty())
      control().write({gcs::table_kind::names, gcs::write_kind::erase, name_key(*known), {}, 0});
  caf::scoped_actor self(owner_.host().system());
  std::optional<std::string> failure;
  owner_.block([&] {
    self->request(owner_.host().groups(), 10s, remove_atom_v, id)
      .receive([](bool) {},
               [&](const caf::error& e) { failure = owner_.host().system().render(e); });
  });
  if (failure)
    throw RayException("RemovePlacementGroup: " + *failure);
  owner_.group_removed(id);
}

bool group_api::wait(const std::string& binary_id, int timeout_seconds) {
  auto id = parse(binary_id);
  caf::scoped_actor self(owner_.host().system());
  group_record record;
  bool answered = false;
  owner_.block([&] {
    self
      ->request(owner_.host().groups(), std::chrono::seconds(std::max(timeout_seconds, 0)),
                await_atom_v, id)
      .receive(
        [&](group_record& r) {
          record = std::move(r);
          answered = true;
        },
        [](const caf::error&) {});
  });
  if (owner_.closed())
    throw_error({errc::shut_down, "ray::Shutdown was called while waiting for a placement group"});
  if (answered && record.state == group_state::removed)
    throw RayException("PlacementGroup::Wait: the group is unknown, or was removed");
  return answered;
}

std::vector<ray::PlacementGroup> group_api::all() {
  auto entries = control().scan(gcs::table_kind::groups);
  if (!entries)
    throw_error(entries.error());
  std::vector<ray::PlacementGroup> groups;
  for (auto& [key, value] : *entries) {
    auto record = decode<group_record>(value);
    if (!record)
      continue;
    ray::PlacementGroupCreationOptions options;
    options.name = record->name;
    options.strategy = static_cast<ray::PlacementStrategy>(record->strategy);
    for (auto& bundle : record->bundles) {
      auto& map = options.bundles.emplace_back();
      for (auto& [name, units] : bundle.entries())
        map[name] = static_cast<double>(units) / resource_unit;
    }
    groups.emplace_back(key, std::move(options),
                        static_cast<ray::PlacementGroupState>(record->state));
  }
  return groups;
}

void runtime::group_removed(group_id id) {
  for (auto& actor : known_actors()) {
    bool inside;
    {
      std::lock_guard guard(actor->mutex);
      inside = actor->creation && actor->creation->spec.opts().group == id;
    }
    if (inside)
      actor_ended(*actor, "its placement group was removed", false);
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
  for (auto& group : GetAllPlacementGroups())
    if (group.GetID() == id)
      return group;
  return {};
}

PlacementGroup GetPlacementGroup(const std::string& name) {
  if (!name.empty())
    for (auto& group : GetAllPlacementGroups())
      if (group.GetName() == name && group.GetState() != PlacementGroupState::REMOVED)
        return group;
  return {};
}

bool PlacementGroup::WaitForGroup(const std::string& id, int timeout_seconds) {
  internal::RuntimeUse use;
  return group_api(use).wait(id, timeout_seconds);
}

} // namespace ray
