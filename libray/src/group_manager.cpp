#include "libray/src/group_manager.hpp"

#include <algorithm>
#include <utility>

namespace caf_ray {

namespace {

constexpr auto answer_deadline = std::chrono::seconds(2);

const error no_answer{errc::timed_out, "a node of its bundles did not answer"};

group_record unknown_group() {
  group_record record;
  record.state = group_state::removed;
  return record;
}

} // namespace

std::string group_name_key(const std::string& ray_namespace, const std::string& name) {
  return std::string("placement group\0", 16) + ray_namespace + '\0' + name;
}

void group_manager_state::set_state(group_id id, group_state state) {
  auto& record = groups.at(id);
  record.state = state;
  bool decided = state == group_state::created || state == group_state::removed;
  if (decided)
    record.pending_reason.clear();
  tell(id, record);
  if (decided)
    answer(id, caf::actor_clock::time_point::max());
}

void group_manager_state::tell(group_id id, const group_record& record) {
  options.record(id, record);
  self->send(options.global, scheduler::group_atom_v, id, record);
}

void group_manager_state::answer(group_id id, caf::actor_clock::time_point until) {
  auto found = waiting.find(id);
  if (found == waiting.end())
    return;
  auto& waiters = found->second;
  auto late = std::partition(waiters.begin(), waiters.end(),
                             [&](const waiter& x) { return x.until > until; });
  for (auto at = late; at != waiters.end(); ++at)
    at->promise.deliver(groups.at(id));
  waiters.erase(late, waiters.end());
  if (waiters.empty())
    waiting.erase(found);
}

caf::result<group_record> group_manager_state::wait_for(group_id id,
                                                        std::chrono::milliseconds patience) {
  auto found = groups.find(id);
  if (found == groups.end())
    return unknown_group();
  if (found->second.state == group_state::created || patience.count() <= 0)
    return found->second;
  auto promise = self->make_response_promise<caf::typed_response_promise<group_record>>();
  waiting[id].push_back({self->clock().now() + patience, promise});
  self->delayed_send(self, patience, tick_atom_v, id);
  return promise;
}

void group_manager_state::postpone(group_id id, const std::string& reason) {
  busy.erase(id);
  auto found = groups.find(id);
  if (found == groups.end() || found->second.pending_reason == reason)
    return;
  found->second.pending_reason = reason;
  tell(id, found->second);
}

void group_manager_state::try_to_place(group_id id) {
  auto& record = groups.at(id);
  if (record.state != group_state::pending || !busy.insert(id).second)
    return;
  self
    ->request(options.global, answer_deadline, scheduler::plan_atom_v, record.strategy,
              record.bundles)
    .then([this, id](const scheduler::group_plan& plan) { planned(id, plan); },
          [this, id](const caf::error&) { postpone(id, "the global scheduler did not answer"); });
}

void group_manager_state::planned(group_id id, const scheduler::group_plan& plan) {
  auto found = groups.find(id);
  if (found == groups.end()) // removed meanwhile; likewise below
    return;
  auto& record = found->second;
  if (plan.places.empty()) {
    postpone(id, plan.reason);
    return;
  }
  for (auto& place : plan.places)
    if (!nodes.contains(place)) {
      postpone(id, "node " + to_string(place) + " is not connected");
      return;
    }
  record.places = plan.places;
  ask_nodes(
    record,
    [this, id, &record](node_id node, const auto& local, answer_handler answered) {
      std::vector<scheduler::bundle_request> bundles;
      for (std::size_t i = 0; i < record.places.size(); ++i)
        if (record.places[i] == node)
          bundles.push_back({static_cast<std::int32_t>(i), record.bundles[i]});
      self->request(local, answer_deadline, scheduler::prepare_atom_v, id, bundles)
        .then(answered, [answered](const caf::error&) { answered(no_answer); });
    },
    [this, id](const error& failed) { prepared(id, failed); });
}

void group_manager_state::ask_nodes(
  const group_record& record,
  const std::function<void(node_id, const scheduler::local_actor&, answer_handler)>& ask,
  answer_handler then) {
  struct round {
    std::size_t left = 0;
    error failed;
    answer_handler then;
  };
  std::set<node_id> asked(record.places.begin(), record.places.end());
  auto all = std::make_shared<round>(round{asked.size(), {}, std::move(then)});
  auto answered = [all](const error& e) {
    if (e.code != errc::none && all->failed.code == errc::none)
      all->failed = e;
    if (--all->left == 0)
      all->then(all->failed);
  };
  for (auto& node : asked)
    if (auto at = nodes.find(node); at != nodes.end())
      ask(node, at->second, answered);
    else
      answered(no_answer);
}

void group_manager_state::ask_to_return(group_id id, const group_record& record,
                                        answer_handler then) {
  ask_nodes(
    record,
    [this, id](node_id, const auto& local, answer_handler answered) {
      self->request(local, answer_deadline, scheduler::return_atom_v, id)
        .then(answered, [answered](const caf::error&) { answered(no_answer); });
    },
    std::move(then));
}

void group_manager_state::prepared(group_id id, const error& failed) {
  auto found = groups.find(id);
  if (found == groups.end())
    return;
  if (failed.code != errc::none) {
    ask_to_return(id, found->second, [](const error&) {});
    postpone(id, failed.what);
    return;
  }
  set_state(id, group_state::prepared);
  ask_nodes(
    found->second,
    [this, id](node_id, const auto& local, answer_handler answered) {
      self->request(local, answer_deadline, scheduler::commit_atom_v, id)
        .then(answered, [answered](const caf::error&) { answered(no_answer); });
    },
    [this, id](const error& e) { committed(id, e); });
}

void group_manager_state::committed(group_id id, const error& failed) {
  busy.erase(id);
  auto found = groups.find(id);
  if (found == groups.end())
    return;
  if (failed.code != errc::none)
    ask_to_return(id, found->second, [](const error&) {});
  set_state(id, failed.code == errc::none ? group_state::created : group_state::pending);
}

void group_manager_state::connect(node_id node, const caf::strong_actor_ptr& local) {
  if (local) {
    nodes[node] = caf::actor_cast<scheduler::local_actor>(local);
    return;
  }
  nodes.erase(node);
  for (auto& [id, record] : groups) {
    bool had_some =
      std::find(record.places.begin(), record.places.end(), node) != record.places.end();
    if (!had_some || record.state != group_state::created)
      continue;
    ask_to_return(id, record, [](const error&) {});
    record.places.clear();
    record.pending_reason = "node " + to_string(node) + ", which had bundles of it, has left";
    set_state(id, group_state::pending);
  }
}

void group_manager_state::forget(group_id id) {
  set_state(id, group_state::removed);
  busy.erase(id);
  groups.erase(id);
}

caf::result<bool> group_manager_state::remove(group_id id) {
  auto found = groups.find(id);
  if (found == groups.end())
    return false;
  auto record = found->second;
  forget(id);
  auto promise = self->make_response_promise<caf::typed_response_promise<bool>>();
  if (record.places.empty())
    promise.deliver(true);
  else
    ask_to_return(id, record, [promise](const error&) mutable { promise.deliver(true); });
  return promise;
}

group_manager_actor::behavior_type
group_manager(group_manager_actor::stateful_pointer<group_manager_state> self,
              group_manager_options options) {
  self->state.options = std::move(options);
  self->state.nodes[self->state.options.local_node] = self->state.options.local;
  self->set_exit_handler([self](const caf::exit_msg& message) {
    while (!self->state.groups.empty())
      self->state.forget(self->state.groups.begin()->first);
    self->quit(message.reason);
  });
  self->delayed_send(self, self->state.options.retry_interval, tick_atom_v);
  return {
    [self](create_atom, group_id id, group_record& record) {
      self->state.groups[id] = std::move(record);
      self->state.try_to_place(id);
    },
    [self](remove_atom, group_id id) { return self->state.remove(id); },
    [self](await_atom, group_id id, std::int64_t patience_ms) {
      return self->state.wait_for(id, std::chrono::milliseconds(patience_ms));
    },
    [self](scheduler::peer_atom, node_id node, const caf::strong_actor_ptr& local) {
      self->state.connect(node, local);
    },
    [self](tick_atom) {
      for (auto& [id, record] : self->state.groups)
        self->state.try_to_place(id);
      self->delayed_send(self, self->state.options.retry_interval, tick_atom_v);
    },
    [self](tick_atom, group_id id) { self->state.answer(id, self->clock().now()); },
  };
}

} // namespace caf_ray
