#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace caf_ray::objstore {

/// A few threads for calls that may wait, so that the thread that hands them out does not. Started
/// in order of arrival; what is not started when the object ends is dropped.
class transfer_errands {
public:
  explicit transfer_errands(std::size_t thread_count);
  /// Waits for the calls that are running: have them stopped before.
  ~transfer_errands();
  transfer_errands(const transfer_errands&) = delete;
  transfer_errands& operator=(const transfer_errands&) = delete;

  /// Thread-safe. `errand` runs on one of the threads and must not throw.
  void post(std::function<void()> errand);

private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  bool stopped_ = false;
  std::vector<std::thread> threads_;
};

} // namespace caf_ray::objstore
