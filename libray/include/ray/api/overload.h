// Picks one function of an overloaded name, for RAY_REMOTE and at the call.
//
//   int Scale(int x);
//   double Scale(double x);
//   RAY_REMOTE(RAY_FUNC(Scale, int), RAY_FUNC(Scale, double));
//   auto ref = ray::Task(RAY_FUNC(Scale, int)).Remote(2);
//   auto add = RAY_FUNC(&Counter::Add, int); // a member function; RAY_FUNC(f) takes f()
#pragma once

/// The address of the overload of `f` whose parameter types are exactly the ones listed. `f` is a
/// function, a static member, or `&Class::Method` with any of const, volatile, &, && and noexcept.
/// Does not compile when there is none, or when two member functions differ in qualifiers only.
#define RAY_FUNC(f, ...) (::ray::internal::underload<__VA_ARGS__>(f))

namespace ray::internal {

/// See RAY_FUNC. An object rather than a function template: the list of a function template's
/// types could be deduced to be longer than what was given, and so pick two overloads at once.
template <typename... Args>
struct Underload {
  template <typename R>
  constexpr auto operator()(R (*f)(Args...)) const noexcept {
    return f;
  }

#define RAY_UNDERLOAD_MEMBER(qualifiers)                                                           \
  template <typename R, typename C>                                                                \
  constexpr auto operator()(R (C::*f)(Args...) qualifiers) const noexcept {                        \
    return f;                                                                                      \
  }
#define RAY_UNDERLOAD_MEMBERS(reference)                                                           \
  RAY_UNDERLOAD_MEMBER(reference)                                                                  \
  RAY_UNDERLOAD_MEMBER(const reference)                                                            \
  RAY_UNDERLOAD_MEMBER(volatile reference)                                                         \
  RAY_UNDERLOAD_MEMBER(const volatile reference)

  RAY_UNDERLOAD_MEMBERS()
  RAY_UNDERLOAD_MEMBERS(&)
  RAY_UNDERLOAD_MEMBERS(&&)

#undef RAY_UNDERLOAD_MEMBERS
#undef RAY_UNDERLOAD_MEMBER
};

template <typename... Args>
inline constexpr Underload<Args...> underload{};

} // namespace ray::internal
