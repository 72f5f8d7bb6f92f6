#include "libray/src/actor_host.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "libray/src/runtime.hpp"
#include "libray/src/task_run.hpp"

namespace caf_ray {

namespace {

/// After this many calls, or this long, others in the executor get their turn.
constexpr int calls_per_turn = 256;
constexpr auto turn_time = std::chrono::milliseconds(2);

/// A call of an actor with max_concurrency above 1.
class method_actor final : public caf::event_based_actor {
public:
  method_actor(caf::actor_config& config, runtime* owner, actor_ptr entry,
               std::shared_ptr<actor_incarnation> life, pending_task_ptr call)
    : caf::event_based_actor(config), owner_(owner), entry_(std::move(entry)),
      life_(std::move(life)), call_(std::move(call)) {}
  subtype_t subtype() const override { return function_object; }
  const char* name() const override { return "method"; }
  caf::behavior make_behavior() override {
    run_method(*owner_, *entry_, life_, call_);
    life_.reset();
    owner_->notify(*entry_);
    return {};
  }

private:
  runtime* owner_;
  actor_ptr entry_;
  std::shared_ptr<actor_incarnation> life_;
  pending_task_ptr call_;
};

} // namespace

task_actor::task_actor(caf::actor_config& config, runtime* owner, pending_task_ptr task)
  : caf::event_based_actor(config), owner_(owner), task_(std::move(task)) {}

caf::behavior task_actor::make_behavior() {
  owner_->run_dispatched(task_);
  task_.reset();
  return {};
}

void run_method(runtime& owner, ActorEntry& entry, const std::shared_ptr<actor_incarnation>& life,
                const pending_task_ptr& call) {
  task_context ctx;
  ctx.owner = &owner;
  ctx.id = call->spec.id;
  ctx.task = call;
  ctx.actor = &entry;
  ctx.actor_restarted = life->restarted;
  std::optional<error> failure;
  bool exited = false;
  bool current;
  {
    std::lock_guard guard(entry.mutex);
    current = entry.life == life && !entry.exiting;
  }
  if (!current) {
    // Ended between its turn and now; its results may have failed already.
    failure = error{errc::actor_died, "the actor has ended"};
  } else if (call->try_claim()) {
    task_run run(owner, *call);
    run.set_life(life.get());
    {
      context_scope scope(ctx);
      failure = run.execute();
    }
    exited = run.exited();
    if (!failure)
      run.deliver();
  } else {
    failure = error{errc::cancelled, "method " + call->spec.display_name() + " was cancelled"};
  }
  {
    // Not there any more when the actor was killed meanwhile; then the results have failed already
    // and what follows changes nothing.
    std::lock_guard guard(entry.mutex);
    std::erase(entry.running, call);
    if (exited && entry.life == life)
      entry.exiting = true;
  }
  if (failure)
    owner.fail_task(*call, *failure);
  owner.end_task(*call);
  if (exited)
    owner.actor_ended(entry, "it has exited (ray::ExitActor in " + call->spec.display_name() + ")",
                      false, life.get());
}

actor_host::actor_host(caf::actor_config& config, runtime* owner, actor_ptr entry,
                       std::shared_ptr<actor_incarnation> life)
  : caf::event_based_actor(config), owner_(owner), entry_(std::move(entry)),
    life_(std::move(life)) {
  listener_.host = this;
}

actor_host::~actor_host() {
  stop_awaiting();
}

void actor_host::input_listener::on_ready() {
  host->ctrl()->enqueue(nullptr, caf::make_message_id(), caf::make_message(drain_atom_v), nullptr);
}

void actor_host::stop_awaiting() {
  if (awaited_)
    unlisten(*awaited_, listener_);
  awaited_ = EntryPtr();
}

bool actor_host::await_inputs(pending_task& call) {
  for (auto& input : call.inputs) {
    if (!input->pending())
      continue;
    stop_awaiting();
    awaited_ = input;
    if (listen(*input, listener_))
      return true;
  }
  stop_awaiting();
  return false;
}

caf::behavior actor_host::make_behavior() {
  if (!create()) {
    life_.reset();
    return {};
  }
  return {
    [this](drain_atom) { drain(); },
  };
}

bool actor_host::create() {
  {
    std::lock_guard guard(entry_->mutex);
    if (entry_->life != life_) // killed before it began
      return false;
  }
  task_context ctx;
  ctx.owner = owner_;
  ctx.id = life_->creation->spec.id;
  ctx.task = life_->creation;
  ctx.actor = entry_.get();
  ctx.actor_restarted = life_->restarted;
  task_run run(*owner_, *life_->creation);
  run.set_life(life_.get());
  std::optional<error> failure;
  {
    context_scope scope(ctx);
    failure = run.execute();
  }
  if (!failure && !life_->object)
    failure = error{errc::task_failed,
                    life_->creation->spec.function + " does not return a pointer to a class"};
  if (failure) {
    owner_->actor_ended(*entry_, "its creation failed: " + failure->what, false, life_.get());
    return false;
  }
  {
    std::lock_guard guard(entry_->mutex);
    if (entry_->life != life_) // killed meanwhile
      return false;
    entry_->record.state = actor_state::alive;
    entry_->host = caf::strong_actor_ptr{ctrl()};
    entry_->notified = true;
  }
  owner_->actor_alive(*entry_);
  send(this, drain_atom_v);
  return true;
}

void actor_host::on_exit() {
  stop_awaiting();
  // The object goes here, on a thread for user code, unless a method still runs on it.
  life_.reset();
}

void actor_host::drain() {
  const auto until = std::chrono::steady_clock::now() + turn_time;
  // Of this life: the entry may lose its creation at any time.
  const auto limit = static_cast<std::size_t>(life_->creation->spec.opts().max_concurrency);
  bool went_on = true;
  for (int calls = 0; went_on; ++calls) {
    pending_task_ptr call;
    {
      std::lock_guard guard(entry_->mutex);
      if (entry_->life != life_ || owner_->closed()) {
        quit();
        return;
      }
      entry_->notified = false;
      if (entry_->inbox.empty() || entry_->running.size() >= limit || entry_->exiting)
        return;
      // Its turn over: a message to itself lets others run first.
      if (calls == calls_per_turn
          || (calls % 16 == 15 && std::chrono::steady_clock::now() > until)) {
        entry_->notified = true;
        went_on = false;
      } else {
        call = entry_->inbox.front();
        // Claimed calls need no inputs: they were cancelled.
        if (call->claim.load() == scheduled_task::claim_state::free && await_inputs(*call))
          return;
        stop_awaiting();
        entry_->inbox.pop_front();
        entry_->running.push_back(call);
      }
    }
    if (!went_on)
      send(this, drain_atom_v);
    else if (limit > 1)
      owner_->spawn_user<method_actor>(owner_, entry_, life_, std::move(call));
    else
      run_method(*owner_, *entry_, life_, call);
  }
}

} // namespace caf_ray
