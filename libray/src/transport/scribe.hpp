#pragma once

#include <memory>
#include <string>
#include <vector>

#include <caf/io/network/default_multiplexer.hpp>
#include <caf/io/network/stream_impl.hpp>
#include <caf/io/scribe.hpp>

#include "libray/src/transport/basp.hpp"
#include "libray/src/transport/connection.hpp"
#include "libray/src/transport/frame_guard.hpp"
#include "libray/src/transport/tls_session.hpp"

namespace caf_ray::transport {

/// How CAF's stream reads and writes: through the session, or the bare socket without one.
class link_policy {
public:
  explicit link_policy(std::unique_ptr<tls_session> session) : session_(std::move(session)) {}

  caf::io::network::rw_state read_some(std::size_t& moved, int fd, void* buffer, std::size_t size);
  caf::io::network::rw_state write_some(std::size_t& moved, int fd, const void* bytes,
                                        std::size_t size);
  bool must_read_more(int, std::size_t) const { return session_ && session_->has_pending(); }

private:
  std::unique_ptr<tls_session> session_;
};

/// One link, as CAF's BASP broker sees it. Lives in the network thread, after it was made.
///
/// Invariants: no byte reaches the broker that `guard_` has not let pass; `in_flight_` is what the
/// stream is writing, so that with its buffer it is all that waits; once `broken_`, outgoing bytes
/// go nowhere, and the broker hears of the end exactly once.
class scribe final : public caf::io::scribe {
public:
  scribe(caf::io::network::default_multiplexer&, connection, const link_limits&);

  /// Ends the link as if it had failed, soon. Any thread.
  void abort();

  bool consume(caf::execution_unit*, const void* bytes, std::size_t count) override;
  void data_transferred(caf::execution_unit*, std::size_t written, std::size_t remaining) override;
  void flush() override;
  void graceful_shutdown() override;
  std::vector<char>& wr_buf() override;

  std::vector<char>& rd_buf() override { return stream_.rd_buf(); }
  void configure_read(caf::io::receive_policy::config) override;
  void ack_writes(bool) override {} // ours are always on
  std::string addr() const override { return who_.address; }
  std::uint16_t port() const override { return 0; }
  void add_to_loop() override { stream_.activate(this); }
  void remove_from_loop() override { stream_.passivate(); }

private:
  void break_off(const std::string& why);
  void fail_now();
  void drain();

  peer who_;
  link_limits limits_;
  frame_guard guard_;
  bool launched_ = false;
  bool broken_ = false;
  std::size_t in_flight_ = 0;
  std::vector<char> nowhere_;
  caf::io::network::stream_impl<link_policy> stream_;
};

} // namespace caf_ray::transport
