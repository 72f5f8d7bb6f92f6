// The part of the hub's actor that deals with other nodes: how they find and greet each other, how
// objects and actors are found that live there.

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "gcs/types/records.hpp"
#include "libray/src/cluster/hub.hpp"
#include "ray/api/logging.h"

namespace caf_ray::cluster {

using namespace std::chrono_literals;

namespace {

/// Clocks of a cluster may differ by this much: certificates and lists for people compare them.
constexpr std::int64_t clock_skew_ms = 5 * 60 * 1000;

/// From one try to connect to a node to the next.
constexpr auto call_interval = 500ms;

/// A transfer that brings nothing for so long has failed.
constexpr auto transfer_patience = std::chrono::minutes(5);

} // namespace

std::string hub::greeting() const {
  auto mine = settings_.self;
  mine.clock_ms = unix_time_ms();
  return pack(mine);
}

result<node_greeting> hub::read_greeting(const std::string& bytes) const {
  auto said = unpack<node_greeting>(bytes);
  if (!said || said->version != wire_version)
    return fail(
      errc::version_mismatch,
      "node "
        + (said ? to_string(said->node) + " speaks version " + std::to_string(said->version)
                : std::string("of another version"))
        + ", node " + to_string(settings_.node) + " at " + settings_.self.address + " version "
        + std::to_string(wire_version) + "; install the same caf-ray on all hosts");
  if (said->has_credentials != settings_.self.has_credentials)
    return fail(errc::invalid_argument,
                std::string("the cluster of the node at ") + settings_.self.address
                  + (settings_.self.has_credentials ? " has" : " has no")
                  + " credentials, so each of its nodes must be started with"
                  + (settings_.self.has_credentials ? "" : "out") + " --credentials");
  auto apart = std::abs(said->clock_ms - unix_time_ms());
  if (apart > clock_skew_ms)
    return fail(errc::invalid_argument, "the clocks of node " + to_string(said->node) + " on "
                                          + said->host + " and node " + to_string(settings_.node)
                                          + " on " + settings_.self.host + " are "
                                          + std::to_string(apart / 1000)
                                          + " s apart; set them right (at most 300 s are allowed)");
  return said;
}

hub::enter_answer hub::let_in(const std::string& bytes) const {
  if (auto said = read_greeting(bytes); !said)
    return {said.error(), {}, {}};
  if (settings_.head)
    return {error{errc::not_supported, "the node at " + settings_.self.address
                                         + " is not the head of its cluster; join that, at "
                                         + settings_.head_address},
            {},
            {}};
  auto services = settings_.services;
  services.push_back(settings_.global_scheduler);
  return {error{}, greeting(), std::move(services)};
}

void hub::meet(const std::string& bytes, const caf::strong_actor_ptr& hub,
               const caf::strong_actor_ptr& local_scheduler) {
  auto said = read_greeting(bytes);
  if (!said || !hub || said->node == settings_.node) {
    RAYLOG(WARNING) << "a node was refused: "
                    << (said ? std::string("it says that it is this one") : said.error().what);
    return;
  }
  if (neighbour(said->node))
    return;
  RAYLOG(INFO) << "node " << to_string(said->node) << " on " << said->host << " (" << said->address
               << ") is connected";
  if (settings_.transfer)
    if (auto done = settings_.transfer->admit(said->transfer_key, to_string(said->node)); !done)
      RAYLOG(WARNING) << "it gets no objects from here: " << done.error().what;
  monitor(caf::actor_cast<caf::actor>(hub));
  send(caf::actor_cast<hub_actor>(hub), neighbour_atom_v, greeting(),
       caf::actor_cast<caf::strong_actor_ptr>(this), settings_.local_scheduler);
  auto id = core_.next_client();
  by_link_[hub.get()] = id;
  auto node = said->node;
  auto& newcomer = peers_[id];
  newcomer.link = hub;
  newcomer.greeting = std::move(*said);
  core_.join_node(node);
  if (settings_.neighbour)
    settings_.neighbour(node, local_scheduler);
  begin_transfers();
  core_.flush();
}

void hub::part(const peer& gone, const std::string& cause) {
  auto& node = gone.greeting.node;
  RAYLOG(WARNING) << "node " << to_string(node) << " on " << gone.greeting.host
                  << " has left: " << cause;
  if (settings_.transfer)
    settings_.transfer->expel(gone.greeting.transfer_key);
  if (settings_.neighbour)
    settings_.neighbour(node, nullptr);
  if (!settings_.head && settings_.node_died)
    settings_.node_died(gone.greeting);
}

const hub::peer* hub::neighbour(node_id node) const {
  for (auto& [id, p] : peers_)
    if (p.greeting.node == node)
      return &p;
  return nullptr;
}

void hub::hear_of(const scheduler::node_updates& changes) {
  for (auto& [node, record] : changes) {
    if (node == settings_.node)
      continue;
    if (record.alive && !record.address.empty()) {
      auto& known = known_[node];
      known.address = record.address;
      known.is_head = record.is_head;
    } else {
      known_.erase(node);
    }
  }
}

/// Of two nodes the one with the larger id calls; the head is called by those that enter.
void hub::call_neighbours() {
  if (!settings_.head || !settings_.connect)
    return;
  auto now = std::chrono::steady_clock::now();
  for (auto& [node, known] : known_) {
    if (known.is_head || node > settings_.node || known.calling || now < known.call_again
        || neighbour(node))
      continue;
    known.calling = true;
    auto found = std::make_shared<result<caf::strong_actor_ptr>>();
    system().spawn<caf::hidden + caf::detached>([post = poster(), connect = settings_.connect,
                                                 address = known.address, node = node, found,
                                                 this](caf::event_based_actor*) {
      *found = connect(address);
      post([this, node, found] {
        if (auto at = known_.find(node); at != known_.end()) {
          at->second.calling = false;
          at->second.call_again = std::chrono::steady_clock::now() + call_interval;
        }
        if (*found)
          send(caf::actor_cast<hub_actor>(**found), neighbour_atom_v, greeting(),
               caf::actor_cast<caf::strong_actor_ptr>(this), settings_.local_scheduler);
        else
          RAYLOG(WARNING) << "node " << to_string(node)
                          << " cannot be reached: " << found->error().what;
      });
    });
  }
}

void hub::begin_transfers() {
  auto now = std::chrono::steady_clock::now();
  for (auto& wish : std::exchange(wishes_, {})) {
    std::vector<objstore::transfer_source> sources;
    for (auto& node : wish.from)
      if (auto* p = neighbour(node); p && settings_.transfer)
        sources.push_back(
          {p->greeting.transfer_host, p->greeting.transfer_port, p->greeting.transfer_key});
    if (!sources.empty()) {
      settings_.transfer->pull(wish.object, wish.size_bytes, std::move(sources), transfer_patience,
                               [post = poster(), then = std::move(wish.then)](
                                 const result<void>& how) { post([then, how] { then(how); }); });
    } else if (now < wish.until) {
      wishes_.push_back(std::move(wish));
    } else {
      poster()([object = wish.object, node = wish.from.front(), then = std::move(wish.then)] {
        then(fail(errc::object_lost, "object " + to_string(object) + " is on node "
                                       + to_string(node) + ", which cannot be reached from here"));
      });
    }
  }
}

void hub::look_up_actors() {
  for (auto& [actor, question] : questions_) {
    if (std::exchange(question.asked, true))
      continue;
    settings_.find_actor(
      actor, [this, post = poster(), actor = actor](std::optional<actor_record> record) {
        post([this, actor, record = std::move(record)] {
          auto at = questions_.find(actor);
          if (at == questions_.end())
            return;
          if (!record && std::chrono::steady_clock::now() < at->second.until) {
            at->second.asked = false; // asked again with the next tick
            return;
          }
          auto then = std::move(at->second.then);
          questions_.erase(at);
          then(record);
        });
      });
  }
}

} // namespace caf_ray::cluster
