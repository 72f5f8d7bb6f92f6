// The part of the hub that deals with actors: where they live, what they are sent, how they end.

#include "libray/src/cluster/hub_core.hpp"

#include <algorithm>
#include <utility>

#include "libray/src/actor_entry.hpp"

namespace caf_ray::cluster {

using event_kind = scheduler::task_event::kind;

namespace {

/// To find the home of an actor that is called from here, and to be connected with it.
constexpr auto foreign_patience = std::chrono::seconds(10);

} // namespace

hub_core::hosted_actor* hub_core::find_actor(actor_id id) {
  auto at = actors_.find(id);
  return at == actors_.end() ? nullptr : &at->second;
}

void hub_core::create_actor(const hub_task_ptr& creation) {
  auto& spec = creation->spec;
  auto [at, is_new] = actors_.try_emplace(spec.actor);
  if (!is_new)
    return;
  auto& actor = at->second;
  actor.creation = creation;
  actor.record.job = spec.job;
  actor.record.home = options_.node;
  actor.record.class_name = spec.function; // until its worker says better
  actor.record.name = spec.opts().actor_name;
  actor.record.ray_namespace = spec.opts().actor_namespace;
  actor.record.detached = spec.opts().detached;
  record(spec.actor, actor);
}

/// What is known of a guest is its home's to say.
void hub_core::record(actor_id id, const hosted_actor& actor) {
  if (options_.record_actor && actor.creation->own)
    options_.record_actor(id, actor.record);
}

/// Its resources are held: it needs a process.
void hub_core::place_actor(const hub_task_ptr& creation) {
  leave_window();
  auto* actor = find_actor(creation->spec.actor);
  if (!actor || actor->creation != creation)
    return give_back(creation);
  actor->record.state = actor_state::starting;
  if (creation->spec.opts().shared_process) {
    if (auto worker = pool_.any(creation->spec.job)) {
      settle_actor(creation->spec.actor, *worker);
      return;
    }
    waiting_actors_[creation->spec.job].push_back(creation->spec.actor);
    if (pool_.to_start(creation->spec.job, 1) > 0) {
      pool_.starting(creation->spec.job);
      options_.start_worker(creation->spec.job, {});
    }
    return;
  }
  options_.start_worker(creation->spec.job, creation->spec.actor);
}

/// Whether it waits for a process. One that was killed meanwhile does not, nor one that has found
/// another since.
bool hub_core::is_placed(actor_id id) {
  auto* actor = find_actor(id);
  return actor && actor->record.state == actor_state::starting && actor->worker == 0;
}

/// A process is there; false when the actor needs none.
bool hub_core::settle_actor(actor_id id, client_id worker) {
  if (!is_placed(id))
    return false;
  auto* actor = find_actor(id);
  actor->worker = worker;
  auto* c = find(worker);
  actor->record.node = c && c->kind == client_kind::node ? c->node : options_.node;
  if (!send_task(worker, actor->creation))
    actor->worker = 0;
  return actor->worker != 0;
}

void hub_core::call_actor(const hub_task_ptr& call) {
  auto* actor = find_actor(call->spec.actor);
  // Who sends a call from elsewhere takes this for the actor's home.
  if (!actor && call->own && options_.find_actor)
    actor = &foreign_actor(call->spec.actor);
  if (!actor)
    return fail(call, never_created(call->spec.actor));
  if (actor->record.state == actor_state::dead)
    return fail(call, dead_actor(call->spec.actor, actor->record));
  if (actor->record.state == actor_state::alive)
    send_task(actor->worker, call);
  else
    actor->waiting.push_back(call);
}

void hub_core::on(client_id from, actor_op& op) {
  auto* actor = find_actor(op.actor);
  if (!actor || actor->worker != from || actor->record.state == actor_state::dead)
    return;
  if (!op.alive)
    return end_actor(op.actor, op.cause, op.may_restart, true);
  actor->record.state = actor_state::alive;
  actor->record.class_name = op.cause;
  record(op.actor, *actor);
  for (auto home : actor->creation->homes)
    say(home, op);
  for (auto& call : std::exchange(actor->waiting, {}))
    send_task(from, call);
}

void hub_core::on(client_id from, kill_actor_op& op) {
  auto* actor = find_actor(op.actor);
  if (!actor && !is_node(from) && options_.find_actor)
    actor = &foreign_actor(op.actor);
  if (!actor)
    return;
  if (actor->is_foreign) {
    actor->kill = op;
    if (actor->worker != 0)
      say(actor->worker, op);
  } else if (!actor->creation->own && !is_node(from)) {
    for (auto home : actor->creation->homes)
      say(home, op); // which decides, and ends it here
  } else {
    end_actor(op.actor, op.cause, op.may_restart, false);
  }
}

void hub_core::end_actor(actor_id id, const std::string& cause, bool may_restart, bool by_itself) {
  auto* actor = find_actor(id);
  if (!actor || actor->record.state == actor_state::dead)
    return;
  if (actor->is_foreign)
    return end_foreign(id, {errc::actor_died, "actor " + to_string(id) + ": " + cause});
  auto creation = actor->creation;
  const bool is_guest = !creation->own;
  auto worker = std::exchange(actor->worker, 0);
  auto limit = creation->spec.opts().max_restarts;
  bool restarts = may_restart && !is_guest
                  && (limit < 0 || actor->record.restarts < static_cast<std::uint32_t>(limit));
  actor->record.death_cause = cause;
  auto reason = dead_actor(id, actor->record);
  std::deque<hub_task_ptr> ended;
  if (restarts) {
    reason.what += "; it is being restarted";
    actor->record.state = actor_state::restarting;
    actor->record.death_cause.clear();
    ++actor->record.restarts;
  } else {
    actor->record.state = actor_state::dead;
    ended.swap(actor->waiting);
  }
  record(id, *actor);
  if (auto* c = find(worker)) {
    for (auto at = c->running.begin(); at != c->running.end();) {
      bool is_its = at->second->spec.actor == id;
      if (is_its && at->second != creation)
        ended.push_back(at->second);
      at = is_its ? c->running.erase(at) : std::next(at);
    }
    // In a shared process, or on another node, it is asked to end; one of its own ends with it.
    if (!creation->spec.opts().shared_process && c->kind == client_kind::worker)
      options_.kill_worker(worker);
    else if (!by_itself)
      say(worker, kill_actor_op{id, false, cause});
  }
  for (auto& call : ended)
    fail(call, reason);
  for (auto home : creation->homes)
    if (by_itself)
      say(home, actor_op{id, false, may_restart, cause});
  if (creation->try_claim(scheduled_task::claim_state::cancelled))
    options_.ports->events.push({event_kind::withdrawn, creation, {}});
  give_back(creation);
  creation->worker = 0;
  if (restarts) {
    find_actor(id)->creation = try_again(*creation, creation->attempt + 1);
    return;
  }
  finish(creation);
  if (is_guest)
    actors_.erase(id); // its home may send it again
}

// -- actors that other nodes have created

error hub_core::never_created(actor_id id) const {
  return {errc::actor_died, "actor " + to_string(id) + " has ended, or was never created"};
}

hub_core::hosted_actor& hub_core::foreign_actor(actor_id id) {
  auto& actor = actors_[id];
  actor.is_foreign = true;
  actor.until = options_.now() + foreign_patience;
  options_.find_actor(id, [this, id](std::optional<actor_record> record) {
    found_actor(id, record);
    flush();
  });
  return actor;
}

void hub_core::found_actor(actor_id id, const std::optional<actor_record>& record) {
  auto* actor = find_actor(id);
  if (!actor || !actor->is_foreign)
    return;
  if (!record || record->home == options_.node)
    return end_foreign(id, never_created(id));
  if (record->state == actor_state::dead)
    return end_foreign(id, dead_actor(id, *record));
  actor->record = *record;
  actor->record.state = actor_state::pending;
  if (nodes_.count(record->home) != 0)
    reach_foreign(*actor);
}

/// Its home is connected.
void hub_core::reach_foreign(hosted_actor& actor) {
  actor.worker = nodes_.at(actor.record.home);
  actor.record.state = actor_state::alive;
  for (auto& call : std::exchange(actor.waiting, {}))
    send_task(actor.worker, call);
  if (actor.kill)
    say(actor.worker, *actor.kill);
}

void hub_core::end_foreign(actor_id id, const error& why) {
  auto actor = std::move(actors_.at(id));
  actors_.erase(id);
  for (auto& call : actor.waiting)
    fail(call, why);
}

} // namespace caf_ray::cluster
