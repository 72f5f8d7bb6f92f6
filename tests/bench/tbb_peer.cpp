#include "tests/bench/tbb_peer.hpp"

#include "tests/bench/measure.hpp"

#ifdef CAF_RAY_BENCH_TBB

#include <oneapi/tbb/task_group.h>

namespace caf_ray::bench::tbb_peer {

namespace {

long fib_of(int n) {
  if (n < 2)
    return n;
  long left = 0, right = 0;
  tbb::task_group children;
  children.run([&] { left = fib_of(n - 1); });
  children.run([&] { right = fib_of(n - 2); });
  children.wait();
  return left + right;
}

} // namespace

std::function<double()> empty_tasks(std::size_t count) {
  return [count] {
    stopwatch watch;
    tbb::task_group group;
    for (std::size_t i = 0; i < count; ++i)
      group.run([] {});
    group.wait();
    return watch.seconds();
  };
}

std::function<double()> fib(int n) {
  return [n] {
    stopwatch watch;
    keep(fib_of(n));
    return watch.seconds();
  };
}

} // namespace caf_ray::bench::tbb_peer

#else

namespace caf_ray::bench::tbb_peer {

std::function<double()> empty_tasks(std::size_t) {
  return nullptr;
}

std::function<double()> fib(int) {
  return nullptr;
}

} // namespace caf_ray::bench::tbb_peer

#endif
