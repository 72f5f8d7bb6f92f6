// The part of the runtime that is only needed where the node is another process: joining it, and
// running what it sends.

#include "libray/src/runtime.hpp"

#include <unistd.h>

#include "libray/src/actor_host.hpp"
#include "libray/src/cluster/attached_host.hpp"
#include "libray/src/demangle.hpp"
#include "libray/src/exception.hpp"

namespace caf_ray {

runtime::runtime(transport::connection connection, std::uint64_t token) {
  job_record_.entry_point = program_path();
  attach({.connection = std::move(connection),
          .greeting = {.is_worker = true,
                       .pid = static_cast<std::uint32_t>(getpid()),
                       .token = token,
                       .program = {}}});
  driver_.owner = this;
}

/// Joins the node, and is ready for what it says.
void runtime::attach(cluster::attach_options options) {
  attached_ = true;
  bool is_worker = options.greeting.is_worker;
  auto host = std::make_unique<cluster::attached_host>(*this, std::move(options));
  auto& mine = *host;
  host_ = std::move(host);
  if (is_worker) {
    job_ = mine.entry().job;
    namespace_ = mine.entry().ray_namespace;
  }
}

void runtime::await_end() {
  auto& mine = static_cast<cluster::attached_host&>(*host_);
  mine.begin();
  mine.await_end();
}

void runtime::node_lost(const error& why) {
  auto shared = std::make_shared<const error>(why);
  object_table::instance().for_each([&](ObjectEntry& entry) {
    bool watched;
    resolve(entry, shared, watched);
  });
}

void runtime::start_foreign(const pending_task_ptr& task) {
  switch (task->spec.kind) {
    case task_kind::plain: spawn_user<task_actor>(this, task); break;
    case task_kind::actor_creation: host_actor(task); break;
    case task_kind::actor_method: take_call(task); break;
  }
}

ActorEntry* runtime::remote_actor_entry(actor_id id) {
  if (auto entry = known_actor(id))
    return entry;
  auto entry = new ActorEntry;
  entry->id = id;
  entry->binary_id = to_binary(id);
  entry->hosted = false;
  entry->record.state = actor_state::alive;
  entry->record.class_name = "?";
  auto& table = actor_table::instance();
  std::lock_guard guard(table.mutex);
  // Somebody may have been quicker: then there are two for one actor, which share its id only.
  table.entries.emplace(id, entry);
  return entry;
}

/// The node has chosen this process for an actor.
void runtime::host_actor(const pending_task_ptr& creation) {
  auto& spec = creation->spec;
  if (creation->function->kind != ray::internal::RemoteFunction::Kind::Factory) {
    host_->completed(*creation, {}, {});
    return host_->actor_ended(spec.actor, spec.function + " is no factory", false);
  }
  auto entry = remote_actor_entry(spec.actor);
  {
    std::lock_guard guard(entry->mutex);
    entry->hosted = true;
    entry->record.state = actor_state::pending;
    entry->record.job = spec.job;
    entry->record.class_name = demangle(creation->function->class_type->name());
    entry->record.name = spec.opts().actor_name;
    entry->record.ray_namespace = spec.opts().actor_namespace;
    entry->record.restarts = creation->attempt;
    entry->creation = creation;
  }
  ray::internal::Retain(entry); // the living actor's own; the other one is the creation's
  creation->actor = entry;
  start_actor(creation);
}

/// A call of an actor that lives here.
void runtime::take_call(const pending_task_ptr& call) {
  auto entry = actor_ptr::adopt(known_actor(call->spec.actor));
  if (!entry || !entry->hosted)
    return fail_task(*call, {errc::actor_died, "actor " + to_string(call->spec.actor)
                                                 + " does not live in this process any more"});
  ray::internal::Retain(entry.get());
  call->actor = entry.get();
  std::optional<error> failure;
  {
    std::lock_guard guard(entry->mutex);
    if (entry->record.state == actor_state::dead)
      failure = dead_actor(entry->id, entry->record);
    else
      entry->inbox.push_back(call);
  }
  if (failure)
    return fail_task(*call, *failure);
  notify(*entry);
}

void runtime::end_hosted_actor(actor_id id, const std::string& cause) {
  if (auto entry = actor_ptr::adopt(known_actor(id)))
    actor_ended(*entry, cause, false);
}

} // namespace caf_ray
