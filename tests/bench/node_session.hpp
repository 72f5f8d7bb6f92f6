#pragma once

#include <filesystem>

namespace caf_ray::bench {

/// A node of its own, as a process, and this process as its driver. For one case.
class node_session {
public:
  /// Throws when the node does not start.
  node_session();
  ~node_session();
  node_session(const node_session&) = delete;
  node_session& operator=(const node_session&) = delete;

private:
  std::filesystem::path folder_;
};

} // namespace caf_ray::bench
