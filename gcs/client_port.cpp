#include "gcs/client_port.hpp"

#include "gcs/client_core.hpp"

namespace caf_ray::gcs {

namespace {

/// The actor through which a client talks to the shards.
using port_actor = shard_listener::extend<
  /// The shard of this index is now that actor.
  caf::reacts_to<replace_atom, std::uint32_t, caf::strong_actor_ptr>,
  /// To oneself: something was added to an outbox.
  caf::reacts_to<drain_atom>,
  /// To oneself: the timer, which runs only while something is pending.
  caf::reacts_to<tick_atom>>;

struct port_state {
  static inline const char* name = "gcs-client";

  using self_pointer = port_actor::stateful_pointer<port_state>;

  self_pointer self = nullptr;
  std::shared_ptr<client::core> core;
  std::vector<shard_actor> shards;
  bool ticking = false;

  void drain() {
    core->bell_heard();
    auto me = caf::actor_cast<caf::strong_actor_ptr>(self);
    for (auto& change : core->take_watch_changes())
      for_shards_of(change.what, [&](const shard_actor& shard) {
        if (change.begin)
          self->send(shard, watch_atom_v, change.what, me);
        else
          self->send(shard, unwatch_atom_v, change.what, me);
      });
    for (std::uint32_t i = 0; i < shards.size(); ++i)
      send_parcel(i);
    if (!ticking && core->busy()) {
      ticking = true;
      self->delayed_send(self, core->options.sweep_interval, tick_atom_v);
    }
  }

  void send_parcel(std::uint32_t index) {
    auto parcel = core->boxes[index]->take(self->clock().now());
    for (auto& batch : parcel.batches)
      self->send(shards[index], write_atom_v, std::move(batch));
    if (!parcel.reads.ops.empty())
      self->send(shards[index], read_atom_v, std::move(parcel.reads));
  }

  template <class F>
  void for_shards_of(const watch_request& what, F f) {
    if (!what.key.empty() && what.table != table_kind::events)
      f(shards[shard_of(what.table, what.key, static_cast<std::uint32_t>(shards.size()))]);
    else
      for (auto& shard : shards)
        f(shard);
  }

  void tick() {
    ticking = false;
    core->expire();
    drain();
  }

  void replace(std::uint32_t index, const caf::strong_actor_ptr& actor) {
    if (index >= shards.size() || !actor)
      return;
    self->demonitor(caf::actor_cast<caf::actor_addr>(shards[index]));
    shards[index] = caf::actor_cast<shard_actor>(actor);
    self->monitor(shards[index]);
    auto me = caf::actor_cast<caf::strong_actor_ptr>(self);
    for (auto& what : core->watched())
      for_shards_of(what, [&](const shard_actor& shard) {
        if (shard == shards[index])
          self->send(shard, watch_atom_v, what, me);
      });
    core->boxes[index]->set_available(true);
    drain();
  }

  void down(const caf::actor_addr& who) {
    for (std::uint32_t i = 0; i < shards.size(); ++i)
      if (shards[i] == who)
        core->boxes[i]->set_available(false);
  }
};

/// At start: watches the shards. At exit: nothing, the client has settled what was pending. When a
/// shard dies: what is pending for it waits for its replacement, or for its deadline.
port_actor::behavior_type client_port(port_state::self_pointer self,
                                      std::shared_ptr<client::core> core,
                                      std::vector<shard_actor> shards) {
  auto& state = self->state;
  state.self = self;
  state.core = std::move(core);
  state.shards = std::move(shards);
  self->set_down_handler([self](const caf::down_msg& m) { self->state.down(m.source); });
  for (auto& shard : state.shards)
    self->monitor(shard);
  return {
    [self](ack_atom, const write_ack& ack) {
      self->state.core->acknowledge(ack);
      if (ack.shard < self->state.shards.size())
        self->state.send_parcel(ack.shard);
    },
    [self](answer_atom, std::vector<read_answer>& answers) {
      self->state.core->answer(std::move(answers));
    },
    [self](changes_atom, std::uint32_t, const std::vector<change>& changes) {
      self->state.core->tell(changes);
    },
    [self](replace_atom, std::uint32_t index, const caf::strong_actor_ptr& actor) {
      self->state.replace(index, actor);
    },
    [self](drain_atom) { self->state.drain(); },
    [self](tick_atom) { self->state.tick(); },
  };
}

/// The client's hold on its port, which ends with it.
struct port_handle {
  port_actor port;

  explicit port_handle(port_actor port) : port(std::move(port)) {}
  port_handle(const port_handle&) = delete;
  ~port_handle() { caf::anon_send_exit(port, caf::exit_reason::user_shutdown); }
};

} // namespace

std::unique_ptr<client> make_client(caf::actor_system& system, std::vector<shard_actor> shards,
                                    client_options options) {
  auto core = std::make_shared<client::core>(options, static_cast<std::uint32_t>(shards.size()),
                                             [&system] { return system.clock().now(); });
  auto port = system.spawn<caf::hidden>(client_port, core, std::move(shards));
  auto ring = [weak = caf::actor_cast<caf::weak_actor_ptr>(port)] {
    if (auto to = weak.lock())
      to->enqueue(nullptr, caf::make_message_id(), caf::make_message(drain_atom_v), nullptr);
  };
  core->attach(std::make_shared<port_handle>(std::move(port)), std::move(ring));
  return std::make_unique<client>(std::move(core));
}

void replace_shard(client& c, std::uint32_t index, const shard_actor& shard) {
  if (auto handle = std::static_pointer_cast<port_handle>(c.shared_core()->port()))
    caf::anon_send(handle->port, replace_atom_v, index,
                   caf::actor_cast<caf::strong_actor_ptr>(shard));
}

} // namespace caf_ray::gcs
