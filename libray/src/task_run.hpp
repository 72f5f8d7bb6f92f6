#pragma once

#include <optional>
#include <vector>

#include "libray/src/actor_entry.hpp"
#include "libray/src/demangle.hpp"
#include "libray/src/runtime.hpp"

namespace caf_ray {

/// One execution of one task: gives the function its arguments, takes its results, turns what it
/// throws into an error. Lives on the stack of the thread that runs it.
class task_run final : public ray::internal::TaskRun {
public:
  task_run(runtime& owner, pending_task& task) : owner_(owner), task_(task) {}
  /// Results that were not delivered are removed.
  ~task_run();

  /// A method or factory runs on this.
  void set_life(actor_incarnation* life) noexcept { life_ = life; }

  /// Runs the function. Nothing when it returned; else what went wrong, with the failed input's
  /// error where an input has failed.
  std::optional<error> execute();

  /// True when the method called ExitActor.
  bool exited() const noexcept { return exited_; }

  /// Hands the results over to their entries.
  void deliver();

  // -- what the function's wrapper calls
  ray::internal::BlobView Argument(std::size_t index) override;
  std::ptrdiff_t GatherCount(std::size_t index) override;
  ray::internal::BlobView Gathered(std::size_t index, std::size_t item) override;
  std::uint32_t ReturnCount() const noexcept override { return task_.spec.return_count; }
  bool IsSplit() const noexcept override { return task_.spec.split; }
  void Return(std::uint32_t index, const PackedValue& value) override;
  void* Instance(const ray::internal::RemoteFunction& method) override;
  void SetInstance(void* instance, const ray::internal::RemoteFunction& factory) override;

private:
  /// Position in spec.arguments and in inputs of each parameter; built on the first look when some
  /// argument is no plain value.
  struct place {
    std::size_t argument;
    std::size_t input;
  };
  place place_of(std::size_t index);
  ray::internal::BlobView read_input(std::size_t input);
  error failure(const std::string& type, const std::string& what) const;

  runtime& owner_;
  pending_task& task_;
  actor_incarnation* life_ = nullptr;
  std::vector<place> places_;
  std::vector<stored_value> results_;
  bool exited_ = false;
  bool delivered_ = false;
};

/// Thrown by ray::ExitActor through the actor's method.
struct exit_actor_signal;

} // namespace caf_ray
