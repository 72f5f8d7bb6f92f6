// The part of the local scheduler that deals with others: global replicas and other nodes.

#include "scheduler/local.hpp"

#include <algorithm>
#include <iterator>

#include "gcs/types/limits.hpp"

namespace caf_ray::scheduler {

namespace {

/// A message between schedulers: at most so many tasks, and about so many bytes.
constexpr std::size_t tasks_per_message = 256;
constexpr std::size_t bytes_per_message = 64 * 1024;

/// Inputs that a request names: the largest.
constexpr std::size_t named_inputs = 64;

/// Tasks handed up at once.
constexpr std::size_t hand_up_count = 4096;

static_assert(bytes_per_message + inline_value_bytes < max_control_message_bytes);

bool is_taken(const scheduled_task& task) {
  return task.claim.load(std::memory_order_acquire) != scheduled_task::claim_state::free;
}

std::size_t wire_size(const task_spec& spec) {
  return 256 + spec.function.size() + spec.argument_bytes.size() + 24 * spec.arguments.size()
         + 16 * spec.contained.size();
}

} // namespace

// -- tasks that go up

void local_state::hand_up() {
  auto threshold = others.empty() ? SIZE_MAX : options.overflow_threshold;
  if (!others.empty() && options.overflow_wait.count() > 0)
    threshold = std::min(threshold, tasks_within(options.overflow_wait));
  if (replicas.empty() || (queue.parked() == 0 && queue.ready() <= threshold))
    return;
  std::vector<numbered_task> tasks;
  queue.hand_up(hand_up_count, threshold, tasks);
  std::vector<task_id> ids;
  for (auto& entry : tasks) {
    ids.push_back(entry.task->spec.id);
    away.add(std::move(entry));
  }
  ask(ids);
}

void local_state::ask(const std::vector<task_id>& tasks) {
  if (tasks.empty())
    return;
  caf::strong_actor_ptr replica;
  if (!replicas.empty())
    replica = replicas[std::uniform_int_distribution<std::size_t>(0, replicas.size() - 1)(random)];
  std::map<const void*, std::vector<task_id>> others_asked;
  std::vector<placement_request> requests;
  std::size_t bytes = 0;
  auto flush = [&] {
    if (replica && !requests.empty())
      self->send(caf::actor_cast<global_actor>(replica), place_atom_v, options.node,
                 std::exchange(requests, {}));
    bytes = 0;
  };
  for (auto& id : tasks) {
    auto* entry = away.find(id);
    if (!entry)
      continue;
    if (is_taken(*entry->what.task)) {
      withdraw(task_ptr{entry->what.task});
      continue;
    }
    if (entry->replica && entry->replica != replica.get())
      others_asked[entry->replica].push_back(id);
    if (!replica && queue.feasible(*entry->what.task)) {
      come_back(id);
      continue;
    }
    away.asked(id, replica.get(), now() + options.request_deadline);
    if (!replica)
      continue;
    requests.push_back(request_for(entry->what.task->spec));
    bytes += 128 + 48 * requests.back().inputs.size();
    if (requests.size() == tasks_per_message || bytes > bytes_per_message)
      flush();
  }
  flush();
  for (auto& [other, ids] : others_asked)
    forget(other, ids);
}

placement_request local_state::request_for(const task_spec& spec) const {
  placement_request request{
    spec.id, spec.opts().resources, spec.opts().group, spec.opts().bundle, {}};
  if (!options.locate)
    return request;
  for (auto& argument : spec.arguments)
    if (argument.ref) {
      request.inputs.push_back({argument.ref, 0, {}});
      options.locate(request.inputs.back());
    }
  if (request.inputs.size() > named_inputs) {
    auto larger = [](const input_place& a, const input_place& b) {
      return a.size_bytes > b.size_bytes;
    };
    std::nth_element(request.inputs.begin(), request.inputs.begin() + named_inputs,
                     request.inputs.end(), larger);
    request.inputs.resize(named_inputs);
  }
  return request;
}

void local_state::forget(const void* replica, const std::vector<task_id>& tasks) {
  for (auto& known : replicas)
    if (known.get() == replica)
      self->send(caf::actor_cast<global_actor>(known), forget_atom_v, tasks);
}

void local_state::answered(std::vector<placement>& answers) {
  std::map<node_id, std::vector<task_id>> elsewhere;
  std::vector<task_id> not_needed;
  for (auto& x : answers) {
    auto* entry = away.find(x.task);
    if (!entry || entry->stage == away_table::phase::sent)
      continue;
    switch (x.verdict) {
      case placement_verdict::run_on:
        if (x.node == options.node)
          come_back(x.task);
        else
          elsewhere[x.node].push_back(x.task);
        break;
      case placement_verdict::pending:
        if (queue.feasible(*entry->what.task)) {
          not_needed.push_back(x.task);
          come_back(x.task);
        } else {
          away.pending(x.task, std::move(x.reason), now() + options.pending_refresh);
        }
        break;
      case placement_verdict::never: fail_away(x.task, std::move(x.reason)); break;
    }
  }
  for (auto& [node, tasks] : elsewhere)
    forward(node, tasks);
  if (!not_needed.empty())
    self->send(caf::actor_cast<global_actor>(self->current_sender()), forget_atom_v, not_needed);
  proceed();
}

void local_state::fail_away(task_id id, std::string reason) {
  auto task = away.take(id).what.task;
  queue.settle(*task);
  if (task->try_claim(scheduled_task::claim_state::cancelled) && options.drop)
    options.drop(task, {errc::unschedulable, task->spec.display_name() + ": " + reason});
}

void local_state::come_back(task_id id) {
  auto* entry = away.find(id);
  auto& task = *entry->what.task;
  if (!queue.feasible(task)) {
    away.pending(id, "it was placed on this node, which cannot run it",
                 now() + options.request_deadline);
    return;
  }
  find_missing(task);
  queue.come_back(away.take(id).what, missing);
}

void local_state::hand_over(node_id to, const std::vector<task_id>& tasks) {
  for (auto& id : tasks) {
    auto task = away.find(id)->what.task;
    if (options.forward(task, to)) {
      away.take(id);
      queue.settle(*task);
    } else {
      wait_for_link(id, to);
    }
  }
}

void local_state::wait_for_link(task_id id, node_id to) {
  away.pending(id, "it was placed on node " + to_string(to) + ", which is not connected",
               now() + options.request_deadline);
}

/// Claims the tasks first, so that no thread of this process runs one that is on its way.
void local_state::forward(node_id to, const std::vector<task_id>& tasks) {
  if (options.forward)
    return hand_over(to, tasks);
  auto peer = peers.find(to);
  std::vector<forwarded_task> message;
  std::size_t bytes = 0;
  auto flush = [&] {
    if (!message.empty())
      self->send(caf::actor_cast<local_actor>(peer->second), run_atom_v, options.node,
                 std::exchange(message, {}));
    bytes = 0;
  };
  for (auto& id : tasks) {
    auto task = away.find(id)->what.task;
    if (peer == peers.end()) {
      wait_for_link(id, to);
    } else if (!task->try_claim()) {
      away.take(id);
      queue.settle(*task);
    } else {
      if (bytes + wire_size(task->spec) > bytes_per_message || message.size() == tasks_per_message)
        flush();
      bytes += wire_size(task->spec);
      message.push_back({task->spec, task->attempt});
      away.sent(id, to);
    }
  }
  flush();
}

void local_state::taken(node_id by, const std::vector<task_id>& tasks) {
  for (auto& id : tasks) {
    auto* entry = away.find(id);
    if (!entry || entry->stage != away_table::phase::sent || entry->node != by)
      continue;
    auto task = away.take(id).what.task;
    queue.settle(*task);
    if (options.moved)
      options.moved(task, by);
  }
  publish_held();
}

void local_state::adopt(std::vector<forwarded_task>& tasks) {
  std::vector<task_id> ids;
  for (auto& arrived : tasks) {
    ids.push_back(arrived.spec.id);
    task_ptr task;
    if (options.adopt) {
      task = options.adopt(std::move(arrived));
    } else {
      task = std::make_shared<scheduled_task>();
      task->spec = std::move(arrived.spec);
      task->attempt = arrived.attempt;
    }
    if (task) {
      task->placed = true;
      accept(std::move(task));
    }
  }
  if (auto from = self->current_sender())
    self->send(caf::actor_cast<local_actor>(from), taken_atom_v, options.node, std::move(ids));
  proceed();
}

void local_state::update(const node_updates& changes) {
  for (auto& [id, record] : changes) {
    if (id == options.node)
      continue;
    if (record.alive) {
      others[id] = record;
    } else {
      others.erase(id);
      peer_lost(id);
    }
  }
  proceed();
}

void local_state::connect(node_id node, const caf::strong_actor_ptr& peer) {
  if (!peer)
    return peer_lost(node);
  peers[node] = peer;
  self->monitor(caf::actor_cast<caf::actor>(peer));
}

void local_state::peer_lost(node_id node) {
  peers.erase(node);
  auto tasks = away.sent_to(node);
  for (auto& id : tasks) {
    away.find(id)->what.task->claim.store(scheduled_task::claim_state::free);
    away.asked(id, nullptr, now());
  }
  ask(tasks);
}

void local_state::use(std::vector<caf::strong_actor_ptr> new_replicas) {
  auto before = std::exchange(replicas, std::move(new_replicas));
  std::erase(replicas, nullptr);
  for (auto& replica : replicas)
    if (std::find(before.begin(), before.end(), replica) == before.end())
      self->monitor(caf::actor_cast<caf::actor>(replica));
  for (auto& replica : before)
    if (std::find(replicas.begin(), replicas.end(), replica) == replicas.end())
      ask(away.asked_of(replica.get()));
  ask(away.asked_of(nullptr));
  proceed();
}

void local_state::lost(const caf::actor_addr& who) {
  for (auto at = replicas.begin(); at != replicas.end(); ++at)
    if (*at == who) {
      auto gone = *at;
      replicas.erase(at);
      ask(away.asked_of(gone.get()));
      return proceed();
    }
  for (auto& [node, peer] : peers)
    if (peer == who) {
      peer_lost(node_id{node});
      return proceed();
    }
}

} // namespace caf_ray::scheduler
