#include "scheduler/global.hpp"

#include <map>

namespace caf_ray::scheduler {

namespace {

/// Answers in a message: with the longest reasons still far below the limit on messages.
constexpr std::size_t answers_per_message = 256;

} // namespace

void global_state::place(const caf::strong_actor_ptr& asker,
                         std::vector<placement_request>& requests) {
  if (!asker)
    return;
  if (askers.insert(caf::actor_cast<caf::actor_addr>(asker)).second)
    self->monitor(caf::actor_cast<caf::actor>(asker));
  std::vector<placement> answers;
  answers.reserve(requests.size());
  for (auto& request : requests) {
    auto decided = view.place(request, random);
    if (decided.verdict == placement_verdict::pending)
      open[request.task] = {std::move(request), asker, decided.reason};
    else
      open.erase(request.task);
    answers.push_back(std::move(decided));
  }
  answer(asker, answers);
}

void global_state::reconsider() {
  std::map<caf::strong_actor_ptr, std::vector<placement>> answers;
  for (auto at = open.begin(); at != open.end();) {
    auto& waiting = at->second;
    auto decided = view.place(waiting.request, random);
    bool decides = decided.verdict != placement_verdict::pending;
    if (decides || decided.reason != waiting.reason) {
      waiting.reason = decided.reason;
      answers[waiting.asker].push_back(std::move(decided));
    }
    at = decides ? open.erase(at) : std::next(at);
  }
  for (auto& [asker, list] : answers)
    answer(asker, list);
}

void global_state::answer(const caf::strong_actor_ptr& asker, std::vector<placement>& answers) {
  auto to = caf::actor_cast<local_actor>(asker);
  for (auto at = answers.begin(); at != answers.end();) {
    auto count = std::min<std::ptrdiff_t>(answers.end() - at, answers_per_message);
    for (auto x = at; x != at + count; ++x)
      placed_count += x->verdict == placement_verdict::run_on;
    self->send(
      to, placed_atom_v,
      std::vector<placement>(std::make_move_iterator(at), std::make_move_iterator(at + count)));
    at += count;
  }
}

void global_state::asker_lost(const caf::actor_addr& asker) {
  askers.erase(asker);
  std::erase_if(open, [&asker](auto& entry) { return entry.second.asker == asker; });
}

global_actor::behavior_type global_scheduler(global_actor::stateful_pointer<global_state> self,
                                             global_options options) {
  auto& state = self->state;
  state.view = cluster_view{options.policy};
  state.random.seed(options.seed);
  self->set_down_handler([&state](caf::down_msg& down) { state.asker_lost(down.source); });
  return {
    [self](place_atom, node_id, std::vector<placement_request>& requests) {
      self->state.place(self->current_sender(), requests);
    },
    [self](forget_atom, const std::vector<task_id>& tasks) {
      for (auto& task : tasks)
        self->state.open.erase(task);
    },
    [self](nodes_atom, const node_updates& changes) {
      if (self->state.view.update(changes))
        self->state.reconsider();
    },
    [self](group_atom, group_id group, const group_record& record) {
      if (self->state.view.update(group, record))
        self->state.reconsider();
    },
    [self](plan_atom, group_strategy strategy, const std::vector<resource_set>& bundles) {
      return self->state.view.plan(strategy, bundles);
    },
    [self](status_atom) {
      auto& state = self->state;
      return std::vector<std::pair<std::string, std::string>>{
        {"nodes", std::to_string(state.view.node_count())},
        {"groups", std::to_string(state.view.group_count())},
        {"pending", std::to_string(state.open.size())},
        {"placed", std::to_string(state.placed_count)},
      };
    },
  };
}

} // namespace caf_ray::scheduler
