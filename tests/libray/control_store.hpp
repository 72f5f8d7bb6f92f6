#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <caf/all.hpp>

#include "gcs/client_port.hpp"
#include "gcs/shard.hpp"

/// A control store of two shards in `folder`, opened by the test itself.
struct control_store {
  explicit control_store(const std::filesystem::path& folder) {
    config.add_message_types<caf::id_block::caf_ray>();
    system = std::make_unique<caf::actor_system>(config);
    caf_ray::gcs::table_options options;
    options.folder = folder;
    options.shard_count = 2;
    options.sync = caf_ray::gcs::durability::none;
    shards = caf_ray::gcs::spawn_shards(*system, options).value();
    client = caf_ray::gcs::make_client(*system, shards);
  }
  ~control_store() {
    client.reset();
    for (auto& shard : shards)
      caf::anon_send_exit(shard, caf::exit_reason::user_shutdown);
  }
  control_store(const control_store&) = delete;
  control_store& operator=(const control_store&) = delete;

  std::vector<caf_ray::gcs::entry> entries(caf_ray::gcs::table_kind table) {
    auto scanned = client->scan(table);
    BOOST_REQUIRE_MESSAGE(scanned, "scan failed: " << scanned.error().what);
    return std::move(*scanned);
  }
  std::size_t count(caf_ray::gcs::table_kind table) { return entries(table).size(); }

  caf::actor_system_config config;
  std::unique_ptr<caf::actor_system> system;
  std::vector<caf_ray::gcs::shard_actor> shards;
  std::unique_ptr<caf_ray::gcs::client> client;
};
