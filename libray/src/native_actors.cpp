#include "ray/caf.h"

#include <algorithm>
#include <thread>

#include "gcs/types/codec.hpp"
#include "libray/src/exception.hpp"
#include "libray/src/native_registry.hpp"
#include "libray/src/runtime.hpp"
#include "libray/src/task_run.hpp"

namespace caf_ray {

namespace {

using namespace std::chrono_literals;

/// How long Shutdown waits for threads that CAF has given to detached actors.
constexpr auto thread_patience = 300ms;

void tell_down(const caf::strong_actor_ptr& asker, caf::message_id answer) {
  asker->enqueue(nullptr, answer,
                 caf::make_message(caf::make_error(caf::sec::request_receiver_down)), nullptr);
}

} // namespace

bool native_registry::add(gcs::client& control, const std::string& id,
                          const caf::strong_actor_ptr& actor, actor_record record) {
  {
    std::lock_guard guard(mutex_);
    if (ended_)
      return false;
    control_ = &control;
    control.put(gcs::table_kind::actors, id, encode(record), record.job);
    if (!record.name.empty())
      names_.emplace(record.name, id);
    actors_.emplace(id, native{actor, std::move(record), {}});
  }
  // The actor tells when it ends. Weak: the registry may be gone by then.
  auto forget = [registry = weak_from_this(), id,
                 system = actor->home_system](const caf::error& reason) {
    if (auto self = registry.lock())
      self->end(id, "it has ended" + (reason ? ": " + system->render(reason) : ""), false);
  };
  actor->get()->attach_functor(forget);
  return true;
}

native_registry::native native_registry::take(const std::string& id) {
  auto node = actors_.extract(id);
  if (!node)
    return {};
  auto gone = std::move(node.mapped());
  if (!gone.record.name.empty())
    names_.erase(gone.record.name);
  return gone;
}

void native_registry::record_end(const std::string& id, native& gone, const std::string& cause) {
  gone.record.state = actor_state::dead;
  gone.record.death_cause = cause;
  control_->put(gcs::table_kind::actors, id, encode(gone.record), gone.record.job);
  if (!gone.record.name.empty())
    control_->erase(gcs::table_kind::names,
                    actor_name_key(gone.record.ray_namespace, gone.record.name));
}

/// Outside the lock: actors may end here, and tell it.
void native_registry::bury(native& gone, bool kill) {
  for (auto& [asker, answer] : gone.questions)
    tell_down(asker, answer);
  if (kill && gone.actor)
    caf::anon_send_exit(gone.actor, caf::exit_reason::kill);
}

void native_registry::end(const std::string& id, const std::string& cause, bool kill) {
  native gone;
  {
    std::lock_guard guard(mutex_);
    gone = take(id);
    if (gone.actor)
      record_end(id, gone, cause);
  }
  bury(gone, kill);
}

void native_registry::kill(const std::string& id) {
  end(id, "it was killed (NativeActor::Kill)", true);
}

caf::strong_actor_ptr native_registry::find(const std::string& id) const {
  std::lock_guard guard(mutex_);
  auto found = actors_.find(id);
  return found == actors_.end() ? nullptr : found->second.actor;
}

std::string native_registry::find_name(const std::string& name) const {
  std::lock_guard guard(mutex_);
  auto found = names_.find(name);
  return found == names_.end() ? "" : found->second;
}

void native_registry::watch(const std::string& id, const caf::strong_actor_ptr& asker,
                            caf::message_id answer) {
  {
    std::lock_guard guard(mutex_);
    if (auto found = actors_.find(id); found != actors_.end()) {
      found->second.questions.push_back({asker, answer});
      return;
    }
  }
  tell_down(asker, answer);
}

void native_registry::unwatch(const std::string& id, const caf::strong_actor_ptr& asker) {
  std::lock_guard guard(mutex_);
  if (auto found = actors_.find(id); found != actors_.end())
    std::erase_if(found->second.questions, [&](auto& x) { return x.asker == asker; });
}

std::size_t native_registry::size() const {
  std::lock_guard guard(mutex_);
  return actors_.size();
}

void native_registry::end_all() {
  std::map<std::string, native> actors;
  {
    std::lock_guard guard(mutex_);
    ended_ = true;
    actors.swap(actors_);
    names_.clear();
    for (auto& [id, gone] : actors)
      record_end(id, gone, "its job has ended");
    control_ = nullptr;
  }
  for (auto& [id, gone] : actors)
    bury(gone, true);
}

bool threads_of_natives_ended(caf::actor_system& system, std::size_t own_count) {
  auto until = std::chrono::steady_clock::now() + thread_patience;
  while (system.detached_actors() > own_count) {
    if (std::chrono::steady_clock::now() > until)
      return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

} // namespace caf_ray

namespace ray::internal {

namespace {

caf_ray::runtime& Runtime(RuntimeUse& use) {
  return static_cast<caf_ray::runtime&>(*use);
}

} // namespace

NativeBirth::NativeBirth(const std::string& name, const std::type_info& type)
  : id_(to_binary(caf_ray::random_id<caf_ray::actor_id>())), name_(name),
    class_name_("native " + caf_ray::demangle(type.name())) {
  if (name.empty())
    return;
  auto& runtime = Runtime(runtime_);
  auto mine = runtime.host().control().put_if_absent(
    caf_ray::gcs::table_kind::names, caf_ray::actor_name_key(runtime.ray_namespace(), name), id_);
  if (!mine)
    caf_ray::throw_error(mine.error());
  if (!*mine)
    throw RayException("SpawnNativeNamed: the name \"" + name + "\" is taken in namespace \""
                       + runtime.ray_namespace() + "\"; choose another, or Kill that actor");
}

NativeBirth::~NativeBirth() {
  auto& runtime = Runtime(runtime_);
  if (!done_ && !name_.empty() && !runtime.closed())
    runtime.host().control().erase(caf_ray::gcs::table_kind::names,
                                   caf_ray::actor_name_key(runtime.ray_namespace(), name_));
}

caf::actor_system& NativeBirth::System() {
  return Runtime(runtime_).host().system();
}

std::string NativeBirth::Register(const caf::strong_actor_ptr& actor) {
  auto& runtime = Runtime(runtime_);
  caf_ray::actor_record record;
  record.job = runtime.job();
  record.class_name = class_name_;
  record.name = name_;
  record.ray_namespace = runtime.ray_namespace();
  record.state = caf_ray::actor_state::alive;
  record.node = runtime.host().id();
  if (!runtime.natives().add(runtime.host().control(), id_, actor, std::move(record))) {
    caf::anon_send_exit(actor, caf::exit_reason::kill);
    throw RayShutdownException("ray::Shutdown was called while a native actor was spawned");
  }
  done_ = true;
  return id_;
}

NativeQuestion::NativeQuestion(const std::string& id)
  : id_(id), target_(Runtime(runtime_).natives().find(id)) {
  if (!target_)
    throw RayActorException("the native actor has ended, or is not known here");
}

NativeQuestion::~NativeQuestion() {
  if (asker_)
    Runtime(runtime_).natives().unwatch(id_, asker_);
}

caf::actor_system& NativeQuestion::System() {
  return Runtime(runtime_).host().system();
}

void NativeQuestion::Watch(const caf::strong_actor_ptr& asker, caf::message_id answer) {
  asker_ = asker;
  Runtime(runtime_).natives().watch(id_, asker, answer);
}

void NativeQuestion::Wait(const std::function<void()>& wait) {
  Runtime(runtime_).block(wait);
}

void NativeQuestion::Fail(const caf::error& error) {
  auto text = "native actor: " + System().render(error);
  if (error == caf::sec::request_timeout)
    throw RayTimeoutException(text);
  if (error != caf::sec::request_receiver_down)
    throw RayTaskException(text);
  if (Runtime(runtime_).closed())
    throw RayShutdownException("ray::Shutdown was called while waiting for a native actor");
  throw RayActorException(text);
}

std::string FindNativeName(const std::string& name) {
  RuntimeUse use;
  return Runtime(use).natives().find_name(name);
}

void KillNative(const std::string& id) {
  RuntimeUse use;
  Runtime(use).natives().kill(id);
}

} // namespace ray::internal
