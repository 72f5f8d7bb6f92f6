#pragma once

/// Native CAF actors as user actors: tasks and other actors reach them, the job ends them.
///
///   caf::behavior adder() { return {[](int a, int b) { return a + b; }}; }
///   auto native = ray::SpawnNative(adder);                    // typed behaviours likewise
///   int sum = native.Ask<int>(1000, 1, 2);                    // blocks; the slot is lent out
///   int work(ray::NativeActor<caf::actor> a) { return a.Ask<int>(1000, 3, 4); }   // as an
///   argument

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <caf/all.hpp>
#include <msgpack.hpp>

#include "ray/api/ray_exception.h"

namespace ray {

namespace internal {

/// The running runtime's actor system. What is made with it (a caf::scoped_actor, say) must be gone
/// before ray::Shutdown. Throws RayException without Init.
caf::actor_system& NativeSystem();
/// Gives the actor an id under which tasks find it, and a name if there is one.
/// Throws RayException when the name is taken.
std::string RegisterNative(const caf::strong_actor_ptr& actor, const std::string& name);
/// Null when it has ended or was never there.
caf::strong_actor_ptr FindNative(const std::string& id);
std::string FindNativeName(const std::string& name);
/// Runs `wait` with the thread's slot lent to others.
void BlockOutside(const std::function<void()>& wait);

} // namespace internal

/// A reference to a native actor: `Handle` is caf::actor or a caf::typed_actor. Travels as an
/// argument, a result, inside containers and structs.
template <class Handle>
class NativeActor {
public:
  NativeActor() = default;
  explicit NativeActor(std::string id) : id_(std::move(id)) {}

  const std::string& ID() const noexcept { return id_; }

  /// The CAF handle. Throws RayActorException when the actor has ended.
  Handle Get() const {
    auto found = internal::FindNative(id_);
    if (!found)
      throw internal::RayActorException("the native actor has ended, or is not known here");
    return caf::actor_cast<Handle>(found);
  }

  /// Sends and goes on.
  template <class... Ts>
  void Send(Ts&&... xs) const {
    caf::anon_send(Get(), std::forward<Ts>(xs)...);
  }

  /// Sends and waits for the answer. Throws RayTimeoutException after `timeout_ms`,
  /// RayActorException when the actor ends meanwhile, RayTaskException with the text of any other
  /// error it answers with. `Result` void: an answer without a value.
  template <class Result, class... Ts>
  Result Ask(int timeout_ms, Ts&&... xs) const {
    auto target = Get();
    caf::scoped_actor self(internal::NativeSystem());
    std::optional<std::conditional_t<std::is_void_v<Result>, bool, Result>> answer;
    std::optional<caf::error> failure;
    auto failed = [&](caf::error& e) { failure = std::move(e); };
    internal::BlockOutside([&] {
      auto request =
        self->request(target, std::chrono::milliseconds(timeout_ms), std::forward<Ts>(xs)...);
      if constexpr (std::is_void_v<Result>)
        request.receive([&] { answer = true; }, failed);
      else
        request.receive([&](Result& value) { answer = std::move(value); }, failed);
    });
    if (failure) {
      auto text = "native actor: " + internal::NativeSystem().render(*failure);
      if (*failure == caf::sec::request_timeout)
        throw internal::RayTimeoutException(text);
      if (*failure == caf::sec::request_receiver_down)
        throw internal::RayActorException(text);
      throw internal::RayTaskException(text);
    }
    if constexpr (!std::is_void_v<Result>)
      return std::move(*answer);
  }

  /// Ends it; messages it has not handled are lost.
  void Kill() const {
    if (auto found = internal::FindNative(id_))
      caf::anon_send_exit(found, caf::exit_reason::kill);
  }

  MSGPACK_DEFINE(id_)

private:
  std::string id_;
};

/// Spawns a function-based or class-based CAF actor in the runtime's system. Messages of types of
/// its own need no announcement as long as they stay in this process; what travels between hosts
/// does. It ends with the job.
template <class F, class... Ts>
auto SpawnNative(F&& f, Ts&&... xs) {
  auto handle = internal::NativeSystem().spawn(std::forward<F>(f), std::forward<Ts>(xs)...);
  using Handle = decltype(handle);
  return NativeActor<Handle>(
    internal::RegisterNative(caf::actor_cast<caf::strong_actor_ptr>(handle), ""));
}

/// The same with a name, unique in this job. Throws RayException when it is taken.
template <class F, class... Ts>
auto SpawnNativeNamed(const std::string& name, F&& f, Ts&&... xs) {
  if (!internal::FindNativeName(name).empty())
    throw internal::RayException("SpawnNativeNamed: the name \"" + name + "\" is taken");
  auto handle = internal::NativeSystem().spawn(std::forward<F>(f), std::forward<Ts>(xs)...);
  using Handle = decltype(handle);
  return NativeActor<Handle>(
    internal::RegisterNative(caf::actor_cast<caf::strong_actor_ptr>(handle), name));
}

/// The native actor of that name, or nothing. The type is not checked.
template <class Handle>
std::optional<NativeActor<Handle>> GetNative(const std::string& name) {
  auto id = internal::FindNativeName(name);
  if (id.empty())
    return std::nullopt;
  return NativeActor<Handle>(id);
}

} // namespace ray
