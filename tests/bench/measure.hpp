#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <filesystem>
#include <mutex>
#include <vector>

/// How things are measured: time, memory, disk, and what a handful of repetitions say.
namespace caf_ray::bench {

/// Seconds since it was made.
class stopwatch {
public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  }
  double microseconds() const { return seconds() * 1e6; }

private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

/// Middle of the sorted samples; of an even number, the mean of the middle two. NaN without any.
double median(std::vector<double> samples);

/// (largest - smallest) / median; 0 with fewer than two samples.
double spread(const std::vector<double>& samples);

/// Memory of this process that is backed by pages, after the allocator gave back what is free.
/// Shared memory that it touched counts. May take a second.
double resident_bytes();

/// Disk blocks that the files of a folder take; holes count nothing.
double folder_bytes(const std::filesystem::path& folder);

/// The compiler must take the value for used, and memory for changed.
template <class T>
void keep(const T& value) {
  asm volatile("" : : "g"(&value) : "memory");
}

/// Counts up in any thread; another one waits for the goal.
class tally {
public:
  explicit tally(std::size_t goal) : remaining_(goal) {}

  void up() {
    if (remaining_.fetch_sub(1, std::memory_order_acq_rel) != 1)
      return;
    std::lock_guard guard(mutex_);
    reached_ = true;
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock guard(mutex_);
    changed_.wait(guard, [this] { return reached_; });
  }

private:
  std::atomic<std::size_t> remaining_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool reached_ = false;
};

} // namespace caf_ray::bench
