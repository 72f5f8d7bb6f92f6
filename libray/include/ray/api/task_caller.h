#pragma once

/// Starts tasks: what ray::Task returns.
///
///   int Add(int a, int b);
///   RAY_REMOTE(Add);
///   auto ref = ray::Task(Add).SetResource("CPU", 1).SetMaxRetries(2).Remote(1, 2);
///   std::cout << *ref.Get();

#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>

#include "ray/api/runtime_env.h"
#include "ray/internal/caller.h"

namespace ray {
namespace internal {

/// A function and how it shall run. Move-only; `Remote` may be called as often as one likes.
template <typename F>
class TaskCaller {
public:
  TaskCaller() = default;
  explicit TaskCaller(const RemoteFunction& function) : function_(&function) {}
  TaskCaller(TaskCaller&&) = default;
  TaskCaller& operator=(TaskCaller&&) = default;
  TaskCaller(const TaskCaller&) = delete;
  TaskCaller& operator=(const TaskCaller&) = delete;

  /// Starts the task and returns at once. An ObjectRef<T> given for a T is waited for by the
  /// system; a vector of refs given for a vector likewise; other arguments are converted to the
  /// declared type now. Throws RayException (resources, no Init, a number that the declared type
  /// does not have, such as 5.5 for an int).
  template <typename... Args>
  ObjectRef<ReturnType_t<F>> Remote(Args&&... args) {
    RuntimeUse runtime;
    return CallForOne<F>(*runtime, *function_, Submitter(*runtime), std::forward<Args>(args)...);
  }

  /// For a function that returns a std::tuple: one ref an element.
  template <typename... Args>
  auto RemoteTuple(Args&&... args) {
    RuntimeUse runtime;
    return CallForTuple<F>(*runtime, *function_, Submitter(*runtime), std::forward<Args>(args)...);
  }

  /// For a function that returns a std::vector of `count` elements: one ref an element.
  template <typename... Args>
  auto RemoteVector(std::size_t count, Args&&... args) {
    RuntimeUse runtime;
    return CallForVector<F>(*runtime, *function_, count, Submitter(*runtime),
                            std::forward<Args>(args)...);
  }

  /// Shown in listings and errors instead of the function's name.
  TaskCaller& SetName(std::string name) {
    options_.name = std::move(name);
    return *this;
  }
  TaskCaller& SetResources(std::unordered_map<std::string, double> resources) {
    options_.resources = std::move(resources);
    return *this;
  }
  TaskCaller& SetResource(std::string name, double value) {
    options_.resources.insert_or_assign(std::move(name), value);
    return *this;
  }
  /// Runs in a bundle of `group`; -1: any of them.
  TaskCaller& SetPlacementGroup(PlacementGroup group, int bundle_index) {
    options_.group = std::move(group);
    options_.bundle_index = bundle_index;
    return *this;
  }
  TaskCaller& SetRuntimeEnv(const RuntimeEnv& runtime_env) {
    options_.serialized_runtime_env_info = runtime_env.SerializeToRuntimeEnvInfo();
    return *this;
  }
  /// How often it runs again after its worker or node died; -1: for ever. Default 3.
  TaskCaller& SetMaxRetries(int max_retries) {
    options_.max_retries = max_retries;
    return *this;
  }
  /// Whether an exception of the function counts as such a death, too. Default false.
  TaskCaller& SetRetryExceptions(bool retry) {
    options_.retry_exceptions = retry;
    return *this;
  }
  /// Larger starts first among the ready tasks of a node. Default 0.
  TaskCaller& SetPriority(int priority) {
    options_.priority = priority;
    return *this;
  }

private:
  auto Submitter(RayRuntime& runtime) {
    return [this, &runtime](TaskCall& call, EntryPtr* results) {
      runtime.SubmitTask(call, options_, results);
    };
  }

  const RemoteFunction* function_ = nullptr;
  CallOptions options_;
};

} // namespace internal
} // namespace ray
