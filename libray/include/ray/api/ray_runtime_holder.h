#pragma once

/// Where the templates find the runtime.

#include "ray/api/ray_runtime.h"

namespace ray {
namespace internal {

/// Uses the runtime for one call: while one of these exists, Shutdown waits.
/// Throws RayException when ray::Init was not called (or Shutdown was).
class RuntimeUse {
public:
  RuntimeUse();
  ~RuntimeUse();
  RuntimeUse(const RuntimeUse&) = delete;
  RuntimeUse& operator=(const RuntimeUse&) = delete;
  RayRuntime* operator->() const noexcept { return runtime_; }
  RayRuntime& operator*() const noexcept { return *runtime_; }

private:
  RayRuntime* runtime_;
};

/// Ray's name for the same place.
class RayRuntimeHolder {
public:
  static RayRuntimeHolder& Instance();
  /// Null before Init and after Shutdown. Valid until Shutdown.
  RayRuntime* Runtime() const noexcept;
};

} // namespace internal
} // namespace ray
