#pragma once

/// Native CAF actors as user actors: tasks and other actors reach them, the job ends them.
///
///   caf::behavior adder() { return {[](int a, int b) { return a + b; }}; }
///   auto native = ray::SpawnNative(adder);        // typed behaviours likewise
///   auto other = ray::SpawnNative<Adder>(start);  // a class of event-based or typed actors
///   int sum = native.Ask<int>(1000, 1, 2);        // blocks; the slot is lent out
///   int work(ray::NativeActor<caf::actor> a) { return a.Ask<int>(1000, 3, 4); } // as an argument

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include <caf/all.hpp>
#include <msgpack.hpp>

#include "ray/api/ray_exception.h"
#include "ray/api/ray_runtime_holder.h"

namespace ray {

namespace internal {

/// One native actor on its way: the runtime stays from the first step to the last.
class NativeBirth {
public:
  /// Takes the name, if there is one. Throws RayException when it is taken, or without Init.
  NativeBirth(const std::string& name, const std::type_info& type);
  /// Gives the name back when nothing was spawned.
  ~NativeBirth();
  NativeBirth(const NativeBirth&) = delete;
  NativeBirth& operator=(const NativeBirth&) = delete;

  caf::actor_system& System();
  /// The id under which tasks find the actor. Throws RayShutdownException.
  std::string Register(const caf::strong_actor_ptr& actor);

private:
  RuntimeUse runtime_;
  std::string id_;
  std::string name_;
  std::string class_name_;
  bool done_ = false;
};

/// One question to a native actor: while it exists, Shutdown does not take the actor system away,
/// and the end of the actor answers it.
class NativeQuestion {
public:
  /// Throws RayActorException when the actor has ended or was never there.
  explicit NativeQuestion(const std::string& id);
  ~NativeQuestion();
  NativeQuestion(const NativeQuestion&) = delete;
  NativeQuestion& operator=(const NativeQuestion&) = delete;

  caf::actor_system& System();
  const caf::strong_actor_ptr& Target() const noexcept { return target_; }
  /// From here on `asker` gets request_receiver_down as `answer` when the actor ends.
  void Watch(const caf::strong_actor_ptr& asker, caf::message_id answer);
  /// Runs `wait` with the thread's slot lent to others.
  void Wait(const std::function<void()>& wait);
  /// Throws the exception of this error.
  [[noreturn]] void Fail(const caf::error& error);

private:
  RuntimeUse runtime_;
  std::string id_;
  caf::strong_actor_ptr target_;
  caf::strong_actor_ptr asker_;
};

/// The id of that name, or "".
std::string FindNativeName(const std::string& name);
void KillNative(const std::string& id);

/// The class that CAF makes of what is spawned, and the one that people know it by.
template <class T>
struct NativeClass {
  using type = T;
};
template <class State, class Base>
struct NativeClass<caf::stateful_actor<State, Base>> {
  using type = State;
};

/// Whether actors of this class take turns on the runtime's slots. A caf::blocking_actor does not:
/// it has a thread to itself, which Shutdown cannot end and ~actor_system waits for.
template <class Actor>
inline constexpr bool runs_on_slots_v = !std::is_base_of_v<caf::blocking_actor, Actor>;

template <class Actor, class Spawn>
auto SpawnNativeAs(const std::string& name, Spawn spawn) {
  static_assert(runs_on_slots_v<Actor>,
                "SpawnNative takes no caf::blocking_actor: ray::Shutdown could not end its thread. "
                "Return a caf::behavior from an event-based actor instead, and do what blocks in a "
                "ray task or in a ray actor.");
  NativeBirth birth(name, typeid(typename NativeClass<Actor>::type));
  auto handle = spawn(birth.System());
  return birth.Register(caf::actor_cast<caf::strong_actor_ptr>(handle));
}

} // namespace internal

/// A reference to a native actor: `Handle` is caf::actor or a caf::typed_actor. Travels as an
/// argument, a result, inside containers and structs.
template <class Handle>
class NativeActor {
public:
  NativeActor() = default;
  explicit NativeActor(std::string id) : id_(std::move(id)) {}

  const std::string& ID() const noexcept { return id_; }

  /// The CAF handle, which must be gone before ray::Shutdown. Throws RayActorException when the
  /// actor has ended.
  Handle Get() const { return caf::actor_cast<Handle>(internal::NativeQuestion(id_).Target()); }

  /// Sends and goes on. Throws RayActorException when the actor has ended.
  template <class... Ts>
  void Send(Ts&&... xs) const {
    internal::NativeQuestion question(id_);
    caf::anon_send(caf::actor_cast<Handle>(question.Target()), std::forward<Ts>(xs)...);
  }

  /// Sends and waits for the answer, `timeout_ms` at most (-1: for ever). Throws
  /// RayTimeoutException, RayActorException when the actor has ended or ends meanwhile,
  /// RayShutdownException, RayTaskException with the text of any other error it answers with.
  /// `Result` void: an answer without a value.
  template <class Result, class... Ts>
  Result Ask(int timeout_ms, Ts&&... xs) const {
    internal::NativeQuestion question(id_);
    auto target = caf::actor_cast<Handle>(question.Target());
    caf::scoped_actor self(question.System());
    std::optional<std::conditional_t<std::is_void_v<Result>, bool, Result>> answer;
    std::optional<caf::error> failure;
    auto failed = [&](caf::error& e) { failure = std::move(e); };
    auto timeout = timeout_ms == -1 ? std::chrono::hours(24 * 365)
                                    : std::chrono::milliseconds(std::max(timeout_ms, 0));
    question.Wait([&] {
      auto request = self->request(target, timeout, std::forward<Ts>(xs)...);
      question.Watch(caf::actor_cast<caf::strong_actor_ptr>(self), request.id());
      if constexpr (std::is_void_v<Result>)
        request.receive([&] { answer = true; }, failed);
      else
        request.receive([&](Result& value) { answer = std::move(value); }, failed);
    });
    if (failure)
      question.Fail(*failure);
    if constexpr (!std::is_void_v<Result>)
      return std::move(*answer);
  }

  /// Ends it: whoever asks or waits for an answer gets RayActorException at once; messages it has
  /// not handled are lost. Again, or when it has ended: no error.
  void Kill() const { internal::KillNative(id_); }

  MSGPACK_DEFINE(id_)

private:
  std::string id_;
};

/// SpawnNative, see there, with a name: unique among the living actors of the job's namespace,
/// RAY_REMOTE ones included. Throws RayException when it is taken.
template <class F, class... Ts>
requires(!std::is_base_of_v<caf::abstract_actor, std::decay_t<F>>) auto SpawnNativeNamed(
  const std::string& name, F&& f, Ts&&... xs) {
  using Impl = caf::infer_impl_from_fun_t<std::decay_t<F>>;
  return NativeActor<caf::infer_handle_from_fun_t<std::decay_t<F>>>(
    internal::SpawnNativeAs<Impl>(name, [&](caf::actor_system& system) {
      return system.spawn(std::forward<F>(f), std::forward<Ts>(xs)...);
    }));
}

template <class Class, class... Ts>
requires std::is_base_of_v<caf::abstract_actor, Class>
auto SpawnNativeNamed(const std::string& name, Ts&&... xs) {
  return NativeActor<caf::infer_handle_from_class_t<Class>>(internal::SpawnNativeAs<Class>(
    name, [&](caf::actor_system& system) { return system.spawn<Class>(std::forward<Ts>(xs)...); }));
}

/// Spawns a function-based CAF actor in the runtime's system: `f` returns a caf::behavior or
/// typed_behavior and may take a self pointer first. It is an actor of the job like others: in the
/// table of actors, ended by Kill and by ray::Shutdown. (What it spawns itself is its own business:
/// spawn it with caf::linked, so that it ends with its parent.) Messages of types of its own need
/// no announcement as long as they stay in this process; what travels between hosts does. Throws
/// RayException without Init.
template <class F, class... Ts>
requires(!std::is_base_of_v<caf::abstract_actor, std::decay_t<F>>) auto SpawnNative(F&& f,
                                                                                    Ts&&... xs) {
  return SpawnNativeNamed("", std::forward<F>(f), std::forward<Ts>(xs)...);
}

/// The same for a class that derives from caf::event_based_actor or a typed_actor's base.
template <class Class, class... Ts>
requires std::is_base_of_v<caf::abstract_actor, Class>
auto SpawnNative(Ts&&... xs) {
  return SpawnNativeNamed<Class>("", std::forward<Ts>(xs)...);
}

/// The living native actor of that name in the job's namespace, or nothing. The type is not
/// checked.
template <class Handle>
std::optional<NativeActor<Handle>> GetNative(const std::string& name) {
  auto id = internal::FindNativeName(name);
  if (id.empty())
    return std::nullopt;
  return NativeActor<Handle>(id);
}

} // namespace ray
