#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include <tl/expected.hpp>

/// What can go wrong, in one place. Inside the system a function that can fail returns `result<T>`;
/// the public API turns an `error` into the exception that `libray/include/ray/api/ray_exception.h`
/// documents for its code.
namespace caf_ray {

enum class errc : std::uint8_t {
  none = 0,
  /// User code threw. The text names function, type and message. Not retried unless asked for.
  task_failed,
  /// The actor was killed, has exited, could not be created or has no restart left.
  actor_died,
  /// The process that ran the task ended. Retried up to max_retries, then seen by the user.
  worker_died,
  /// The host is gone. Retried like worker_died.
  node_died,
  /// No copy of the object is left and its lineage does not bring it back.
  object_lost,
  /// The object cannot fit: larger than the store, or store and spill disk are both full.
  /// Drop references, or start with more object store memory or spill space.
  store_full,
  /// The task was cancelled with ray::Cancel before it ended.
  cancelled,
  /// The deadline passed first. The operation may still take effect.
  timed_out,
  /// The runtime was shut down while the caller waited.
  shut_down,
  /// Worker over its memory limit.
  out_of_memory,
  /// The code that was loaded has no function of this name.
  function_not_found,
  /// The request can never be satisfied as it stands (resources, group removed).
  unschedulable,
  /// Something that the caller named does not exist.
  not_found,
  /// Something of this name exists already.
  already_exists,
  /// The argument is outside its documented range.
  invalid_argument,
  /// Bytes that are not what they claim: wrong checksum, truncated, unknown layout.
  corrupt,
  /// A folder or peer of another version of the format.
  version_mismatch,
  /// A folder, file or port that another process holds.
  in_use,
  /// The storage layer refused (disk full, I/O error); the text has errno's name.
  io_failed,
  /// The GCS could not be reached in time.
  gcs_unavailable,
  /// The runtime environment asks for something this mode cannot give.
  runtime_env_failed,
  /// Not available in this mode.
  not_supported,
};

/// Stable name, as shown to users and in tables.
constexpr const char* to_string(errc code) noexcept {
  switch (code) {
    case errc::none: return "none";
    case errc::task_failed: return "task_failed";
    case errc::actor_died: return "actor_died";
    case errc::worker_died: return "worker_died";
    case errc::node_died: return "node_died";
    case errc::object_lost: return "object_lost";
    case errc::store_full: return "store_full";
    case errc::cancelled: return "cancelled";
    case errc::timed_out: return "timed_out";
    case errc::shut_down: return "shut_down";
    case errc::out_of_memory: return "out_of_memory";
    case errc::function_not_found: return "function_not_found";
    case errc::unschedulable: return "unschedulable";
    case errc::not_found: return "not_found";
    case errc::already_exists: return "already_exists";
    case errc::invalid_argument: return "invalid_argument";
    case errc::corrupt: return "corrupt";
    case errc::version_mismatch: return "version_mismatch";
    case errc::in_use: return "in_use";
    case errc::io_failed: return "io_failed";
    case errc::gcs_unavailable: return "gcs_unavailable";
    case errc::runtime_env_failed: return "runtime_env_failed";
    case errc::not_supported: return "not_supported";
  }
  return "unknown";
}

/// A code for programs and a text for people: what happened, to what, where, and what to do.
struct error {
  errc code = errc::none;
  std::string what;

  bool operator==(const error&) const = default;

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, error& x) {
    return f(x.code, x.what);
  }
};

template <class T>
using result = tl::expected<T, error>;

inline tl::unexpected<error> fail(errc code, std::string what) {
  return tl::unexpected<error>(error{code, std::move(what)});
}

} // namespace caf_ray
