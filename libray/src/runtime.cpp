#include "libray/src/runtime.hpp"

#include <thread>

#include <unistd.h>

#include "gcs/types/codec.hpp"
#include "libray/src/actor_host.hpp"
#include "libray/src/cluster/attached_host.hpp"
#include "libray/src/cluster/connect.hpp"
#include "libray/src/control_reset.hpp"
#include "libray/src/embedded_host.hpp"
#include "libray/src/exception.hpp"
#include "libray/src/logging.hpp"
#include "ray/api/logging.h"
#include "ray/api/ray_exception.h"
#include "ray/api/ray_runtime_holder.h"

namespace caf_ray {

using namespace std::chrono_literals;
using ray::internal::RayException;

namespace {

/// How long Shutdown waits for user code that runs, and for calls inside the API to come back.
constexpr auto user_code_patience = 1000ms;
constexpr auto caller_patience = 300ms;
/// And for the destructors of actors, before anything is taken away from them.
constexpr auto destructor_patience = 300ms;

} // namespace

std::string runtime::program_path() {
  std::error_code ignored;
  return std::filesystem::read_symlink("/proc/self/exe", ignored).string();
}

runtime::runtime(settings given) : settings_(std::move(given)) {
  if (settings_.runtime_env)
    environment_ = std::make_unique<env_vars_scope>(env_vars_of(*settings_.runtime_env));
  namespace_ =
    settings_.ray_namespace.empty() ? to_string(random_id<node_id>()) : settings_.ray_namespace;
  if (settings_.address.empty() || settings_.local_mode)
    host_ = std::make_unique<embedded_host>(settings_, callbacks());
  else
    attach({.connection = value_or_throw(cluster::connect_to_node(settings_.address)),
            .greeting = {.pid = static_cast<std::uint32_t>(getpid()), .program = program_path()}});
  detached_of_caf_ = host_->system().detached_actors();
  try {
    register_job();
  } catch (...) {
    host_->stop(true);
    throw;
  }
  driver_.owner = this;
  driver_.id = driver_task(job_, random_bits()[0]);
  publish_functions();
}

node_callbacks runtime::callbacks() {
  node_callbacks callbacks;
  callbacks.watch = [](object_id id) {
    // The task that asks holds its inputs, so the entry is there.
    auto entry = object_table::instance().find(id);
    if (!entry)
      return true;
    std::lock_guard guard(lock_of(*entry));
    if (!entry->pending())
      return true;
    entry->watched = true;
    return false;
  };
  callbacks.start = [this](std::vector<task_ptr>& tasks) {
    if (closed())
      return;
    for (auto& task : tasks) {
      auto mine = std::static_pointer_cast<pending_task>(task);
      if (mine->spec.kind == task_kind::actor_creation)
        start_actor(mine);
      else
        spawn_user<task_actor>(this, std::move(mine));
    }
  };
  callbacks.drop = [this](const task_ptr& task, error e) {
    auto mine = std::static_pointer_cast<pending_task>(task);
    if (mine->spec.kind == task_kind::actor_creation) {
      actor_ended(*mine->actor, e.what, false);
    } else {
      fail_task(*mine, e);
      end_task(*mine);
    }
  };
  return callbacks;
}

runtime::~runtime() = default;

/// Jobs are numbered from 1 in the order of their registration.
void runtime::register_job() {
  job_ = settings_.job_id.value_or(host_->last_job() + 1);
  job_record_ = {namespace_, program_path(), unix_time_ms(), 0, true};
  for (;; ++job_) {
    auto mine =
      host_->control().put_if_absent(gcs::table_kind::jobs, job_key(job_), encode(job_record_));
    if (!mine)
      throw_error(mine.error());
    if (*mine || settings_.job_id)
      break;
    // Another driver was quicker.
  }
  record_event("job " + std::to_string(job_) + " has started: " + job_record_.entry_point);
  if (attached_) {
    auto& mine = static_cast<cluster::attached_host&>(*host_);
    mine.set_job(job_, namespace_);
    mine.begin();
  }
}

void runtime::record_event(const std::string& text) {
  event_record record{unix_time_ms(), "job " + std::to_string(job_), text};
  host_->control().put(gcs::table_kind::events, {}, encode(record));
}

void runtime::publish_functions() {
  function_record record{"", program_path()};
  auto value = encode(record);
  for (auto& name : ray::internal::FunctionManager::Instance().Names())
    host_->control().put(gcs::table_kind::functions, name.substr(0, gcs::max_key_bytes), value);
}

task_context& runtime::context() noexcept {
  auto current = task_context::current;
  return current ? *current : driver_;
}

void runtime::close() {
  // 1. Actors end, while what their destructors call still works.
  closing_.store(true, std::memory_order_release);
  end_actors();
  await_lives(destructor_patience);
  // 2. Whoever waits comes back with an exception; nothing new starts.
  closed_.store(true, std::memory_order_release);
  host_->begin_closing();
  auto ended = std::make_shared<const error>(
    error{errc::shut_down, "ray::Shutdown was called before this ended"});
  object_table::instance().abandon_all([&](ObjectEntry& entry) {
    bool watched;
    resolve(entry, ended, watched);
    pending_task_ptr task;
    {
      std::lock_guard guard(lock_of(entry));
      task = std::move(entry.producer);
    }
  });
  end_actors(); // those that came between
  natives_->end_all();
  host_->close_store();
  bool callers_gone = runtime_gate::await_leavers(caller_patience);
  // 3. User code ends, or is left behind.
  bool code_ended = host_->threads().quiesce(user_code_patience)
                    && threads_of_natives_ended(host_->system(), detached_of_caf_);
  job_record_.alive = false;
  job_record_.ended_ms = unix_time_ms();
  host_->control().put(gcs::table_kind::jobs, job_key(job_), encode(job_record_));
  record_event("job " + std::to_string(job_) + " has ended"
               + (code_ended ? "" : ", with user code that is still running"));
  if (!code_ended)
    RAYLOG(WARNING) << "ray::Shutdown leaves user code behind that is still running";
  host_->stop(code_ended && callers_gone);
  if (code_ended && callers_gone)
    host_.reset();
}

void runtime::end_actors() {
  for (auto& actor : known_actors())
    actor_ended(*actor, "ray::Shutdown was called", false);
}

void runtime::life_began() {
  lives_.fetch_add(1, std::memory_order_relaxed);
}

void runtime::life_ended() {
  if (lives_.fetch_sub(1, std::memory_order_acq_rel) != 1 || !closing())
    return;
  std::lock_guard guard(lives_mutex_);
  lives_ended_.notify_all();
}

void runtime::await_lives(std::chrono::milliseconds patience) {
  std::unique_lock guard(lives_mutex_);
  lives_ended_.wait_for(guard, patience, [this] { return lives_.load() == 0; });
}

runtime* runtime_gate::retire() {
  return current_.exchange(nullptr, std::memory_order_seq_cst);
}

bool runtime_gate::await_leavers(std::chrono::milliseconds patience) {
  auto until = std::chrono::steady_clock::now() + patience;
  while (users_.load(std::memory_order_acquire) > 0) {
    if (std::chrono::steady_clock::now() > until)
      return false;
    std::this_thread::sleep_for(100us);
  }
  return true;
}

} // namespace caf_ray

namespace ray::internal {

using caf_ray::runtime_gate;
using caf_ray::task_context;

RuntimeUse::RuntimeUse() {
  if (auto context = task_context::current) {
    // Inside a task or actor its runtime stays, even when it is closed: see runtime::close.
    runtime_ = context->owner;
    if (context->owner->closed())
      throw RayShutdownException("ray::Shutdown was called");
    return;
  }
  runtime_ = runtime_gate::enter();
  if (!runtime_) {
    runtime_gate::leave();
    throw RayException("Ray is not initialized: call ray::Init() before using tasks, actors or "
                       "objects (and not after ray::Shutdown())");
  }
}

RuntimeUse::~RuntimeUse() {
  if (!task_context::current)
    runtime_gate::leave();
}

RayRuntimeHolder& RayRuntimeHolder::Instance() {
  static RayRuntimeHolder holder;
  return holder;
}

RayRuntime* RayRuntimeHolder::Runtime() const noexcept {
  if (auto context = task_context::current)
    return context->owner;
  auto runtime = runtime_gate::enter();
  runtime_gate::leave();
  return runtime;
}

} // namespace ray::internal
