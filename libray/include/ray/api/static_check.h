#pragma once

/// What is refused at compile time, and in which words.

#include <tuple>
#include <type_traits>
#include <utility>

#include "ray/api/type_traits.h"

namespace ray {
namespace internal {

/// Can an argument of type `A` be given for a parameter declared as `P`? As itself, as a ref to a
/// value that can, or as a vector of refs for a vector.
template <class P, class A>
constexpr bool IsArgumentFor() {
  using Arg = std::remove_cvref_t<A>;
  using Param = std::remove_cvref_t<P>;
  constexpr bool writes_back =
    std::is_lvalue_reference_v<P> && !std::is_const_v<std::remove_reference_t<P>>;
  if constexpr (is_object_ref_v<Arg> && is_object_ref_v<Param>) {
    return std::is_same_v<Arg, Param>;
  } else if constexpr (is_object_ref_v<Arg>) {
    return !writes_back && std::is_convertible_v<FilterArgType_t<Arg>, Param>;
  } else if constexpr (is_ref_vector_v<Arg> && is_vector<Param>::value && !is_ref_vector_v<Param>) {
    return !writes_back
           && std::is_convertible_v<FilterArgType_t<typename Arg::value_type>,
                                    typename Param::value_type>;
  } else if constexpr (writes_back) {
    // A copy is given to the function; the caller's variable must at least be one.
    return std::is_convertible_v<A&, P>;
  } else if constexpr (std::is_same_v<Param, bool> && std::is_pointer_v<std::decay_t<A>>) {
    return false; // any pointer would be true
  } else {
    return std::is_convertible_v<A, Param>;
  }
}

template <class Params, class Args>
struct ArgumentsMatch : std::false_type {};
template <class... Ps, class... As>
requires(sizeof...(Ps) == sizeof...(As)) struct ArgumentsMatch<std::tuple<Ps...>, std::tuple<As...>>
  : std::bool_constant<(IsArgumentFor<Ps, As>() && ...)> {
};

template <class F, class... Args>
constexpr void StaticCheck() {
  static_assert(ArgumentsMatch<CallParameters_t<F>, std::tuple<Args...>>::value,
                "arguments not match");
}

} // namespace internal
} // namespace ray
