#pragma once

/// What the templates ask about types.

#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <vector>

#include <boost/callable_traits.hpp>

namespace ray {

template <typename T>
class ObjectRef;
template <typename ActorType, bool IsXlang>
class ActorHandle;

namespace internal {

template <class T>
struct is_object_ref : std::false_type {};
template <class T>
struct is_object_ref<ObjectRef<T>> : std::true_type {};
template <class T>
inline constexpr bool is_object_ref_v = is_object_ref<std::remove_cvref_t<T>>::value;

/// T of ObjectRef<T>; any other type is its own.
template <class T>
struct FilterArgType {
  using type = T;
};
template <class T>
struct FilterArgType<ObjectRef<T>> {
  using type = T;
};
template <class T>
using FilterArgType_t = typename FilterArgType<std::remove_cvref_t<T>>::type;

template <class T>
struct is_vector : std::false_type {};
template <class T, class A>
struct is_vector<std::vector<T, A>> : std::true_type {};

template <class T>
struct is_ref_vector : std::false_type {};
template <class T, class A>
struct is_ref_vector<std::vector<ObjectRef<T>, A>> : std::true_type {};
template <class T>
inline constexpr bool is_ref_vector_v = is_ref_vector<std::remove_cvref_t<T>>::value;

template <class T>
struct is_optional : std::false_type {};
template <class T>
struct is_optional<std::optional<T>> : std::true_type {};

template <class T>
struct is_tuple : std::false_type {};
template <class... Ts>
struct is_tuple<std::tuple<Ts...>> : std::true_type {};

template <class T>
struct is_python_or_java : std::false_type {};
template <class T>
concept XlangCallable = requires(T t) {
  t.IsPython();
}
|| requires(T t) {
  t.IsJava();
};
template <class T>
inline constexpr bool is_x_lang_v = XlangCallable<T>;

/// Parameters as a tuple, without the class of a member function.
template <class F, bool = std::is_member_function_pointer_v<F>>
struct CallParameters {
  using type = boost::callable_traits::args_t<F>;
};
template <class Tuple>
struct DropFirst;
template <class First, class... Rest>
struct DropFirst<std::tuple<First, Rest...>> {
  using type = std::tuple<Rest...>;
};
template <class F>
struct CallParameters<F, true> {
  using type = typename DropFirst<boost::callable_traits::args_t<F>>::type;
};
template <class F>
using CallParameters_t = typename CallParameters<F>::type;

template <class F>
using ReturnType_t = boost::callable_traits::return_type_t<F>;

/// Actor class of a factory that returns `C*`.
template <class F>
using GetActorType = std::remove_pointer_t<ReturnType_t<F>>;

} // namespace internal
} // namespace ray
