#include "libray/src/runtime.hpp"

#include "gcs/types/codec.hpp"
#include "libray/src/actor_host.hpp"
#include "libray/src/exception.hpp"
#include "libray/src/task_run.hpp"
#include "ray/api/logging.h"
#include "ray/api/ray_exception.h"

namespace caf_ray {

using namespace std::chrono_literals;
using ray::internal::RayException;
using event_kind = scheduler::task_event::kind;

namespace {

error dead(const ActorEntry& actor) {
  return dead_actor(actor.id, actor.record);
}

} // namespace

void runtime::record_actor(const ActorEntry& actor) {
  if (attached_) // its node does
    return;
  host_->control().put(gcs::table_kind::actors, actor.binary_id, encode(actor.record),
                       actor.record.job);
}

namespace {

/// How often get-or-create may find a name that then has no actor.
constexpr int max_name_attempts = 100;

/// Throws RayException for options that no actor can have.
void check(const ActorCreationOptions& given, const ray::internal::RemoteFunction& factory) {
  if (factory.kind != ray::internal::RemoteFunction::Kind::Factory)
    throw RayException("ray::Actor: function " + factory.name
                       + " is no factory: it does not return a pointer to a class");
  if (given.max_restarts < -1)
    throw RayException("SetMaxRestarts: " + std::to_string(given.max_restarts)
                       + " is no number of restarts; give 0 or more, or -1 for no limit");
  if (given.max_concurrency < 1)
    throw RayException("SetMaxConcurrency: " + std::to_string(given.max_concurrency)
                       + " methods at a time are none; give 1 or more");
  if (given.get_if_exists && given.name.empty())
    throw RayException("SetGetIfExists needs a name: call SetName, too");
}

} // namespace

std::shared_ptr<task_options> runtime::convert(const ActorCreationOptions& given) {
  CallOptions common;
  common.resources = given.resources;
  common.group = given.group;
  common.bundle_index = given.bundle_index;
  common.serialized_runtime_env_info = given.serialized_runtime_env_info;
  auto options = std::make_shared<task_options>();
  if (auto base = convert(common))
    *options = *base;
  options->actor_name = given.name;
  options->actor_namespace = given.ray_namespace.empty() ? namespace_ : given.ray_namespace;
  options->max_restarts = given.max_restarts;
  options->max_concurrency = given.max_concurrency;
  options->shared_process = given.isolation == ray::Isolation::SHARED;
  options->detached = given.detached < 0
                        ? settings_.default_actor_lifetime == ray::ActorLifetime::DETACHED
                        : given.detached == 1;
  return options;
}

ActorEntry* runtime::CreateActor(TaskCall& call, const ActorCreationOptions& given) {
  check(given, *call.function);
  auto options = convert(given);
  call.return_count = 0;
  auto task = make_task(call, task_kind::actor_creation, nullptr);
  auto id = derive_actor(task->spec.id);
  task->spec.actor = id;
  task->spec.options = options;

  auto entry = new ActorEntry;
  entry->id = id;
  entry->binary_id = to_binary(id);
  entry->record.job = job_;
  entry->record.class_name = demangle(call.function->class_type->name());
  entry->record.name = given.name;
  entry->record.ray_namespace = options->actor_namespace;
  entry->record.detached = options->detached;
  entry->creation = task;
  entry->hosted = !attached_;
  auto handle = actor_ptr::adopt(entry);
  ray::internal::Retain(entry);
  task->actor = entry;
  // One reference for the living actor; given back when it is dead.
  ray::internal::Retain(entry);
  {
    // Before the name, so that whoever finds the name finds the actor.
    auto& table = actor_table::instance();
    std::lock_guard guard(table.mutex);
    table.entries.emplace(id, entry);
  }
  if (!given.name.empty()) {
    try {
      if (auto existing = take_name(*entry, given.get_if_exists)) {
        withdraw(*entry);
        return existing;
      }
    } catch (...) {
      withdraw(*entry);
      throw;
    }
  }
  if (!given.name.empty() || !options->resources.empty()) {
    std::lock_guard guard(entry->mutex);
    record_actor(*entry);
  }
  host_->submit(task);
  if (attached_) {
    // It will live elsewhere; nothing here waits for its end.
    std::unique_lock guard(entry->mutex);
    entry->creation.reset();
    entry->record.state = actor_state::alive;
    guard.unlock();
    ray::internal::Release(entry);
  }
  ray::internal::Retain(entry);
  return entry;
}

/// The name decides who is the actor of that name. Null: it is `entry` from now on. Else the one
/// that has it, with a reference, if the caller takes that instead. Throws RayException.
ActorEntry* runtime::take_name(ActorEntry& entry, bool or_find) {
  const auto& name = entry.record.name;
  const auto& where = entry.record.ray_namespace;
  for (int attempt = 0;; ++attempt) {
    auto mine = host_->control().put_if_absent(gcs::table_kind::names, actor_name_key(where, name),
                                               entry.binary_id);
    if (!mine)
      throw_error(mine.error());
    if (*mine)
      return nullptr;
    auto existing = find_named(name, where);
    if (existing && (or_find || made_by_earlier_attempt(*existing)))
      return existing;
    if (existing)
      ray::internal::Release(existing);
    else if (or_find && attempt < max_name_attempts) // it died meanwhile; its name goes with it
      continue;
    throw RayException("Create actor error: the name \"" + name + "\" is taken in namespace \""
                       + where
                       + "\"; choose another, Kill that actor, or call SetGetIfExists(true)");
  }
}

/// A task that runs again meets the named actors that it made before it failed.
bool runtime::made_by_earlier_attempt(ActorEntry& entry) {
  auto& ctx = context();
  if (!ctx.task || ctx.task->attempt == 0)
    return false;
  std::lock_guard guard(entry.mutex);
  return entry.creation && entry.creation->spec.parent == ctx.id
         && entry.creation->parent_attempt < ctx.task->attempt;
}

/// The actor never was: its name was taken.
void runtime::withdraw(ActorEntry& entry) {
  {
    std::lock_guard guard(entry.mutex);
    if (entry.record.state == actor_state::dead) // Shutdown came first
      return;
    entry.record.state = actor_state::dead;
    entry.record.death_cause = "it was not created: its name was taken";
    entry.creation.reset();
  }
  ray::internal::Release(&entry);
}

void runtime::start_actor(const pending_task_ptr& creation) {
  auto entry = actor_ptr::share(*creation->actor);
  host_->gauge().started.fetch_add(1, std::memory_order_relaxed);
  std::shared_ptr<actor_incarnation> life;
  {
    std::lock_guard guard(entry->mutex);
    if (entry->record.state == actor_state::dead || closed() || !creation->try_claim()) {
      if (creation->holds_resources())
        host_->tell({event_kind::finished, creation, {}});
      return;
    }
    life = std::make_shared<actor_incarnation>(*this, creation);
    life->restarted = entry->record.restarts > 0;
    entry->life = life;
    entry->exiting = false;
    entry->record.state = actor_state::starting;
    entry->record.node = host_->id();
    entry->holds_resources = creation->holds_resources();
  }
  spawn_user<actor_host>(this, entry, std::move(life));
}

void runtime::actor_alive(ActorEntry& entry) {
  std::lock_guard guard(entry.mutex);
  record_actor(entry);
  host_->actor_alive(entry.id, entry.record.class_name);
}

void runtime::notify(ActorEntry& entry) {
  caf::strong_actor_ptr host;
  {
    std::lock_guard guard(entry.mutex);
    if (entry.record.state != actor_state::alive || !entry.host || entry.inbox.empty()
        || std::exchange(entry.notified, true))
      return;
    host = entry.host;
  }
  host->enqueue(nullptr, caf::make_message_id(), caf::make_message(drain_atom_v), nullptr);
}

void runtime::actor_ended(ActorEntry& entry, const std::string& cause, bool may_restart,
                          const actor_incarnation* only) {
  std::vector<pending_task_ptr> running;
  std::deque<pending_task_ptr> queued;
  pending_task_ptr old_creation;
  pending_task_ptr new_creation;
  std::shared_ptr<actor_incarnation> life;
  caf::strong_actor_ptr host;
  error reason;
  bool releases = false;
  {
    std::lock_guard guard(entry.mutex);
    if (!entry.hosted || entry.record.state == actor_state::dead
        || (only && entry.life.get() != only))
      return;
    old_creation = std::move(entry.creation);
    releases = std::exchange(entry.holds_resources, false);
    life = std::move(entry.life);
    host = std::move(entry.host);
    entry.notified = false;
    running.swap(entry.running);
    entry.record.death_cause = cause;
    auto limit = old_creation->spec.opts().max_restarts;
    if (may_restart && !closing() && !attached_
        && (limit < 0 || entry.record.restarts < static_cast<std::uint32_t>(limit))) {
      reason = dead(entry);
      reason.what += "; it is being restarted";
      entry.record.state = actor_state::restarting;
      entry.record.death_cause.clear();
      ++entry.record.restarts;
      new_creation = again(*old_creation);
      entry.creation = new_creation;
    } else {
      entry.record.state = actor_state::dead;
      reason = dead(entry);
      queued.swap(entry.inbox);
      // The name first: who sees the calls fail may take it.
      if (!entry.record.name.empty() && !attached_)
        host_->control().erase(gcs::table_kind::names,
                               actor_name_key(entry.record.ray_namespace, entry.record.name));
    }
    // At the end of a job its record says it for all; only names are worth a write.
    if (!closing() || !entry.record.name.empty())
      record_actor(entry);
    if (!closing() && !attached_)
      record_event(reason.what);
  }
  host_->actor_ended(entry.id, cause, may_restart);
  if (closing())
    reason = {errc::shut_down, "ray::Shutdown was called before this ended"};
  for (auto& call : running) // their threads let them go
    fail_running(*call, reason);
  for (auto& call : queued) {
    fail_task(*call, reason);
    end_task(*call);
  }
  // The last to hold the life deletes the object: where a host is left, on its thread.
  life.reset();
  if (host)
    caf::anon_send_exit(host, caf::exit_reason::user_shutdown);
  if (!closed()) {
    if (releases)
      host_->tell({event_kind::finished, old_creation, {}});
    else if (old_creation->try_claim(scheduled_task::claim_state::cancelled))
      host_->tell({event_kind::withdrawn, old_creation, {}});
    if (new_creation)
      host_->submit(new_creation);
  }
  if (!new_creation)
    ray::internal::Release(&entry); // the living actor's own
}

/// The same for a method, where it is next in line and its actor idle: `running` keeps everybody
/// else out meanwhile, as it does when the actor's own host runs it.
bool runtime::try_run_method_in_place(const pending_task_ptr& call) {
  if (!call->inputs_ready()
      || (task_context::current && task_context::current->depth >= max_inline_depth))
    return false;
  auto entry = actor_ptr::share(*call->actor);
  std::shared_ptr<actor_incarnation> life;
  {
    std::lock_guard guard(entry->mutex);
    if (entry->record.state != actor_state::alive || entry->inbox.empty()
        || entry->inbox.front() != call
        || entry->running.size() >= static_cast<std::size_t>(entry->max_concurrency())
        || entry->exiting)
      return false;
    entry->inbox.pop_front();
    entry->running.push_back(call);
    life = entry->life;
  }
  run_method(*this, *entry, life, call);
  notify(*entry);
  return true;
}

/// A creation task with the same ids and arguments, for the next life.
pending_task_ptr runtime::again(const pending_task& creation) {
  auto next = std::make_shared<pending_task>();
  next->spec = creation.spec;
  next->function = creation.function;
  next->attempt = creation.attempt + 1;
  next->parent_attempt = creation.parent_attempt;
  next->inputs = creation.inputs;
  next->contained = creation.contained;
  ray::internal::Retain(creation.actor);
  next->actor = creation.actor;
  return next;
}

void runtime::SubmitMethod(ActorEntry& entry, TaskCall& call, const CallOptions& given,
                           EntryPtr* results) {
  std::shared_ptr<task_options> options;
  if (!given.name.empty() || !given.resources.empty()) {
    ray::internal::CheckTaskOptions(given.resources);
    options = std::make_shared<task_options>();
    options->name = given.name;
  }
  wait_for_room();
  auto task = make_task(call, task_kind::actor_method, results);
  task->spec.options = std::move(options);
  task->spec.actor = entry.id;
  submitted_.fetch_add(1, std::memory_order_relaxed);
  if (attached_) {
    {
      std::lock_guard guard(entry.mutex);
      task->spec.method_count = entry.method_count++;
      task->spec.previous = std::exchange(entry.last_method, task->spec.id);
      host_->submit(task); // under the lock: in the order of their numbers
    }
    return;
  }
  ray::internal::Retain(&entry);
  task->actor = &entry;
  std::optional<error> failure;
  caf::strong_actor_ptr host;
  {
    std::lock_guard guard(entry.mutex);
    if (entry.record.state == actor_state::dead) {
      failure = dead(entry);
    } else {
      task->spec.method_count = entry.method_count++;
      task->spec.previous = std::exchange(entry.last_method, task->spec.id);
      entry.inbox.push_back(task);
      if (entry.record.state == actor_state::alive && entry.host
          && !std::exchange(entry.notified, true))
        host = entry.host;
    }
  }
  if (host)
    host->enqueue(nullptr, caf::make_message_id(), caf::make_message(drain_atom_v), nullptr);
  if (failure) {
    fail_task(*task, *failure);
    end_task(*task);
  }
}

namespace {

/// A reference, unless the last one is on its way out.
bool try_retain(ActorEntry& entry) noexcept {
  for (auto n = entry.references.load(std::memory_order_relaxed); n != 0;)
    if (entry.references.compare_exchange_weak(n, n + 1, std::memory_order_relaxed))
      return true;
  return false;
}

} // namespace

ActorEntry* runtime::known_actor(actor_id id) {
  auto& table = actor_table::instance();
  std::lock_guard guard(table.mutex);
  auto found = table.entries.find(id);
  return found != table.entries.end() && try_retain(*found->second) ? found->second : nullptr;
}

std::vector<actor_ptr> runtime::known_actors() {
  std::vector<actor_ptr> all;
  auto& table = actor_table::instance();
  std::lock_guard guard(table.mutex);
  for (auto& [id, entry] : table.entries)
    if (try_retain(*entry))
      all.push_back(actor_ptr::adopt(entry));
  return all;
}

ActorEntry* runtime::FindActor(const std::string& binary_id) {
  auto id = from_binary<actor_id>(binary_id);
  if (!id)
    throw RayException("an actor id has 16 bytes, not " + std::to_string(binary_id.size()));
  if (auto entry = known_actor(*id))
    return entry;
  if (attached_)
    return remote_actor_entry(*id);
  // Ended and forgotten, or never there: a handle whose calls say so.
  auto entry = new ActorEntry;
  entry->id = *id;
  entry->binary_id = binary_id;
  entry->record.class_name = "?";
  entry->record.death_cause = "no actor of this id lives here";
  if (auto kept = host_->control().get(gcs::table_kind::actors, binary_id); kept && *kept)
    if (auto record = decode<actor_record>(**kept); record && record->state == actor_state::dead)
      entry->record = std::move(*record);
  entry->record.state = actor_state::dead;
  return entry;
}

ActorEntry* runtime::find_named(const std::string& name, const std::string& where) {
  auto id = host_->control().get(gcs::table_kind::names, actor_name_key(where, name));
  if (!id)
    throw_error(id.error());
  auto parsed = *id ? from_binary<actor_id>(**id) : std::nullopt;
  if (attached_ && parsed) {
    // Its record follows the name, so that none means: not created yet.
    auto kept = host_->control().get(gcs::table_kind::actors, **id);
    auto record = kept && *kept ? decode<actor_record>(**kept) : result<actor_record>{};
    return record && record->state == actor_state::dead ? nullptr : remote_actor_entry(*parsed);
  }
  if (auto entry = parsed ? known_actor(*parsed) : nullptr) {
    std::unique_lock guard(entry->mutex);
    if (entry->record.state != actor_state::dead)
      return entry;
    guard.unlock();
    ray::internal::Release(entry);
  }
  return nullptr;
}

ActorEntry* runtime::FindNamedActor(const std::string& name, const std::string& ray_namespace) {
  auto where = ray_namespace.empty() ? namespace_ : ray_namespace;
  if (!name.empty())
    if (auto entry = find_named(name, where))
      return entry;
  RAYLOG(WARNING) << "no actor is named \"" << name << "\" in namespace \"" << where << "\"";
  return nullptr;
}

void runtime::KillActor(ActorEntry& entry, bool no_restart) {
  if (attached_)
    return host_->kill_actor(entry.id, "it was killed (ActorHandle::Kill)", !no_restart);
  actor_ended(entry, "it was killed (ActorHandle::Kill)", !no_restart);
}

void forget_actor(ActorEntry& entry) {
  auto& table = actor_table::instance();
  std::lock_guard guard(table.mutex);
  auto found = table.entries.find(entry.id);
  if (found != table.entries.end() && found->second == &entry)
    table.entries.erase(found);
}

} // namespace caf_ray

namespace ray::internal {

void Retain(ActorEntry* entry) noexcept {
  entry->references.fetch_add(1, std::memory_order_relaxed);
}

void Release(ActorEntry* entry) noexcept {
  if (entry->references.fetch_sub(1, std::memory_order_acq_rel) != 1)
    return;
  caf_ray::forget_actor(*entry);
  delete entry;
}

const std::string& BinaryId(ActorEntry* entry) {
  return entry->binary_id;
}

} // namespace ray::internal
