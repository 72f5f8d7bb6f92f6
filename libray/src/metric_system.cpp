#include <ray/api/metric.h>

#include "libray/src/metric_registry.hpp"
#include "libray/src/runtime.hpp"
#include "ray/api/ray_runtime_holder.h"

namespace caf_ray {

namespace {

/// A family of one sample, as a user's metric without tags would be written.
class figures {
public:
  explicit figures(std::string& out) : out_(out) {}

  void gauge(const char* name, const char* help, double value) {
    write(metric_kind::gauge, name, help, value);
  }
  void counter(const char* name, const char* help, double value) {
    write(metric_kind::counter, name, help, value);
  }

private:
  void write(metric_kind kind, const char* name, const char* help, double value) {
    metric one({kind, std::string(system_metric_prefix) + name, help, "", {}, {}});
    if (one.record(value, {}))
      one.write(out_);
  }

  std::string& out_;
};

} // namespace

void runtime::write_metrics(std::string& out) {
  figures to(out);
  auto as_double = [](auto x) { return static_cast<double>(x); };
  auto& gauge = host_->gauge();
  auto executor = host_->threads().count();
  auto finished = ended_.load(); // before what was submitted, which is never less then
  to.counter("tasks_submitted_total", "Tasks and methods of actors that were called",
             as_double(submitted_.load()));
  to.counter("tasks_finished_total",
             "Of these, the ones that have ended, failed and cancelled ones included",
             as_double(finished));
  to.gauge("tasks_queued", "Tasks that wait for inputs, resources or a slot",
           as_double(gauge.held.load()));
  to.gauge("tasks_running",
           "Tasks, methods and native actors in threads of the executor, waiting ones included",
           as_double(executor.user_code));
  to.counter("task_runs_total", "Runs of plain tasks, second tries included",
             as_double(gauge.finished.load()));
  to.counter("task_run_seconds_total", "Time that these took",
             as_double(gauge.run_ns.load()) / 1e9);

  auto alive = natives_->size();
  for (auto& actor : known_actors()) {
    std::lock_guard guard(actor->mutex);
    alive += actor->record.state == actor_state::alive;
  }
  to.gauge("actors_alive", "Actors that were created and have not ended, native ones included",
           as_double(alive));
  to.gauge("objects", "Objects that somebody in this process refers to",
           as_double(object_table::instance().size()));

  auto store = host_->store_stats();
  to.gauge("store_capacity_bytes", "Size of the object store", as_double(store.capacity_bytes));
  to.gauge("store_used_bytes", "Bytes of objects in the store's memory",
           as_double(store.used_bytes));
  to.gauge("store_committed_bytes", "Memory that the store has taken from the system",
           as_double(store.committed_bytes));
  to.gauge("store_spilled_bytes", "Bytes of objects that are on the spill disk only",
           as_double(store.spilled_bytes));
  to.gauge("store_objects", "Objects in the store, spilled ones included",
           as_double(store.object_count));
  to.counter("store_spill_writes_total", "Objects written to the spill disk",
             as_double(store.spill_writes_total));

  auto gcs = host_->control().status();
  to.counter("gcs_writes_total", "Writes to the control store", as_double(gcs.writes));
  to.counter("gcs_retries_total", "Batches of writes that had to be sent again",
             as_double(gcs.retries));
  to.gauge("gcs_pending_bytes", "Writes that are not acknowledged yet",
           as_double(gcs.pending_bytes));

  to.gauge("executor_slots", "Threads that may compute at the same time",
           as_double(executor.slots));
  to.gauge("executor_threads", "Threads there are", as_double(executor.threads));
  to.gauge("executor_blocked", "Threads that wait inside user code", as_double(executor.blocked));
  to.gauge("executor_queued", "Actors and tasks that wait for a slot", as_double(executor.queued));
}

} // namespace caf_ray

namespace ray {

std::string MetricsText() {
  auto text = caf_ray::process_metrics().prometheus_text();
  try {
    internal::RuntimeUse use;
    static_cast<caf_ray::runtime&>(*use).write_metrics(text);
  } catch (const internal::RayException&) {
    // Before Init or after Shutdown there is no system to describe.
  }
  return text;
}

} // namespace ray
