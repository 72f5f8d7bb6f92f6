#pragma once

#include <cstddef>
#include <string>

#include <ray/api.h>

namespace caf_ray::bench {

/// A runtime in this process for one case. Lineage is on, as always.
struct session {
  struct options {
    /// 0: as many as the machine has cores.
    int slots = 0;
    std::size_t store_bytes = std::size_t{256} << 20;
    /// Empty: a temporary folder, removed at the end.
    std::string gcs_directory = "";
  };

  session() : session(options{}) {}
  explicit session(const options& given) {
    ray::RayConfig config;
    config.num_cpus = given.slots;
    config.object_store_memory_bytes = given.store_bytes;
    config.gcs_directory = given.gcs_directory;
    config.gcs_durability = ray::GcsDurability::NONE; // as with a temporary folder
    config.log_level = ray::RayLoggerLevel::ERROR;
    ray::Init(config);
  }
  ~session() { ray::Shutdown(); }
  session(const session&) = delete;
  session& operator=(const session&) = delete;
};

} // namespace caf_ray::bench
