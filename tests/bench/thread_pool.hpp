#pragma once

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <thread>
#include <vector>

namespace caf_ray::bench {

/// The plain way to run functions elsewhere: threads, one queue, one std::future a function.
class thread_pool {
public:
  thread_pool() {
    for (unsigned i = 0; i < std::max(1u, std::thread::hardware_concurrency()); ++i)
      threads_.emplace_back([this] { run(); });
  }
  ~thread_pool() {
    {
      std::lock_guard guard(mutex_);
      ending_ = true;
    }
    changed_.notify_all();
    for (auto& thread : threads_)
      thread.join();
  }

  std::future<int> submit(int (*function)()) {
    std::packaged_task<int()> task(function);
    auto result = task.get_future();
    {
      std::lock_guard guard(mutex_);
      queue_.push_back(std::move(task));
    }
    changed_.notify_one();
    return result;
  }

private:
  void run() {
    for (;;) {
      std::unique_lock guard(mutex_);
      changed_.wait(guard, [this] { return ending_ || !queue_.empty(); });
      if (queue_.empty())
        return;
      auto task = std::move(queue_.front());
      queue_.pop_front();
      guard.unlock();
      task();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::packaged_task<int()>> queue_;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

} // namespace caf_ray::bench
