#include "libray/src/node.hpp"

#include <thread>

#include <unistd.h>

#include "gcs/client_port.hpp"
#include "gcs/types/codec.hpp"
#include "libray/src/cluster/io_thread.hpp"
#include "libray/src/control_reset.hpp"
#include "libray/src/exception.hpp"
#include "objstore/manager.hpp"
#include "scheduler/global.hpp"
#include "scheduler/local.hpp"

namespace caf_ray {

namespace {

using namespace std::chrono_literals;

/// For the last writes of a runtime whose user code does not end.
constexpr auto last_flush_patience = 300ms;

/// A task that would wait for longer than this goes elsewhere, if it can; what is bound to a node
/// already shall keep it busy for so long: some round trips to its workers.
constexpr auto overflow_wait = 100ms;
constexpr auto dispatch_ahead = 20ms;

constexpr scratch_kind gcs_scratch{
  "caf-ray-gcs-", [](std::string_view name) { return name.starts_with("shard-"); }};

gcs::durability durability_of(ray::GcsDurability given) {
  switch (given) {
    case ray::GcsDurability::EVERY_COMMIT: return gcs::durability::every_commit;
    case ray::GcsDurability::INTERVAL: return gcs::durability::interval;
    case ray::GcsDurability::NONE: return gcs::durability::none;
  }
  return gcs::durability::every_commit;
}

resource_set resources_of(const settings& given, unsigned slots, std::size_t store_bytes) {
  resource_set total;
  total.set("CPU", to_units(slots));
  total.set("object_store_memory", to_units(static_cast<double>(store_bytes)));
  for (auto& [name, amount] : given.resources)
    total.set(name, to_units(amount));
  return total;
}

} // namespace

std::string host_name() {
  char name[256] = "localhost";
  gethostname(name, sizeof(name) - 1);
  return name;
}

void node::open_folder(const settings& given) {
  if (!given.gcs_directory.empty()) {
    folder_ = given.gcs_directory;
    return;
  }
  // Programs that died by a signal have left theirs behind.
  scratch_folder::sweep({}, gcs_scratch);
  auto made = scratch_folder::make({}, gcs_scratch);
  if (!made)
    throw_error(
      {made.error().code, made.error().what
                            + " (for the control store); set TMPDIR or "
                              "RayConfig::gcs_directory to a folder that can be written"});
  temporary_folder_.emplace(std::move(*made));
  folder_ = temporary_folder_->path();
}

template <class F, class Options>
auto node::spawn_role(F fun, Options options) {
  return in_io_thread_ ? cluster::spawn_function_in_io_thread(*system_, fun, std::move(options))
                       : system_->spawn<caf::hidden>(fun, std::move(options));
}

node::node(const settings& given, node_callbacks callbacks) : id_(random_id<node_id>()) {
  const auto slots = given.num_cpus.value_or(std::max(1u, std::thread::hardware_concurrency()));
  is_head_ = callbacks.enter == nullptr;
  if (is_head_)
    open_folder(given);
  try {
    start_store(given);
    total_ = resources_of(given, slots, store_->stats().capacity_bytes);

    config_ = std::make_unique<caf::actor_system_config>();
    announce_messages(*config_);
    config_->set("scheduler.max-threads", std::max(1u, slots));
    config_->load<executor>();
    in_io_thread_ = callbacks.configure != nullptr;
    if (in_io_thread_)
      callbacks.configure(*config_);
    system_ = std::make_unique<caf::actor_system>(*config_);
    executor_ = static_cast<executor*>(&system_->scheduler());

    if (is_head_) {
      start_head_roles(given);
    } else {
      auto head = callbacks.enter(*system_);
      shards_ = std::move(head.shards);
      global_ = std::move(head.global);
      groups_ = std::move(head.groups);
      control_ = gcs::make_client(*system_, shards_);
    }
    lineage_ = std::make_unique<gcs::lineage_log>(*control_);
    start_local(callbacks);
    follow_nodes(std::move(callbacks.nodes_changed));

    objstore::manager_options manager;
    manager.objects = store_;
    manager_ = caf::actor_cast<caf::actor>(system_->spawn<caf::hidden>(objstore::manager, manager));
    if (is_head_)
      start_groups();
  } catch (...) {
    stop(true);
    throw;
  }
}

void node::start_store(const settings& given) {
  objstore::store_options options;
  options.capacity_bytes = given.object_store_memory_bytes;
  options.spill_directory = given.spill_directory;
  store_ = value_or_throw(objstore::store::open(options));
}

void node::start_head_roles(const settings& given) {
  gcs::table_options tables;
  tables.folder = folder_;
  tables.shard_count = given.gcs_shards;
  tables.sync = temporary_folder_ ? gcs::durability::none : durability_of(given.gcs_durability);
  shards_ = value_or_throw(gcs::spawn_shards(*system_, tables));
  control_ = gcs::make_client(*system_, shards_);
  if (!temporary_folder_)
    last_job_ = value_or_throw(reset_control(*control_));
  scheduler::global_options global;
  global.seed = random_bits()[0];
  global_ = spawn_role(scheduler::global_scheduler, global);
}

void node::start_local(node_callbacks& callbacks) {
  ports_ = std::make_shared<scheduler::local_ports>();
  ports_->watch = std::move(callbacks.watch);
  ports_->start = std::move(callbacks.start);
  scheduler::local_options local;
  local.ports = ports_;
  local.node = id_;
  local.host = host_name();
  local.total = total_;
  local.seed = random_bits()[0];
  local.drop = std::move(callbacks.drop);
  local.forward = std::move(callbacks.forward);
  local.locate = std::move(callbacks.locate);
  if (local.forward) {
    local.overflow_wait = overflow_wait;
    local.dispatch_ahead = dispatch_ahead;
  }
  local.report = [this, address = callbacks.address](node_record record) {
    record.address = address;
    record.is_head = is_head_;
    control_->put(gcs::table_kind::nodes, to_binary(id_), encode(record));
  };
  local_ = spawn_role(scheduler::local_scheduler, local);
  caf::anon_send(
    local_, scheduler::replicas_atom_v,
    std::vector<caf::strong_actor_ptr>{caf::actor_cast<caf::strong_actor_ptr>(global_)});

  // What the first heartbeat will say, so that the first request meets a cluster with a node.
  node_record self;
  self.host = local.host;
  self.total = self.available = total_;
  caf::anon_send(global_, scheduler::nodes_atom_v, scheduler::node_updates{{id_, self}});
}

/// Load and membership go through the store: schedulers hear of nodes as the GCS tells it.
void node::follow_nodes(std::function<void(const scheduler::node_updates&)> changed) {
  node_subscription_ = control_->subscribe(
    gcs::table_kind::nodes, "",
    [local = local_, global = is_head_ ? global_ : scheduler::global_actor{},
     changed = std::move(changed)](const auto& changes) {
      scheduler::node_updates updates;
      for (const gcs::change& c : changes) {
        auto id = from_binary<node_id>(c.key);
        auto record = c.erased ? result<node_record>(node_record{}) : decode<node_record>(c.value);
        if (!id || !record)
          continue;
        if (c.erased)
          record->alive = false;
        updates.emplace_back(*id, std::move(*record));
      }
      if (changed)
        changed(updates);
      caf::anon_send(local, scheduler::nodes_atom_v, updates);
      if (global)
        caf::anon_send(global, scheduler::nodes_atom_v, std::move(updates));
    });
}

void node::start_groups() {
  group_manager_options options;
  options.global = global_;
  options.local = local_;
  options.local_node = id_;
  options.record = [this](group_id id, const group_record& record) {
    control_->put(gcs::table_kind::groups, to_binary(id), encode(record), record.job);
    if (record.state == group_state::removed && !record.name.empty())
      control_->erase(gcs::table_kind::names, group_name_key(record.ray_namespace, record.name));
  };
  groups_ = spawn_role(group_manager, options);
}

node::~node() = default;

void node::end_actors(std::vector<caf::strong_actor_ptr> actors) {
  // Waits until they have ended: their callbacks use what is closed next.
  caf::scoped_actor self(*system_);
  std::size_t left = 0;
  for (auto& actor : actors) {
    if (!actor)
      continue;
    self->monitor(caf::actor_cast<caf::actor>(actor));
    caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
    ++left;
  }
  actors.clear();
  bool late = false;
  while (left > 0 && !late)
    self->receive([&](const caf::down_msg&) { --left; }, caf::after(5s) >> [&] { late = true; });
}

void node::stop(bool user_code_ended) {
  if (store_)
    store_->close();
  if (!system_)
    return;
  auto as_strong = [](auto& handle) { return caf::actor_cast<caf::strong_actor_ptr>(handle); };
  if (is_head_)
    end_actors({as_strong(local_), as_strong(global_), as_strong(manager_), as_strong(groups_)});
  else
    end_actors({as_strong(local_), as_strong(manager_)});
  // The lineage log and the client write what they still have; then the shards close their files.
  if (control_ && node_subscription_)
    control_->unsubscribe(node_subscription_);
  if (user_code_ended) {
    lineage_.reset();
    control_.reset();
  } else {
    // What still runs may have a foot in the door of either.
    if (lineage_)
      lineage_->flush(last_flush_patience);
    if (control_)
      control_->flush(last_flush_patience);
  }
  std::vector<caf::strong_actor_ptr> shards;
  for (auto& shard : shards_)
    if (is_head_)
      shards.push_back(as_strong(shard));
  shards_.clear();
  end_actors(std::move(shards));
  temporary_folder_.reset();
  if (!user_code_ended)
    return;
  local_ = nullptr;
  global_ = nullptr;
  manager_ = nullptr;
  groups_ = nullptr;
  // Native actors that were killed end as the executor stops; nobody else is to be awaited.
  system_->await_actors_before_shutdown(false);
  system_.reset();
  config_.reset();
  ports_.reset();
  store_.reset();
}

} // namespace caf_ray
