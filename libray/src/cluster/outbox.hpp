#pragma once

#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <utility>

#include "libray/src/cluster/wire.hpp"

namespace caf_ray::cluster {

/// Operations of many threads on their way to one peer, packed into batches in the order in which
/// they were added. Packing happens on the thread that adds. Thread-safe.
class outbox {
public:
  /// Called, outside the lock, when the box turns non-empty; not again before `take`
  /// has found it empty.
  explicit outbox(std::function<void()> bell) : bell_(std::move(bell)) {}

  /// Adds what `write(batch)` appends with `write_op`: nothing else comes between. After `close`
  /// it is dropped.
  template <class F>
  void write(F&& write) {
    {
      std::lock_guard guard(mutex_);
      if (closed_)
        return;
      write(current_);
      if (current_.empty())
        return;
      if (current_.size() >= batch_bytes)
        full_.push_back(std::exchange(current_, {}));
      if (std::exchange(rung_, true))
        return;
    }
    bell_();
  }

  template <class Op>
  void add(const Op& op) {
    write([&](std::string& batch) { write_op(batch, op); });
  }

  /// The next batch; empty when there is none, and then the bell rings for the next.
  std::string take() {
    std::lock_guard guard(mutex_);
    std::string next;
    if (!full_.empty()) {
      next = std::move(full_.front());
      full_.pop_front();
    } else if (current_.empty()) {
      rung_ = false;
    } else {
      next.swap(current_);
    }
    return next;
  }

  void close() {
    std::lock_guard guard(mutex_);
    closed_ = true;
    full_.clear();
    current_.clear();
  }

private:
  const std::function<void()> bell_;
  std::mutex mutex_;
  std::deque<std::string> full_;
  std::string current_;
  bool rung_ = false;
  bool closed_ = false;
};

} // namespace caf_ray::cluster
