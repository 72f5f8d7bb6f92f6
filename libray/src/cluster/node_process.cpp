#include "libray/src/cluster/node_process.hpp"

#include <utility>

#include "gcs/types/codec.hpp"
#include "libray/src/actor_entry.hpp"
#include "libray/src/cluster/hub.hpp"
#include "libray/src/exception.hpp"
#include "libray/src/node.hpp"
#include "libray/src/transport/basp.hpp"
#include "libray/src/transport/listener.hpp"
#include "ray/api/logging.h"

namespace caf_ray::cluster {

struct node_process::parts {
  /// From before the first process can join until the hub has ended; in the I/O thread.
  hub* front = nullptr;
  hub_actor front_actor;
  std::unique_ptr<node> roles;
  std::unique_ptr<transport::listener> door;

  /// Also when the node could not start as a whole.
  ~parts();
};

node_process::node_process(node_process_options options) : parts_(std::make_unique<parts>()) {
  auto& p = *parts_;
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
  p.roles = std::make_unique<node>(options.given, std::move(callbacks));
  auto& roles = *p.roles;

  hub_settings hub_options;
  hub_options.store = roles.shared_store();
  hub_options.ports = roles.shared_ports();
  hub_options.node = roles.id();
  hub_options.slots = roles.threads().count().slots;
  hub_options.log_directory = options.log_directory;
  hub_options.record_actor = [&control = roles.control()](actor_id id, const actor_record& record) {
    control.put(gcs::table_kind::actors, to_binary(id), encode(record), record.job);
    if (record.state == actor_state::dead && !record.name.empty())
      control.erase(gcs::table_kind::names, actor_name_key(record.ray_namespace, record.name));
  };
  hub_options.on_end = [&p] { p.front = nullptr; };
  for (auto& shard : roles.shards())
    hub_options.services.push_back(caf::actor_cast<caf::strong_actor_ptr>(shard));
  hub_options.services.push_back(caf::actor_cast<caf::strong_actor_ptr>(roles.groups()));
  p.front_actor = spawn_in_io_thread<hub>(roles.system(), std::move(hub_options));
  p.front = static_cast<hub*>(
    caf::actor_cast<caf::abstract_actor*>(caf::actor_cast<caf::strong_actor_ptr>(p.front_actor)));

  auto published = caf::actor_cast<caf::strong_actor_ptr>(p.front_actor);
  p.door = value_or_throw(transport::listener::start(
    [&system = roles.system(), published](transport::connection c) {
      transport::serve(system, std::move(c), published);
    },
    {.turned_away = [](const error& why) { RAYLOG(WARNING) << "turned away: " << why.what; }}));
  if (auto open = p.door->listen_unix(options.socket); !open)
    throw_error(open.error());
}

node_process::parts::~parts() {
  door.reset();
  if (front_actor) {
    caf::scoped_actor self(roles->system());
    self->monitor(front_actor);
    caf::anon_send_exit(front_actor, caf::exit_reason::user_shutdown);
    self->receive([](const caf::down_msg&) {}, caf::after(std::chrono::seconds(5)) >> [] {});
    front_actor = nullptr;
  }
  if (roles)
    roles->stop(true);
}

node_process::~node_process() = default;

} // namespace caf_ray::cluster
