#include "libray/src/cluster/node_process.hpp"

#include <mutex>
#include <utility>

#include "gcs/types/codec.hpp"
#include "libray/src/actor_entry.hpp"
#include "libray/src/cluster/connect.hpp"
#include "libray/src/cluster/hub.hpp"
#include "libray/src/exception.hpp"
#include "libray/src/node.hpp"
#include "libray/src/transport/basp.hpp"
#include "libray/src/transport/listener.hpp"
#include "libray/src/transport/tcp_socket.hpp"
#include "ray/api/logging.h"

namespace caf_ray::cluster {

struct node_process::parts {
  /// From before the first process can join until the hub has ended; in the I/O thread.
  hub* front = nullptr;
  hub_actor front_actor;
  /// Guards `front_actor`, which threads of the control store's client look at.
  std::mutex mutex;
  node_greeting greeting;
  /// The head's hub, on other nodes.
  caf::strong_actor_ptr head;
  std::unique_ptr<node> roles;
  std::shared_ptr<objstore::transfer> transfer;
  std::unique_ptr<transport::listener> door;

  /// Also when the node could not start as a whole.
  ~parts();
};

namespace {

using namespace std::chrono_literals;

constexpr auto enter_patience = 10s;

result<caf::strong_actor_ptr> hub_at(caf::actor_system& system, const std::string& address,
                                     const std::optional<transport::credentials>& credentials) {
  auto connect = [&]() -> result<transport::connection> {
    if (!credentials)
      return connect_to_node(address);
    auto port = port_of(address);
    if (!port)
      return tl::unexpected(port.error());
    return transport::connect_tls(host_of(address), *port, *credentials, enter_patience);
  };
  auto link = connect();
  if (!link)
    return tl::unexpected(link.error());
  return transport::join(system, std::move(*link), enter_patience);
}

/// Asks the head to be let in. Throws.
head_roles enter_cluster(caf::actor_system& system, const caf::strong_actor_ptr& head,
                         const node_greeting& greeting) {
  head_roles roles;
  error refusal;
  caf::scoped_actor self(system);
  self->request(caf::actor_cast<hub_actor>(head), enter_patience, enter_atom_v, pack(greeting))
    .receive(
      [&](const error& why, const std::string&, const std::vector<caf::strong_actor_ptr>& given) {
        refusal = why;
        if (why.code != errc::none || given.size() < 3)
          return;
        auto shards_end = given.end() - 2;
        for (auto at = given.begin(); at != shards_end; ++at)
          roles.shards.push_back(caf::actor_cast<gcs::shard_actor>(*at));
        roles.groups = caf::actor_cast<group_manager_actor>(given[given.size() - 2]);
        roles.global = caf::actor_cast<scheduler::global_actor>(given.back());
      },
      [&](const caf::error&) {
        refusal = {errc::node_died, "the head of the cluster does not answer"};
      });
  if (refusal.code != errc::none)
    throw_error(refusal);
  return roles;
}

} // namespace

node_process::node_process(node_process_options options) : parts_(std::make_unique<parts>()) {
  auto& p = *parts_;
  auto& greeting = p.greeting;
  greeting.host = host_name();
  greeting.address = options.address;
  greeting.has_credentials = options.credentials.has_value();
  node_callbacks callbacks;
  callbacks.watch = [&p](object_id id) { return !p.front || p.front->core().watch(id); };
  callbacks.start = [&p](std::vector<task_ptr>& tasks) {
    if (p.front)
      p.front->core().start(tasks);
  };
  callbacks.drop = [&p](const task_ptr& task, error why) {
    if (p.front)
      p.front->core().drop(task, why);
  };
  callbacks.configure = [](caf::actor_system_config& config) {
    if (auto done = transport::configure(config); !done)
      throw_error(done.error());
  };
  callbacks.address = options.address;
  callbacks.forward = [&p](const task_ptr& task, node_id to) {
    return p.front && p.front->core().forward(to, task);
  };
  callbacks.locate = [&p](scheduler::input_place& input) {
    if (p.front)
      p.front->core().locate(input);
  };
  callbacks.nodes_changed = [&p](const scheduler::node_updates& changes) {
    std::lock_guard guard(p.mutex);
    if (p.front_actor)
      caf::anon_send(p.front_actor, scheduler::nodes_atom_v, changes);
  };
  if (!options.head_address.empty())
    callbacks.enter = [&](caf::actor_system& system) {
      p.head = value_or_throw(hub_at(system, options.head_address, options.credentials));
      auto said = greeting;
      said.clock_ms = unix_time_ms();
      return enter_cluster(system, p.head, said);
    };
  p.roles = std::make_unique<node>(options.given, std::move(callbacks));
  start_transfer(options);
  start_hub(options);
  open_doors(options);
}

void node_process::open_doors(const node_process_options& given) {
  auto& p = *parts_;
  auto published = caf::actor_cast<caf::strong_actor_ptr>(p.front_actor);
  p.door = value_or_throw(transport::listener::start(
    [&system = p.roles->system(), published](transport::connection c) {
      if (c.who().kind == transport::peer_kind::driver)
        RAYLOG(WARNING) << "turned away: " << to_string(c.who())
                        << ": a program joins the node of its own host";
      else
        transport::serve(system, std::move(c), published);
    },
    {.turned_away = [](const error& why) { RAYLOG(WARNING) << "turned away: " << why.what; }}));
  if (auto open = p.door->listen_unix(given.socket); !open)
    throw_error(open.error());
  if (!given.credentials)
    return;
  p.door->use(*given.credentials);
  if (auto open = p.door->listen_tcp(given.host, given.port); !open)
    throw_error(open.error());
}

void node_process::start_transfer(const node_process_options& given) {
  auto& p = *parts_;
  objstore::transfer_options options;
  options.objects = p.roles->shared_store();
  options.host = given.host;
  // Told to others over the authenticated control plane, so new ones do as well as those on disk.
  options.keys = value_or_throw(objstore::make_curve_keys());
  p.transfer = value_or_throw(objstore::transfer::start(std::move(options)));
  auto& endpoint = p.transfer->endpoint();
  p.greeting.transfer_host = endpoint.host;
  p.greeting.transfer_port = endpoint.port;
  p.greeting.transfer_key = endpoint.public_key;
}

void node_process::start_hub(const node_process_options& given) {
  auto& p = *parts_;
  auto& roles = *p.roles;
  p.greeting.node = roles.id();
  auto as_strong = [](auto& handle) { return caf::actor_cast<caf::strong_actor_ptr>(handle); };
  hub_settings options;
  options.store = roles.shared_store();
  options.ports = roles.shared_ports();
  options.node = roles.id();
  options.slots = roles.threads().count().slots;
  options.log_directory = given.log_directory;
  auto& control = roles.control();
  options.record_actor = [&control](actor_id id, const actor_record& record) {
    control.put(gcs::table_kind::actors, to_binary(id), encode(record), record.job);
    if (record.state == actor_state::dead && !record.name.empty())
      control.erase(gcs::table_kind::names, actor_name_key(record.ray_namespace, record.name));
  };
  options.find_actor = [&control](actor_id id, auto then) {
    control.get(gcs::table_kind::actors, to_binary(id),
                [then](const result<std::optional<std::string>>& found) {
                  auto bytes = found.value_or(std::nullopt);
                  auto record = bytes ? decode<actor_record>(*bytes) : result<actor_record>{};
                  then(bytes && record ? std::optional(std::move(*record)) : std::nullopt);
                });
  };
  for (auto& shard : roles.shards())
    options.services.push_back(as_strong(shard));
  options.services.push_back(as_strong(roles.groups()));
  options.global_scheduler = as_strong(roles.global_scheduler());
  options.self = p.greeting;
  options.head = p.head;
  options.head_address = given.head_address;
  options.transfer = p.transfer;
  options.local_scheduler = as_strong(roles.local_scheduler());
  options.connect = [&system = roles.system(), credentials = given.credentials](
                      const std::string& address) { return hub_at(system, address, credentials); };
  options.program_folder = given.program_folder;
  if (roles.is_head()) {
    options.neighbour = [groups = roles.groups()](node_id node, const caf::strong_actor_ptr& its) {
      caf::anon_send(groups, scheduler::peer_atom_v, node, its);
    };
    options.node_died = [&control](const node_greeting& gone) {
      node_record record;
      record.alive = false;
      record.host = gone.host;
      record.address = gone.address;
      control.put(gcs::table_kind::nodes, to_binary(gone.node), encode(record));
    };
  } else {
    options.head_died = given.on_cluster_lost;
  }
  options.on_end = [&p] { p.front = nullptr; };
  auto front = spawn_in_io_thread<hub>(roles.system(), std::move(options));
  p.front = static_cast<hub*>(caf::actor_cast<caf::abstract_actor*>(as_strong(front)));
  std::lock_guard guard(p.mutex);
  p.front_actor = front;
}

node_process::parts::~parts() {
  door.reset();
  if (front_actor) {
    caf::scoped_actor self(roles->system());
    self->monitor(front_actor);
    caf::anon_send_exit(front_actor, caf::exit_reason::user_shutdown);
    self->receive([](const caf::down_msg&) {}, caf::after(std::chrono::seconds(5)) >> [] {});
    std::lock_guard guard(mutex);
    front_actor = nullptr;
  }
  head = nullptr;
  transfer.reset();
  if (roles)
    roles->stop(true);
}

node_process::~node_process() = default;

} // namespace caf_ray::cluster
