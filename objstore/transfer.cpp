#include "objstore/transfer.hpp"

#include <cerrno>
#include <utility>

#include <zmq.hpp>

#include "objstore/transfer_loop.hpp"
#include "objstore/transfer_selftest.hpp"
#include "objstore/transfer_wire.hpp"

namespace caf_ray::objstore {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kib = 1024, mib = 1024 * kib;

bool is_time(std::chrono::milliseconds x) {
  return x >= 1ms && x <= 24h;
}

/// The public key that belongs to the secret one; empty when that is none.
std::string public_key_of(const std::string& secret_key) {
  char text[41];
  if (!parse_key(secret_key) || zmq_curve_public(text, secret_key.c_str()) != 0)
    return {};
  return text;
}

std::string first_fault(const transfer_options& x) {
  if (!x.objects)
    return "objects must be given";
  if (x.host.empty() || x.host.find_first_of("*;/") != x.host.npos)
    return "host must be an address or a name";
  if (x.keys.public_key.empty() || public_key_of(x.keys.secret_key) != x.keys.public_key)
    return "keys must be a pair of CURVE keys";
  if (x.chunk_bytes < 64 * kib || x.chunk_bytes > wire::max_chunk_bytes)
    return "chunk_bytes must be 64 KiB to 16 MiB";
  if (x.window_bytes < x.chunk_bytes || x.window_bytes > 256 * mib)
    return "window_bytes must be at least chunk_bytes and at most 256 MiB";
  if (x.flight_bytes < x.window_bytes)
    return "flight_bytes must be at least window_bytes";
  if (x.owed_bytes < wire::max_chunk_bytes)
    return "owed_bytes must be at least 16 MiB";
  if (x.connections < 1 || x.connections > 16)
    return "connections must be 1 to 16";
  if (x.io_threads < 1 || x.io_threads > 64)
    return "io_threads must be 1 to 64";
  if (x.attempts < 1)
    return "attempts must be at least 1";
  for (auto time : {x.first_backoff, x.last_backoff, x.link_idle, x.restore_patience,
                    x.heartbeat_interval, x.heartbeat_timeout, x.handshake_timeout})
    if (!is_time(time))
      return "times must be 1 ms to a day";
  if (x.last_backoff < x.first_backoff)
    return "last_backoff must be at least first_backoff";
  // ZeroMQ tells the peer in tenths of a second, 16 bits of them.
  if (x.heartbeat_timeout <= x.heartbeat_interval || x.heartbeat_timeout > 6553s)
    return "heartbeat_timeout must be over heartbeat_interval and at most 6553 s";
  return {};
}

error start_error(const zmq::error_t& e, const transfer_options& x) {
  return {e.num() == EADDRINUSE ? errc::in_use : errc::io_failed,
          "the object transfer cannot listen on " + x.host + ':' + std::to_string(x.port) + ": "
            + e.what()};
}

} // namespace

result<curve_keys> make_curve_keys() {
  char public_key[41], secret_key[41];
  if (zmq_curve_keypair(public_key, secret_key) != 0)
    return fail(errc::not_supported, "this libzmq has no CURVE");
  return curve_keys{public_key, secret_key};
}

result<std::unique_ptr<transfer>> transfer::start(transfer_options options) {
  if (auto fault = first_fault(options); !fault.empty())
    return fail(errc::invalid_argument, "object transfer: " + fault);
  try {
    auto loop = std::make_unique<transfer_loop>(options);
    transfer_source endpoint{options.host, loop->port(), options.keys.public_key};
    if (loop->gate())
      loop->gate()->admit(*parse_key(options.keys.public_key), "ourselves");
    auto holds = try_door(loop->context(), endpoint, loop->links(), options.handshake_timeout);
    if (!holds)
      return tl::unexpected{std::move(holds).error()};
    return std::unique_ptr<transfer>{new transfer{std::move(loop), std::move(endpoint)}};
  } catch (const zmq::error_t& e) {
    return tl::unexpected{start_error(e, options)};
  }
}

transfer::transfer(std::unique_ptr<transfer_loop> loop, transfer_source endpoint)
  : loop_(std::move(loop)), endpoint_(std::move(endpoint)) {}

transfer::~transfer() = default;

result<void> transfer::admit(std::string_view public_key, std::string name) {
  auto key = parse_key(public_key);
  if (!key)
    return fail(errc::invalid_argument,
                "the key of " + name + " is not one of 40 characters in Z85");
  loop_->gate()->admit(*key, std::move(name));
  return {};
}

void transfer::expel(std::string_view public_key) {
  // We may always ask ourselves; whoever has our secret key is us.
  if (auto key = parse_key(public_key); key && public_key != endpoint_.public_key)
    loop_->gate()->expel(*key);
}

void transfer::pull(object_id id, std::size_t size_bytes, std::vector<transfer_source> sources,
                    std::chrono::milliseconds patience, done callback) {
  loop_->pull(id, size_bytes, std::move(sources), patience, std::move(callback));
}

void transfer::cancel(object_id id) {
  loop_->cancel(id);
}

transfer_stats transfer::stats() const {
  return loop_->stats();
}

} // namespace caf_ray::objstore
