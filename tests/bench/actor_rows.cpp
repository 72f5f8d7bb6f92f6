// User actors: calls to one, and many of them.
//
//   actor_sync      calls to one actor, each waited for; against a message to a bare actor and back
//   actor_async     calls sent at once, then all results; against messages sent at once to a bare
//                   actor that answers none of them
//   actors_created  until the last factory has run; against spawning bare actors with a behaviour
//   actors_alive    a million (quick: 100,000) at the same time; one in a thousand is called
//   actor_memory    resident bytes each of those takes; against a bare actor with a behaviour

#include "tests/bench/caf_peer.hpp"
#include "tests/bench/rows.hpp"
#include "tests/bench/session.hpp"

namespace caf_ray::bench {

namespace {

constexpr auto ours = caf_peer::scheduler::ours;

/// What the factories of the running case report to.
tally* created = nullptr;

struct counter {
  static counter* create() {
    if (created)
      created->up();
    return new counter;
  }
  int add(int by) { return sum += by; }
  int sum = 0;
};
RAY_REMOTE(counter::create, &counter::add);

using counters = std::vector<ray::ActorHandle<counter>>;

/// All of them, created.
counters create(std::size_t count) {
  tally all(count);
  created = &all;
  counters actors;
  actors.reserve(count);
  for (std::size_t i = 0; i < count; ++i)
    actors.push_back(ray::Actor(counter::create).Remote());
  all.wait();
  created = nullptr;
  return actors;
}

void actor_sync(report& out) {
  session running;
  const auto count = out.size(20'000, 2'000);
  auto actor = ray::Actor(counter::create).Remote();
  out.compare({"actor_sync", "calls/s", {.at_least = 50'000}},
              [&] {
                stopwatch watch;
                for (std::size_t i = 0; i < count; ++i)
                  keep(actor.Task(&counter::add).Remote(1).Get());
                return static_cast<double>(count) / watch.seconds();
              },
              {{"message to a CAF actor and back, our executor",
                [&] { return 1e6 / caf_peer(ours).round_trip(count); }}});
}

void actor_async(report& out) {
  session running;
  const auto count = out.size(200'000, 20'000);
  auto actor = ray::Actor(counter::create).Remote();
  out.compare({"actor_async", "calls/s", {.at_least = 500'000}},
              [&] {
                stopwatch watch;
                std::vector<ray::ObjectRef<int>> refs;
                refs.reserve(count);
                for (std::size_t i = 0; i < count; ++i)
                  refs.push_back(actor.Task(&counter::add).Remote(1));
                keep(ray::Get(refs));
                return static_cast<double>(count) / watch.seconds();
              },
              {{"one-way messages to a CAF actor, our executor",
                [&] { return caf_peer(ours).flood(count); }}});
}

void actors_created(report& out) {
  session running;
  const auto count = out.size(50'000, 5'000);
  out.compare(
    {"actors_created", "actors/s", {.at_least = 100'000}},
    [&] {
      stopwatch watch;
      auto actors = create(count);
      auto rate = static_cast<double>(count) / watch.seconds();
      for (auto& actor : actors)
        actor.Kill();
      return rate;
    },
    {{"CAF actors spawned, our executor", [&] { return caf_peer(ours).creation(count); }}});
}

void actors_alive(report& out) {
  const auto count = out.size(1'000'000, 100'000);
  // The peer first: what its actors leave behind in the allocator must not help ours.
  const auto bare = caf_peer(ours).bytes_each(count);
  session running;
  const auto before = resident_bytes();
  auto actors = create(count);
  const auto each = (resident_bytes() - before) / static_cast<double>(count);
  double alive = 0;
  for (std::size_t i = 0; i < count; i += 1000)
    alive += 1000 * *actors[i].Task(&counter::add).Remote(1).Get();
  out.add({"actors_alive", "actors", {.at_least = static_cast<double>(count)}}, {alive});
  out.add({"actor_memory", "bytes", {}}, {each}, "a CAF actor with a behaviour", {bare});
}

constexpr bench_case cases[] = {{"actor_sync", actor_sync},
                                {"actor_async", actor_async},
                                {"actors_created", actors_created},
                                {"actors_alive", actors_alive}};

} // namespace

std::span<const bench_case> actor_cases() {
  return cases;
}

} // namespace caf_ray::bench
