#pragma once

/// What the callers of tasks and methods share. Not for users.

#include <tuple>
#include <utility>
#include <vector>

#include "ray/api/arguments.h"

namespace ray::internal {

template <class F>
const RemoteFunction& FindRegistered(F function) {
  auto found = FunctionManager::Instance().Find(function);
  if (!found)
    throw RayException("Function not found. Please use RAY_REMOTE to register this function.");
  return *found;
}

template <class Tuple>
struct TupleOfRefs;
template <class... Ts>
struct TupleOfRefs<std::tuple<Ts...>> {
  using type = std::tuple<ObjectRef<Ts>...>;
};

/// A call with a result for each element of what the function returns. `submit(call, results)` is
/// what a task and a method do differently.
template <class F, class Submit, class... Args>
std::vector<EntryPtr> CallSplit(RayRuntime& runtime, const RemoteFunction& function,
                                std::uint32_t return_count, Submit&& submit, Args&&... args) {
  TaskCall call;
  call.function = &function;
  call.return_count = return_count;
  call.split = true;
  PackArguments<F>(runtime, call, std::forward<Args>(args)...);
  std::vector<EntryPtr> results(return_count);
  submit(call, results.data());
  return results;
}

template <class F, class Submit, class... Args>
ObjectRef<ReturnType_t<F>> CallForOne(RayRuntime& runtime, const RemoteFunction& function,
                                      Submit&& submit, Args&&... args) {
  TaskCall call;
  call.function = &function;
  PackArguments<F>(runtime, call, std::forward<Args>(args)...);
  EntryPtr result;
  submit(call, &result);
  return ObjectRef<ReturnType_t<F>>(std::move(result));
}

template <class F, class Submit, class... Args>
auto CallForTuple(RayRuntime& runtime, const RemoteFunction& function, Submit&& submit,
                  Args&&... args) {
  using Tuple = ReturnType_t<F>;
  static_assert(is_tuple<Tuple>::value, "RemoteTuple needs a function that returns a std::tuple");
  auto results =
    CallSplit<F>(runtime, function, static_cast<std::uint32_t>(std::tuple_size_v<Tuple>), submit,
                 std::forward<Args>(args)...);
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    return typename TupleOfRefs<Tuple>::type{
      std::tuple_element_t<I, typename TupleOfRefs<Tuple>::type>(std::move(results[I]))...};
  }
  (std::make_index_sequence<std::tuple_size_v<Tuple>>());
}

template <class F, class Submit, class... Args>
auto CallForVector(RayRuntime& runtime, const RemoteFunction& function, std::size_t count,
                   Submit&& submit, Args&&... args) {
  using Vector = ReturnType_t<F>;
  static_assert(is_vector<Vector>::value,
                "RemoteVector needs a function that returns a std::vector");
  if (count == 0 || count >= (std::size_t{1} << 24))
    throw RayException("RemoteVector: the number of results must be between 1 and 2^24 - 1, not "
                       + std::to_string(count));
  auto results = CallSplit<F>(runtime, function, static_cast<std::uint32_t>(count), submit,
                              std::forward<Args>(args)...);
  std::vector<ObjectRef<typename Vector::value_type>> refs;
  refs.reserve(count);
  for (auto& result : results)
    refs.emplace_back(std::move(result));
  return refs;
}

} // namespace ray::internal
