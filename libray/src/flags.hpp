#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <ray/api/ray_config.h>

/// From what a program gives to Init to what the runtime starts with. A pure step: nothing is kept
/// from one call to the next.
namespace caf_ray {

/// What only a worker process is told, by flags.
struct worker_settings {
  std::string raylet_socket_name;
  std::string plasma_store_socket_name;
  std::uint16_t node_manager_port = 0;
  std::int64_t startup_token = -1;
  int runtime_env_hash = -1;
};

/// Flags, config and environment, merged and checked.
struct settings {
  /// The cluster to join. Empty: this process is a node of its own (always so in local mode).
  std::string address;
  bool local_mode = false;
  bool is_worker = false;

  /// As given; see `absolute_search_path`.
  std::vector<std::string> code_search_path;
  ray::ActorLifetime default_actor_lifetime = ray::ActorLifetime::NON_DETACHED;
  std::optional<ray::RuntimeEnv> runtime_env;
  /// Of the job, as whoever submitted it gave it.
  std::map<std::string, std::string> metadata;
  /// Empty: the caller makes a fresh one.
  std::string ray_namespace;
  std::optional<std::uint32_t> job_id;
  std::string session_directory;
  std::string logs_directory;
  std::string node_ip_address;
  worker_settings worker;

  /// Nothing: the number of cores. 0 is a node that takes only tasks that need no CPU.
  std::optional<unsigned> num_cpus;
  /// Checked as resource_set::check does; never "CPU" or "object_store_memory".
  std::map<std::string, double> resources;
  /// 0: from the available memory.
  std::size_t object_store_memory_bytes = 0;
  std::string spill_directory;
  std::string gcs_directory;
  unsigned gcs_shards = 2;
  ray::GcsDurability gcs_durability = ray::GcsDurability::EVERY_COMMIT;
  ray::RayLoggerLevel log_level = ray::RayLoggerLevel::INFO;

  /// For the log: flags that look like a misspelt one of ours.
  std::vector<std::string> warnings;
};

/// The value of an environment variable, or null. std::getenv is one.
using environment = std::function<const char*(const char* name)>;

/// Words of `argv` (the first is the program) that are no flags of ours are passed over; after a
/// word "--" nothing is read. A flag is --name=value or --name value, with one dash or two; the
/// last of several counts; an empty text is as if not given. Throws RayException that names what
/// was given, where, and what is accepted.
settings resolve_settings(const ray::RayConfig& config, int argc, const char* const* argv,
                          const environment& getenv);

/// The same paths, absolute. Throws RayException for one that does not exist. Reads the disk.
std::vector<std::string> absolute_search_path(const std::vector<std::string>& paths);

} // namespace caf_ray
