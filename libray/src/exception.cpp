#include "libray/src/exception.hpp"

#include <string>

#include <ray/api/ray_exception.h>

namespace caf_ray {

void throw_error(const error& x) {
  using namespace ray::internal;
  std::string text = x.what.empty() ? to_string(x.code) : x.what;
  switch (x.code) { // no default: the compiler then names a code that is missing here
    case errc::task_failed: throw RayTaskException(text);
    case errc::actor_died: throw RayActorException(text);
    case errc::worker_died: throw RayWorkerException(text);
    case errc::node_died: throw RayNodeDiedException(text);
    case errc::out_of_memory: throw RayOutOfMemoryException(text);
    case errc::object_lost: throw UnreconstructableException(text);
    case errc::store_full: throw RayObjectStoreFullException(text);
    case errc::cancelled: throw RayTaskCancelledException(text);
    case errc::timed_out: throw RayTimeoutException(text);
    case errc::shut_down: throw RayShutdownException(text);
    case errc::function_not_found: throw RayFunctionNotFound(text);
    case errc::unschedulable: throw RayUnschedulableException(text);
    case errc::runtime_env_failed: throw RayRuntimeEnvException(text);
    case errc::not_found:
    case errc::already_exists:
    case errc::invalid_argument:
    case errc::not_supported: throw RayException(text);
    case errc::corrupt:
    case errc::version_mismatch:
    case errc::in_use:
    case errc::io_failed:
    case errc::gcs_unavailable: throw RaySystemException(text);
    case errc::none: break;
  }
  throw RaySystemException("error code " + std::to_string(static_cast<unsigned>(x.code)) + ": "
                           + text);
}

} // namespace caf_ray
