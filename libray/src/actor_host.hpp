#pragma once

#include <caf/event_based_actor.hpp>

#include "gcs/types/messages.hpp"
#include "libray/src/actor_entry.hpp"

namespace caf_ray {

class runtime;

/// A stateless task as an ephemeral CAF actor: spawned, runs the function, ends. User code, so it
/// goes to the executor's user lane.
class task_actor final : public caf::event_based_actor {
public:
  task_actor(caf::actor_config& config, runtime* owner, pending_task_ptr task);
  subtype_t subtype() const override { return function_object; }
  const char* name() const override { return "task"; }
  caf::behavior make_behavior() override;

private:
  runtime* owner_;
  pending_task_ptr task_;
};

/// A user actor's home: creates the object, then runs the calls that its entry has gathered, one at
/// a time, or each in a task actor of its own when max_concurrency allows more.
///
/// At start: runs the factory. At exit: nothing; who sends the exit has emptied the entry.
/// Messages: drain_atom (calls have come, an input has come, a slot is free).
class actor_host final : public caf::event_based_actor {
public:
  actor_host(caf::actor_config& config, runtime* owner, actor_ptr entry,
             std::shared_ptr<actor_incarnation> life);
  subtype_t subtype() const override { return function_object; }
  const char* name() const override { return "user-actor"; }
  caf::behavior make_behavior() override;

  void on_exit() override;

  ~actor_host() override;

private:
  /// Sends this actor a drain message when an input of the call at the head has come. Its object's
  /// lock is held then, so it takes no other.
  struct input_listener final : ready_listener {
    actor_host* host = nullptr;
    void on_ready() override;
  };

  /// Runs the factory. False when there is no living actor afterwards.
  bool create();
  /// Runs what is ready; a message to itself when it should go on later.
  void drain();
  /// False when all inputs are ready; else a drain message follows.
  bool await_inputs(pending_task& call);
  void stop_awaiting();

  runtime* owner_;
  actor_ptr entry_;
  std::shared_ptr<actor_incarnation> life_;
  input_listener listener_;
  EntryPtr awaited_;
};

/// Runs one call on `life` and resolves its results. On any thread; the call is in entry.running.
void run_method(runtime& owner, ActorEntry& entry, const std::shared_ptr<actor_incarnation>& life,
                const pending_task_ptr& call);

} // namespace caf_ray
