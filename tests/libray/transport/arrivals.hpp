#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>
#include <vector>

#include "libray/src/transport/listener.hpp"
#include "tests/support/patience.hpp"

namespace caf_ray::transport::test {

/// For whatever should come soon: long enough for a busy machine, never waited out on success.
inline constexpr std::chrono::seconds soon(20 * caf_ray::test::slowdown);

/// What arrives at a listener and what it turns away, to be waited for. Outlives the listener.
class arrivals {
public:
  listener::handler callback() {
    return [this](connection link) {
      std::lock_guard lock(mutex_);
      links_.push_back(std::move(link));
      changed_.notify_all();
    };
  }

  listener_options options() {
    listener_options o;
    o.turned_away = [this](const error& e) {
      std::lock_guard lock(mutex_);
      refusals_.push_back(e);
      changed_.notify_all();
    };
    return o;
  }

  /// Until there are so many links and refusals.
  bool wait_for(std::size_t links, std::size_t refusals = 0) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(
      lock, soon, [&] { return links_.size() >= links && refusals_.size() >= refusals; });
  }

  std::vector<connection> take_links() {
    std::lock_guard lock(mutex_);
    return std::exchange(links_, {});
  }

  std::vector<error> refusals() {
    std::lock_guard lock(mutex_);
    return refusals_;
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<connection> links_;
  std::vector<error> refusals_;
};

} // namespace caf_ray::transport::test
