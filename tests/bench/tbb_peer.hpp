#pragma once

#include <cstddef>
#include <functional>

/// oneTBB on the same machine, where it was there when this was built.
namespace caf_ray::bench::tbb_peer {

/// Seconds that `count` tasks that do nothing take in one task_group. Null when not built.
std::function<double()> empty_tasks(std::size_t count);

/// Seconds that fib(n) takes with one task for each call. Null when not built.
std::function<double()> fib(int n);

} // namespace caf_ray::bench::tbb_peer
