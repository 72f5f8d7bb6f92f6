// The part of the hub that deals with actors: where they live, what they are sent, how they end.

#include "libray/src/cluster/hub_core.hpp"

#include <algorithm>
#include <utility>

#include "libray/src/actor_entry.hpp"

namespace caf_ray::cluster {

using event_kind = scheduler::task_event::kind;

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
  actor.record.class_name = spec.function; // until its worker says better
  actor.record.name = spec.opts().actor_name;
  actor.record.ray_namespace = spec.opts().actor_namespace;
  actor.record.detached = spec.opts().detached;
  record(spec.actor, actor);
}

void hub_core::record(actor_id id, const hosted_actor& actor) {
  if (options_.record_actor)
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
  if (!send_task(worker, actor->creation))
    actor->worker = 0;
  return actor->worker != 0;
}

void hub_core::call_actor(const hub_task_ptr& call) {
  auto* actor = find_actor(call->spec.actor);
  if (!actor || actor->record.state == actor_state::dead)
    return fail(call, actor ? dead_actor(call->spec.actor, actor->record)
                            : error{errc::actor_died, "actor " + to_string(call->spec.actor)
                                                        + " has ended, or was never created"});
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
  for (auto& call : std::exchange(actor->waiting, {}))
    send_task(from, call);
}

void hub_core::on(client_id, kill_actor_op& op) {
  end_actor(op.actor, op.cause, op.may_restart, false);
}

void hub_core::end_actor(actor_id id, const std::string& cause, bool may_restart, bool by_itself) {
  auto* actor = find_actor(id);
  if (!actor || actor->record.state == actor_state::dead)
    return;
  auto creation = actor->creation;
  auto worker = std::exchange(actor->worker, 0);
  auto limit = creation->spec.opts().max_restarts;
  bool restarts =
    may_restart && (limit < 0 || actor->record.restarts < static_cast<std::uint32_t>(limit));
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
    // In a shared process it is asked to end; one of its own ends with it.
    if (!creation->spec.opts().shared_process)
      options_.kill_worker(worker);
    else if (!by_itself)
      say(worker, kill_actor_op{id, false, cause});
  }
  for (auto& call : ended)
    fail(call, reason);
  if (creation->try_claim(scheduled_task::claim_state::cancelled))
    options_.ports->events.push({event_kind::withdrawn, creation, {}});
  give_back(creation);
  creation->worker = 0;
  if (restarts)
    find_actor(id)->creation = try_again(*creation);
  else
    finish(creation);
}

} // namespace caf_ray::cluster
