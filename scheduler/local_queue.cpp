#include "scheduler/local_queue.hpp"

#include <algorithm>
#include <tuple>

namespace caf_ray::scheduler {

namespace {

/// Beyond this, memory is given back when a container has run empty.
constexpr std::size_t large = 4096;

template <class Map>
void release_memory(Map& map) {
  if (map.empty() && map.bucket_count() > large)
    Map().swap(map);
}

} // namespace

// -- classes

bool local_queue::class_order::before(const task_options& a, const task_options& b) {
  auto key = [](const task_options& x) {
    return std::make_tuple(-std::int64_t{x.priority}, x.group, x.group ? x.bundle : -1);
  };
  auto left = key(a), right = key(b);
  return left != right ? left < right : a.resources.entries() < b.resources.entries();
}

std::uint64_t local_queue::task_class::first_ticket() const noexcept {
  if (settled.empty() || fresh.empty())
    return (settled.empty() ? fresh : settled).front().ticket;
  return std::min(settled.front().ticket, fresh.front().ticket);
}

local_queue::fifo& local_queue::task_class::first() noexcept {
  return !settled.empty() && settled.front().ticket == first_ticket() ? settled : fresh;
}

bool local_queue::comes_before(const task_class* a, const task_class* b) {
  if (a->priority != b->priority)
    return a->priority > b->priority;
  return a->first_ticket() < b->first_ticket();
}

bool local_queue::is_plain(const task_spec& spec) noexcept {
  auto* options = spec.options.get();
  return !options || (options->resources.empty() && !options->group && options->priority == 0);
}

bool local_queue::is_taken(const scheduled_task& task) noexcept {
  return task.claim.load(std::memory_order_acquire) != scheduled_task::claim_state::free;
}

local_queue::local_queue(resource_set total, queue_options options)
  : options_(options), pool_(std::move(total)) {}

local_queue::task_class& local_queue::class_of(const task_spec& spec) {
  if (is_plain(spec))
    return plain_;
  auto at = classes_.find(*spec.options);
  if (at == classes_.end()) {
    at = classes_.try_emplace(spec.options).first;
    at->second.need = demand_of(spec);
    at->second.priority = spec.options->priority;
  }
  return at->second;
}

void local_queue::drop_if_idle(const task_spec& spec) {
  if (is_plain(spec))
    return;
  auto at = classes_.find(*spec.options);
  if (at != classes_.end() && at->second.idle())
    classes_.erase(at);
}

void local_queue::drop_idle_classes() {
  std::erase_if(classes_, [](auto& entry) { return entry.second.idle(); });
}

bool local_queue::feasible(task_class& in) {
  if (&in != &plain_ && in.generation != pool_.generation()) {
    in.feasible = pool_.feasible(in.need);
    in.generation = pool_.generation();
  }
  return in.feasible;
}

bool local_queue::feasible(const scheduled_task& task) const {
  return is_plain(task.spec) || pool_.feasible(demand_of(task.spec));
}

// -- in

void local_queue::submit(task_ptr task, std::span<const object_id> missing) {
  if (task->missing == is_left)
    purge(*task);
  bool here = task->missing != 0 && task->missing != is_outside;
  if (here || is_taken(*task))
    return;
  task->dispatched.store(false, std::memory_order_relaxed);
  if (!missing.empty() && feasible(*task))
    return wait_for(task, missing);
  auto& in = class_of(task->spec);
  if (feasible(in))
    enter(in, std::move(task));
  else
    park(in, {std::move(task), next_ticket_++});
}

void local_queue::enter(task_class& in, task_ptr task) {
  task->missing = is_ready;
  auto& queue = task->placed ? in.settled : in.fresh;
  queue.push_back({std::move(task), next_ticket_++});
  peak_ = std::max(peak_, ++ready_count_);
}

void local_queue::park(task_class& in, numbered_task entry) {
  entry.task->missing = is_parked;
  in.parked.push_back(std::move(entry));
  ++parked_count_;
}

void local_queue::wait_for(const task_ptr& task, std::span<const object_id> missing) {
  task->missing = static_cast<std::uint32_t>(missing.size());
  for (auto& object : missing)
    waiters_[object].tasks.push_back(task);
  ++waiting_count_;
}

void local_queue::object_ready(object_id object) {
  auto node = waiters_.extract(object);
  if (!node)
    return;
  for (auto& task : node.mapped().tasks) {
    if (task->missing >= is_ready || --task->missing > 0)
      continue;
    --waiting_count_;
    if (is_taken(*task)) {
      task->missing = is_outside;
      continue;
    }
    auto& in = class_of(task->spec);
    if (feasible(in))
      enter(in, std::move(task));
    else
      park(in, {std::move(task), next_ticket_++});
  }
  release_memory(waiters_);
}

// -- dispatched tasks

void local_queue::finished(const scheduled_task& task) {
  auto at = running_.find(task.spec.id);
  if (at == running_.end())
    return;
  pool_.release(at->second.options->resources, at->second.lease);
  running_.erase(at);
  release_memory(running_);
}

void local_queue::blocked(const scheduled_task& task) {
  if (auto at = running_.find(task.spec.id); at != running_.end())
    pool_.lend(at->second.options->resources, at->second.lease);
}

void local_queue::unblocked(const scheduled_task& task) {
  if (auto at = running_.find(task.spec.id); at != running_.end())
    pool_.take_back(at->second.options->resources, at->second.lease);
}

// -- withdrawal: entries stay until they come up or are half of their queue

bool local_queue::withdraw(scheduled_task& task) {
  if (task.missing == 0 || task.missing >= is_left)
    return false;
  bool ready = task.missing == is_ready, parked = task.missing == is_parked;
  task.missing = is_left;
  if (!ready && !parked) {
    --waiting_count_;
    leave_waiting(task);
    return true;
  }
  auto& in = class_of(task.spec);
  --(ready ? ready_count_ : parked_count_);
  ++(ready ? in.left : in.left_parked);
  if (in.left * 2 > in.fresh.size() + in.settled.size() || in.left_parked * 2 > in.parked.size()) {
    compact(in);
    drop_if_idle(task.spec);
  }
  return true;
}

void local_queue::leave_waiting(const scheduled_task& task) {
  for (auto& argument : task.spec.arguments) {
    auto at = argument.ref ? waiters_.find(argument.ref) : waiters_.end();
    if (at == waiters_.end())
      continue;
    auto& list = at->second;
    if (++list.left * 2 > list.tasks.size()) {
      std::erase_if(list.tasks, [](const task_ptr& x) { return x->missing == is_left; });
      list.left = 0;
    }
    if (list.tasks.empty())
      waiters_.erase(at);
  }
  release_memory(waiters_);
}

void local_queue::compact(task_class& in) {
  auto gone = [](const numbered_task& x) { return x.task->missing == is_left; };
  for (auto* queue : {&in.fresh, &in.settled, &in.parked}) {
    std::erase_if(*queue, gone);
    queue->shrink_to_fit();
  }
  in.left = in.left_parked = 0;
}

void local_queue::purge(scheduled_task& task) {
  for (auto& argument : task.spec.arguments)
    if (auto at = waiters_.find(argument.ref); at != waiters_.end()) {
      std::erase_if(at->second.tasks, [&task](const task_ptr& x) { return x.get() == &task; });
      if (at->second.tasks.empty())
        waiters_.erase(at);
    }
  compact(class_of(task.spec));
  drop_if_idle(task.spec);
  task.missing = is_outside;
}

bool local_queue::still_ours(const numbered_task& entry, std::size_t& left, std::size_t& count) {
  auto& task = *entry.task;
  if (task.missing == is_left)
    --left;
  else if (is_taken(task))
    --count;
  else
    return true;
  task.missing = is_outside;
  return false;
}

// -- out: one round over the classes, best first

void local_queue::take_ready(std::size_t max, std::vector<task_ptr>& into) {
  if (ready_count_ == 0 || max == 0)
    return;
  park_infeasible();
  runnable_.clear();
  stuck_.clear();
  due_.clear();
  if (plain_.has_ready())
    runnable_.push_back(&plain_);
  for (auto& [options, in] : classes_)
    if (in.has_ready() && in.stuck_at == pool_.freed())
      get_stuck(in);
    else if (in.has_ready())
      runnable_.push_back(&in);
  auto later = [](const task_class* a, const task_class* b) { return comes_before(b, a); };
  std::make_heap(runnable_.begin(), runnable_.end(), later);
  const auto limit = into.size() + max;
  bool some_idle = false;
  while (!runnable_.empty() && into.size() < limit) {
    std::pop_heap(runnable_.begin(), runnable_.end(), later);
    auto* in = runnable_.back();
    runnable_.pop_back();
    bool moves = true;
    do
      moves = advance(*in, into);
    while (moves && in->has_ready() && into.size() < limit
           && (runnable_.empty() || comes_before(in, runnable_.front())));
    if (moves && in->has_ready()) {
      runnable_.push_back(in);
      std::push_heap(runnable_.begin(), runnable_.end(), later);
    }
    some_idle |= in != &plain_ && in->idle();
  }
  if (some_idle)
    drop_idle_classes();
  shrink();
}

bool local_queue::advance(task_class& in, std::vector<task_ptr>& into) {
  auto& queue = in.first();
  auto& entry = queue.front();
  if (still_ours(entry, in.left, ready_count_)) {
    if (!in.need.resources.empty() && !acquire(in, *entry.task))
      return false;
    entry.task->missing = is_outside;
    entry.task->dispatched.store(true, std::memory_order_release);
    into.push_back(std::move(entry.task));
    in.overtaken = 0;
    --ready_count_;
  }
  queue.pop_front();
  return true;
}

bool local_queue::acquire(task_class& in, const scheduled_task& task) {
  for (auto* due : due_)
    if (auto held = overlap(*due, in); held && pool_.will_fit(due->need)) {
      in.lacks = held;
      get_stuck(in);
      return false;
    }
  auto lease = pool_.acquire(in.need, task.spec.kind == task_kind::actor_creation);
  if (!lease) {
    in.lacks = pool_.lacking(in.need);
    in.stuck_at = pool_.freed();
    get_stuck(in);
    return false;
  }
  for (auto* stuck : stuck_)
    if (stuck->overtaken < options_.overtake_limit && overlap(*stuck, in)
        && ++stuck->overtaken == options_.overtake_limit)
      due_.push_back(stuck);
  finished(task); // of an earlier attempt, if nobody said so
  running_.emplace(task.spec.id, holder{task.spec.options, *lease});
  return true;
}

void local_queue::get_stuck(task_class& in) {
  stuck_.push_back(&in);
  if (in.overtaken >= options_.overtake_limit)
    due_.push_back(&in);
}

std::uint64_t local_queue::overlap(const task_class& stuck, const task_class& later) {
  if (!stuck.need.competes_with(later.need) || !comes_before(&stuck, &later))
    return 0;
  auto& wanted = later.need.resources.entries();
  auto& lacking = stuck.need.resources.entries();
  std::uint64_t result = 0;
  for (std::size_t i = 0; i < lacking.size() && i < 64; ++i)
    for (std::size_t j = 0; j < wanted.size() && j < 64; ++j)
      if ((stuck.lacks >> i & 1) && lacking[i].first == wanted[j].first)
        result |= std::uint64_t{1} << j;
  return result;
}

void local_queue::park_infeasible() {
  if (std::exchange(parked_at_, pool_.generation()) == pool_.generation())
    return;
  for (auto& [options, in] : classes_) {
    if (feasible(in))
      continue;
    while (in.has_ready()) {
      auto& queue = in.first();
      auto entry = std::move(queue.front());
      queue.pop_front();
      if (!still_ours(entry, in.left, ready_count_))
        continue;
      --ready_count_;
      park(in, std::move(entry));
    }
  }
}

void local_queue::shrink() {
  if (ready_count_ > 0 || peak_ <= large)
    return;
  plain_.fresh = {};
  plain_.settled = {};
  peak_ = 0;
}

// -- up and back

void local_queue::hand_up(std::size_t max, std::size_t threshold,
                          std::vector<numbered_task>& into) {
  park_infeasible();
  for (auto& [options, in] : classes_)
    while (!in.parked.empty() && in.away < options_.max_away_per_class && max > 0
           && !feasible(in)) {
      auto entry = std::move(in.parked.front());
      in.parked.pop_front();
      if (!still_ours(entry, in.left_parked, parked_count_))
        continue;
      --parked_count_;
      entry.task->missing = is_outside;
      into.push_back(std::move(entry));
      ++in.away;
      --max;
    }
  auto excess = std::min(max, ready_count_ - std::min(ready_count_, threshold));
  runnable_.clear();
  for (auto at = classes_.rbegin(); at != classes_.rend(); ++at)
    runnable_.push_back(&at->second);
  auto behind = [](const task_class* x) { return x->priority < 0; };
  runnable_.insert(std::partition_point(runnable_.begin(), runnable_.end(), behind), &plain_);
  for (auto* in : runnable_)
    if (!in->need.group)
      excess -= overflow(*in, excess, into);
  drop_idle_classes();
}

std::size_t local_queue::overflow(task_class& from, std::size_t max,
                                  std::vector<numbered_task>& into) {
  const auto first = into.size();
  while (into.size() - first < max && !from.fresh.empty()
         && from.away < options_.max_away_per_class) {
    auto entry = std::move(from.fresh.back());
    from.fresh.pop_back();
    if (!still_ours(entry, from.left, ready_count_))
      continue;
    --ready_count_;
    entry.task->missing = is_outside;
    into.push_back(std::move(entry));
    ++from.away;
  }
  std::reverse(into.begin() + static_cast<std::ptrdiff_t>(first), into.end());
  return into.size() - first;
}

void local_queue::come_back(numbered_task back, std::span<const object_id> missing) {
  auto& task = *back.task;
  auto& in = class_of(task.spec);
  --in.away;
  task.placed = true;
  if (is_taken(task)) {
    drop_if_idle(task.spec);
  } else if (!feasible(in)) {
    park(in, std::move(back));
  } else if (!missing.empty()) {
    wait_for(back.task, missing);
    drop_if_idle(task.spec);
  } else {
    task.missing = is_ready;
    auto behind = [](const numbered_task& a, const numbered_task& b) {
      return a.ticket < b.ticket;
    };
    auto& queue = in.settled;
    queue.insert(std::upper_bound(queue.begin(), queue.end(), back, behind), std::move(back));
    peak_ = std::max(peak_, ++ready_count_);
  }
}

void local_queue::settle(const scheduled_task& gone) {
  --class_of(gone.spec).away;
  drop_if_idle(gone.spec);
}

void local_queue::unpark(std::vector<task_ptr>& into) {
  for (auto& [options, in] : classes_) {
    if (in.parked.empty() || !feasible(in))
      continue;
    for (auto& entry : in.parked) {
      if (!still_ours(entry, in.left_parked, parked_count_))
        continue;
      --parked_count_;
      entry.task->missing = is_outside;
      into.push_back(std::move(entry.task));
    }
    in.parked = {};
  }
  drop_idle_classes();
}

} // namespace caf_ray::scheduler
