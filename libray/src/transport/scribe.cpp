#include "libray/src/transport/scribe.hpp"

#include <cerrno>

#include <poll.h>
#include <sys/socket.h>

#include <caf/io/basp/header.hpp>

namespace caf_ray::transport {

namespace net = caf::io::network;

static_assert(caf::io::basp::header_size == frame_guard::header_bytes);

net::rw_state link_policy::read_some(std::size_t& moved, int fd, void* buffer, std::size_t size) {
  moved = 0;
  if (session_)
    return session_->read(static_cast<char*>(buffer), size, moved) == io_step::broken
             ? net::rw_state::failure
             : net::rw_state::success;
  auto got = recv(fd, buffer, size, 0);
  if (got > 0)
    moved = static_cast<std::size_t>(got);
  auto later = got < 0 && (errno == EAGAIN || errno == EINTR);
  return got > 0 || later ? net::rw_state::success : net::rw_state::failure;
}

net::rw_state link_policy::write_some(std::size_t& moved, int fd, const void* bytes,
                                      std::size_t size) {
  moved = 0;
  if (size == 0)
    return net::rw_state::indeterminate;
  if (session_)
    return session_->write(static_cast<const char*>(bytes), size, moved) == io_step::broken
             ? net::rw_state::failure
             : net::rw_state::success;
  auto put = send(fd, bytes, size, MSG_NOSIGNAL);
  if (put >= 0)
    moved = static_cast<std::size_t>(put);
  return put >= 0 || errno == EAGAIN || errno == EINTR ? net::rw_state::success
                                                       : net::rw_state::failure;
}

scribe::scribe(net::default_multiplexer& loop, connection link, const link_limits& limits)
  : caf::io::scribe(net::conn_hdl_from_socket(link.fd())), who_(link.who()), limits_(limits),
    guard_(limits.max_frame_bytes), stream_(loop, link.fd(), link.release_session()) {
  link.release_fd().release(); // the stream closes it
  stream_.ack_writes(true);
}

void scribe::configure_read(caf::io::receive_policy::config config) {
  stream_.configure_read(config);
  if (!std::exchange(launched_, true))
    stream_.start(this);
}

bool scribe::consume(caf::execution_unit* unit, const void* bytes, std::size_t count) {
  if (broken_)
    return false;
  if (!guard_.accept(static_cast<const char*>(bytes), count)) {
    broken_ = true;
    if (limits_.closed)
      limits_.closed(who_, guard_.reason());
    fail_now();
    return false;
  }
  return caf::io::scribe::consume(unit, bytes, count);
}

std::vector<char>& scribe::wr_buf() {
  if (!broken_)
    return stream_.wr_buf();
  nowhere_.clear();
  return nowhere_;
}

void scribe::flush() {
  if (broken_)
    return;
  auto waiting = stream_.wr_buf().size();
  if (in_flight_ + waiting > limits_.max_buffer_bytes)
    return break_off(std::to_string(in_flight_ + waiting)
                     + " outgoing bytes wait for it, the limit is "
                     + std::to_string(limits_.max_buffer_bytes));
  stream_.flush(this);
  if (stream_.wr_buf().empty())
    in_flight_ += waiting;
}

void scribe::data_transferred(caf::execution_unit*, std::size_t, std::size_t remaining) {
  auto waiting = stream_.wr_buf().size();
  in_flight_ = remaining - waiting;
  if (in_flight_ == 0)
    in_flight_ = waiting; // the stream takes it up next
}

void scribe::graceful_shutdown() {
  caf::intrusive_ptr<scribe> keep(this);
  flush();
  detach(&stream_.backend(), false);
  stream_.graceful_shutdown();
  // Later: the loop must have taken up the stream's wish to write before it can take up its end.
  if (in_flight_ > 0)
    stream_.backend().post([keep] { keep->drain(); });
}

void scribe::drain() {
  // What the kernel does not take at once is dropped: a frozen peer would keep the network thread
  // alive, and the actor system's destructor waiting, for as long as it is frozen.
  pollfd writable{stream_.fd(), POLLOUT, 0};
  while (in_flight_ > 0 && !broken_ && poll(&writable, 1, 0) == 1
         && (writable.revents & (POLLERR | POLLHUP)) == 0) {
    auto before = in_flight_;
    stream_.handle_event(net::operation::write);
    if (in_flight_ == before)
      break;
  }
  if (in_flight_ > 0)
    shutdown(stream_.fd(), SHUT_RDWR);
}

void scribe::abort() {
  stream_.backend().post([self = caf::intrusive_ptr<scribe>(this)] {
    if (!std::exchange(self->broken_, true))
      self->fail_now();
  });
}

/// For the middle of the broker's work on this link, which must not lose it under its feet.
void scribe::break_off(const std::string& why) {
  broken_ = true;
  if (limits_.closed)
    limits_.closed(who_, why);
  stream_.backend().post([self = caf::intrusive_ptr<scribe>(this)] { self->fail_now(); });
}

void scribe::fail_now() {
  caf::intrusive_ptr<scribe> keep(this);
  shutdown(stream_.fd(), SHUT_RDWR); // ends a pending write too, which nothing else would
  io_failure(&stream_.backend(), net::operation::read);
}

} // namespace caf_ray::transport
