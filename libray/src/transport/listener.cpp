#include "libray/src/transport/listener.hpp"

#include <array>
#include <cerrno>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "gcs/folder.hpp"

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
  made->thread_ = std::thread([self = made.get()] { self->run(); });
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
  auto door = unix_door::open(path);
  if (!door)
    return tl::unexpected(door.error());
  std::lock_guard lock(mutex_);
  auto fd = door->fd();
  auto name = ++last_key_;
  auto place = doors_.emplace(name, std::move(*door)).first;
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
    auto timeout = -1;
    if (paused_until_ != clock::time_point{})
      timeout = static_cast<int>(
        std::max(std::chrono::ceil<milliseconds>(paused_until_ - clock::now()).count(), 0L));
    auto count = epoll_wait(epoll_.get(), events.data(), events.size(), timeout);
    for (auto i = 0; i < count && !stopping_; ++i) {
      std::unique_lock lock(mutex_);
      auto door = doors_.find(events[i].data.u64);
      auto found = door != doors_.end();
      lock.unlock(); // doors stay until the end
      if (found)
        accept_from(door->second);
    }
    resume_if_due();
  }
}

void listener::accept_from(unix_door& door) {
  for (auto i = 0; i < accepts_at_once && !stopping_; ++i) {
    file_descriptor fd(accept4(door.fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd && lacks_resources(errno))
      return pause();
    if (!fd && errno == EAGAIN)
      return;
    if (!fd)
      continue; // the caller has gone again
    auto link = adopt_unix(std::move(fd), "unix:" + door.path().string());
    if (link) {
      ++accepted_;
      handler_(std::move(*link));
    } else {
      turn_away(link.error());
    }
  }
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
  for (auto& [name, door] : doors_)
    watch(door.fd(), name, 0, EPOLL_CTL_MOD);
}

void listener::resume_if_due() {
  if (paused_until_ == clock::time_point{} || clock::now() < paused_until_)
    return;
  paused_until_ = {};
  std::lock_guard lock(mutex_);
  for (auto& [name, door] : doors_)
    watch(door.fd(), name, EPOLLIN, EPOLL_CTL_MOD);
}

} // namespace caf_ray::transport
