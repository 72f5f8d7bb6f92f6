#pragma once

/// Calls methods: what ActorHandle::Task returns.
///
///   auto ref = counter.Task(&Counter::Inc).Remote(1);
///   std::cout << *ref.Get();

#include <string>
#include <unordered_map>
#include <utility>

#include "ray/api/ray_runtime_holder.h"
#include "ray/internal/caller.h"

namespace ray {
namespace internal {

/// Shares the process's entry of an actor, with its id for when there is none (yet).
class ActorPtr {
public:
  ActorPtr() noexcept = default;
  /// Takes over one reference.
  explicit ActorPtr(ActorEntry* entry) noexcept : entry_(entry) {}
  ActorPtr(const ActorPtr& other) noexcept : entry_(other.entry_) {
    if (entry_)
      Retain(entry_);
  }
  ActorPtr(ActorPtr&& other) noexcept : entry_(std::exchange(other.entry_, nullptr)) {}
  ActorPtr& operator=(ActorPtr other) noexcept {
    std::swap(entry_, other.entry_);
    return *this;
  }
  ~ActorPtr() {
    if (entry_)
      Release(entry_);
  }
  ActorEntry* get() const noexcept { return entry_; }
  /// Throws RayException for an empty handle.
  ActorEntry& Named() const {
    if (!entry_)
      throw RayException("this ActorHandle names no actor (it was default-constructed)");
    return *entry_;
  }

private:
  ActorEntry* entry_ = nullptr;
};

/// A method of one actor. Move-only; `Remote` may be called as often as one likes.
template <typename F>
class ActorTaskCaller {
public:
  ActorTaskCaller() = default;
  ActorTaskCaller(ActorPtr actor, const RemoteFunction& function)
    : actor_(std::move(actor)), function_(&function) {}
  ActorTaskCaller(ActorTaskCaller&&) = default;
  ActorTaskCaller& operator=(ActorTaskCaller&&) = default;
  ActorTaskCaller(const ActorTaskCaller&) = delete;
  ActorTaskCaller& operator=(const ActorTaskCaller&) = delete;

  /// Sends the call and returns at once. Calls of one caller run in the order they were sent, one
  /// at a time, unless the actor has SetMaxConcurrency above 1. Takes and refuses arguments as a
  /// task's Remote does.
  template <typename... Args>
  ObjectRef<ReturnType_t<F>> Remote(Args&&... args) {
    RuntimeUse runtime;
    return CallForOne<F>(*runtime, *function_, Submitter(*runtime), std::forward<Args>(args)...);
  }
  /// For a method that returns a std::tuple: one ref an element.
  template <typename... Args>
  auto RemoteTuple(Args&&... args) {
    RuntimeUse runtime;
    return CallForTuple<F>(*runtime, *function_, Submitter(*runtime), std::forward<Args>(args)...);
  }
  /// For a method that returns a std::vector of `count` elements: one ref an element.
  template <typename... Args>
  auto RemoteVector(std::size_t count, Args&&... args) {
    RuntimeUse runtime;
    return CallForVector<F>(*runtime, *function_, count, Submitter(*runtime),
                            std::forward<Args>(args)...);
  }

  ActorTaskCaller& SetName(std::string name) {
    options_.name = std::move(name);
    return *this;
  }
  /// Checked, but without effect: a method runs on what its actor holds.
  ActorTaskCaller& SetResources(std::unordered_map<std::string, double> resources) {
    options_.resources = std::move(resources);
    return *this;
  }
  ActorTaskCaller& SetResource(std::string name, double value) {
    options_.resources.insert_or_assign(std::move(name), value);
    return *this;
  }

private:
  auto Submitter(RayRuntime& runtime) {
    return [this, &runtime](TaskCall& call, EntryPtr* results) {
      runtime.SubmitMethod(actor_.Named(), call, options_, results);
    };
  }

  ActorPtr actor_;
  const RemoteFunction* function_ = nullptr;
  CallOptions options_;
};

} // namespace internal
} // namespace ray
