#include "ray/caf.h"

#include "libray/src/native_registry.hpp"
#include "libray/src/runtime.hpp"
#include "ray/api/ray_runtime_holder.h"

namespace caf_ray {

std::string native_registry::add(const caf::strong_actor_ptr& actor, const std::string& name) {
  auto id = to_binary(random_id<actor_id>());
  {
    std::lock_guard guard(mutex_);
    if (!name.empty() && !names_.emplace(name, id).second)
      return "";
    actors_.emplace(id, actor);
  }
  // The actor tells when it ends. Weak: the registry may be gone by then.
  auto forget = [registry = weak_from_this(), id](const caf::error&) {
    if (auto self = registry.lock())
      self->remove(id);
  };
  actor->get()->attach_functor(forget);
  return id;
}

void native_registry::remove(const std::string& id) {
  caf::strong_actor_ptr last; // released outside the lock
  std::lock_guard guard(mutex_);
  auto found = actors_.find(id);
  if (found == actors_.end())
    return;
  last = std::move(found->second);
  actors_.erase(found);
  std::erase_if(names_, [&](auto& entry) { return entry.second == id; });
}

caf::strong_actor_ptr native_registry::find(const std::string& id) const {
  std::lock_guard guard(mutex_);
  auto found = actors_.find(id);
  return found == actors_.end() ? nullptr : found->second;
}

std::string native_registry::find_name(const std::string& name) const {
  std::lock_guard guard(mutex_);
  auto found = names_.find(name);
  return found == names_.end() ? "" : found->second;
}

void native_registry::end_all() {
  std::map<std::string, caf::strong_actor_ptr> actors;
  {
    std::lock_guard guard(mutex_);
    actors.swap(actors_);
    names_.clear();
  }
  for (auto& [id, actor] : actors)
    caf::anon_send_exit(actor, caf::exit_reason::kill);
}

} // namespace caf_ray

namespace ray::internal {

namespace {

caf_ray::runtime& Runtime(RuntimeUse& use) {
  return static_cast<caf_ray::runtime&>(*use);
}

} // namespace

caf::actor_system& NativeSystem() {
  RuntimeUse use;
  return Runtime(use).host().system();
}

std::string RegisterNative(const caf::strong_actor_ptr& actor, const std::string& name) {
  RuntimeUse use;
  auto id = Runtime(use).natives().add(actor, name);
  if (id.empty()) {
    caf::anon_send_exit(actor, caf::exit_reason::kill);
    throw RayException("SpawnNativeNamed: the name \"" + name + "\" is taken");
  }
  return id;
}

caf::strong_actor_ptr FindNative(const std::string& id) {
  RuntimeUse use;
  return Runtime(use).natives().find(id);
}

std::string FindNativeName(const std::string& name) {
  RuntimeUse use;
  return Runtime(use).natives().find_name(name);
}

void BlockOutside(const std::function<void()>& wait) {
  RuntimeUse use;
  Runtime(use).block(wait);
}

} // namespace ray::internal
