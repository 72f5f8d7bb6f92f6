// Driver, node and workers as processes of this host.
//
//   process_tasks        no-op tasks at once, then all results; against messages of the same size
//   that
//                        go the same way through bare processes, 100 in a write
//   process_sync         submit one and get it; against a message that goes the same way
//   process_actor_sync   calls to an actor in a process of its own, each waited for
//   process_actor_async  calls sent at once, then all results
//   process_actors       actors with a process each; and (shared) many in one
//   process_small        put of 1 KiB; get of 1 KiB that another process has put
//   process_get_large    64 MiB of another process, as ray::Array

#include <string>
#include <vector>

#include <ray/api.h>

#include "tests/bench/node_session.hpp"
#include "tests/bench/relay_peer.hpp"
#include "tests/bench/rows.hpp"

namespace caf_ray::bench {

namespace {

constexpr std::size_t kib = 1024, mib = 1024 * kib;

int process_nothing() {
  return 1;
}
ray::Array<float> process_large(std::size_t count) {
  auto writer = ray::CreateArray<float>(count);
  std::fill(writer.begin(), writer.end(), 1.f);
  return *writer.Seal().Get();
}

class process_actor {
public:
  static process_actor* create() { return new process_actor; }
  int add(int by) { return sum_ += by; }
  std::vector<ray::ObjectRef<std::string>> put(std::size_t count) {
    std::vector<ray::ObjectRef<std::string>> refs;
    for (std::size_t i = 0; i < count; ++i)
      refs.push_back(ray::Put(std::string(kib, 'x')));
    return refs;
  }

private:
  int sum_ = 0;
};

RAY_REMOTE(process_nothing, process_large);
RAY_REMOTE(process_actor::create, &process_actor::add, &process_actor::put);

double rate(std::size_t count, const stopwatch& watch) {
  return static_cast<double>(count) / watch.seconds();
}

void process_tasks(report& out) {
  relay_peer relay;
  node_session running;
  const auto count = out.size(100'000, 5'000);
  out.compare({"process_tasks", "tasks/s", {.at_least = 200'000}},
              [&] {
                stopwatch watch;
                std::vector<ray::ObjectRef<int>> refs;
                refs.reserve(count);
                for (std::size_t i = 0; i < count; ++i)
                  refs.push_back(ray::Task(process_nothing).Remote());
                keep(ray::Get(refs));
                return rate(count, watch);
              },
              {{"messages through bare processes, 100 in a write",
                [&] { return relay.messages_per_second(10 * count); }}});
}

void process_sync(report& out) {
  relay_peer relay;
  node_session running;
  const auto count = out.size(5'000, 500);
  out.compare(
    {"process_sync", "us", {.ratio_at_most = 1.5}},
    [&] {
      stopwatch watch;
      for (std::size_t i = 0; i < count; ++i)
        keep(ray::Task(process_nothing).Remote().Get());
      return watch.microseconds() / static_cast<double>(count);
    },
    {{"a message through bare processes and back", [&] { return relay.round_trip_us(count); }}});
}

void process_actor_calls(report& out) {
  relay_peer relay;
  node_session running;
  auto actor = ray::Actor(process_actor::create).Remote();
  const auto some = out.size(5'000, 500), many = out.size(100'000, 5'000);
  out.compare({"process_actor_sync", "calls/s", {.at_least = 10'000}},
              [&] {
                stopwatch watch;
                for (std::size_t i = 0; i < some; ++i)
                  keep(actor.Task(&process_actor::add).Remote(1).Get());
                return rate(some, watch);
              },
              {{"a message through bare processes and back",
                [&] { return 1e6 / relay.round_trip_us(some); }}});
  out.compare({"process_actor_async", "calls/s", {.at_least = 200'000}},
              [&] {
                stopwatch watch;
                std::vector<ray::ObjectRef<int>> refs;
                refs.reserve(many);
                for (std::size_t i = 0; i < many; ++i)
                  refs.push_back(actor.Task(&process_actor::add).Remote(1));
                keep(ray::Get(refs));
                return rate(many, watch);
              },
              {{"messages through bare processes, 100 in a write",
                [&] { return relay.messages_per_second(10 * many); }}});
}

double actors_per_second(std::size_t count, ray::Isolation isolation) {
  stopwatch watch;
  std::vector<ray::ActorHandle<process_actor>> actors;
  std::vector<ray::ObjectRef<int>> answers;
  for (std::size_t i = 0; i < count; ++i) {
    actors.push_back(ray::Actor(process_actor::create).SetIsolation(isolation).Remote());
    answers.push_back(actors.back().Task(&process_actor::add).Remote(1));
  }
  keep(ray::Get(answers));
  auto per_second = rate(count, watch);
  for (auto& actor : actors)
    actor.Kill();
  return per_second;
}

void process_actors(report& out) {
  node_session running;
  out.compare({"process_actors_own", "actors/s", {.at_least = 30}},
              [&] { return actors_per_second(out.size(50, 5), ray::Isolation::OWN_PROCESS); });
  out.compare({"process_actors_shared", "actors/s", {}},
              [&] { return actors_per_second(out.size(5'000, 200), ray::Isolation::SHARED); });
}

void process_small(report& out) {
  node_session running;
  const auto count = out.size(50'000, 2'000);
  const std::string value(kib, 'x');
  std::vector<ray::ObjectRef<std::string>> refs;
  out.compare({"process_put_small", "puts/s", {.at_least = 100'000}}, [&] {
    refs.clear();
    stopwatch watch;
    for (std::size_t i = 0; i < count; ++i)
      refs.push_back(ray::Put(value));
    return rate(count, watch);
  });
  refs.clear();
  auto actor = ray::Actor(process_actor::create).Remote();
  out.compare({"process_get_small", "gets/s", {.at_least = 300'000}}, [&] {
    // As many as a result may name, so often.
    std::vector<ray::ObjectRef<std::string>> theirs;
    for (std::size_t left = count; left > 0;) {
      auto part = std::min<std::size_t>(left, 10'000);
      auto some = *actor.Task(&process_actor::put).Remote(part).Get();
      theirs.insert(theirs.end(), some.begin(), some.end());
      left -= part;
    }
    stopwatch watch;
    keep(ray::Get(theirs));
    return rate(count, watch);
  });
}

void process_get_large(report& out) {
  node_session running;
  auto ref = ray::Task(process_large).Remote(64 * mib / sizeof(float));
  keep(ref.Get());
  constexpr int gets = 1000;
  out.compare({"process_get_large_64MiB", "us", {.at_most = 10}}, [&] {
    stopwatch watch;
    for (int i = 0; i < gets; ++i)
      keep(ref.Get()->data()[64 * mib / sizeof(float) - 1]);
    return watch.microseconds() / gets;
  });
}

} // namespace

std::span<const bench_case> process_cases() {
  static constexpr bench_case all[] = {{"process_tasks", process_tasks},
                                       {"process_sync", process_sync},
                                       {"process_actor_calls", process_actor_calls},
                                       {"process_actors", process_actors},
                                       {"process_small", process_small},
                                       {"process_get_large", process_get_large}};
  return all;
}

} // namespace caf_ray::bench
