// The part of the attached host that tells the node what this process does and wants.

#include <utility>

#include "libray/src/cluster/attached_host.hpp"
#include "libray/src/object_table.hpp"
#include "libray/src/runtime.hpp"

namespace caf_ray::cluster {

namespace {

value_form form_of(const stored_value& value) {
  value_form form;
  form.kind = value.in_store ? value_kind::stored : value_kind::inlined;
  form.size_bytes = value.size;
  if (!value.in_store)
    form.bytes = {value.data, value.size};
  for (auto& inner : value.contained)
    form.contained.push_back(inner->id);
  return form;
}

} // namespace

void attached_host::publish(ObjectEntry& first) {
  // A list instead of recursion: values contain others, those again others.
  std::vector<ObjectEntry*> unknown{&first};
  while (!unknown.empty()) {
    auto& entry = *unknown.back();
    unknown.pop_back();
    {
      std::lock_guard guard(lock_of(entry));
      if (entry.receipts > 0)
        continue;
    }
    // Each by itself, since a batch has a limit; counted as it is written, so that nobody names it
    // before.
    out_.write([&](std::string& batch) {
      {
        std::lock_guard guard(lock_of(entry));
        if (entry.receipts > 0)
          return;
        entry.receipts = 1;
      }
      put_op op{entry.id, form_of(entry.value)};
      if (entry.error) {
        op.value = {};
        op.value.failure = *entry.error;
      } else if (auto checked =
                   check_names("object " + to_string(entry.id), op.value.contained.size());
                 !checked) {
        op.value = {};
        op.value.failure = checked.error();
      }
      write_op(batch, op);
      for (auto& inner : entry.value.contained)
        unknown.push_back(inner.get());
    });
  }
}

/// What names more would be larger than a message may be.
result<void> attached_host::check_names(const std::string& what, std::size_t count) {
  if (count <= max_named_objects)
    return {};
  return fail(errc::invalid_argument,
              what + " names " + std::to_string(count) + " objects, and at most "
                + std::to_string(max_named_objects)
                + " fit into a message between processes: put some of them into an object of "
                  "their own (ray::Put of a vector of refs) and name that");
}

void attached_host::submit(const pending_task_ptr& task) {
  if (task->foreign) {
    // Its function has thrown and is tried again, here.
    {
      std::lock_guard guard(foreign_mutex_);
      foreign_[task->spec.id] = task;
    }
    owner_.start_foreign(task);
    return;
  }
  if (auto checked = check_names(task->spec.display_name(),
                                 task->spec.arguments.size() + task->spec.contained.size());
      !checked) {
    for (auto& result : task->results)
      owner_.deliver(*result, checked.error());
    owner_.end_task(*task);
    return;
  }
  // The node runs it: nobody here may.
  task->try_claim();
  task->unresolved.store(task->spec.return_count, std::memory_order_relaxed);
  for (auto& result : task->results) {
    std::lock_guard guard(lock_of(*result));
    result->receipts = 1;
    result->wanted = true;
  }
  for (auto& input : task->inputs)
    publish(*input);
  for (auto& inner : task->contained)
    publish(*inner);
  out_.write([&](std::string& batch) { write_task<submit_op>(batch, task->spec, task->attempt); });
}

void attached_host::tell(scheduler::task_event event) {
  using enum scheduler::task_event::kind;
  if ((event.what == blocked || event.what == unblocked) && event.task)
    out_.add(blocked_op{event.task->spec.id, event.what == blocked});
}

void attached_host::completed(const pending_task& task, std::vector<stored_value> results,
                              const error& failure) {
  {
    std::lock_guard guard(foreign_mutex_);
    if (!foreign_.erase(task.spec.id))
      return;
  }
  done_op op;
  op.task = task.spec.id;
  op.failure = failure;
  op.run_ns = task.run_ns;
  std::size_t names = 0;
  for (auto& result : results)
    names += result.contained.size();
  if (auto checked = check_names("the result of " + task.spec.display_name(), names); !checked) {
    op.failure = checked.error();
    results.clear();
  }
  for (auto& result : results) {
    for (auto& inner : result.contained)
      publish(*inner);
    op.results.push_back(form_of(result));
  }
  out_.add(op);
}

bool attached_host::cancel(const pending_task& task, bool force) {
  out_.add(cancel_op{task.spec.id, force});
  return true;
}

/// Others hear of it when its id leaves this process.
void attached_host::stored(object_id, std::size_t) {}

void attached_host::erase(object_id id) {
  out_.add(abort_op{id});
}

void attached_host::want(const ObjectEntry& entry) {
  out_.add(want_op{entry.id});
}

bool attached_host::borrow(ObjectEntry& entry) {
  {
    std::lock_guard guard(lock_of(entry));
    entry.receipts = 1;
    entry.wanted = true;
  }
  out_.add(borrow_op{entry.id});
  return true;
}

void attached_host::released(const ObjectEntry& entry) {
  if (entry.receipts > 0)
    out_.add(release_op{entry.id, entry.receipts});
  else if (entry.value.in_store)
    out_.add(abort_op{entry.id});
}

std::string attached_host::why(task_id, std::chrono::milliseconds, std::string fallback) {
  return fallback;
}

} // namespace caf_ray::cluster
