#pragma once

#include "libray/src/transport/openssl_handles.hpp"

namespace caf_ray::transport {

/// OpenSSL's view of a socket that it does not own. Unlike OpenSSL's own it never raises SIGPIPE,
/// which a peer that hangs up would otherwise send to a process that does not expect it. nullptr
/// without memory.
BIO* make_socket_bio(int fd);

} // namespace caf_ray::transport
