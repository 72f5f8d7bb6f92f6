#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "gcs/types/error.hpp"
#include "libray/src/flags.hpp"
#include "libray/src/transport/credentials.hpp"

namespace caf_ray::cluster {

struct node_process_options {
  settings given;
  /// Where processes of this host find the node.
  std::string socket;
  /// Output of workers; empty: where this process's goes.
  std::string log_directory;
  /// The head of the cluster to enter; empty: this is one. And where others find this node.
  std::string head_address;
  std::string address;
  /// Where it listens for nodes of other hosts, with these; without, only processes and nodes of
  /// this host are served.
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  std::optional<transport::credentials> credentials;
  /// Keeps programs that came from other nodes.
  std::filesystem::path program_folder;
  /// The cluster is gone, since its head is. Called once, on any thread.
  std::function<void(const std::string& cause)> on_cluster_lost;
};

/// A node as a process of its own: the system roles, and the hub through which drivers and workers
/// of this host reach them.
class node_process {
public:
  /// Throws RayException: a folder in use, no memory, the socket is taken.
  explicit node_process(node_process_options options);
  /// Ends the workers, then the roles.
  ~node_process();

private:
  struct parts;
  void start_transfer(const node_process_options& given);
  void open_doors(const node_process_options& given);
  void start_hub(const node_process_options& given);

  std::unique_ptr<parts> parts_;
};

} // namespace caf_ray::cluster
