#pragma once

/// Makes functions callable from other processes, by the text of their names.
///
///   int Add(int a, int b);
///   class Counter { public: static Counter* Create(int start); int Inc(int by); };
///   RAY_REMOTE(Add, Counter::Create, &Counter::Inc);
///   // an overloaded one, in both places: RAY_REMOTE(RAY_FUNC(f, int)); ray::Task(RAY_FUNC(f,
///   int))
///
/// At namespace scope only. May stand in a header. Two different functions under one name end the
/// program before main with a message that says both places.

#include "ray/api/function_manager.h"
#include "ray/api/overload.h"

#define RAY_INTERNAL_JOIN2(a, b) a##b
#define RAY_INTERNAL_JOIN(a, b) RAY_INTERNAL_JOIN2(a, b)

#define RAY_REMOTE(...)                                                                            \
  [[maybe_unused]] static const int RAY_INTERNAL_JOIN(ray_internal_remote_, __COUNTER__) =         \
    ::ray::internal::RegisterRemoteFunctions(__FILE__, __LINE__, #__VA_ARGS__, __VA_ARGS__);
