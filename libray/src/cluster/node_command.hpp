#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gcs/types/error.hpp"

/// The words that caf-ray-node is given.
namespace caf_ray::cluster {

enum class node_word : std::uint8_t { start, stop, status, keygen, version, help };

/// Exit codes, after sysexits.h.
enum exit_code : int {
  exit_ok = 0,
  /// The words make no sense.
  exit_usage = 64,
  /// No node runs there, or it does not answer.
  exit_unavailable = 69,
  /// The node could not start: folder or port in use, no memory, no disk.
  exit_cannot_start = 73,
  /// The configuration is not allowed or cannot work.
  exit_config = 78,
};

struct node_command {
  node_word word = node_word::help;
  bool head = false;
  /// Of the cluster to join.
  std::string address;
  std::uint16_t port = 6379;
  /// The address of this host that other nodes reach it at.
  std::string host = "127.0.0.1";
  /// Folder of the member's certificate and keys; empty: nodes of this host only.
  std::string credentials;
  /// Of keygen: the folder to make, and the name of the cluster.
  std::string folder;
  std::string cluster = "cluster";
  /// Stay in the foreground.
  bool block = false;
  /// Where the node keeps its files; empty: a folder of its port beside the sockets.
  std::string directory;
  /// Nothing: the number of cores.
  std::optional<unsigned> num_cpus;
  std::map<std::string, double> resources;
  /// 0: a share of the memory that is available.
  std::size_t object_store_memory_bytes = 0;
};

/// Error: invalid_argument, a line for people that names the word and what is accepted.
result<node_command> parse_node_command(const std::vector<std::string>& words);

/// What --help prints.
std::string node_usage();

} // namespace caf_ray::cluster
