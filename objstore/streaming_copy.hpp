#pragma once

#include <cstddef>

namespace caf_ray::objstore {

/// From this size on, copies bypass the caches: below, memcpy is as fast and its result is still
/// in the cache for whoever reads it next. Measured; see the README.
inline constexpr std::size_t streaming_threshold_bytes = 512 * 1024;

/// memcpy for the way into the arena: large blocks are written with non-temporal stores, which do
/// not read what they overwrite. The regions must not overlap. Thread-safe for distinct targets;
/// what was copied is visible to other threads in the usual order (a fence follows).
void streaming_copy(void* into, const void* from, std::size_t size_bytes) noexcept;

} // namespace caf_ray::objstore
