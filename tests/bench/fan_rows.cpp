// Many of something around one task: Ray's scalability envelope of a single node.
//
//   args     one task with 10,000 objects as arguments; against as many messages to a bare actor
//            and one answer
//   returns  one task with 3,000 results, all read; against as many answers of a bare actor
//   gets     10,000 objects at once; against as many std::futures that are ready
//   queued   a million tasks queued behind one that holds the only slot, then let go and read
//            (quick: 100,000, times ten); against as many oneTBB tasks

#include <numeric>

#include "tests/bench/caf_peer.hpp"
#include "tests/bench/rows.hpp"
#include "tests/bench/session.hpp"
#include "tests/bench/tbb_peer.hpp"
#include "tests/bench/thread_pool.hpp"

namespace caf_ray::bench {

namespace {

constexpr auto ours = caf_peer::scheduler::ours;
constexpr std::size_t args_count = 10'000, returns_count = 3'000, gets_count = 10'000;

/// Where the task that holds the slot stands, and what lets it go.
tally* holding = nullptr;
tally* door = nullptr;

int sum(const std::vector<int>& xs) {
  return std::accumulate(xs.begin(), xs.end(), 0);
}
std::vector<int> ones(std::size_t count) {
  return std::vector<int>(count, 1);
}
int hold() {
  holding->up();
  door->wait();
  return 1;
}
int one() {
  return 1;
}
RAY_REMOTE(sum, ones, hold, one);

std::vector<ray::ObjectRef<int>> objects(std::size_t count) {
  std::vector<ray::ObjectRef<int>> refs;
  for (std::size_t i = 0; i < count; ++i)
    refs.push_back(ray::Put(static_cast<int>(i)));
  return refs;
}

void args(report& out) {
  session running;
  auto refs = objects(args_count);
  out.compare({"args_10k", "s", {.at_most = 0.3}},
              [&] {
                stopwatch watch;
                keep(ray::Task(sum).Remote(refs).Get());
                return watch.seconds();
              },
              {{"10 k messages to a CAF actor",
                [] { return args_count / caf_peer(ours).flood(args_count); }}});
}

void returns(report& out) {
  session running;
  out.compare({"returns_3k", "s", {.at_most = 0.1}},
              [] {
                stopwatch watch;
                auto refs = ray::Task(ones).RemoteVector(returns_count, returns_count);
                keep(ray::Get(refs));
                return watch.seconds();
              },
              {{"3 k messages to a CAF actor and back",
                [] { return caf_peer(ours).flood_and_answers(returns_count); }}});
}

void gets(report& out) {
  session running;
  auto refs = objects(gets_count);
  out.compare({"gets_10k", "s", {.at_most = 0.1}},
              [&] {
                stopwatch watch;
                keep(ray::Get(refs));
                return watch.seconds();
              },
              {{"10 k ready std::futures", [] {
                  std::vector<std::future<int>> futures;
                  for (std::size_t i = 0; i < gets_count; ++i) {
                    std::promise<int> promise;
                    promise.set_value(1);
                    futures.push_back(promise.get_future());
                  }
                  stopwatch watch;
                  for (auto& future : futures)
                    keep(future.get());
                  return watch.seconds();
                }}});
}

/// Seconds from the first submission until the last result is read.
double queue_and_drain(std::size_t count) {
  tally is_held(1), is_open(1);
  holding = &is_held;
  door = &is_open;
  auto holder = ray::Task(hold).Remote();
  is_held.wait();
  stopwatch watch;
  std::vector<ray::ObjectRef<int>> refs;
  refs.reserve(count);
  for (std::size_t i = 0; i < count; ++i)
    refs.push_back(ray::Task(one).Remote());
  is_open.up();
  keep(ray::Get(refs));
  auto took = watch.seconds();
  holder.Get();
  return took;
}

void queued(report& out) {
  session running({.slots = 1});
  const auto count = out.size(1'000'000, 100'000);
  const auto to_million = 1e6 / static_cast<double>(count);
  auto tbb = tbb_peer::empty_tasks(count);
  std::function<double()> tbb_time;
  if (tbb)
    tbb_time = [=] { return tbb() * to_million; };
  out.compare(
    {"queued_1m", "s", {.at_most = 5}}, [&] { return queue_and_drain(count) * to_million; },
    {{"as many oneTBB tasks", tbb_time}}, out.size(3, 1));
}

constexpr bench_case cases[] = {
  {"args", args}, {"returns", returns}, {"gets", gets}, {"queued", queued}};

} // namespace

std::span<const bench_case> fan_cases() {
  return cases;
}

} // namespace caf_ray::bench
