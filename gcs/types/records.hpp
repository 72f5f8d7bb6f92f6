#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "gcs/types/ids.hpp"
#include "gcs/types/resources.hpp"

/// The values of the GCS tables. Plain values: comparable, and encoded by `codec.hpp`.
/// Times are milliseconds since the Unix epoch, for people only; nothing decides by them.
namespace caf_ray {

/// Now, for such a time.
inline std::int64_t unix_time_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

/// One copy of an object on one node. Key: object id, node id.
struct object_record {
  std::uint64_t size_bytes = 0;
  /// On disk there rather than in memory.
  bool spilled = false;

  bool operator==(const object_record&) const = default;
  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, object_record& x) {
    return f(x.size_bytes, x.spilled);
  }
};

/// Registered code. Key: the function's name; the content hash is empty while every process
/// runs the same executable.
struct function_record {
  std::string content_hash;
  std::string path;

  bool operator==(const function_record&) const = default;
  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, function_record& x) {
    return f(x.content_hash, x.path);
  }
};

///           create            placed            factory returned
///   (none) -------> pending -------> starting ------------------> alive
///                      ^                                            |
///                      |  restarts left             process died,   |
///                      +--- restarting <---- Kill(false) -----------+
///                                                                   |
///                     dead <---- Kill, ExitActor, no restarts left -+
enum class actor_state : std::uint8_t { pending, starting, alive, restarting, dead };

/// Key: actor id.
struct actor_record {
  job_id job = 0;
  std::string class_name;
  std::string name;
  std::string ray_namespace;
  actor_state state = actor_state::pending;
  /// Where it runs; and the node that created it, which keeps its calls in order and restarts it.
  node_id node;
  node_id home;
  std::uint32_t restarts = 0;
  bool detached = false;
  /// Why it died; empty while it lives.
  std::string death_cause;

  bool operator==(const actor_record&) const = default;
  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, actor_record& x) {
    return f(x.job, x.class_name, x.name, x.ray_namespace, x.state, x.node, x.home, x.restarts,
             x.detached, x.death_cause);
  }
};

/// A node as it last described itself. Key: node id.
struct node_record {
  std::string host;
  bool alive = true;
  resource_set total;
  resource_set available;
  /// Ready tasks that wait for a slot or for resources.
  std::uint64_t queue_length = 0;
  /// Exponential average over the tasks that ran here, microseconds.
  double mean_task_us = 0;
  std::uint64_t heartbeat_count = 0;
  /// Where other nodes connect to it; empty: nowhere.
  std::string address;
  /// Has the control store; the others come to it.
  bool is_head = false;

  bool operator==(const node_record&) const = default;
  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, node_record& x) {
    return f(x.host, x.alive, x.total, x.available, x.queue_length, x.mean_task_us,
             x.heartbeat_count, x.address, x.is_head);
  }
};

/// Key: job id, big endian.
struct job_record {
  std::string ray_namespace;
  std::string entry_point;
  std::int64_t started_ms = 0;
  std::int64_t ended_ms = 0;
  bool alive = true;

  bool operator==(const job_record&) const = default;
  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, job_record& x) {
    return f(x.ray_namespace, x.entry_point, x.started_ms, x.ended_ms, x.alive);
  }
};

enum class group_strategy : std::uint8_t { pack, spread, strict_pack, strict_spread };
enum class group_state : std::uint8_t { pending, prepared, created, removed, rescheduling };

/// Key: group id.
struct group_record {
  std::string name;
  job_id job = 0;
  std::string ray_namespace;
  group_strategy strategy = group_strategy::pack;
  group_state state = group_state::pending;
  std::vector<resource_set> bundles;
  /// Node of each bundle; nil while it has none.
  std::vector<node_id> places;
  /// Why it is not created yet; empty otherwise.
  std::string pending_reason;

  bool operator==(const group_record&) const = default;
  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, group_record& x) {
    return f(x.name, x.job, x.ray_namespace, x.strategy, x.state, x.bundles, x.places,
             x.pending_reason);
  }
};

/// Something worth telling a person. Key: assigned in order by the shard.
struct event_record {
  std::int64_t at_ms = 0;
  std::string source;
  std::string text;

  bool operator==(const event_record&) const = default;
  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, event_record& x) {
    return f(x.at_ms, x.source, x.text);
  }
};

} // namespace caf_ray
