#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include <sys/socket.h>

#include "gcs/types/error.hpp"
#include "libray/src/transport/connection.hpp"
#include "libray/src/transport/credentials.hpp"
#include "libray/src/transport/file_descriptor.hpp"

namespace caf_ray::transport {

/// Connects to a node of another host and proves who both are. One deadline for finding the host,
/// connecting (its addresses one after the other) and the handshake. Blocks: not for threads of
/// CAF's scheduler. Errors: not_found (no such host, nobody listens), timed_out, refused (either
/// side does not accept the other's certificate; the text says which and why), io_failed.
result<connection> connect_tls(const std::string& host, std::uint16_t port, const credentials&,
                               std::chrono::milliseconds patience);

/// A TCP socket that listens at an IP address; port 0 takes a free one. For the listener.
/// Errors: invalid_argument (no IP address), in_use, io_failed (no such address here).
struct tcp_door {
  file_descriptor fd;
  std::uint16_t port = 0;

  static result<tcp_door> open(const std::string& address, std::uint16_t port);
};

/// Small messages at once, and an end after 10 s when the kernel gets no acknowledgements.
void tune_tcp(int fd);

/// "10.0.0.2:4040", "[fe80::1]:4040"
std::string to_string(const sockaddr_storage&);

} // namespace caf_ray::transport
