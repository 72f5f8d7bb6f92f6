// The part of the hub that deals with other nodes: tasks that they send, and tasks that they are
// sent. What they say of objects and actors is said as by processes; see the README.

#include "libray/src/cluster/hub_core.hpp"

#include <algorithm>
#include <utility>

namespace caf_ray::cluster {

using event_kind = scheduler::task_event::kind;

namespace {

/// Jobs whose late tasks are recognised.
constexpr std::size_t remembered_ends = 10'000;

} // namespace

bool hub_core::is_node(client_id id) {
  auto* c = find(id);
  return c && c->kind == client_kind::node;
}

client_id hub_core::join_node(node_id node) {
  auto id = ++last_client_;
  auto& c = clients_[id];
  c.kind = client_kind::node;
  c.node = node;
  nodes_[node] = id;
  objects_.add_node(id);
  for (auto& [actor, x] : actors_)
    if (x.is_foreign && x.worker == 0 && x.record.home == node)
      reach_foreign(x);
  return id;
}

// -- tasks that we send

bool hub_core::forward(node_id to, const task_ptr& task) {
  auto at = nodes_.find(to);
  if (at == nodes_.end())
    return false;
  auto mine = std::static_pointer_cast<hub_task>(task);
  auto& spec = mine->spec;
  if (spec.kind != task_kind::actor_creation) {
    send_task(at->second, mine);
  } else if (auto* actor = find_actor(spec.actor); actor && actor->creation == mine) {
    actor->record.state = actor_state::starting;
    settle_actor(spec.actor, at->second);
  }
  flush();
  return true;
}

void hub_core::introduce(client_id node, job_id job) {
  if (!find(node)->told_jobs.insert(job).second)
    return;
  auto known = options_.describe_job(job);
  if (!known)
    return;
  auto foreign = foreign_jobs_.find(job);
  known->home = foreign == foreign_jobs_.end() ? options_.node : foreign->second;
  say(node, *known);
}

void hub_core::locate(scheduler::input_place& input) const {
  auto* value = objects_.find_anywhere(input.id);
  if (!value || value->kind != value_kind::stored)
    return; // small ones travel with the task
  input.size_bytes = value->size_bytes;
  input.nodes = value->nodes;
  if (input.nodes.empty())
    input.nodes.push_back(options_.node);
}

// -- tasks that we are sent

void hub_core::on(client_id from, run_op& op) {
  auto task = std::make_shared<hub_task>();
  task->spec = std::move(op.spec);
  task->attempt = op.attempt;
  task->homes.push_back(from);
  task->placed = true;
  auto& spec = task->spec;
  directory::actions actions;
  for_each_input(spec, [&](object_id id) { objects_.borrow(id, from, actions); });
  auto [at, is_new] = tasks_.emplace(spec.id, task);
  if (is_new)
    for_each_input(spec, [&](object_id id) { objects_.hold_inside(id); });
  else
    at->second->homes.push_back(from); // a parent that runs again, on another node
  for_each_input(spec, [&](object_id id) { objects_.settle(id, actions); });
  for (auto& id : std::exchange(find(from)->early_inputs, {}))
    objects_.release_inside(id, actions);
  perform(actions);
  if (!is_new) {
    // Sent away and come back, if it was: whoever has it elsewhere may wait for us.
    auto known = at->second;
    auto* there = known->worker ? find(known->worker) : nullptr;
    if (there && there->kind == client_kind::node && spec.kind == task_kind::plain
        && there->running.erase(spec.id))
      try_again(*known, known->attempt);
    return;
  }
  if (spec.kind == task_kind::actor_method)
    return call_actor(task);
  if (ended_jobs_.count(spec.job) != 0 && !spec.opts().detached)
    return fail(task, {errc::cancelled, "its job has ended"});
  if (spec.kind == task_kind::actor_creation)
    create_actor(task);
  submit(task);
}

void hub_core::on(client_id from, ready_op& op) {
  directory::actions actions;
  for (auto& inner : op.value.contained)
    objects_.borrow(inner, from, actions);
  if (op.held) {
    objects_.borrow(op.object, from, actions);
    objects_.hold_inside(op.object); // until the task that it comes for
    find(from)->early_inputs.push_back(op.object);
  }
  auto contained = op.value.contained;
  objects_.resolve(op.object, directory::value(op.value), actions);
  for (auto& inner : contained)
    objects_.settle(inner, actions);
  perform(actions);
}

void hub_core::report(const hub_task& task, const std::vector<directory::value>& results,
                      const error& failure) {
  for (auto home : task.homes) {
    if (!find(home))
      continue;
    done_op op;
    op.task = task.spec.id;
    op.failure = failure;
    directory::actions actions;
    for (auto i = 0u; i < results.size(); ++i) {
      auto form = results[i].form();
      if (form.kind == value_kind::stored) {
        objects_.keep_for(result_of(task.spec.id, i + 1), home, actions);
        if (form.nodes.empty())
          form.nodes.push_back(options_.node);
      }
      for (auto& inner : form.contained)
        objects_.hold(inner, home);
      op.results.push_back(std::move(form));
    }
    say(home, op);
    perform(actions);
  }
}

void hub_core::on(client_id, end_job_op& op) {
  end_foreign_job(op.job);
}

/// Not when those that have sent its tasks say so: they may wait for each other.
void hub_core::end_foreign_job(job_id job) {
  foreign_jobs_.erase(job);
  ended_jobs_.insert(job);
  if (ended_jobs_.size() > remembered_ends)
    ended_jobs_.erase(ended_jobs_.begin());
  end_job(job);
}

// -- programs

void hub_core::ask_program(client_id node, job_id job) {
  say(node, want_program_op{job});
}

void hub_core::on(client_id from, want_program_op& op) {
  options_.publish_program(op.job, [this, from](const program_op& answer) {
    say(from, answer);
    flush();
  });
}

void hub_core::on(client_id from, program_op& op) {
  options_.program_published(from, op);
}

void hub_core::disown(client_id gone, const client& left) {
  std::vector<hub_task_ptr> for_nobody;
  for (auto& [id, task] : tasks_)
    if (std::erase(task->homes, gone) > 0 && task->homes.empty() && !task->own)
      for_nobody.push_back(task);
  for (auto& task : for_nobody) {
    if (task->spec.kind == task_kind::actor_creation) {
      end_actor(task->spec.actor, "the node that created it has left", false, false);
    } else {
      if (task->try_claim(scheduled_task::claim_state::cancelled))
        options_.ports->events.push({event_kind::withdrawn, task, {}});
      finish(task);
    }
  }
  for (auto& id : left.early_inputs) {
    directory::actions actions;
    objects_.release_inside(id, actions);
    perform(actions);
  }
  std::vector<job_id> jobs;
  for (auto& [job, home] : foreign_jobs_)
    if (home == left.node)
      jobs.push_back(job);
  for (auto job : jobs)
    end_foreign_job(job);
}

} // namespace caf_ray::cluster
