#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include <caf/all.hpp>

#include "gcs/client.hpp"
#include "gcs/lineage_log.hpp"
#include "gcs/scratch_folder.hpp"
#include "gcs/shard.hpp"
#include "libray/src/executor.hpp"
#include "libray/src/flags.hpp"
#include "libray/src/group_manager.hpp"
#include "objstore/store.hpp"
#include "scheduler/actors.hpp"
#include "scheduler/local_ports.hpp"

namespace caf_ray {

/// What this host calls itself.
std::string host_name();

/// The roles that the head of a cluster has for all its nodes.
struct head_roles {
  std::vector<gcs::shard_actor> shards;
  scheduler::global_actor global;
  group_manager_actor groups;
};

/// Functions of the runtime (or hub) that the node's actors call; see scheduler::local_options.
struct node_callbacks {
  std::function<bool(object_id)> watch;
  std::function<void(std::vector<task_ptr>&)> start;
  std::function<void(const task_ptr&, error)> drop;
  /// Prepares CAF for a node that other processes talk to; its schedulers then run in CAF's I/O
  /// thread, where messages arrive. Empty: an embedded node.
  std::function<void(caf::actor_system_config&)> configure;

  // -- of a node that may have others beside it
  /// Finds the head of the cluster, once the actor system is there. Empty: this node is the head.
  std::function<head_roles(caf::actor_system&)> enter;
  /// Where other nodes connect to this one.
  std::string address;
  std::function<bool(const task_ptr&, node_id)> forward;
  std::function<void(scheduler::input_place&)> locate;
  std::function<void(const scheduler::node_updates&)> nodes_changed;
};

/// The system roles of one host as CAF actors of this process: GCS shards, global scheduler, local
/// scheduler, object manager, and the executor and store they share. Embedded mode is one of these
/// inside the driver's process, without an open port.
///
/// At start: opens the GCS folder, the arena, then spawns from the bottom up. At the end: `stop`.
class node {
public:
  /// Throws RayException's kinds: a folder in use or of another version, no memory, no disk.
  node(const settings& given, node_callbacks callbacks);
  ~node();

  caf::actor_system& system() noexcept { return *system_; }
  executor& threads() noexcept { return *executor_; }
  objstore::store& store() noexcept { return *store_; }
  gcs::client& control() noexcept { return *control_; }
  gcs::lineage_log& lineage() noexcept { return *lineage_; }
  scheduler::local_ports& ports() noexcept { return *ports_; }
  const scheduler::local_actor& local_scheduler() const noexcept { return local_; }
  const scheduler::global_actor& global_scheduler() const noexcept { return global_; }
  const group_manager_actor& groups() const noexcept { return groups_; }
  const std::vector<gcs::shard_actor>& shards() const noexcept { return shards_; }
  const std::shared_ptr<objstore::store>& shared_store() const noexcept { return store_; }
  const std::shared_ptr<scheduler::local_ports>& shared_ports() const noexcept { return ports_; }
  node_id id() const noexcept { return id_; }
  const resource_set& resources() const noexcept { return total_; }
  /// It has the control store, the global scheduler and the groups; else those are the head's.
  bool is_head() const noexcept { return is_head_; }
  /// The highest number that a job had in earlier runs on this control store.
  job_id last_job() const noexcept { return last_job_; }

  /// Ends all actors and threads and closes the files. `user_code_ended` false: threads of user
  /// code still run; then only the system's own actors end and the files are closed, and this node
  /// must be kept for ever: what user code may still reach answers with errors.
  void stop(bool user_code_ended);

private:
  void open_folder(const settings& given);
  void start_store(const settings& given);
  void start_head_roles(const settings& given);
  void start_groups();
  void start_local(node_callbacks& callbacks);
  void follow_nodes(std::function<void(const scheduler::node_updates&)> changed);
  template <class F, class Options>
  auto spawn_role(F fun, Options options);
  void end_actors(std::vector<caf::strong_actor_ptr> actors);

  node_id id_;
  resource_set total_;
  /// Where the control store lies; in `temporary_folder_` when nobody named a folder.
  std::filesystem::path folder_;
  std::optional<scratch_folder> temporary_folder_;
  job_id last_job_ = 0;

  bool in_io_thread_ = false;
  bool is_head_ = true;
  std::unique_ptr<caf::actor_system_config> config_;
  std::unique_ptr<caf::actor_system> system_;
  executor* executor_ = nullptr;
  std::shared_ptr<objstore::store> store_;
  std::shared_ptr<scheduler::local_ports> ports_;
  std::vector<gcs::shard_actor> shards_;
  std::unique_ptr<gcs::client> control_;
  std::unique_ptr<gcs::lineage_log> lineage_;
  scheduler::local_actor local_;
  scheduler::global_actor global_;
  caf::actor manager_;
  group_manager_actor groups_;
  std::uint64_t node_subscription_ = 0;
};

} // namespace caf_ray
