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

std::string host_name() {
  char name[256] = "localhost";
  gethostname(name, sizeof(name) - 1);
  return name;
}

} // namespace

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
  open_folder(given);
  try {
    objstore::store_options store_options;
    store_options.capacity_bytes = given.object_store_memory_bytes;
    store_options.spill_directory = given.spill_directory;
    store_ = value_or_throw(objstore::store::open(store_options));
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

    gcs::table_options tables;
    tables.folder = folder_;
    tables.shard_count = given.gcs_shards;
    tables.sync = temporary_folder_ ? gcs::durability::none : durability_of(given.gcs_durability);
    shards_ = value_or_throw(gcs::spawn_shards(*system_, tables));
    control_ = gcs::make_client(*system_, shards_);
    if (!temporary_folder_)
      last_job_ = value_or_throw(reset_control(*control_));
    lineage_ = std::make_unique<gcs::lineage_log>(*control_);

    scheduler::global_options global;
    global.seed = random_bits()[0];
    global_ = spawn_role(scheduler::global_scheduler, global);

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
    local.report = [this](const node_record& record) {
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

    // Load and membership go through the store: schedulers hear of nodes as the GCS tells it.
    node_subscription_ = control_->subscribe(
      gcs::table_kind::nodes, "", [local = local_, global = global_](const auto& changes) {
        scheduler::node_updates updates;
        for (const gcs::change& c : changes) {
          auto id = from_binary<node_id>(c.key);
          auto record =
            c.erased ? result<node_record>(node_record{}) : decode<node_record>(c.value);
          if (!id || !record)
            continue;
          if (c.erased)
            record->alive = false;
          updates.emplace_back(*id, std::move(*record));
        }
        caf::anon_send(local, scheduler::nodes_atom_v, updates);
        caf::anon_send(global, scheduler::nodes_atom_v, std::move(updates));
      });

    objstore::manager_options manager;
    manager.objects = store_;
    manager_ = caf::actor_cast<caf::actor>(system_->spawn<caf::hidden>(objstore::manager, manager));

    group_manager_options groups;
    groups.global = global_;
    groups.local = local_;
    groups.local_node = id_;
    groups.record = [this](group_id id, const group_record& record) {
      control_->put(gcs::table_kind::groups, to_binary(id), encode(record), record.job);
      if (record.state == group_state::removed && !record.name.empty())
        control_->erase(gcs::table_kind::names, group_name_key(record.ray_namespace, record.name));
    };
    groups_ = spawn_role(group_manager, groups);
  } catch (...) {
    stop(true);
    throw;
  }
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
  end_actors({as_strong(local_), as_strong(global_), as_strong(manager_), as_strong(groups_)});
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
