#pragma once

/// The functions that can run remotely, by name and by address. RAY_REMOTE fills it before main.
///
///   int Add(int a, int b) { return a + b; }
///   RAY_REMOTE(Add);
///   auto sum = ray::Task(Add).Remote(1, 2);

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <string>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

#include "ray/api/ray_exception.h"
#include "ray/api/serializer.h"
#include "ray/api/type_traits.h"
#include "ray/internal/packed_value.h"

namespace ray {
namespace internal {

struct RemoteFunction;

/// One run of one function: arguments in, results out. Valid during the call only.
class TaskRun {
public:
  /// The `index`th parameter's value. Throws the error of the object it comes from.
  virtual BlobView Argument(std::size_t index) = 0;
  /// For a vector parameter that was given a vector of refs: how many; -1 when it was given a
  /// value.
  virtual std::ptrdiff_t GatherCount(std::size_t index) = 0;
  virtual BlobView Gathered(std::size_t index, std::size_t item) = 0;

  virtual std::uint32_t ReturnCount() const noexcept = 0;
  /// Each element of the function's tuple or vector is a result of its own; else all of what it
  /// returns is one.
  virtual bool IsSplit() const noexcept = 0;
  /// Results are numbered from 0.
  virtual void Return(std::uint32_t index, const PackedValue& value) = 0;

  /// The actor's object as the class of `method`; throws RayException when it is no such class.
  virtual void* Instance(const RemoteFunction& method) = 0;
  /// A factory's result; the runtime owns it from now on.
  virtual void SetInstance(void* instance, const RemoteFunction& factory) = 0;

protected:
  ~TaskRun() = default;
};

/// One registered function. Lives for ever once registered.
struct RemoteFunction {
  enum class Kind : std::uint8_t { Function, Factory, Method };

  std::string name;
  Kind kind = Kind::Function;
  /// The pointer itself: sizes of function and member function pointers.
  alignas(void*) std::array<std::byte, 2 * sizeof(void*)> code{};
  const std::type_info* type = nullptr;
  void (*invoke)(const RemoteFunction&, TaskRun&) = nullptr;

  /// For a factory or method: the class it makes or belongs to.
  const std::type_info* class_type = nullptr;
  /// For a factory: deletes an object of its class; throws one as its class's pointer (so that
  /// `catch_as_class` of a method finds the right base, second bases included).
  void (*destroy)(void*) = nullptr;
  void (*throw_pointer)(void*) = nullptr;
  void* (*catch_as_class)(void (*throw_pointer)(void*), void*) = nullptr;

  /// Where it was registered, for messages: "file:line", or empty.
  std::string place;
};

template <class F>
F CodeOf(const RemoteFunction& function) noexcept {
  F f;
  std::memcpy(&f, function.code.data(), sizeof(F));
  return f;
}

/// Reads parameter `I` of declared type `P`.
template <class P>
std::remove_cvref_t<P> ReadParameter(TaskRun& run, std::size_t index) {
  using T = std::remove_cvref_t<P>;
  if constexpr (is_vector<T>::value) {
    if (auto count = run.GatherCount(index); count >= 0) {
      T values;
      values.reserve(static_cast<std::size_t>(count));
      for (std::ptrdiff_t i = 0; i < count; ++i)
        values.push_back(Unpack<typename T::value_type>(
          run.Gathered(index, static_cast<std::size_t>(i)), index + 1));
      return values;
    }
  }
  return Unpack<T>(run.Argument(index), index + 1);
}

template <class R>
void ReturnValue(TaskRun& run, std::uint32_t index, const R& value) {
  PackBuffer packed;
  Pack(value, *packed);
  run.Return(index, *packed);
}

/// Throws RayException where the numbers differ.
void CheckReturnCount(std::size_t returned, std::size_t asked_for);

template <class R>
void ReturnAll(TaskRun& run, const R& value) {
  if constexpr (is_tuple<R>::value) {
    if (run.IsSplit()) {
      std::uint32_t index = 0;
      CheckReturnCount(std::tuple_size_v<R>, run.ReturnCount());
      std::apply([&](auto&... xs) { (ReturnValue(run, index++, xs), ...); }, value);
      return;
    }
  }
  if constexpr (is_vector<R>::value) {
    if (run.IsSplit()) {
      std::uint32_t index = 0;
      CheckReturnCount(value.size(), run.ReturnCount());
      for (const typename R::value_type& x : value)
        ReturnValue(run, index++, x);
      return;
    }
  }
  ReturnValue(run, 0, value);
}

/// Calls `call(parameters...)` with the values of this run and returns its result.
template <class Params, class Call, std::size_t... I>
void CallWithParameters(TaskRun& run, Call&& call, std::index_sequence<I...>) {
  // Braces: parameters are read from left to right.
  std::tuple<std::remove_cvref_t<std::tuple_element_t<I, Params>>...> values{
    ReadParameter<std::tuple_element_t<I, Params>>(run, I)...};
  using R = decltype(call(static_cast<std::tuple_element_t<I, Params>&&>(std::get<I>(values))...));
  if constexpr (std::is_void_v<R>) {
    call(static_cast<std::tuple_element_t<I, Params>&&>(std::get<I>(values))...);
    ReturnValue(run, 0, msgpack::type::nil_t());
  } else {
    ReturnAll(run, call(static_cast<std::tuple_element_t<I, Params>&&>(std::get<I>(values))...));
  }
}

template <class F>
void InvokeFunction(const RemoteFunction& self, TaskRun& run) {
  using Params = CallParameters_t<F>;
  CallWithParameters<Params>(run, CodeOf<F>(self),
                             std::make_index_sequence<std::tuple_size_v<Params>>());
}

template <class F, std::size_t... I>
auto CallFactory(F factory, TaskRun& run, std::index_sequence<I...>) {
  using Params = CallParameters_t<F>;
  std::tuple<std::remove_cvref_t<std::tuple_element_t<I, Params>>...> values{
    ReadParameter<std::tuple_element_t<I, Params>>(run, I)...};
  return factory(static_cast<std::tuple_element_t<I, Params>&&>(std::get<I>(values))...);
}

/// A function that returns a pointer to a class: as an actor's factory it makes the object.
template <class F>
void InvokeFactory(const RemoteFunction& self, TaskRun& run) {
  auto object = CallFactory(CodeOf<F>(self), run,
                            std::make_index_sequence<std::tuple_size_v<CallParameters_t<F>>>());
  if (!object)
    throw RayException("the factory " + self.name + " returned a null pointer");
  using Class = std::remove_cv_t<std::remove_pointer_t<decltype(object)>>;
  run.SetInstance(const_cast<Class*>(object), self);
}

template <class F>
void InvokeMethod(const RemoteFunction& self, TaskRun& run) {
  using Params = CallParameters_t<F>;
  using Class = std::remove_cvref_t<boost::callable_traits::class_of_t<F>>;
  auto object = static_cast<Class*>(run.Instance(self));
  auto method = CodeOf<F>(self);
  auto call = [&]<class... Ts>(Ts&&... xs) -> decltype(auto) {
    if constexpr (std::is_invocable_v<F, Class&, Ts...>)
      return ((*object).*method)(std::forward<Ts>(xs)...);
    else
      return (std::move(*object).*method)(std::forward<Ts>(xs)...);
  };
  CallWithParameters<Params>(run, call, std::make_index_sequence<std::tuple_size_v<Params>>());
}

template <class Class>
void* CatchAsClass(void (*throw_pointer)(void*), void* object) {
  try {
    throw_pointer(object);
  } catch (Class* base) {
    return base;
  } catch (...) {
  }
  return nullptr;
}

template <class F>
RemoteFunction MakeRemoteFunction(std::string name, F f, std::string place) {
  static_assert(sizeof(F) <= 2 * sizeof(void*), "a function or member function pointer is needed");
  RemoteFunction r;
  r.name = std::move(name);
  r.place = std::move(place);
  r.type = &typeid(F);
  std::memcpy(r.code.data(), &f, sizeof(F));
  if constexpr (std::is_member_function_pointer_v<F>) {
    using Class = std::remove_cvref_t<boost::callable_traits::class_of_t<F>>;
    r.kind = RemoteFunction::Kind::Method;
    r.invoke = &InvokeMethod<F>;
    r.class_type = &typeid(Class);
    r.catch_as_class = &CatchAsClass<Class>;
  } else if constexpr (std::is_pointer_v<ReturnType_t<
                         F>> && std::is_class_v<std::remove_pointer_t<ReturnType_t<F>>>) {
    using Class = std::remove_cv_t<GetActorType<F>>;
    r.kind = RemoteFunction::Kind::Factory;
    r.invoke = &InvokeFactory<F>;
    r.class_type = &typeid(Class);
    if constexpr (std::is_destructible_v<Class>)
      r.destroy = [](void* p) { delete static_cast<Class*>(p); };
    r.throw_pointer = [](void* p) { throw static_cast<Class*>(p); };
  } else {
    r.invoke = &InvokeFunction<F>;
  }
  return r;
}

/// Thread-safe.
class FunctionManager {
public:
  static FunctionManager& Instance();

  /// Registers `f` under `name`. Throws RayException when the name is taken or `f` is registered
  /// already.
  template <class F>
  bool RegisterRemoteFunction(const std::string& name, F f) {
    Register(MakeRemoteFunction(name, f, ""), false);
    return true;
  }

  /// Null when `f` was not registered.
  template <class F>
  const RemoteFunction* Find(F f) const {
    if constexpr (std::is_pointer_v<F> || std::is_member_function_pointer_v<F>) {
      std::array<std::byte, 2 * sizeof(void*)> code{};
      std::memcpy(code.data(), &f, sizeof(F));
      return FindCode(typeid(F), code);
    } else {
      return nullptr;
    }
  }
  const RemoteFunction* FindName(const std::string& name) const;
  /// All names, sorted.
  std::vector<std::string> Names() const;

  /// `repeats_ok`: the same function under the same name again is no error (headers).
  void Register(RemoteFunction function, bool repeats_ok);

private:
  const RemoteFunction* FindCode(const std::type_info& type,
                                 const std::array<std::byte, 2 * sizeof(void*)>& code) const;
};

/// "A, B::C<int, x>, RAY_FUNC(f, int)" at the commas outside brackets, blanks trimmed.
std::vector<std::string> SplitNames(const char* names);

template <class... Fs>
int RegisterRemoteFunctions(const char* file, int line, const char* names, Fs... functions) {
  auto split = SplitNames(names);
  auto place = std::string(file) + ":" + std::to_string(line);
  if (split.size() != sizeof...(Fs))
    throw RayException("RAY_REMOTE at " + place + ": cannot tell its "
                       + std::to_string(sizeof...(Fs)) + " functions apart in \"" + names + "\"");
  std::size_t i = 0;
  (FunctionManager::Instance().Register(MakeRemoteFunction(split[i++], functions, place), true),
   ...);
  return 0;
}

} // namespace internal
} // namespace ray
