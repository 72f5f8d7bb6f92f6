#include "libray/src/cluster/attached_host.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "gcs/client_core.hpp"
#include "gcs/client_port.hpp"
#include "libray/src/cluster/flow.hpp"
#include "libray/src/cluster/io_thread.hpp"
#include "libray/src/control_reset.hpp"
#include "libray/src/exception.hpp"
#include "libray/src/object_table.hpp"
#include "libray/src/runtime.hpp"
#include "libray/src/transport/basp.hpp"
#include "libray/src/value_memory.hpp"

namespace caf_ray::cluster {

using namespace std::chrono_literals;

/// Speaks with the hub, in CAF's I/O thread.
///
/// At start: introduces itself. When the hub dies: everything that waits for it ends. Ends by an
/// exit message; the host outlives it.
class attached_host::link final : public io_hosted<link_actor::base> {
public:
  link(caf::actor_config& config, attached_host* host)
    : io_hosted<link_actor::base>(config), host_(host) {
    set_down_handler([this](const caf::down_msg&) { host_->lost(); });
  }
  const char* name() const override { return "link"; }

  link_actor::behavior_type make_behavior() override {
    hub_ = caf::actor_cast<hub_actor>(host_->hub_);
    monitor(hub_);
    return {
      [this](welcome_atom, const std::string& bytes, std::vector<caf::strong_actor_ptr>& services) {
        host_->welcomed(bytes, std::move(services));
      },
      [this](refuse_atom, const error& why) { host_->refused(why); },
      [this](batch_atom, std::uint64_t total, const std::string& batch) {
        host_->receive(batch);
        if (auto credit = flow_.received(total))
          send(hub_, credit_atom_v, *credit);
      },
      [this](credit_atom, std::uint64_t total) {
        flow_.credited(total);
        send_batches();
      },
      [this](leave_atom) { host_->asked_to_leave(); },
      [this](drain_atom) { send_batches(); },
    };
  }

private:
  void send_batches() {
    while (flow_.open()) {
      auto batch = host_->out_.take();
      if (batch.empty())
        return;
      auto total = flow_.sent(batch.size());
      send(hub_, batch_atom_v, total, std::move(batch));
    }
  }

  attached_host* host_;
  hub_actor hub_;
  flow flow_;
};

namespace {

/// For Shutdown: the link's last message, and its end.
constexpr auto link_patience = 5s;

const error node_gone{errc::node_died, "the node of this host is gone"};

result<remote_memory*> open_memory(const std::string& path, remote_memory::asker ask) {
  int descriptor = open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0)
    return fail(errc::io_failed, "cannot open the node's object memory at " + path + ": "
                                   + std::strerror(errno)
                                   + "; program and node must run as the same user and see the "
                                     "same processes");
  auto memory = remote_memory::map(descriptor, std::move(ask));
  close(descriptor);
  return memory;
}

} // namespace

attached_host::attached_host(runtime& owner, attach_options options)
  : owner_(owner), out_([this] { caf::anon_send(link_, drain_atom_v); }) {
  config_ = std::make_unique<caf::actor_system_config>();
  announce_messages(*config_);
  config_->set("scheduler.max-threads", std::max(1u, options.slots));
  config_->load<executor>();
  transport::configure(*config_, {});
  system_ = std::make_unique<caf::actor_system>(*config_);
  executor_ = static_cast<executor*>(&system_->scheduler());
  try {
    hub_ =
      value_or_throw(transport::join(*system_, std::move(options.connection), options.patience));
    link_ = spawn_in_io_thread<link>(*system_, this);
    caf::anon_send(caf::actor_cast<hub_actor>(hub_), hello_atom_v, pack(options.greeting),
                   caf::actor_cast<caf::strong_actor_ptr>(link_));
    std::unique_lock guard(mutex_);
    changed_.wait_for(guard, options.patience, [this] { return welcomed_ || refusal_ || lost_; });
    if (refusal_)
      throw_error(*refusal_);
    if (!welcomed_)
      throw_error({errc::node_died, "the node of this host does not answer"});
    guard.unlock();
    remote_memory::asker ask;
    ask.create = [this](const create_op& op) { out_.add(op); };
    ask.seal = [this](const seal_op& op) { out_.add(op); };
    ask.abort = [this](const abort_op& op) { out_.add(op); };
    ask.pin = [this](const pin_op& op) { out_.add(op); };
    ask.unpin = [this](const unpin_op& op) { out_.add(op); };
    memory_ = value_or_throw(open_memory(entry_.memory_path, std::move(ask)));
    if (!entry_.marks_path.empty() && !(marks_ = map_marks(entry_.marks_path, entry_.marks_block)))
      throw_error({errc::io_failed, "cannot map the node's memory at " + entry_.marks_path});
    std::vector<gcs::shard_actor> shards;
    for (auto i = 0u; i < entry_.shard_count; ++i)
      shards.push_back(caf::actor_cast<gcs::shard_actor>(services_.at(i)));
    control_ = gcs::make_client(*system_, std::move(shards));
    groups_ = caf::actor_cast<group_manager_actor>(services_.at(entry_.shard_count));
  } catch (...) {
    stop(true);
    throw;
  }
}

attached_host::~attached_host() {
  if (memory_)
    memory_->abandon();
}

void attached_host::begin() {
  std::vector<std::string> early;
  {
    std::lock_guard guard(mutex_);
    begun_ = true;
    early.swap(early_);
  }
  for (auto& batch : early)
    receive(batch);
}

void attached_host::set_job(job_id job, const std::string& ray_namespace) {
  out_.add(job_op{job, ray_namespace, {}, {}, {}});
}

void attached_host::await_end() {
  std::unique_lock guard(mutex_);
  while (!leaving_ && !lost_)
    changed_.wait_for(guard, 1s);
}

job_id attached_host::last_job() {
  job_id highest = 0;
  for (auto& entry : value_or_throw(control_->scan(gcs::table_kind::jobs)))
    highest = std::max(highest, parse_job_key(entry.key).value_or(0));
  return highest;
}

// -- what the node says

void attached_host::welcomed(const std::string& bytes,
                             std::vector<caf::strong_actor_ptr> services) {
  std::lock_guard guard(mutex_);
  if (auto said = unpack<welcome>(bytes); said && services.size() == said->shard_count + 1) {
    entry_ = std::move(*said);
    services_ = std::move(services);
    welcomed_ = true;
  } else {
    refusal_ = error{errc::version_mismatch, "the node speaks another version of caf-ray"};
  }
  changed_.notify_all();
}

void attached_host::refused(const error& why) {
  {
    std::lock_guard guard(mutex_);
    if (!welcomed_) {
      refusal_ = why;
      changed_.notify_all();
      return;
    }
  }
  lost(); // cut off, though the connection is there
}

void attached_host::asked_to_leave() {
  std::lock_guard guard(mutex_);
  leaving_ = true;
  changed_.notify_all();
}

void attached_host::lost() {
  {
    std::lock_guard guard(mutex_);
    if (std::exchange(lost_, true))
      return;
    changed_.notify_all();
    if (!begun_)
      return;
  }
  out_.close();
  memory_->close(node_gone);
  // Its shards are gone, too; nobody shall wait for their answers.
  control_->shared_core()->close();
  owner_.node_lost(node_gone);
}

void attached_host::receive(const std::string& batch) {
  {
    std::lock_guard guard(mutex_);
    if (!begun_) {
      early_.push_back(batch);
      return;
    }
  }
  // What a node of this host says is well-formed, or its end of the wire is another version.
  if (auto read = read_ops(batch, [this](auto& op) { on(op); }); !read)
    lost();
}

EntryPtr attached_host::received(object_id id) {
  auto entry = object_table::instance().find_or_insert(id);
  std::lock_guard guard(lock_of(*entry));
  ++entry->receipts;
  return entry;
}

void attached_host::on(ready_op& op) {
  std::vector<EntryPtr> contained;
  for (auto& inner : op.value.contained)
    contained.push_back(received(inner));
  auto entry = op.held ? received(op.object) : object_table::instance().find(op.object);
  if (!entry)
    return;
  if (op.held)
    early_inputs_.push_back(entry);
  if (op.value.kind == value_kind::failed) {
    owner_.deliver(*entry, op.value.failure);
  } else {
    stored_value value;
    value.size = op.value.size_bytes;
    value.contained = std::move(contained);
    if (op.value.kind == value_kind::stored) {
      value.in_store = true;
    } else {
      value.size = op.value.bytes.size();
      bool has_segments = value.size > 0 && op.value.bytes[0] != 0;
      auto to = make_value_memory(value.size, has_segments, value.owner);
      std::memcpy(to, op.value.bytes.data(), value.size);
      value.data = to;
    }
    owner_.deliver(*entry, std::move(value));
  }
  pending_task_ptr task;
  {
    std::lock_guard guard(lock_of(*entry));
    task = entry->producer;
  }
  if (task && task->unresolved.fetch_sub(1, std::memory_order_acq_rel) == 1)
    owner_.end_task(*task);
}

void attached_host::on(run_op& op) {
  auto task = std::make_shared<pending_task>();
  task->foreign = true;
  task->spec = std::move(op.spec);
  task->attempt = op.attempt;
  task->dispatched.store(true, std::memory_order_relaxed);
  if (op.mark != 0 && op.mark <= marks_per_block && marks_)
    task->start_mark = marks_ + (op.mark - 1);
  for (auto& argument : task->spec.arguments)
    if (argument.ref)
      task->inputs.push_back(received(argument.ref));
  for (auto& id : task->spec.contained)
    task->contained.push_back(received(id));
  early_inputs_.clear();
  {
    std::lock_guard guard(foreign_mutex_);
    foreign_[task->spec.id] = task;
  }
  task->function = ray::internal::FunctionManager::Instance().FindName(task->spec.function);
  if (!task->function)
    return completed(*task, {},
                     {errc::function_not_found, "the program " + owner_.program()
                                                  + " has no remote function " + task->spec.function
                                                  + ": register it with RAY_REMOTE"});
  for (auto& input : task->inputs)
    owner_.ask_for(*input);
  owner_.start_foreign(task);
}

void attached_host::on(kill_actor_op& op) {
  owner_.end_hosted_actor(op.actor, op.cause);
}

void attached_host::on(cancel_op& op) {
  pending_task_ptr task;
  {
    std::lock_guard guard(foreign_mutex_);
    auto at = foreign_.find(op.task);
    if (at == foreign_.end())
      return;
    task = at->second;
  }
  if (task->try_claim(scheduled_task::claim_state::cancelled) || op.force)
    completed(*task, {},
              {errc::cancelled, "task " + task->spec.display_name() + " ("
                                  + to_string(task->spec.id) + ") was cancelled"});
}

// -- the end

void attached_host::begin_closing() {
  memory_->close({errc::shut_down, "ray::Shutdown was called"});
}

void attached_host::close_store() {
  memory_->close({errc::shut_down, "ray::Shutdown was called"});
}

void attached_host::stop(bool user_code_ended) {
  out_.close();
  if (link_) {
    caf::scoped_actor self(*system_);
    self->monitor(link_);
    caf::anon_send_exit(link_, caf::exit_reason::user_shutdown);
    self->receive([](const caf::down_msg&) {}, caf::after(link_patience) >> [] {});
  }
  // No lost() from here on. Last words: what the control store has not acknowledged.
  if (user_code_ended)
    control_.reset();
  else if (control_)
    control_->flush(300ms);
  link_ = nullptr;
  hub_ = nullptr;
  groups_ = nullptr;
  services_.clear();
  if (!user_code_ended)
    return;
  system_->await_actors_before_shutdown(false);
  system_.reset();
  config_.reset();
}

} // namespace caf_ray::cluster
