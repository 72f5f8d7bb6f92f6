// Tasks that do nothing: what the system itself costs.
//
//   tasks       many at once, then all results; against ephemeral CAF actors on our executor (what
//               a task is made of) and on CAF's own scheduler, oneTBB, and std::thread with futures
//   submit_get  one after another, each waited for; against a message to a bare actor and back
//   fib         recursive fib(18), 8361 tasks, each of which waits for its two children

#include "tests/bench/caf_peer.hpp"
#include "tests/bench/rows.hpp"
#include "tests/bench/session.hpp"
#include "tests/bench/tbb_peer.hpp"
#include "tests/bench/thread_pool.hpp"

namespace caf_ray::bench {

namespace {

int nothing() {
  return 1;
}

long fib(int n);
RAY_REMOTE(nothing, fib);

long fib(int n) {
  if (n < 2)
    return n;
  auto left = ray::Task(fib).Remote(n - 1);
  auto right = ray::Task(fib).Remote(n - 2);
  return *left.Get() + *right.Get();
}

double tasks_per_second(std::size_t count) {
  stopwatch watch;
  std::vector<ray::ObjectRef<int>> refs;
  refs.reserve(count);
  for (std::size_t i = 0; i < count; ++i)
    refs.push_back(ray::Task(nothing).Remote());
  keep(ray::Get(refs));
  return static_cast<double>(count) / watch.seconds();
}

double pool_tasks_per_second(std::size_t count) {
  thread_pool pool;
  stopwatch watch;
  std::vector<std::future<int>> futures;
  futures.reserve(count);
  for (std::size_t i = 0; i < count; ++i)
    futures.push_back(pool.submit(nothing));
  for (auto& future : futures)
    keep(future.get());
  return static_cast<double>(count) / watch.seconds();
}

void tasks(report& out) {
  session running;
  const auto count = out.size(200'000, 20'000);
  using enum caf_peer::scheduler;
  auto tbb = tbb_peer::empty_tasks(count);
  std::function<double()> tbb_rate;
  if (tbb)
    tbb_rate = [=] { return static_cast<double>(count) / tbb(); };
  out.compare(
    {"tasks", "tasks/s", {.at_least = 290'000, .ratio_at_least = 0.6}},
    [&] { return tasks_per_second(count); },
    {{"ephemeral CAF actors, our executor", [&] { return caf_peer(ours).ephemeral_actors(count); }},
     {"ephemeral CAF actors, stock scheduler",
      [&] { return caf_peer(stock).ephemeral_actors(count); }, "_vs_stock"},
     {"oneTBB task_group", tbb_rate, "_vs_tbb"},
     {"std::thread pool, std::future", [&] { return pool_tasks_per_second(count); }, "_vs_pool"}});
}

void submit_get(report& out) {
  session running;
  const auto count = out.size(20'000, 2'000);
  out.compare({"submit_get", "us", {.at_most = 15}},
              [&] {
                stopwatch watch;
                for (std::size_t i = 0; i < count; ++i)
                  keep(ray::Task(nothing).Remote().Get());
                return watch.microseconds() / static_cast<double>(count);
              },
              {{"message to a CAF actor and back, our executor",
                [&] { return caf_peer(caf_peer::scheduler::ours).round_trip(count); }}});
}

void fib_of_18(report& out) {
  session running;
  out.compare({"fib", "s", {.at_most = 5}},
              [] {
                stopwatch watch;
                keep(ray::Task(fib).Remote(18).Get());
                return watch.seconds();
              },
              {{"the same in oneTBB tasks", tbb_peer::fib(18)}});
}

constexpr bench_case cases[] = {{"tasks", tasks}, {"submit_get", submit_get}, {"fib", fib_of_18}};

} // namespace

std::span<const bench_case> task_cases() {
  return cases;
}

} // namespace caf_ray::bench
