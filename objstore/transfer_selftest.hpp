#pragma once

#include <chrono>

#include <zmq.hpp>

#include "objstore/transfer_link.hpp"

namespace caf_ray::objstore {

/// Tries a transfer's door from outside: a client with a new random key must be turned away for its
/// key, one with the keys in `options` must get an answer to a request. libzmq lets everybody in
/// when its gate is lacking, and says nothing. Takes two handshakes, `patience` each at most.
/// Errors: io_failed (the door does not hold, or does not open).
result<void> try_door(zmq::context_t& context, const transfer_source& door,
                      const link_options& options, std::chrono::milliseconds patience);

} // namespace caf_ray::objstore
