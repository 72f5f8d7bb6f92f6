#include "objstore/transfer_loop.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <sys/eventfd.h>
#include <unistd.h>

namespace caf_ray::objstore {

namespace {

using namespace std::chrono_literals;

/// Threads for `create` and for reading back spilled objects. More would only stand in the store's
/// queue, and one would let a large object hold up small ones.
constexpr std::size_t placing_threads = 2;
constexpr std::size_t restoring_threads = 2;

/// What a peer may send to us: requests, and what belongs to a handshake.
constexpr std::size_t request_frame_bytes = 4096;

/// Answers that may be queued for one connection; see transfer_server.
constexpr int answer_limit = 8192;

/// What frames of chunks take beyond the chunk.
constexpr std::size_t frame_slack_bytes = 4096;

constexpr int most_sockets = 16 * 1024;
constexpr auto housekeeping_interval = 500ms;

link_options links_of(const transfer_options& x) {
  return {x.keys,
          x.connections,
          x.chunk_bytes + frame_slack_bytes,
          x.heartbeat_interval,
          x.heartbeat_timeout,
          x.handshake_timeout};
}

transfer_plan::options plan_of(const transfer_options& x) {
  return {x.chunk_bytes, x.window_bytes,  x.flight_bytes, x.filling_bytes,
          x.attempts,    x.first_backoff, x.last_backoff, x.heartbeat_timeout};
}

/// From now; waits of more than a year are one of a year.
transfer_loop::clock::time_point after(std::chrono::milliseconds wait) {
  constexpr std::chrono::milliseconds most = std::chrono::hours(24 * 365);
  return transfer_loop::clock::now() + std::clamp(wait, 0ms, most);
}

error shut_down_error() {
  return {errc::shut_down, "the object transfer was closed"};
}

} // namespace

// -- start and end --------------------------------------------------------------------------------

transfer_loop::transfer_loop(const transfer_options& options)
  : options_(options), link_options_(links_of(options)),
    context_(static_cast<int>(options.io_threads), most_sockets), plan_(plan_of(options)) {
  if (options_.with_gate)
    gate_ = std::make_unique<transfer_gate>(context_);
  try {
    listen();
  } catch (...) {
    context_.shutdown();
    if (wake_ >= 0)
      close(wake_);
    throw;
  }
  placing_ = std::make_unique<transfer_errands>(placing_threads);
  restoring_ = std::make_unique<transfer_errands>(restoring_threads);
  server_ = std::make_unique<transfer_server>(
    transfer_server::options{options_.objects, options_.owed_bytes, options_.restore_patience},
    gate_.get(), *restoring_, [this](auto work) { (void)post(std::move(work)); });
  thread_ = std::thread{[this] { run(); }};
}

void transfer_loop::listen() {
  wake_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_ < 0)
    throw zmq::error_t{};
  router_ = zmq::socket_t{context_, zmq::socket_type::router};
  auto receiving = link_options_;
  receiving.max_frame_bytes = request_frame_bytes;
  configure(router_, receiving);
  // Not from here: libzmq 4.3.4 aborts when its timer for them fires on a connection that broke
  // while its requests were queued up. Pullers send theirs, and with them how long they may be
  // silent.
  router_.set(zmq::sockopt::heartbeat_ivl, 0);
  router_.set(zmq::sockopt::curve_server, true);
  router_.set(zmq::sockopt::zap_domain, "caf-ray");
  router_.set(zmq::sockopt::router_mandatory, true);
  router_.set(zmq::sockopt::sndhwm, answer_limit);
  router_.bind("tcp://" + options_.host + ':'
               + (options_.port ? std::to_string(options_.port) : std::string{"*"}));
  auto bound = router_.get(zmq::sockopt::last_endpoint);
  port_ = static_cast<std::uint16_t>(std::stoul(bound.substr(bound.rfind(':') + 1)));
}

transfer_loop::~transfer_loop() {
  (void)post([this] { stop_ = true; });
  thread_.join();
  // What waits in the store stops with the server and with the jobs; the rest is disk.
  server_.reset();
  placing_.reset();
  restoring_.reset();
  context_.shutdown();
  gate_.reset();
  context_.close();
  close(wake_);
}

void transfer_loop::end_all() {
  std::vector<std::function<void()>> rest;
  {
    std::lock_guard guard{inbox_mutex_};
    ended_ = true;
    rest.swap(inbox_);
  }
  // Pulls among them get their answer below.
  for (auto& work : rest)
    work();
  std::vector<transfer_plan::pull_number> open;
  for (const auto& [number, job] : jobs_)
    open.push_back(number);
  for (auto number : open)
    plan_.end(number, tl::unexpected{shut_down_error()});
  for (auto& x : plan_.decide(clock::now()).ended)
    finish(std::move(x));
}

// -- the thread -----------------------------------------------------------------------------------

bool transfer_loop::post(std::function<void()> work) {
  {
    std::lock_guard guard{inbox_mutex_};
    if (ended_)
      return false;
    inbox_.push_back(std::move(work));
  }
  wake();
  return true;
}

void transfer_loop::wake() {
  std::uint64_t one = 1;
  // Fails only when the counter is full, and then the thread wakes anyway.
  (void)!write(wake_, &one, sizeof(one));
}

void transfer_loop::run() {
  next_housekeeping_ = after(housekeeping_interval);
  wake_at_ = next_housekeeping_;
  while (!stop_) {
    try {
      turn();
    } catch (const zmq::error_t& e) {
      // A signal; or of descriptors or memory there are none just now.
      if (e.num() == ETERM)
        break;
    }
  }
  end_all();
  peers_.clear();
  router_.close();
}

void transfer_loop::turn() {
  items_.assign({{nullptr, wake_, ZMQ_POLLIN, 0}, {router_.handle(), 0, ZMQ_POLLIN, 0}});
  polled_.clear();
  for (auto& [number, x] : peers_) {
    if (!x.link)
      continue;
    polled_.push_back(number);
    items_.push_back({x.link->socket().handle(), 0, ZMQ_POLLIN, 0});
    items_.push_back({x.link->events().handle(), 0, ZMQ_POLLIN, 0});
  }
  auto now = clock::now();
  auto until = std::min(wake_at_, next_housekeeping_);
  zmq::poll(items_.data(), items_.size(),
            std::max(std::chrono::ceil<std::chrono::milliseconds>(until - now), 0ms));
  if (items_[0].revents)
    read_inbox();
  for (int i = 0; items_[1].revents && i < batch; ++i)
    if (!server_->receive(router_))
      break;
  for (std::size_t i = 0; i < polled_.size(); ++i)
    read_link(polled_[i], items_[2 * i + 2].revents != 0, items_[2 * i + 3].revents != 0);
  decide();
  if (clock::now() >= next_housekeeping_)
    housekeep(clock::now());
}

void transfer_loop::read_inbox() {
  std::uint64_t count = 0;
  (void)!read(wake_, &count, sizeof(count));
  std::vector<std::function<void()>> work;
  {
    std::lock_guard guard{inbox_mutex_};
    work.swap(inbox_);
  }
  for (auto& x : work)
    x();
}

void transfer_loop::housekeep(clock::time_point now) {
  next_housekeeping_ = after(housekeeping_interval);
  server_->sweep(now);
  for (auto i = peers_.begin(); i != peers_.end();) {
    auto& [number, x] = *i;
    if (plan_.in_use(number) || now - x.last_used < options_.link_idle) {
      ++i;
      continue;
    }
    counters_.links -= x.link ? 1 : 0;
    plan_.forget_source(number);
    numbers_.erase(x.source);
    i = peers_.erase(i);
  }
}

// -- calls ----------------------------------------------------------------------------------------

void transfer_loop::pull(object_id id, std::size_t size_bytes, std::vector<transfer_source> sources,
                         std::chrono::milliseconds patience, transfer::done callback) {
  ++counters_.pulls_open;
  auto posted =
    post([this, id, size_bytes, sources = std::move(sources), deadline = after(patience),
          callback] { begin(id, size_bytes, sources, deadline, callback); });
  if (posted)
    return;
  // Only a callback can come so late.
  --counters_.pulls_open;
  ++counters_.pulls_failed;
  callback(tl::unexpected{shut_down_error()});
}

void transfer_loop::cancel(object_id id) {
  post([this, id] {
    if (auto number = plan_.find(id))
      plan_.end(*number,
                fail(errc::cancelled, "the pull of object " + to_string(id) + " was cancelled"));
  });
}

transfer_stats transfer_loop::stats() const {
  transfer_stats out;
  out.bytes_in = counters_.bytes_in;
  out.bytes_out = server_->bytes_out();
  out.pulls_done = counters_.pulls_done;
  out.pulls_failed = counters_.pulls_failed;
  out.pulls_open = counters_.pulls_open;
  out.retries = counters_.retries;
  out.damaged_chunks = counters_.damaged;
  out.different_chunks = counters_.different;
  out.strangers_refused = gate_ ? gate_->refused_total() : 0;
  out.messages_dropped = server_->dropped();
  out.owed_bytes = server_->owed_bytes();
  out.link_count = counters_.links;
  return out;
}

} // namespace caf_ray::objstore
