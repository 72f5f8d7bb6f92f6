#pragma once

namespace caf_ray::test {

/// How much longer things may take than on a machine of one's own: sanitizers slow them down.
#if defined(__SANITIZE_THREAD__)
inline constexpr int slowdown = 20;
#elif defined(__SANITIZE_ADDRESS__)
inline constexpr int slowdown = 4;
#else
inline constexpr int slowdown = 1;
#endif

} // namespace caf_ray::test
