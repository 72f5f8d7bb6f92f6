#include "libray/src/transport/listener.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "gcs/folder.hpp"
#include "libray/src/transport/tcp_socket.hpp"

namespace caf_ray::transport {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds pause_length(100);
constexpr int accepts_at_once = 16; // of one door, before others get their turn
constexpr std::uint64_t wake_key = 0;

bool lacks_resources(int code) {
  return code == EMFILE || code == ENFILE || code == ENOBUFS || code == ENOMEM;
}

auto io_failed(const std::string& doing, int code) {
  return fail(errc::io_failed, doing + ": " + gcs::errno_text(code));
}

} // namespace

result<std::unique_ptr<listener>> listener::start(handler callback, listener_options options) {
  file_descriptor epoll(epoll_create1(EPOLL_CLOEXEC));
  file_descriptor wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!epoll || !wake)
    return io_failed("cannot make a listener", errno);
  std::unique_ptr<listener> made(
    new listener(std::move(callback), std::move(options), std::move(epoll), std::move(wake)));
  if (auto watched = made->watch(made->wake_.get(), wake_key, EPOLLIN, EPOLL_CTL_ADD); !watched)
    return tl::unexpected(watched.error());
  try {
    made->thread_ = std::thread([self = made.get()] { self->run(); });
  } catch (const std::system_error& e) {
    return io_failed("cannot start the listener's thread", e.code().value());
  }
  return made;
}

listener::listener(handler callback, listener_options options, file_descriptor epoll,
                   file_descriptor wake)
  : handler_(std::move(callback)), options_(std::move(options)), epoll_(std::move(epoll)),
    wake_(std::move(wake)) {}

listener::~listener() {
  stopping_ = true;
  eventfd_write(wake_.get(), 1);
  if (thread_.joinable())
    thread_.join();
}

result<void> listener::listen_unix(const std::filesystem::path& path) {
  auto opened = unix_door::open(path);
  if (!opened)
    return tl::unexpected(opened.error());
  return add({std::move(*opened), {}});
}

result<std::uint16_t> listener::listen_tcp(const std::string& address, std::uint16_t port) {
  {
    std::lock_guard lock(mutex_);
    if (!credentials_)
      return fail(errc::not_supported,
                  "cannot listen at " + address
                    + " without credentials: make some with caf-ray-node keygen");
  }
  auto opened = tcp_door::open(address, port);
  if (!opened)
    return tl::unexpected(opened.error());
  port = opened->port;
  if (auto added = add({std::nullopt, std::move(opened->fd)}); !added)
    return tl::unexpected(added.error());
  return port;
}

void listener::use(const credentials& mine) {
  std::lock_guard lock(mutex_);
  credentials_ = mine;
}

result<void> listener::add(door opened) {
  std::lock_guard lock(mutex_);
  auto fd = opened.fd();
  auto name = ++last_key_;
  auto place = doors_.emplace(name, std::move(opened)).first;
  auto watched = watch(fd, name, EPOLLIN, EPOLL_CTL_ADD);
  if (!watched)
    doors_.erase(place);
  return watched;
}

listener_counts listener::counts() const {
  return {accepted_, turned_away_, pauses_};
}

result<void> listener::watch(int fd, key name, std::uint32_t events, int operation) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = name;
  if (epoll_ctl(epoll_.get(), operation, fd, &event) != 0)
    return io_failed("cannot watch a socket", errno);
  return {};
}

void listener::run() {
  std::array<epoll_event, 64> events;
  while (!stopping_) {
    auto count = epoll_wait(epoll_.get(), events.data(), events.size(), wait_limit());
    for (auto i = 0; i < count && !stopping_; ++i) {
      auto name = events[i].data.u64;
      if (auto arrived = arrivals_.find(name); arrived != arrivals_.end()) {
        go_on(arrived);
        continue;
      }
      std::unique_lock lock(mutex_);
      auto found = doors_.find(name);
      auto opened = found != doors_.end() ? &found->second : nullptr;
      lock.unlock(); // doors stay where they are until the end
      if (opened)
        accept_from(*opened);
    }
    end_handshakes_before(clock::now());
    resume_if_due();
  }
}

/// For epoll_wait: milliseconds, -1 for as long as it takes.
int listener::wait_limit() const {
  auto next = clock::time_point::max();
  if (paused_until_ != clock::time_point{})
    next = paused_until_;
  if (!arrivals_.empty())
    next = std::min(next, arrivals_.begin()->second.deadline);
  if (next == clock::time_point::max())
    return -1;
  return static_cast<int>(
    std::max(std::chrono::ceil<milliseconds>(next - clock::now()).count(), 0L));
}

void listener::accept_from(const door& from) {
  for (auto i = 0; i < accepts_at_once && !stopping_; ++i) {
    sockaddr_storage address{};
    socklen_t size = sizeof(address);
    file_descriptor fd(accept4(from.fd(), reinterpret_cast<sockaddr*>(&address), &size,
                               SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd && lacks_resources(errno))
      return pause();
    if (!fd && errno == EAGAIN)
      return;
    if (!fd)
      continue; // the caller has gone again
    if (!from.local) {
      begin_handshake(std::move(fd), to_string(address));
      continue;
    }
    auto link = adopt_unix(std::move(fd), "unix:" + from.local->path().string());
    link ? hand_over(std::move(*link)) : turn_away(link.error());
  }
}

void listener::begin_handshake(file_descriptor fd, const std::string& address) {
  while (!arrivals_.empty() && arrivals_.size() >= options_.max_pending) {
    auto oldest = arrivals_.begin();
    turn_away({errc::timed_out,
               oldest->second.hands.address() + " was crowded out: too many handshakes at a time"});
    arrivals_.erase(oldest);
  }
  tune_tcp(fd.get());
  auto name = ++last_key_;
  auto watched = watch(fd.get(), name, EPOLLIN, EPOLL_CTL_ADD);
  if (!watched)
    return turn_away(watched.error());
  std::unique_lock lock(mutex_);
  auto mine = *credentials_;
  lock.unlock();
  arrivals_.emplace(name,
                    arrival{handshake(mine, std::move(fd), address, handshake::side::accepting),
                            clock::now() + options_.patience});
}

void listener::go_on(std::map<key, arrival>::iterator which) {
  auto& hands = which->second.hands;
  switch (hands.advance()) {
    case handshake::step::wants_read:
      watch(hands.fd(), which->first, EPOLLIN, EPOLL_CTL_MOD);
      return;
    case handshake::step::wants_write:
      watch(hands.fd(), which->first, EPOLLOUT, EPOLL_CTL_MOD);
      return;
    case handshake::step::failed: turn_away(hands.failure()); break;
    case handshake::step::done:
      epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, hands.fd(), nullptr);
      hand_over(hands.take());
      break;
  }
  arrivals_.erase(which);
}

void listener::end_handshakes_before(clock::time_point now) {
  while (!arrivals_.empty() && arrivals_.begin()->second.deadline <= now) {
    auto slow = arrivals_.begin();
    turn_away({errc::timed_out, slow->second.hands.address()
                                  + " did not finish the handshake within "
                                  + std::to_string(options_.patience.count()) + " ms"});
    arrivals_.erase(slow);
  }
}

void listener::hand_over(connection link) {
  ++accepted_;
  handler_(std::move(link));
}

void listener::turn_away(const error& why) {
  ++turned_away_;
  if (options_.turned_away)
    options_.turned_away(why);
}

void listener::pause() {
  if (paused_until_ == clock::time_point{})
    ++pauses_;
  paused_until_ = clock::now() + pause_length;
  std::lock_guard lock(mutex_);
  for (auto& [name, opened] : doors_)
    watch(opened.fd(), name, 0, EPOLL_CTL_MOD);
}

void listener::resume_if_due() {
  if (paused_until_ == clock::time_point{} || clock::now() < paused_until_)
    return;
  paused_until_ = {};
  std::lock_guard lock(mutex_);
  for (auto& [name, opened] : doors_)
    watch(opened.fd(), name, EPOLLIN, EPOLL_CTL_MOD);
}

} // namespace caf_ray::transport
