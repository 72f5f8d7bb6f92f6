#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "gcs/types/error.hpp"
#include "libray/src/transport/connection.hpp"

/// How processes of a host find its node.
namespace caf_ray::cluster {

/// The parts of HOST:PORT. Error: invalid_argument.
std::string host_of(const std::string& address);
result<std::uint16_t> port_of(const std::string& address);
/// Whether only processes of this host can reach it.
bool is_loopback(const std::string& host);

/// Where nodes of this user put their sockets: in $XDG_RUNTIME_DIR, else in the system's temporary
/// folder under a name with the user's number. Not made here.
std::filesystem::path run_folder();

/// The socket of the node on this host that belongs to the cluster at `address` ("host:port").
std::filesystem::path socket_of(const std::string& address);

/// Joins that node. Errors: not_found (and what to run), refused, timed_out, io_failed.
result<transport::connection> connect_to_node(const std::string& address);

} // namespace caf_ray::cluster
