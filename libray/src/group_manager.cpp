#include "libray/src/group_manager.hpp"

#include <utility>

namespace caf_ray {

namespace {

constexpr auto answer_deadline = std::chrono::seconds(2);

} // namespace

void group_manager_state::set_state(group_id id, group_state state) {
  auto& record = groups[id];
  record.state = state;
  if (state == group_state::created || state == group_state::removed)
    record.pending_reason.clear();
  options.record(id, record);
  self->send(options.global, scheduler::group_atom_v, id, record);
  if (state != group_state::created && state != group_state::removed)
    return;
  auto promises = std::move(waiting[id]);
  waiting.erase(id);
  for (auto& promise : promises)
    promise.deliver(record);
}

void group_manager_state::postpone(group_id id, const std::string& reason) {
  busy.erase(id);
  auto found = groups.find(id);
  if (found == groups.end() || found->second.pending_reason == reason)
    return;
  found->second.pending_reason = reason;
  options.record(id, found->second);
}

void group_manager_state::try_to_place(group_id id) {
  auto& record = groups[id];
  if (record.state != group_state::pending || busy[id])
    return;
  busy[id] = true;
  self
    ->request(options.global, answer_deadline, scheduler::plan_atom_v, record.strategy,
              record.bundles)
    .then([this, id](const scheduler::group_plan& plan) { planned(id, plan); },
          [this, id](const caf::error&) { postpone(id, "the global scheduler did not answer"); });
}

void group_manager_state::planned(group_id id, const scheduler::group_plan& plan) {
  auto& record = groups[id];
  if (record.state != group_state::pending)
    return;
  if (plan.places.empty()) {
    postpone(id, plan.reason);
    return;
  }
  record.places = plan.places;
  std::vector<scheduler::bundle_request> bundles;
  for (std::size_t i = 0; i < plan.places.size(); ++i) {
    if (plan.places[i] != options.local_node) {
      postpone(id, "node " + to_string(plan.places[i]) + " is not connected");
      return;
    }
    bundles.push_back({static_cast<std::int32_t>(i), record.bundles[i]});
  }
  self->request(options.local, answer_deadline, scheduler::prepare_atom_v, id, bundles)
    .then([this, id](const error& e) { prepared(id, e); },
          [this, id](const caf::error&) { postpone(id, "the node did not answer"); });
}

void group_manager_state::prepared(group_id id, const error& e) {
  if (e.code != errc::none) {
    postpone(id, e.what);
    return;
  }
  if (groups[id].state != group_state::pending) // removed meanwhile
    return;
  set_state(id, group_state::prepared);
  self->request(options.local, answer_deadline, scheduler::commit_atom_v, id)
    .then(
      [this, id](const error& failed) {
        busy.erase(id);
        if (groups[id].state != group_state::prepared)
          return;
        set_state(id, failed.code == errc::none ? group_state::created : group_state::pending);
      },
      [this, id](const caf::error&) {
        busy.erase(id);
        if (groups[id].state == group_state::prepared)
          set_state(id, group_state::pending);
      });
}

caf::result<bool> group_manager_state::remove(group_id id) {
  auto found = groups.find(id);
  if (found == groups.end())
    return false;
  if (found->second.state == group_state::removed)
    return true;
  busy.erase(id);
  set_state(id, group_state::removed);
  auto promise = self->make_response_promise<caf::typed_response_promise<bool>>();
  self->request(options.local, answer_deadline, scheduler::return_atom_v, id)
    .then([promise](const error&) mutable { promise.deliver(true); },
          [promise](const caf::error&) mutable { promise.deliver(true); });
  return promise;
}

group_manager_actor::behavior_type
group_manager(group_manager_actor::stateful_pointer<group_manager_state> self,
              group_manager_options options) {
  self->state.options = std::move(options);
  self->set_exit_handler([self](const caf::exit_msg& message) {
    for (auto& [id, promises] : self->state.waiting)
      for (auto& promise : promises)
        promise.deliver(self->state.groups[id]);
    self->state.waiting.clear();
    self->quit(message.reason);
  });
  self->delayed_send(self, self->state.options.retry_interval, tick_atom_v);
  return {
    [self](create_atom, group_id id, group_record& record) {
      self->state.groups[id] = std::move(record);
      self->state.options.record(id, self->state.groups[id]);
      self->state.try_to_place(id);
    },
    [self](remove_atom, group_id id) { return self->state.remove(id); },
    [self](await_atom, group_id id) -> caf::result<group_record> {
      auto found = self->state.groups.find(id);
      if (found == self->state.groups.end()) {
        group_record unknown;
        unknown.state = group_state::removed;
        return unknown;
      }
      if (found->second.state == group_state::created
          || found->second.state == group_state::removed)
        return found->second;
      auto promise = self->make_response_promise<caf::typed_response_promise<group_record>>();
      self->state.waiting[id].push_back(promise);
      return promise;
    },
    [self](tick_atom) {
      for (auto& [id, record] : self->state.groups)
        self->state.try_to_place(id);
      self->delayed_send(self, self->state.options.retry_interval, tick_atom_v);
    },
  };
}

} // namespace caf_ray
