// What people ask a queue. By scanning: nothing is kept up to date for these questions.

#include "scheduler/local_queue.hpp"

#include <algorithm>

namespace caf_ray::scheduler {

namespace {

/// Objects that a sentence names.
constexpr std::size_t listed_objects = 8;

} // namespace

template <class Visit>
void local_queue::each_class(Visit visit) const {
  visit(plain_);
  for (auto& [options, in] : classes_)
    visit(in);
}

task_ptr local_queue::find(task_id id) const {
  task_ptr result;
  auto look = [&](const task_ptr& task) {
    if (task->spec.id == id && task->missing != is_left)
      result = task;
  };
  each_class([&](const task_class& in) {
    for (auto* queue : {&in.fresh, &in.settled, &in.parked})
      for (auto& entry : *queue)
        look(entry.task);
  });
  for (auto& [object, list] : waiters_)
    std::for_each(list.tasks.begin(), list.tasks.end(), look);
  return result;
}

std::string local_queue::why(task_id id) const {
  if (auto at = running_.find(id); at != running_.end())
    return std::string("It has been dispatched and holds ")
           + to_string(at->second.options->resources)
           + (at->second.lease.lent ? "; it waits, its CPU is lent out." : ".");
  auto task = find(id);
  if (!task)
    return {};
  if (task->missing < is_ready)
    return why_waiting(id);
  std::string text;
  each_class([&](const task_class& in) {
    if (text.empty())
      text = why_queued(in, id);
  });
  return text;
}

std::string local_queue::why_waiting(task_id id) const {
  std::string names;
  std::size_t count = 0;
  for (auto& [object, list] : waiters_)
    for (auto& task : list.tasks)
      if (task->spec.id == id && ++count <= listed_objects)
        names += (count == 1 ? " " : ", ") + to_string(object);
  if (count > listed_objects)
    names += " and " + std::to_string(count - listed_objects) + " more";
  return (count == 1 ? "It waits for object" : "It waits for objects") + names + ".";
}

std::string local_queue::why_queued(const task_class& in, task_id id) const {
  auto in_queue = [id](const fifo& queue) -> const numbered_task* {
    for (auto& entry : queue)
      if (entry.task->spec.id == id && entry.task->missing != is_left)
        return &entry;
    return nullptr;
  };
  if (in_queue(in.parked))
    return "This node can never give it " + to_string(in.need.resources)
           + (in.need.group ? " from group " + to_string(in.need.group) : "") + ".";
  auto* entry = in_queue(in.fresh);
  if (!entry)
    entry = in_queue(in.settled);
  if (!entry)
    return {};
  auto earlier = [entry](const numbered_task& x) {
    return x.task->missing == is_ready && x.ticket < entry->ticket;
  };
  auto before = std::count_if(in.fresh.begin(), in.fresh.end(), earlier)
                + std::count_if(in.settled.begin(), in.settled.end(), earlier);
  auto lacking = pool_.explain(in.need);
  return (lacking.empty() ? "It is ready" : "It waits for " + lacking) + "; "
         + std::to_string(before) + " tasks of its kind are before it.";
}

} // namespace caf_ray::scheduler
