#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "gcs/types/ids.hpp"
#include "libray/src/cluster/wire.hpp"

namespace caf_ray::cluster {

/// What a process says of itself when it joins a node of its host.
struct hello {
  std::uint32_t version = wire_version;
  bool is_worker = false;
  std::uint32_t pid = 0;
  /// Of a worker: the number it was started with. 0: a driver.
  std::uint64_t token = 0;
  /// Of a driver: the file to start its workers from.
  std::string program;

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, hello& x) {
    return f(x.version, x.is_worker, x.pid, x.token, x.program);
  }
};

/// What the node answers.
struct welcome {
  node_id node;
  /// Where the arena can be opened by processes of the same user.
  std::string memory_path;
  std::uint64_t memory_bytes = 0;
  std::uint32_t slots = 1;
  std::uint32_t shard_count = 0;
  /// Of a worker: whose tasks it will run.
  job_id job = 0;
  std::string ray_namespace;
  /// Of a worker for plain tasks: where its `start_mark`s can be opened, and which block is its
  /// own. Empty: it has none.
  std::string marks_path;
  std::uint32_t marks_block = 0;

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, welcome& x) {
    return f(x.node, x.memory_path, x.memory_bytes, x.slots, x.shard_count, x.job, x.ray_namespace,
             x.marks_path, x.marks_block);
  }
};

/// What a node says of itself to another one.
struct node_greeting {
  std::uint32_t version = wire_version;
  node_id node;
  std::string host;
  /// Where other nodes connect to it: over TLS, or (without credentials) by the socket of its port.
  std::string address;
  bool has_credentials = false;
  /// Milliseconds since the Unix epoch, when it was said.
  std::int64_t clock_ms = 0;
  /// Where its objects are to be had (`objstore::transfer_source`).
  std::string transfer_host;
  std::uint16_t transfer_port = 0;
  std::string transfer_key;

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, node_greeting& x) {
    return f(x.version, x.node, x.host, x.address, x.has_credentials, x.clock_ms, x.transfer_host,
             x.transfer_port, x.transfer_key);
  }
};

template <class Record>
std::string pack(const Record& record) {
  std::string bytes;
  flat_writer(bytes).write(record);
  return bytes;
}

/// Error: corrupt, when the bytes are not exactly such a record.
template <class Record>
result<Record> unpack(std::string_view bytes) {
  Record record;
  flat_reader reader(bytes);
  reader.read(record);
  if (reader.failed() || !reader.at_end())
    return fail(errc::corrupt, "a greeting of another shape: another version of caf-ray?");
  return record;
}

} // namespace caf_ray::cluster
