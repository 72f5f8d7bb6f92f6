#pragma once

/// What ray::Wait returns.
///
///   auto result = ray::Wait(refs, 2, 1000);
///   for (auto& ref : result.ready) Use(*ref.Get());
///   std::cout << result.unready.size() << " still run\n";

#include <list>
#include <utility>

#include "ray/api/object_ref.h"

namespace ray {

/// Both lists are in the order of the input; `ready` has at most as many as were asked for.
template <typename T>
class WaitResult {
public:
  std::list<ObjectRef<T>> ready;
  std::list<ObjectRef<T>> unready;

  WaitResult() = default;
  WaitResult(std::list<ObjectRef<T>>&& ready_objects, std::list<ObjectRef<T>>&& unready_objects)
    : ready(std::move(ready_objects)), unready(std::move(unready_objects)) {}
};

} // namespace ray
