#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include "libray/src/transport/basp.hpp"
#include "tests/libray/transport/arrivals.hpp"

namespace caf_ray::transport::test {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Silence is noticed soon, or not while a test runs.
inline constexpr link_timing quick{milliseconds(250), milliseconds(1500)};
inline constexpr link_timing patient{seconds(1), seconds(600)};

/// What each side publishes: answers x with x + 1, asks somebody else for the answer, tells the
/// length of a text, and sends a text of so many bytes to somebody.
inline caf::behavior answerer(caf::event_based_actor* self) {
  return {
    [](int x) { return x + 1; },
    [self](const caf::actor& other, int x) {
      auto promise = self->make_response_promise<int>();
      self->request(other, soon, x)
        .then([promise](int y) mutable { promise.deliver(y); },
              [promise](caf::error& e) mutable { promise.deliver(std::move(e)); });
      return promise;
    },
    [](const std::string& text) { return std::uint64_t(text.size()); },
    [self](const caf::actor& other, std::uint64_t count) {
      self->send(other, std::string(count, 'x'));
    },
  };
}

/// An actor system with links; its actors end before it does.
class host {
  struct config : caf::actor_system_config {
    explicit config(const link_timing& timing) {
      set("scheduler.max-threads", 2);
      set("scheduler.policy", caf::atom("sharing"));
      if (auto done = configure(*this, timing); !done)
        throw std::runtime_error(done.error().what);
    }
  };

public:
  explicit host(const link_timing& timing) : config_(timing), system(config_) {}
  ~host() {
    for (auto& a : actors_)
      caf::anon_send_exit(a, caf::exit_reason::kill);
  }

  template <class F>
  caf::actor spawn(F behavior) {
    return actors_.emplace_back(system.spawn(std::move(behavior)));
  }

private:
  config config_;
  std::vector<caf::actor> actors_;

public:
  caf::actor_system system;
};

} // namespace caf_ray::transport::test
