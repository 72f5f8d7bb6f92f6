#include "libray/src/transport/basp.hpp"

#include <algorithm>
#include <future>
#include <memory>
#include <set>
#include <stdexcept>

#include <sys/random.h>
#include <unistd.h>

#include <caf/config.hpp>
#include <caf/io/basp_broker.hpp>
#include <caf/io/middleman.hpp>
#include <caf/node_id.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include "libray/src/transport/scribe.hpp"

// The broker's handlers for ready scribes, the layout of its frames and the node id are internal to
// CAF. Another version needs all of this folder looked at again.
static_assert(CAF_VERSION == 1706);

namespace caf_ray::transport {

namespace {

using std::chrono::milliseconds;
using clock = std::chrono::steady_clock;

/// Peers of another version of our messages are refused by CAF's handshake.
constexpr const char* protocol_name = "caf-ray-1";

// CAF keeps the id of a node to itself, but for its network module, which takes it from MAC
// address, disk and pid. Naming a private member in an explicit instantiation is legal C++.
using node_member = caf::node_id caf::actor_system::*;
node_member node_of();
template <node_member Member>
struct node_access {
  friend node_member node_of() { return Member; }
};
template struct node_access<&caf::actor_system::node_>;

/// Initialised after the network module and before the first actor: overwrites the id.
class random_identity final : public caf::actor_system::module {
public:
  static module* make(caf::actor_system& system, caf::detail::type_list<>) {
    return new random_identity(system);
  }

  explicit random_identity(caf::actor_system& system) : system_(system) {}

  void init(caf::actor_system_config&) override {
    caf::node_id::default_data::host_id_type host;
    if (getrandom(host.data(), host.size(), 0) != static_cast<ssize_t>(host.size()))
      throw std::runtime_error("getrandom failed: no random source, cannot name this node");
    system_.*node_of() = caf::make_node_id(static_cast<std::uint32_t>(getpid()), host);
  }
  void start() override {}
  void stop() override {}
  id_t id() const override { return network_manager; } // a place that CAF 0.17 leaves empty
  void* subtype_ptr() override { return this; }

private:
  caf::actor_system& system_;
};

auto& loop_of(caf::actor_system& system) {
  return dynamic_cast<caf::io::network::default_multiplexer&>(system.middleman().backend());
}

caf::actor broker_of(caf::actor_system& system) {
  return system.middleman().named_broker<caf::io::basp_broker>(caf::atom("BASP"));
}

/// The broker ends a link that it has not heard of yet at its next heartbeat, however young the
/// link is, unless it has a record of when it heard of it last. False at the deadline.
bool make_record(caf::io::network::default_multiplexer& loop, const caf::actor& broker,
                 caf::io::connection_handle link, clock::time_point deadline) {
  auto made = std::make_shared<std::promise<void>>();
  auto done = made->get_future();
  loop.post([made, broker, link] {
    auto raw = caf::actor_cast<caf::abstract_actor*>(broker);
    dynamic_cast<caf::io::basp_broker&>(*raw).set_context(link);
    made->set_value();
  });
  return done.wait_until(deadline) == std::future_status::ready;
}

error to_error(const caf::actor_system& system, const caf::error& reason, const peer& who) {
  auto text = to_string(who);
  if (reason == caf::sec::incompatible_application_ids)
    return {errc::version_mismatch, text + " speaks another version of the protocol than "
                                      + protocol_name + ": use the same version on both sides"};
  if (reason == caf::sec::request_timeout || reason == caf::sec::connection_timeout)
    return {errc::timed_out, text + " did not answer in time"};
  return {errc::io_failed, text + " ended the link during the handshake: " + system.render(reason)};
}

} // namespace

result<void> configure(caf::actor_system_config& config, const link_timing& timing) {
  if (timing.heartbeat <= milliseconds(0) || timing.timeout < 3 * timing.heartbeat)
    return fail(errc::invalid_argument,
                "a heartbeat of " + std::to_string(timing.heartbeat.count())
                  + " ms with a timeout of " + std::to_string(timing.timeout.count())
                  + " ms: the timeout must be at least three heartbeats, or healthy links break");
  config.load<caf::io::middleman>();
  config.load<random_identity>();
  config.set("middleman.heartbeat-interval", caf::timespan(timing.heartbeat));
  config.set("middleman.connection-timeout", caf::timespan(timing.timeout));
  config.set("middleman.workers", 0);
  config.set("middleman.enable-automatic-connections", false);
  config.set("middleman.app-identifiers", std::vector<std::string>{protocol_name});
  return {};
}

void serve(caf::actor_system& system, connection link, const caf::strong_actor_ptr& published,
           const link_limits& limits) {
  // The port is only the key under which the broker looks the actor up, in the same handler.
  constexpr std::uint16_t key = 0;
  caf::io::scribe_ptr ready = caf::make_counted<scribe>(loop_of(system), std::move(link), limits);
  caf::anon_send(broker_of(system), caf::publish_atom_v, std::move(ready), key, published,
                 std::set<std::string>{});
}

result<caf::strong_actor_ptr> join(caf::actor_system& system, connection link,
                                   milliseconds patience, const link_limits& limits) {
  auto deadline = clock::now() + patience;
  auto who = link.who();
  auto& loop = loop_of(system);
  auto broker = broker_of(system);
  auto ready = caf::make_counted<scribe>(loop, std::move(link), limits);
  if (!make_record(loop, broker, ready->hdl(), deadline))
    return fail(errc::timed_out, "the network thread had no time for " + to_string(who));

  caf::strong_actor_ptr published;
  caf::error failed;
  auto left = std::max(milliseconds(1), std::chrono::ceil<milliseconds>(deadline - clock::now()));
  caf::scoped_actor self(system);
  self->request(broker, left, caf::connect_atom_v, caf::io::scribe_ptr(ready), std::uint16_t(0))
    .receive([&](const caf::node_id&, caf::strong_actor_ptr& actor,
                 const std::set<std::string>&) { published = std::move(actor); },
             [&](caf::error& reason) { failed = std::move(reason); });
  if (!failed && published)
    return published;
  ready->abort();
  if (failed)
    return tl::unexpected(to_error(system, failed, who));
  return fail(errc::not_found, to_string(who) + " publishes no actor: it is shutting down");
}

} // namespace caf_ray::transport
