#pragma once

#include <functional>
#include <memory>
#include <string>

#include "libray/src/flags.hpp"
#include "gcs/types/error.hpp"

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
  void start_transfer();
  void start_hub(const node_process_options& given);

  std::unique_ptr<parts> parts_;
};

} // namespace caf_ray::cluster
