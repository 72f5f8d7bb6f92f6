#include "tests/bench/caf_peer.hpp"

#include <algorithm>
#include <thread>

#include <caf/all.hpp>

#include "libray/src/executor.hpp"
#include "tests/bench/measure.hpp"

namespace caf_ray::bench {

namespace {

struct counter_state {
  int sum = 0;
};

caf::behavior counter(caf::stateful_actor<counter_state>* self, tally* started) {
  started->up();
  return {[self](int by) { return self->state.sum += by; }};
}

caf::behavior echo() {
  return {[](int x) { return x; }};
}

} // namespace

caf_peer::caf_peer(scheduler kind) {
  config_.set("scheduler.max-threads",
              std::max<std::size_t>(1, std::thread::hardware_concurrency()));
  if (kind == scheduler::ours)
    config_.load<executor>();
  system_ = std::make_unique<caf::actor_system>(config_);
}

caf_peer::~caf_peer() = default;

double caf_peer::ephemeral_actors(std::size_t count) {
  caf::scoped_actor driver(*system_);
  auto sink = caf::actor_cast<caf::actor>(driver);
  stopwatch watch;
  for (std::size_t i = 0; i < count; ++i)
    system_->spawn([sink](caf::event_based_actor* self) { self->send(sink, 1); });
  for (std::size_t i = 0; i < count; ++i)
    driver->receive([](int) {});
  return static_cast<double>(count) / watch.seconds();
}

double caf_peer::round_trip(std::size_t count) {
  caf::scoped_actor driver(*system_);
  auto target = system_->spawn(echo);
  stopwatch watch;
  for (std::size_t i = 0; i < count; ++i) {
    driver->send(target, 1);
    driver->receive([](int) {});
  }
  return watch.microseconds() / static_cast<double>(count);
}

double caf_peer::flood(std::size_t count) {
  tally done(1);
  auto target = system_->spawn([&done, count]() -> caf::behavior {
    return {[&done, left = count](int) mutable {
      if (--left == 0)
        done.up();
    }};
  });
  stopwatch watch;
  for (std::size_t i = 0; i < count; ++i)
    caf::anon_send(target, 1);
  done.wait();
  return static_cast<double>(count) / watch.seconds();
}

double caf_peer::flood_and_answers(std::size_t count) {
  caf::scoped_actor driver(*system_);
  auto target = system_->spawn(echo);
  stopwatch watch;
  for (std::size_t i = 0; i < count; ++i)
    driver->send(target, 1);
  for (std::size_t i = 0; i < count; ++i)
    driver->receive([](int) {});
  return watch.seconds();
}

std::vector<caf::actor> caf_peer::spawn_counters(std::size_t count) {
  tally started(count);
  std::vector<caf::actor> actors;
  actors.reserve(count);
  for (std::size_t i = 0; i < count; ++i)
    actors.push_back(system_->spawn(counter, &started));
  started.wait();
  return actors;
}

double caf_peer::creation(std::size_t count) {
  stopwatch watch;
  auto actors = spawn_counters(count);
  return static_cast<double>(count) / watch.seconds();
}

double caf_peer::bytes_each(std::size_t count) {
  auto before = resident_bytes();
  auto actors = spawn_counters(count);
  return (resident_bytes() - before) / static_cast<double>(count);
}

} // namespace caf_ray::bench
