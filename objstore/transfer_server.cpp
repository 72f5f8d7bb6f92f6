#include "objstore/transfer_server.hpp"

#include <utility>

#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace caf_ray::objstore {

namespace {

using namespace std::chrono_literals;

/// How long an object that was read back stays pinned after the last request for it, and how many
/// can be at a time.
constexpr auto restored_rest = 1s;
constexpr std::size_t restored_limit = 64;

/// A chunk on its way out; owned by the message that carries it.
struct parcel {
  pinned object;
  std::size_t size_bytes;
  std::shared_ptr<std::atomic<std::size_t>> owed_to_peer;
  std::shared_ptr<std::atomic<std::size_t>> owed_to_all;
};

/// On a thread of ZeroMQ's.
void let_go(void*, void* hint) {
#if defined(__SANITIZE_THREAD__)
  __tsan_acquire(hint);
#endif
  std::unique_ptr<parcel> x{static_cast<parcel*>(hint)};
  x->owed_to_peer->fetch_sub(x->size_bytes, std::memory_order_relaxed);
  x->owed_to_all->fetch_sub(x->size_bytes, std::memory_order_relaxed);
}

/// Throws away the rest of a message.
void drain(zmq::socket_t& socket, bool more) {
  for (zmq::message_t rest; more && socket.recv(rest, zmq::recv_flags::dontwait);)
    more = rest.more();
}

} // namespace

transfer_server::transfer_server(options opts, const transfer_gate* gate, transfer_errands& errands,
                                 std::function<void(std::function<void()>)> post)
  : options_(std::move(opts)), gate_(gate), errands_(errands), post_(std::move(post)) {}

transfer_server::~transfer_server() {
  stop_.request_stop();
}

bool transfer_server::receive(zmq::socket_t& router) {
  zmq::message_t route, body;
  if (!router.recv(route, zmq::recv_flags::dontwait))
    return false;
  if (!route.more() || !router.recv(body, zmq::recv_flags::dontwait))
    return true;
  bool more = body.more();
  drain(router, more);
  // Without a gate there is no user id, and without one there is no answer.
  auto user = zmq_msg_gets(body.handle(), "User-Id");
  std::string peer = user ? user : "";
  if (more || !gate_ || !gate_->name_of(peer)) {
    dropped_.fetch_add(1, std::memory_order_relaxed);
    return true;
  }
  auto head = wire::decode({body.data<std::byte>(), body.size()});
  if (head && (head->kind == wire::kind::get || head->kind == wire::kind::check)) {
    answer(router, route, peer, *head);
  } else if (!head && head.error().code == errc::version_mismatch) {
    wire::header refusal;
    refusal.kind = wire::kind::refused;
    send(router, route, refusal, nullptr);
  } else {
    dropped_.fetch_add(1, std::memory_order_relaxed);
  }
  return true;
}

void transfer_server::answer(zmq::socket_t& router, zmq::message_t& route, const std::string& peer,
                             wire::header head) {
  auto [object, why] = find(head.object);
  auto bytes = object.bytes();
  bool check = head.kind == wire::kind::check;
  if (!object) {
    head.kind = why;
  } else if (bytes.size() != head.size_bytes) {
    head.kind = wire::kind::other_size;
    head.size_bytes = bytes.size();
  } else {
    auto chunk = bytes.subspan(head.offset_bytes, head.length_bytes);
    auto& owed = owed_to(peer);
    if (!check && owed->load(std::memory_order_relaxed) + chunk.size() > options_.owed_bytes) {
      head.kind = wire::kind::busy;
    } else {
      head.checksum = XXH3_64bits(chunk.data(), chunk.size());
      head.kind = check ? wire::kind::same : wire::kind::chunk;
    }
    if (head.kind == wire::kind::chunk) {
      owed->fetch_add(chunk.size(), std::memory_order_relaxed);
      owed_bytes_->fetch_add(chunk.size(), std::memory_order_relaxed);
      auto out = new parcel{std::move(object), chunk.size(), owed, owed_bytes_};
#if defined(__SANITIZE_THREAD__)
      __tsan_release(out); // libzmq's queues hand it over, which the tool does not see
#endif
      // ZeroMQ wants a pointer that is not const; it only reads.
      zmq::message_t body{const_cast<std::byte*>(chunk.data()), chunk.size(), let_go, out};
      send(router, route, head, &body);
      return;
    }
  }
  send(router, route, head, nullptr);
}

void transfer_server::send(zmq::socket_t& router, zmq::message_t& route, const wire::header& head,
                           zmq::message_t* bytes) {
  auto size = bytes ? bytes->size() : 0;
  auto encoded = wire::encode(head);
  try {
    auto flags = zmq::send_flags::dontwait | zmq::send_flags::sndmore;
    // Only the first frame can be refused: the peer is gone, or takes nothing any more.
    if (!router.send(route, flags)) {
      dropped_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    router.send(zmq::buffer(encoded), bytes ? flags : zmq::send_flags::dontwait);
    if (bytes)
      router.send(*bytes, zmq::send_flags::dontwait);
    bytes_out_.fetch_add(size, std::memory_order_relaxed);
  } catch (const zmq::error_t& e) {
    if (e.num() != EHOSTUNREACH)
      throw;
    dropped_.fetch_add(1, std::memory_order_relaxed);
  }
}

transfer_server::found transfer_server::find(object_id id) {
  auto i = restored_.find(id);
  if (i != restored_.end()) {
    i->second.last_used = clock::now();
    return {i->second.object, i->second.verdict.value_or(wire::kind::busy)};
  }
  if (auto object = options_.objects->try_get(id))
    return {std::move(*object), wire::kind::chunk};
  auto state = options_.objects->state(id);
  if (!state || *state == object_state::created)
    return {{}, wire::kind::not_found};
  if (*state == object_state::spilled && restored_.size() < restored_limit)
    restore(id);
  return {{}, wire::kind::busy};
}

void transfer_server::restore(object_id id) {
  restored_[id].last_used = clock::now();
  errands_.post([this, id, objects = options_.objects, patience = options_.restore_patience,
                 stop = stop_.get_token(), post = post_] {
    auto object = std::make_shared<result<pinned>>(objects->get(id, patience, stop));
    post([this, id, object] {
      auto i = restored_.find(id);
      if (i == restored_.end())
        return;
      // For want of space it is tried again when the peer asks again. After anything else the peer
      // does better to ask another host.
      if (!*object && object->error().code == errc::store_full) {
        restored_.erase(i);
        return;
      }
      i->second.verdict = *object ? wire::kind::chunk : wire::kind::not_found;
      i->second.last_used = clock::now();
      if (*object)
        i->second.object = std::move(**object);
    });
  });
}

void transfer_server::sweep(clock::time_point now) {
  std::erase_if(restored_, [now](const auto& x) {
    return x.second.verdict && now - x.second.last_used > restored_rest;
  });
  std::erase_if(owed_, [](const auto& x) { return x.second->load() == 0; });
}

std::shared_ptr<transfer_server::counter>& transfer_server::owed_to(const std::string& peer) {
  auto& owed = owed_[peer];
  if (!owed)
    owed = std::make_shared<counter>(0);
  return owed;
}

} // namespace caf_ray::objstore
