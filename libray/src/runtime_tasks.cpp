#include "libray/src/runtime.hpp"

#include <thread>

#include "libray/src/actor_host.hpp"
#include "libray/src/env_vars.hpp"
#include "libray/src/exception.hpp"
#include "libray/src/task_run.hpp"
#include "ray/api/ray_exception.h"

namespace caf_ray {

using namespace std::chrono_literals;
using ray::internal::RayException;
using event_kind = scheduler::task_event::kind;

namespace {

/// All tasks of this process share its environment: one that asks for what is there already is
/// served, another cannot be.
void check_runtime_env(const std::string& info) {
  auto wanted = env_vars_of(ray::RuntimeEnv::Deserialize(
    ray::RuntimeEnv::Deserialize(info).Get<std::string>("serializedRuntimeEnv")));
  if (auto name = first_missing(wanted))
    throw ray::internal::RayRuntimeEnvException(
      "SetRuntimeEnv: environment variable " + *name + "=" + wanted.at(*name)
      + " needs a worker process of its own, which this mode does not have; set it for the whole "
        "job with RayConfig::runtime_env, or connect to a cluster");
}

} // namespace

std::shared_ptr<const task_options> runtime::convert(const CallOptions& given) {
  static const CallOptions plain;
  bool is_plain = given.name.empty() && given.resources.empty() && given.group.Empty()
                  && given.serialized_runtime_env_info.empty()
                  && given.max_retries == plain.max_retries && !given.retry_exceptions
                  && given.priority == 0;
  if (is_plain)
    return nullptr;
  auto options = std::make_shared<task_options>();
  options->name = given.name;
  ray::internal::CheckTaskOptions(given.resources);
  for (auto& [name, amount] : given.resources)
    options->resources.set(name, to_units(amount));
  if (!given.group.Empty()) {
    auto id = from_binary<group_id>(given.group.GetID());
    if (!id)
      throw RayException("SetPlacementGroup: \"" + given.group.GetID()
                         + "\" is not the id of a placement group");
    check_group(*id, given.bundle_index);
    options->group = *id;
    options->bundle = given.bundle_index;
  }
  if (given.max_retries < -1)
    throw RayException("SetMaxRetries: " + std::to_string(given.max_retries)
                       + " is no number of retries; give 0 or more, or -1 for no limit");
  options->max_retries = given.max_retries;
  options->retry_exceptions = given.retry_exceptions;
  options->priority = given.priority;
  if (!given.serialized_runtime_env_info.empty())
    check_runtime_env(given.serialized_runtime_env_info);
  return options;
}

void runtime::fill_arguments(TaskCall& call, pending_task& task) {
  auto& spec = task.spec;
  spec.argument_bytes = std::move(call.bytes);
  spec.arguments.reserve(call.slots.size());
  for (auto& slot : call.slots) {
    switch (slot.kind) {
      case TaskCall::Slot::Kind::Value:
        spec.arguments.push_back({argument_kind::value, slot.offset, slot.size, {}});
        break;
      case TaskCall::Slot::Kind::Gather:
        spec.arguments.push_back({argument_kind::gather, 0, slot.size, {}});
        break;
      case TaskCall::Slot::Kind::Object:
        spec.arguments.push_back({argument_kind::object, 0, 0, slot.object->id});
        task.inputs.push_back(std::move(slot.object));
        break;
    }
  }
  for (auto& entry : call.contained)
    spec.contained.push_back(entry->id);
  task.contained = std::move(call.contained);
}

/// A task that runs again starts the same children: what they made and somebody still has is
/// theirs, so they need not run again.
bool runtime::reuse_results(task_id id, TaskCall& call, EntryPtr* results) {
  for (std::uint32_t i = 0; i < call.return_count; ++i) {
    results[i] = object_table::instance().find(result_of(id, i + 1));
    if (!results[i])
      return false;
  }
  return call.return_count > 0;
}

pending_task_ptr runtime::make_task(TaskCall& call, task_kind kind, EntryPtr* results) {
  auto& ctx = context();
  auto id = derive_task(ctx.id, ctx.calls.fetch_add(1, std::memory_order_relaxed));
  if (ctx.task && ctx.task->attempt > 0 && kind == task_kind::plain
      && reuse_results(id, call, results))
    return nullptr;
  auto task = std::make_shared<pending_task>();
  if (ctx.task && ctx.task->attempt > 0) {
    task->parent_attempt = ctx.task->attempt;
    // Actors of an earlier attempt have a past, so each attempt makes and calls its own.
    if (kind != task_kind::plain)
      id = derive_task(id, UINT64_MAX - ctx.task->attempt);
  }
  task->function = call.function;
  auto& spec = task->spec;
  spec.id = id;
  spec.parent = ctx.id;
  spec.job = job_;
  spec.kind = kind;
  spec.function = call.function->name;
  spec.return_count = call.return_count;
  spec.split = call.split;
  fill_arguments(call, *task);
  task->live_results.store(call.return_count, std::memory_order_relaxed);
  task->results.reserve(call.return_count);
  for (std::uint32_t i = 0; i < call.return_count; ++i) {
    auto entry = object_table::instance().insert(result_of(id, i + 1));
    entry->producer = task;
    results[i] = entry;
    task->results.push_back(std::move(entry));
  }
  return task;
}

void runtime::wait_for_room() {
  if (in_flight() < max_queued_tasks)
    return;
  // Slowed down, not refused: room comes as tasks end. When nothing ends, the queue may be waiting
  // for what this caller is about to submit, so it is let in.
  block([this] {
    auto& finished = host_->gauge().finished;
    auto seen = finished.load();
    auto since = std::chrono::steady_clock::now();
    while (!closed() && in_flight() >= max_queued_tasks) {
      std::this_thread::sleep_for(200us);
      auto now = std::chrono::steady_clock::now();
      if (auto count = finished.load(); count != seen) {
        seen = count;
        since = now;
      } else if (now - since > 100ms) {
        return;
      }
    }
  });
}

void runtime::submit(const pending_task_ptr& task) {
  submitted_.fetch_add(1, std::memory_order_relaxed);
  host_->submit(task);
}

void runtime::SubmitTask(TaskCall& call, const CallOptions& given, EntryPtr* results) {
  auto options = convert(given);
  wait_for_room();
  auto task = make_task(call, task_kind::plain, results);
  if (!task)
    return;
  task->spec.options = std::move(options);
  if (task->spec.opts().group)
    groups_.note(task->spec);
  host_->record(task);
  submit(task);
}

void runtime::run_dispatched(const pending_task_ptr& task) {
  if (host_->gauge().start_one())
    host_->tell({event_kind::room, nullptr, {}});
  if (closed())
    return;
  if (task->try_claim())
    run_claimed(task);
  else if (task->holds_resources() && task->claim.load() == scheduled_task::claim_state::cancelled)
    host_->tell({event_kind::finished, task, {}});
}

void runtime::run_claimed(const pending_task_ptr& task) {
  if (task->start_mark)
    task->start_mark->store(1, std::memory_order_release);
  auto& gauge = host_->gauge();
  auto begin = std::chrono::steady_clock::now();
  bool dispatched = task->dispatched.load(std::memory_order_relaxed);
  task_context ctx;
  ctx.owner = this;
  ctx.id = task->spec.id;
  ctx.task = task;
  if (task->attempt > 0 && !task->results_pending()) {
    // Cancelled between two attempts.
    if (dispatched && task->holds_resources())
      host_->tell({event_kind::finished, task, {}});
    end_task(*task);
    return;
  }
  if (task->foreign) {
    for (auto& input : task->inputs)
      wait_until(*input, -1);
  }
  std::optional<task_run> run(std::in_place, *this, *task);
  std::optional<error> failure;
  {
    context_scope scope(ctx);
    failure = run->execute();
  }
  auto time = std::chrono::steady_clock::now() - begin;
  gauge.run_ns.fetch_add(static_cast<std::uint64_t>(time.count()), std::memory_order_relaxed);
  gauge.finished.fetch_add(1, std::memory_order_relaxed);
  task->run_ns = static_cast<std::uint64_t>(time.count());
  const auto& options = task->spec.opts();
  bool again =
    failure && failure->code == errc::task_failed && options.retry_exceptions && !closed()
    && (options.max_retries < 0 || task->attempt < static_cast<std::uint32_t>(options.max_retries))
    && task->results_pending();
  if (dispatched && task->holds_resources())
    host_->tell({event_kind::finished, task, {}});
  if (again) {
    // What this attempt has stored goes before the next one stores under the same ids.
    run.reset();
    // A task of its own with the same ids: this one may still be in somebody's hands.
    auto next = std::make_shared<pending_task>();
    next->spec = task->spec;
    next->function = task->function;
    next->attempt = task->attempt + 1;
    next->foreign = task->foreign;
    next->take_over(*task);
    // A copy: once the first of them names `next`, a cancel may empty its list.
    for (auto& result : std::vector<EntryPtr>(next->results)) {
      std::lock_guard guard(lock_of(*result));
      result->producer = next;
    }
    host_->submit(next);
    return;
  }
  if (failure)
    fail_task(*task, *failure);
  else
    run->deliver();
  end_task(*task);
}

void runtime::fail_task(pending_task& task, const error& e) {
  if (task.foreign)
    return host_->completed(task, {}, e);
  for (auto& result : task.results)
    deliver(*result, e);
}

void runtime::fail_running(const pending_task& task, const error& e) {
  if (task.foreign)
    return host_->completed(task, {}, e);
  fail_results(task.spec, e);
}

void runtime::fail_results(const task_spec& spec, const error& e) {
  for (auto i = 1u; i <= spec.return_count; ++i)
    if (auto result = object_table::instance().find(result_of(spec.id, i)))
      deliver(*result, e);
}

void runtime::end_task(pending_task& task) {
  task.let_go();
  ended_.fetch_add(1, std::memory_order_release);
}

/// A thread that waits for a task that nobody has started yet runs it itself: no wake-up, no second
/// stack. Only where nothing speaks against it: plain, inputs there, resources held or not needed.
bool runtime::try_run_in_place(ObjectEntry& entry) {
  pending_task_ptr task;
  {
    std::lock_guard guard(lock_of(entry));
    task = entry.producer;
  }
  if (!task || task->spec.kind == task_kind::actor_creation
      || task->claim.load(std::memory_order_relaxed) != scheduled_task::claim_state::free)
    return false;
  if (task->spec.kind == task_kind::actor_method)
    return try_run_method_in_place(task);
  bool dispatched = task->dispatched.load(std::memory_order_acquire);
  if ((!dispatched && task->holds_resources()) || !task->inputs_ready())
    return false;
  if (task_context::current && task_context::current->depth >= max_inline_depth)
    return false;
  if (!task->try_claim())
    return false;
  run_claimed(task);
  return true;
}

void runtime::Cancel(ObjectEntry& entry, bool force) {
  pending_task_ptr task;
  {
    std::lock_guard guard(lock_of(entry));
    task = entry.producer;
  }
  if (!task || !entry.pending())
    return;
  if (host_->cancel(*task, force))
    return;
  const error cancelled{errc::cancelled, "task " + task->spec.display_name() + " ("
                                           + to_string(task->spec.id) + ") was cancelled"};
  if (task->spec.kind == task_kind::actor_method) {
    // The actor drops it when its turn comes; its ref need not wait for that. Where its turn was
    // held up by an input, it comes now.
    if (task->try_claim(scheduled_task::claim_state::cancelled) || force)
      fail_results(task->spec, cancelled);
    notify(*task->actor);
    return;
  }
  if (task->try_claim(scheduled_task::claim_state::cancelled)) {
    // If it was dispatched already, its task actor gives the resources back.
    host_->tell({event_kind::withdrawn, task, {}});
    fail_task(*task, cancelled);
    end_task(*task);
  } else if (force) {
    fail_results(task->spec, cancelled);
  }
}

std::string runtime::Why(ObjectEntry& entry) {
  return why(entry, 2s);
}

std::string runtime::why(ObjectEntry& entry, std::chrono::milliseconds patience) {
  if (!entry.pending())
    return "ready";
  pending_task_ptr task;
  {
    std::lock_guard guard(lock_of(entry));
    task = entry.producer;
  }
  if (!task)
    return "nothing in this process makes it";
  if (task->claim.load() == scheduled_task::claim_state::taken)
    return "task " + task->spec.display_name() + " is running";
  if (task->spec.kind == task_kind::actor_method) {
    auto& actor = *task->actor;
    std::lock_guard guard(actor.mutex);
    std::string text = "method " + task->spec.display_name() + " waits for its actor "
                       + actor.record.class_name + ", which ";
    switch (actor.record.state) {
      case actor_state::alive:
        return text + "is busy: " + std::to_string(actor.running.size()) + " running, "
               + std::to_string(actor.inbox.size()) + " queued";
      case actor_state::dead: return text + "is dead";
      case actor_state::restarting: text += "is being restarted"; break;
      default: text += "is being created"; break;
    }
    task = actor.creation;
    if (!task)
      return text;
  }
  std::string reason = "task " + task->spec.display_name() + " has not started";
  if (patience == 0ms)
    return reason;
  block([&] { reason = host_->why(task->spec.id, patience, std::move(reason)); });
  return reason;
}

} // namespace caf_ray
