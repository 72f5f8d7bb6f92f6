#include "libray/src/cluster/hub_core.hpp"

#include <algorithm>
#include <utility>

#include "libray/src/actor_entry.hpp"

namespace caf_ray::cluster {

using namespace std::chrono_literals;
using event_kind = scheduler::task_event::kind;

namespace {

template <class Op, class... Ops>
constexpr bool is_one_of = (std::is_same_v<Op, Ops> || ...);
/// What only processes say, and what only nodes say.
template <class Op>
constexpr bool of_processes = is_one_of<Op, submit_op, blocked_op, borrow_op, put_op, create_op,
                                        seal_op, abort_op, pin_op, unpin_op>;
template <class Op>
constexpr bool of_nodes = is_one_of<Op, run_op, ready_op, end_job_op, want_program_op, program_op>;

} // namespace

hub_core::hub_core(hub_options options) : options_(std::move(options)), pool_(options_.pool) {}

// -- processes

client_id hub_core::join(client_kind kind, job_id job, actor_id only, mark_block marks) {
  auto id = ++last_client_;
  auto& c = clients_[id];
  c.marks = std::move(marks);
  c.kind = kind;
  c.job = job;
  if (only) {
    if (!settle_actor(only, id))
      options_.end_worker(id);
  } else if (kind == client_kind::worker) {
    pool_.started(job);
    for (auto& actor : std::exchange(waiting_actors_[job], {}))
      settle_actor(actor, id);
    if (job_lives(job)) {
      pool_.join(id, job, options_.now());
      assign();
    } else { // its driver left while it started
      options_.end_worker(id);
    }
  }
  return id;
}

void hub_core::on(client_id from, job_op& op) {
  auto& c = *find(from);
  if (c.kind != client_kind::node)
    c.job = op.job;
  else if (ended_jobs_.count(op.job) == 0)
    foreign_jobs_[op.job] = op.home;
  options_.know_job(from, op);
}

void hub_core::end_job(job_id job) {
  std::vector<hub_task_ptr> left;
  for (auto& [id, task] : tasks_)
    if (task->spec.job == job)
      left.push_back(task);
  const error ended{errc::cancelled, "its job has ended"};
  std::vector<actor_id> its_actors;
  for (auto& [id, actor] : actors_)
    if (actor.record.job == job && !actor.record.detached)
      its_actors.push_back(id);
  for (auto& id : its_actors)
    end_actor(id, "its job has ended", false, false);
  for (auto& task : left) {
    auto* actor = task->spec.actor ? find_actor(task->spec.actor) : nullptr;
    if (actor && actor->record.detached)
      continue;
    if (task->try_claim(scheduled_task::claim_state::cancelled))
      options_.ports->events.push({event_kind::withdrawn, task, {}});
    fail(task, ended);
  }
  for (auto& task : ready_[job]) {
    leave_window();
    give_back(task);
  }
  ready_.erase(job);
  if (options_.job_ended)
    options_.job_ended(job);
  for (auto& [id, c] : clients_) {
    if (c.kind == client_kind::worker && c.job == job && !hosts_actor(id))
      options_.end_worker(id);
    c.told_jobs.erase(job);
  }
}

bool hub_core::job_lives(job_id job) const {
  auto drives = [job](auto& x) {
    return x.second.kind == client_kind::driver && x.second.job == job;
  };
  auto lives = [job](auto& x) {
    auto& actor = x.second;
    return actor.record.job == job && actor.record.state != actor_state::dead && !actor.is_foreign;
  };
  return foreign_jobs_.count(job) != 0 || std::any_of(clients_.begin(), clients_.end(), drives)
         || std::any_of(actors_.begin(), actors_.end(), lives);
}

bool hub_core::hosts_actor(client_id worker) const {
  return std::any_of(actors_.begin(), actors_.end(),
                     [worker](auto& x) { return x.second.worker == worker; });
}

void hub_core::worker_failed(job_id job, actor_id only, const std::string& cause) {
  const auto reason = "no process for it could be started: " + cause;
  if (only) {
    if (is_placed(only))
      end_actor(only, reason, false, true);
    return;
  }
  pool_.started(job);
  for (auto& actor : std::exchange(waiting_actors_[job], {}))
    if (is_placed(actor))
      end_actor(actor, reason, false, true);
  auto at = ready_.find(job);
  if (at == ready_.end() || at->second.empty())
    return;
  // One that cannot even start will not start the next time: whoever waits shall know.
  auto task = std::move(at->second.front());
  at->second.pop_front();
  leave_window();
  give_back(task);
  if (task->try_claim())
    fail(task, {errc::worker_died, "no worker process for job " + std::to_string(job)
                                     + " could be started: " + cause});
  assign();
}

void hub_core::leave(client_id gone, const std::string& cause) {
  auto at = clients_.find(gone);
  if (at == clients_.end())
    return;
  auto left = std::move(at->second);
  clients_.erase(at);
  pool_.leave(gone);
  const bool was_node = left.kind == client_kind::node;
  const auto ended = (was_node ? "node " + to_string(left.node) + " has left: "
                               : std::string("its process has died: "))
                     + cause;
  if (was_node)
    nodes_.erase(left.node);
  std::vector<actor_id> its_actors;
  for (auto& [id, actor] : actors_)
    if (actor.worker == gone)
      its_actors.push_back(id);
  for (auto& id : its_actors) {
    for (auto at = left.running.begin(); at != left.running.end();) {
      auto call = at->second;
      bool is_its = call->spec.actor == id;
      at = is_its ? left.running.erase(at) : std::next(at);
      if (is_its && call->spec.kind == task_kind::actor_method) {
        auto record = find_actor(id)->record;
        record.death_cause = ended;
        fail(call, dead_actor(id, record));
      }
    }
    end_actor(id, ended, true, true);
  }
  for (auto& id : left.unannounced)
    options_.store->erase(id);
  for (auto& [id, task] : left.running)
    lost(task, was_node || left.marks.has_started(task->mark),
         {was_node ? errc::node_died : errc::worker_died,
          "the " + std::string(was_node ? "node" : "worker") + " that ran "
            + task->spec.display_name() + " (" + to_string(task->spec.id)
            + ") has died: " + cause});
  if (was_node)
    disown(gone, left);
  if (left.kind == client_kind::driver && left.job != 0) {
    end_job(left.job);
    for (auto& [node, id] : nodes_)
      say(id, end_job_op{left.job});
  }
  directory::actions actions;
  objects_.forget(gone, left.node, actions);
  for (auto& id : std::exchange(actions.orphaned, {}))
    objects_.lose(id,
                  {errc::object_lost, "object " + to_string(id) + " was on node "
                                        + to_string(left.node) + ", which has left: " + cause},
                  actions);
  perform(actions);
  assign();
}

hub_core::client* hub_core::find(client_id id) {
  auto at = clients_.find(id);
  return at == clients_.end() ? nullptr : &at->second;
}

result<void> hub_core::handle(client_id from, std::string_view batch) {
  if (!find(from))
    return {};
  refused_ = false;
  const bool by_node = is_node(from);
  auto read = read_ops(batch, [&]<class Op>(Op& op) {
    if (by_node ? of_processes<Op> : of_nodes<Op>)
      refused_ = true;
    else
      on(from, op);
  });
  if (read && refused_)
    return caf_ray::fail(errc::corrupt, by_node ? "a node has sent what only a process says"
                                                : "a process has sent what only a node says");
  assign();
  return read;
}

/// Something was added to what this process shall hear.
void hub_core::added(client_id to, client& c) {
  if (!std::exchange(c.in_dirty, true))
    dirty_.push_back(to);
  if (c.out.size() >= batch_bytes)
    options_.send(to, std::exchange(c.out, {}));
}

void hub_core::flush() {
  for (auto id : std::exchange(dirty_, {})) {
    auto* c = find(id);
    if (!c)
      continue;
    c->in_dirty = false;
    if (!c->out.empty())
      options_.send(id, std::exchange(c->out, {}));
  }
}

void hub_core::tick() {
  for (auto id :
       pool_.retire_idle(options_.now(), [this](client_id id) { return hosts_actor(id); }))
    options_.end_worker(id);
  std::vector<actor_id> unreachable;
  for (auto& [id, actor] : actors_)
    if (actor.is_foreign && actor.worker == 0 && actor.until < options_.now())
      unreachable.push_back(id);
  for (auto& id : unreachable)
    end_foreign(id, {errc::node_died, "actor " + to_string(id) + " lives on node "
                                        + to_string(find_actor(id)->record.home)
                                        + ", which cannot be reached from here"});
}

// -- tasks

void hub_core::on(client_id from, submit_op& op) {
  auto task = std::make_shared<hub_task>();
  task->spec = std::move(op.spec);
  task->attempt = op.attempt;
  task->own = true;
  auto& spec = task->spec;
  directory::actions actions;
  bool all_there = spec.return_count > 0;
  for (auto i = 1u; i <= spec.return_count; ++i) {
    auto id = result_of(spec.id, i);
    objects_.hold(id, from);
    objects_.want(id, from, actions);
    all_there &= objects_.find(id) != nullptr;
  }
  perform(actions);
  // A parent that runs again names what it made before.
  if (all_there)
    return;
  if (auto [at, is_new] = tasks_.emplace(spec.id, task); !is_new) {
    at->second->own = true;
    return;
  }
  for_each_input(spec, [&](object_id id) { objects_.hold_inside(id); });
  if (spec.kind == task_kind::actor_method)
    return call_actor(task);
  if (spec.kind == task_kind::actor_creation)
    create_actor(task);
  submit(task);
}

/// What the local scheduler holds for a task that was dispatched.
void hub_core::give_back(const hub_task_ptr& task) {
  auto& options = task->spec.opts();
  if (task->dispatched.load() && (!options.resources.empty() || options.group))
    options_.ports->events.push({event_kind::finished, task, {}});
}

void hub_core::submit(const hub_task_ptr& task) {
  options_.ports->submissions.push(task);
}

void hub_core::start(std::vector<task_ptr>& tasks) {
  for (auto& task : tasks) {
    auto mine = std::static_pointer_cast<hub_task>(std::move(task));
    if (mine->spec.kind == task_kind::actor_creation)
      place_actor(mine);
    else
      ready_[mine->spec.job].push_back(std::move(mine));
  }
  assign();
  flush();
}

void hub_core::assign() {
  for (auto at = ready_.begin(); at != ready_.end();) {
    auto& [job, queue] = *at;
    while (!queue.empty()) {
      auto worker = pool_.pick(job);
      if (!worker)
        break;
      auto task = std::move(queue.front());
      queue.pop_front();
      leave_window();
      send_task(*worker, task);
    }
    for (auto n = pool_.to_start(job, queue.size()); n > 0; --n) {
      pool_.starting(job);
      options_.start_worker(job, {});
    }
    at = queue.empty() ? ready_.erase(at) : std::next(at);
  }
}

void hub_core::leave_window() {
  if (options_.ports->gauge.start_one())
    options_.ports->events.push({event_kind::room, nullptr, {}});
}

bool hub_core::send_task(client_id worker, const hub_task_ptr& task) {
  if (!task->try_claim()) {
    give_back(task);
    return false;
  }
  auto& spec = task->spec;
  auto& c = *find(worker);
  if (c.kind == client_kind::node)
    introduce(worker, spec.job);
  for_each_input(spec, [&](object_id id) {
    objects_.hold(id, worker);
    if (objects_.must_tell(id, worker))
      tell(worker, id, true);
  });
  bool is_counted = c.kind == client_kind::worker && spec.kind == task_kind::plain;
  task->mark = is_counted ? c.marks.take() : 0;
  write_task<run_op>(c.out, spec, task->attempt, task->mark);
  added(worker, c);
  task->worker = worker;
  c.running.emplace(spec.id, task);
  if (is_counted)
    pool_.sent(worker);
  return true;
}

void hub_core::on(client_id from, done_op& op) {
  auto& c = *find(from);
  const bool by_node = c.kind == client_kind::node;
  directory::actions actions;
  std::vector<object_id> lent;
  if (by_node)
    for (auto& result : op.results)
      for (auto& inner : result.contained) {
        objects_.borrow(inner, from, actions);
        lent.push_back(inner);
      }
  auto at = c.running.find(op.task);
  if (at == c.running.end()) { // cancelled, or tried again elsewhere
    for (auto i = 0u; by_node && i < op.results.size(); ++i)
      if (op.results[i].kind == value_kind::stored)
        actions.give_back.push_back({from, result_of(op.task, i + 1), 1});
    for (auto& id : lent)
      objects_.settle(id, actions);
    return perform(actions);
  }
  auto task = std::move(at->second);
  c.running.erase(at);
  c.marks.give_back(task->mark);
  if (!by_node && task->spec.kind == task_kind::plain) {
    pool_.ended(from, std::chrono::nanoseconds(op.run_ns), options_.now());
    auto& gauge = options_.ports->gauge;
    gauge.run_ns.fetch_add(op.run_ns);
    gauge.finished.fetch_add(1);
  }
  if (op.failure.code != errc::none)
    return fail(task, op.failure);
  std::vector<directory::value> results(task->spec.return_count);
  for (auto i = 0u; i < results.size(); ++i) {
    if (i < op.results.size()) {
      results[i] = directory::value(op.results[i]);
      c.unannounced.erase(result_of(task->spec.id, i + 1));
    } else {
      results[i].failure = {errc::task_failed, task->spec.display_name() + " has returned "
                                                 + std::to_string(op.results.size())
                                                 + " results of "
                                                 + std::to_string(task->spec.return_count)};
    }
  }
  report(*task, results, {});
  for (auto i = 0u; i < results.size(); ++i) {
    auto id = result_of(task->spec.id, i + 1);
    bool copy_there = by_node && results[i].kind == value_kind::stored;
    objects_.resolve(id, std::move(results[i]), actions);
    if (copy_there)
      objects_.keep_copy(id, from, actions);
  }
  for (auto& id : lent)
    objects_.settle(id, actions);
  perform(actions);
  finish(task);
}

void hub_core::fail(const hub_task_ptr& task, const error& why) {
  report(*task, {}, why);
  directory::actions actions;
  for (auto i = 1u; task->own && i <= task->spec.return_count; ++i) {
    directory::value value;
    value.failure = why;
    objects_.resolve(result_of(task->spec.id, i), std::move(value), actions);
  }
  perform(actions);
  finish(task);
}

void hub_core::finish(const hub_task_ptr& task) {
  auto at = tasks_.find(task->spec.id);
  if (at == tasks_.end() || at->second != task)
    return;
  tasks_.erase(at);
  if (task->worker != 0)
    give_back(task);
  directory::actions actions;
  for_each_input(task->spec, [&](object_id id) { objects_.release_inside(id, actions); });
  perform(actions);
}

void hub_core::lost(const hub_task_ptr& task, bool had_started, const error& why) {
  auto at = tasks_.find(task->spec.id);
  if (at == tasks_.end() || at->second != task)
    return; // it was ended meanwhile, with its job
  auto limit = task->spec.opts().max_retries;
  if (had_started && limit >= 0 && task->attempt >= static_cast<std::uint32_t>(limit))
    return fail(task, why);
  give_back(task);
  try_again(*task, task->attempt + had_started);
}

hub_task_ptr hub_core::try_again(const hub_task& task, std::uint32_t attempt) {
  auto next = std::make_shared<hub_task>();
  next->spec = task.spec;
  next->attempt = attempt;
  next->placed = task.placed;
  next->own = task.own;
  next->homes = task.homes;
  tasks_[next->spec.id] = next;
  submit(next);
  return next;
}

void hub_core::drop(const task_ptr& task, const error& why) {
  if (task->spec.kind == task_kind::actor_creation)
    end_actor(task->spec.actor, why.what, false, true);
  else
    fail(std::static_pointer_cast<hub_task>(task), why);
  flush();
}

void hub_core::on(client_id from, blocked_op& op) {
  auto& running = find(from)->running;
  auto at = running.find(op.task);
  if (at == running.end())
    return;
  if (at->second->spec.kind == task_kind::plain)
    pool_.blocked(from, op.blocked);
  if (at->second->spec.opts().resources.get("CPU") > 0)
    options_.ports->events.push(
      {op.blocked ? event_kind::blocked : event_kind::unblocked, at->second, {}});
}

void hub_core::on(client_id, cancel_op& op) {
  auto at = tasks_.find(op.task);
  if (at == tasks_.end())
    return;
  auto task = at->second;
  const error cancelled{errc::cancelled, "task " + task->spec.display_name() + " ("
                                           + to_string(task->spec.id) + ") was cancelled"};
  if (task->try_claim(scheduled_task::claim_state::cancelled)) {
    options_.ports->events.push({event_kind::withdrawn, task, {}});
    fail(task, cancelled);
  } else if (task->worker) {
    // Sent, and perhaps not started: the worker knows.
    say(task->worker, op);
  }
}

} // namespace caf_ray::cluster
