#include "scheduler/local.hpp"

#include <algorithm>

#include "gcs/types/limits.hpp"

namespace caf_ray::scheduler {

namespace {

/// Submissions between two looks at the dispatch window.
constexpr std::size_t submissions_per_step = 1024;

/// Buffers that a burst made larger than this are given back.
constexpr std::size_t kept_capacity = 64 * 1024;

template <class T>
void clear(std::vector<T>& buffer) {
  buffer.clear();
  if (buffer.capacity() > kept_capacity)
    buffer.shrink_to_fit();
}

} // namespace

// -- tasks of this process

/// Takes the submissions before the events and handles them after: so an event is never handled
/// before what its sender submitted earlier is seen, save for a withdrawal of a task that is
/// claimed by then, which `local_queue::submit` ignores; and a task that was resubmitted after an
/// event has that event behind it.
void local_state::drain() {
  options.ports->submissions.take(submissions);
  options.ports->events.take(events);
  for (auto& event : events)
    handle(event);
  for (std::size_t i = 0; i < submissions.size(); ++i) {
    accept(std::move(submissions[i]));
    if (i % submissions_per_step == submissions_per_step - 1)
      pump();
  }
  clear(events);
  clear(submissions);
  proceed();
}

void local_state::proceed() {
  pump();
  hand_up();
  publish_held();
}

void local_state::accept(task_ptr task) {
  find_missing(*task);
  queue.submit(std::move(task), missing);
}

void local_state::find_missing(const scheduled_task& task) {
  missing.clear();
  auto& arguments = task.spec.arguments;
  auto is_ref = [](const task_argument& x) { return bool{x.ref}; };
  if (std::none_of(arguments.begin(), arguments.end(), is_ref) || !queue.feasible(task))
    return;
  for (auto& argument : arguments)
    if (argument.ref && (queue.awaits(argument.ref) || !options.ports->watch(argument.ref)))
      missing.push_back(argument.ref);
  std::sort(missing.begin(), missing.end());
  missing.erase(std::unique(missing.begin(), missing.end()), missing.end());
}

void local_state::handle(const task_event& event) {
  switch (event.what) {
    case task_event::kind::finished: return queue.finished(*event.task);
    case task_event::kind::blocked: return queue.blocked(*event.task);
    case task_event::kind::unblocked: return queue.unblocked(*event.task);
    case task_event::kind::object_ready: return queue.object_ready(event.object);
    case task_event::kind::withdrawn: return withdraw(event.task);
    case task_event::kind::room: return; // pump follows in any case
  }
}

void local_state::withdraw(const task_ptr& task) {
  if (queue.withdraw(*task) || away.empty())
    return;
  auto* entry = away.find(task->spec.id);
  if (!entry || entry->what.task != task)
    return;
  if (entry->stage == away_table::phase::sent) {
    if (auto peer = peers.find(entry->node); peer != peers.end())
      caf::anon_send(caf::actor_cast<local_actor>(peer->second), cancel_atom_v, task->spec.id);
  } else {
    forget(entry->replica, {task->spec.id});
  }
  away.take(task->spec.id);
  queue.settle(*task);
}

void local_state::pump() {
  auto& gauge = options.ports->gauge;
  for (;;) {
    auto room = window_room();
    if (room == 0) {
      if (queue.ready() == 0)
        return;
      // Either we see here that the window has emptied, or who empties it sees that we are hungry.
      gauge.hungry.store(true);
      room = window_room();
      if (room == 0 || room < window_size() / 2 || !gauge.hungry.exchange(false))
        return;
      continue;
    }
    batch.clear();
    queue.take_ready(room, batch);
    auto count = batch.size();
    if (count == 0)
      return;
    gauge.dispatched.fetch_add(count);
    options.ports->start(batch);
    if (count < room)
      return;
  }
}

/// Dispatched and not started.
std::uint64_t local_state::dispatched_count() const {
  auto& gauge = options.ports->gauge;
  auto started = gauge.started.load(), dispatched = gauge.dispatched.load();
  return dispatched > started ? dispatched - started : 0;
}

bool local_state::is_idle() const {
  return queue.ready() == 0 && dispatched_count() == 0;
}

double local_state::task_us() const {
  auto stalled = std::chrono::duration<double, std::micro>(now() - last_progress).count();
  return std::max(mean_task_us.value_or(0), stalled);
}

std::size_t local_state::tasks_within(std::chrono::microseconds span) const {
  auto slots = std::max(static_cast<double>(options.total.get("CPU")) / to_units(1), 1.0);
  auto each = static_cast<double>(span.count()) / std::max(task_us(), 1.0);
  return static_cast<std::size_t>(slots * std::clamp(each, 1.0, 1e9));
}

std::size_t local_state::window_size() const {
  if (others.empty() || options.dispatch_ahead.count() == 0)
    return dispatch_window;
  return std::min(tasks_within(options.dispatch_ahead), dispatch_window);
}

std::size_t local_state::window_room() const {
  auto size = window_size();
  return size - std::min<std::uint64_t>(dispatched_count(), size);
}

// -- bundles

error local_state::prepare(group_id group, const std::vector<bundle_request>& bundles) {
  if (!queue.pool().prepare(group, bundles))
    return {errc::unschedulable, "node " + to_string(options.node) + " has only "
                                   + to_string(queue.pool().available()) + " free for bundles of "
                                   + "placement group " + to_string(group)};
  prepared[group] = now() + options.prepare_deadline;
  return {};
}

error local_state::commit(group_id group) {
  prepared.erase(group);
  if (!queue.pool().commit(group))
    return {errc::not_found, "node " + to_string(options.node)
                               + " has nothing prepared for placement group " + to_string(group)};
  std::vector<task_ptr> tasks;
  queue.unpark(tasks);
  for (auto& task : tasks)
    accept(std::move(task));
  proceed();
  return {};
}

void local_state::give_back(group_id group) {
  prepared.erase(group);
  queue.pool().remove(group);
  proceed();
}

// -- people

std::string local_state::why(task_id id) {
  drain();
  if (auto* entry = away.find(id)) {
    if (entry->stage == away_table::phase::sent)
      return "It is on its way to node " + to_string(entry->node) + ".";
    if (!entry->reason.empty())
      return "The global scheduler has no node for it: " + entry->reason + ".";
    return entry->replica ? "The global scheduler was asked for a node."
                          : "No global scheduler can be asked for a node.";
  }
  auto text = queue.why(id);
  return text.empty() ? "It is not held here: it was dispatched, has ended or was never submitted."
                      : text;
}

bool local_state::cancel(task_id id) {
  drain();
  auto task = queue.find(id);
  if (auto* entry = task ? nullptr : away.find(id))
    task = entry->what.task;
  if (!task || !task->try_claim(scheduled_task::claim_state::cancelled))
    return false;
  withdraw(task);
  if (options.drop)
    options.drop(task, {errc::cancelled, task->spec.display_name() + " was cancelled"});
  publish_held();
  return true;
}

node_record local_state::describe() const {
  node_record record;
  record.host = options.host;
  record.total = options.total;
  for (auto& [name, units] : queue.pool().available().entries())
    record.available.set(name, std::max<std::int64_t>(units, 0));
  record.queue_length = queue.ready() + dispatched_count();
  // A node whose first tasks still run is no fast one.
  record.mean_task_us =
    options.overflow_wait.count() > 0 && !is_idle() ? task_us() : mean_task_us.value_or(0);
  record.heartbeat_count = heartbeats;
  return record;
}

void local_state::tick() {
  auto& gauge = options.ports->gauge;
  auto finished = gauge.finished.load(), run_ns = gauge.run_ns.load();
  if (finished > seen_finished)
    mean_task_us.add(static_cast<double>(run_ns - seen_run_ns) / 1000.0
                     / static_cast<double>(finished - seen_finished));
  if (finished > seen_finished || is_idle())
    last_progress = now();
  seen_finished = finished;
  seen_run_ns = run_ns;
  ++heartbeats;
  std::erase_if(prepared, [this](auto& entry) {
    if (entry.second > now())
      return false;
    queue.pool().abort(entry.first);
    return true;
  });
  ask(away.due(now()));
  proceed();
  if (options.report)
    options.report(describe());
  self->delayed_send(self, options.heartbeat_interval, tick_atom_v);
}

void local_state::publish_held() {
  options.ports->gauge.held.store(queue.held() + away.size(), std::memory_order_relaxed);
}

local_state::time_point local_state::now() const {
  return self->clock().now();
}

local_actor::behavior_type local_scheduler(local_actor::stateful_pointer<local_state> self,
                                           local_options options) {
  auto& state = self->state;
  state.queue = local_queue{options.total, options.queue};
  state.random.seed(options.seed);
  state.options = std::move(options);
  self->set_down_handler([&state](caf::down_msg& down) { state.lost(down.source); });
  auto me = caf::actor_cast<caf::strong_actor_ptr>(self);
  state.last_progress = state.now();
  state.options.ports->submissions.bind(me);
  state.options.ports->events.bind(me);
  self->delayed_send(self, state.options.heartbeat_interval, tick_atom_v);
  return {
    [self](drain_atom) { self->state.drain(); },
    [self](tick_atom) { self->state.tick(); },
    [self](status_atom) {
      self->state.drain();
      return self->state.describe();
    },
    [self](why_atom, task_id task) { return self->state.why(task); },
    [self](cancel_atom, task_id task) { return self->state.cancel(task); },
    [self](nodes_atom, const node_updates& changes) { self->state.update(changes); },
    [self](replicas_atom, const std::vector<caf::strong_actor_ptr>& replicas) {
      self->state.use(replicas);
    },
    [self](peer_atom, node_id node, const caf::strong_actor_ptr& peer) {
      self->state.connect(node, peer);
    },
    [self](placed_atom, std::vector<placement>& answers) { self->state.answered(answers); },
    [self](run_atom, node_id, std::vector<forwarded_task>& tasks) { self->state.adopt(tasks); },
    [self](taken_atom, node_id by, const std::vector<task_id>& tasks) {
      self->state.taken(by, tasks);
    },
    [self](prepare_atom, group_id group, const std::vector<bundle_request>& bundles) {
      return self->state.prepare(group, bundles);
    },
    [self](commit_atom, group_id group) { return self->state.commit(group); },
    [self](return_atom, group_id group) {
      self->state.give_back(group);
      return error{};
    },
  };
}

} // namespace caf_ray::scheduler
