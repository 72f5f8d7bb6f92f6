// How a program starts its runtime.
//
//   ray::RayConfig config;
//   config.num_cpus = 2;                 // this process as a node of its own, with two slots
//   config.resources = {{"simulator", 4}};
//   ray::Init(config, argc, argv);       // --ray_address=10.0.0.1:6379 joins a cluster instead
#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>
#include <vector>

#include <boost/optional.hpp>

#include <ray/api/logging.h>
#include <ray/api/runtime_env.h>

namespace ray {

/// Whether an actor ends with its job (NON_DETACHED) or stays until it is killed (DETACHED).
enum class ActorLifetime { NON_DETACHED, DETACHED };

/// When a record of the control store survives the power going off. It survives the end of the
/// process in all three.
enum class GcsDurability {
  /// On the disk before it is acknowledged.
  EVERY_COMMIT,
  /// On the disk a tenth of a second later; a power cut in between may cost the whole folder.
  INTERVAL,
  /// Never forced to the disk.
  NONE,
};

/// What ray::Init reads, once; it is not changed and not kept: each Init starts from the config it
/// is given. A flag goes before its field here, and a field before its environment variable. Init
/// throws RayException for a value outside its range, and says which and where it came from.
class RayConfig {
public:
  /// "ip:port" of a cluster to join; a host name does too, IPv6 as "[::1]:port". Empty: the
  /// variable RAY_ADDRESS; empty as well: this process is a node of its own. Flag --ray_address.
  std::string address = "";

  /// Everything in this process, whatever the address says.
  bool local_mode = false;

  /// Shared libraries, and folders of them, that workers load besides the program itself. Relative
  /// to the current folder; each must exist. Flag --ray_code_search_path, separated by ':'.
  std::vector<std::string> code_search_path = {};

  /// Words for the node that this program starts: --num-cpus N, --num-gpus N, --memory BYTES,
  /// --object-store-memory BYTES, --resources JSON; also as --name=value. They go before the fields
  /// below. Flag --ray_head_args, separated by blanks, comes after these words.
  std::vector<std::string> head_args = {};

  /// Of actors that do not say so themselves. Flag --ray_default_actor_lifetime.
  ActorLifetime default_actor_lifetime = ActorLifetime::NON_DETACHED;

  /// For all tasks and actors of the job, which may add their own. Flag --ray_runtime_env.
  boost::optional<RuntimeEnv> runtime_env;

  /// Accepted and without effect: there is no Redis here.
  boost::optional<std::string> redis_username_;
  boost::optional<std::string> redis_password_;

  /// True in worker processes only; the runtime sets it.
  bool is_worker_ = false;

  /// Names of actors are found within a namespace. Empty: a fresh one for each Init. Flag
  /// --ray_job_namespace.
  std::string ray_namespace = "";

  // From here on beyond Ray's own.

  /// Tasks that run at the same time, and what the resource "CPU" amounts to: 0 (as many as the
  /// machine has cores) to 65536.
  int num_cpus = 0;

  /// Other resources that this node offers, by name. Positive; whole above 1. "GPU" and "memory"
  /// (bytes) may be here, "CPU" and "object_store_memory" have fields of their own.
  std::unordered_map<std::string, double> resources = {};

  /// Shared memory for objects. 0: a share of the memory that is available at the start.
  std::size_t object_store_memory_bytes = 0;

  /// Where objects go when memory is full. Empty: the system's temporary folder.
  std::string spill_directory = "";

  /// Where the control store keeps its files; a later Init on the same folder finds them. Empty: a
  /// temporary folder, removed by Shutdown.
  std::string gcs_directory = "";

  /// Parts of the control store, 1 to 1024. A folder keeps the number it was made with.
  int gcs_shards = 2;

  /// Of `gcs_directory`; a temporary folder has NONE.
  GcsDurability gcs_durability = GcsDurability::EVERY_COMMIT;

  /// Log lines under this level are not written. None: the variable RAY_BACKEND_LOG_LEVEL; unset
  /// as well: INFO.
  boost::optional<RayLoggerLevel> log_level;
};

} // namespace ray
