#include "objstore/transfer_errands.hpp"

#include <utility>

namespace caf_ray::objstore {

transfer_errands::transfer_errands(std::size_t thread_count) {
  threads_.reserve(thread_count);
  for (std::size_t i = 0; i < thread_count; ++i)
    threads_.emplace_back([this] { run(); });
}

transfer_errands::~transfer_errands() {
  {
    std::lock_guard guard{mutex_};
    stopped_ = true;
  }
  changed_.notify_all();
  for (auto& thread : threads_)
    thread.join();
}

void transfer_errands::post(std::function<void()> errand) {
  {
    std::lock_guard guard{mutex_};
    waiting_.push_back(std::move(errand));
  }
  changed_.notify_one();
}

void transfer_errands::run() {
  std::unique_lock lock{mutex_};
  for (;;) {
    changed_.wait(lock, [this] { return stopped_ || !waiting_.empty(); });
    if (stopped_)
      return;
    auto errand = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    errand();
    errand = nullptr;
    lock.lock();
  }
}

} // namespace caf_ray::objstore
