#pragma once

#include <mutex>
#include <utility>
#include <vector>

#include <caf/actor_control_block.hpp>
#include <caf/message.hpp>

#include "gcs/types/messages.hpp"

namespace caf_ray {

/// Many threads put in, one actor takes all at once: turns single items into batches whose size
/// follows the load. The actor gets one `drain_atom` when the bag turns non-empty and nothing more
/// until it has taken, so an item costs a push under a short lock and a busy receiver no message.
///
/// Thread-safe. Holds its actor weakly; after the actor's end, items stay where they are.
template <class T>
class mailbag {
public:
  /// Call once, before the first push that shall be seen; items pushed earlier are announced now.
  void bind(const caf::strong_actor_ptr& receiver) {
    bool announce;
    {
      std::lock_guard guard(mutex_);
      receiver_ = caf::weak_actor_ptr{receiver.get(), true};
      announce = announced_ = !items_.empty();
    }
    if (announce)
      notify(receiver);
  }

  void push(T item) {
    caf::weak_actor_ptr receiver;
    {
      std::lock_guard guard(mutex_);
      items_.push_back(std::move(item));
      if (std::exchange(announced_, true))
        return;
      receiver = receiver_; // a bind may be under way
    }
    notify(receiver.lock());
  }

  /// Replaces `into` by everything in the bag; the next push is announced again. Swapping the
  /// vectors back and forth keeps their memory.
  void take(std::vector<T>& into) {
    into.clear();
    std::lock_guard guard(mutex_);
    into.swap(items_);
    announced_ = false;
  }

private:
  static void notify(const caf::strong_actor_ptr& receiver) {
    if (receiver)
      receiver->enqueue(nullptr, caf::make_message_id(), caf::make_message(drain_atom_v), nullptr);
  }

  std::mutex mutex_;
  std::vector<T> items_;
  bool announced_ = false;
  caf::weak_actor_ptr receiver_;
};

} // namespace caf_ray
