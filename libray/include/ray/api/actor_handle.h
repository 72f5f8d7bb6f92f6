#pragma once

/// A reference to an actor: copies, arguments and results all name the same one.
///
///   ray::ActorHandle<Counter> counter = ray::Actor(Counter::Create).Remote(0);
///   counter.Task(&Counter::Inc).Remote(1);
///   counter.Kill();

#include <string>
#include <type_traits>
#include <utility>

#include <msgpack.hpp>

#include "ray/api/actor_task_caller.h"
#include "ray/api/xlang_function.h"

namespace ray {

template <typename ActorType, bool IsXlang = false>
class ActorHandle {
public:
  ActorHandle() = default;
  ActorHandle(const std::string& id)
    : actor_(id.empty() ? internal::ActorPtr()
                        : internal::ActorPtr(internal::RuntimeUse()->FindActor(id))) {}
  explicit ActorHandle(internal::ActorPtr actor) noexcept : actor_(std::move(actor)) {}

  static bool IsActorHandle() { return true; }

  /// The 16 bytes of the id; empty for a handle that names nothing.
  const std::string& ID() const {
    static const std::string none;
    return actor_.get() ? internal::BinaryId(actor_.get()) : none;
  }
  bool operator==(const ActorHandle& other) const { return ID() == other.ID(); }

  /// A method of the actor's class or of one of its bases. Throws RayException when it is not
  /// registered.
  template <typename F>
  internal::ActorTaskCaller<F> Task(F actor_func) {
    static_assert(!IsXlang && !internal::is_x_lang_v<F>,
                  "Actor function type does not match actor class");
    static_assert(std::is_member_function_pointer_v<F>,
                  "Actor method is not a member function of actor class.");
    using Class = std::remove_cvref_t<boost::callable_traits::class_of_t<F>>;
    static_assert(std::is_base_of_v<Class, ActorType>, "Class types must be same.");
    return internal::ActorTaskCaller<F>(actor_, internal::FindRegistered(actor_func));
  }

  template <typename R>
  internal::ActorTaskCaller<PyActorMethod<R>> Task(PyActorMethod<R> method) {
    static_assert(IsXlang, "Actor function type does not match actor class");
    method();
    return {};
  }
  template <typename R>
  internal::ActorTaskCaller<JavaActorMethod<R>> Task(JavaActorMethod<R> method) {
    static_assert(IsXlang, "Actor function type does not match actor class");
    method();
    return {};
  }

  /// Ends the actor at once; its pending calls fail with RayActorException.
  void Kill() { Kill(true); }
  /// With `no_restart` false it starts anew while restarts are left.
  void Kill(bool no_restart) { internal::RuntimeUse()->KillActor(actor_.Named(), no_restart); }

  static ActorHandle FromBytes(const std::string& serialized) {
    return internal::Serializer::Deserialize<ActorHandle>(serialized.data(), serialized.size());
  }

  template <typename Packer>
  void msgpack_pack(Packer& out) const {
    out.pack_array(1);
    out.pack_str(static_cast<std::uint32_t>(ID().size()));
    out.pack_str_body(ID().data(), static_cast<std::uint32_t>(ID().size()));
  }
  void msgpack_unpack(const msgpack::object& o) {
    if (o.type != msgpack::type::ARRAY || o.via.array.size != 1)
      throw msgpack::type_error();
    *this = ActorHandle(o.via.array.ptr[0].as<std::string>());
  }

private:
  internal::ActorPtr actor_;
};

using ActorHandleXlang = ActorHandle<void, true>;

} // namespace ray
