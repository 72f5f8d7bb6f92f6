// The local scheduler among real threads: submitters, an executor, and an object store that answers
// from other threads. Made for the thread sanitizer.

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "gcs/types/limits.hpp"
#include "scheduler/local.hpp"
#include "tests/scheduler/support.hpp"

using namespace caf_ray;
using namespace caf_ray::scheduler;
using namespace caf_ray::scheduler::test;
using namespace std::chrono_literals;

namespace {

struct threaded_config : caf::actor_system_config {
  threaded_config() {
    add_message_types<caf::id_block::caf_ray>();
    set("scheduler.max-threads", 2);
  }
};

/// Runs what it is given in threads of its own, as the executor does: counts starts, sends room
/// when it is due, and makes each task's result.
class pretended_executor {
public:
  explicit pretended_executor(std::shared_ptr<local_ports> ports) : ports_(std::move(ports)) {
    ports_->start = [this](std::vector<task_ptr>& batch) {
      std::lock_guard guard{mutex_};
      for (auto& task : batch)
        tasks_.push_back(std::move(task));
      changed_.notify_all();
    };
    ports_->watch = [this](object_id object) {
      std::lock_guard guard{mutex_};
      return objects_.try_emplace(object, false).first->second;
    };
    for (int i = 0; i < 2; ++i)
      threads_.emplace_back([this] { work(); });
  }

  ~pretended_executor() {
    {
      std::lock_guard guard{mutex_};
      stopping_ = true;
      changed_.notify_all();
    }
    for (auto& thread : threads_)
      thread.join();
    ports_->start = nullptr;
    ports_->watch = nullptr;
  }

  /// False if fewer have run after a time that only a defect needs.
  bool wait_for(std::size_t count) {
    std::unique_lock guard{mutex_};
    return changed_.wait_for(guard, 60s, [&] { return runs_ >= count; });
  }

  std::size_t twice() const { return twice_; }

private:
  void work() {
    std::unique_lock guard{mutex_};
    for (;;) {
      changed_.wait(guard, [this] { return stopping_ || !tasks_.empty(); });
      if (stopping_)
        return;
      auto task = std::move(tasks_.front());
      tasks_.pop_front();
      guard.unlock();
      run(task);
      guard.lock();
      make(result_of(task->spec.id, 1));
      ++runs_;
      changed_.notify_all();
    }
  }

  void run(const task_ptr& task) {
    auto& gauge = ports_->gauge;
    if (!task->try_claim())
      ++twice_;
    ++gauge.started;
    if (gauge.dispatched - gauge.started <= dispatch_window / 2 && gauge.hungry.exchange(false))
      ports_->events.push({task_event::kind::room, nullptr, {}});
    if (task->spec.opts().resources.empty())
      return;
    ports_->events.push({task_event::kind::blocked, task, {}});
    ports_->events.push({task_event::kind::unblocked, task, {}});
    ports_->events.push({task_event::kind::finished, task, {}});
  }

  void make(object_id object) {
    auto [at, unasked] = objects_.try_emplace(object, true);
    if (!unasked && !std::exchange(at->second, true))
      ports_->events.push({task_event::kind::object_ready, nullptr, object});
  }

  std::shared_ptr<local_ports> ports_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<task_ptr> tasks_;
  /// Asked for or made; true: made.
  std::unordered_map<object_id, bool> objects_;
  std::size_t runs_ = 0;
  std::atomic<std::size_t> twice_{0};
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(local_threads)

BOOST_AUTO_TEST_CASE(every_task_of_several_submitters_runs_once) {
  constexpr std::uint64_t per_submitter = 20'000, submitters = 2;
  threaded_config config;
  caf::actor_system system{config};
  auto ports = std::make_shared<local_ports>();
  pretended_executor executor{ports};
  local_options options;
  options.ports = ports;
  options.total = amounts({{"CPU", 2}});
  auto scheduler = system.spawn(local_scheduler, options);
  std::vector<std::thread> threads;
  for (std::uint64_t which = 0; which < submitters; ++which)
    threads.emplace_back([&, which] {
      auto number_at = [which](std::uint64_t i) { return i * submitters + which; };
      for (std::uint64_t i = 0; i < per_submitter; ++i) {
        auto task = make_task(number_at(i), i % 8 == 1 ? needs({{"CPU", 1}}) : task_options{});
        if (i % 4 == 3)
          task->spec.arguments.push_back(
            {argument_kind::object, 0, 0, result_of(number(number_at(i - 1)), 1)});
        ports->submissions.push(std::move(task));
      }
    });
  for (auto& thread : threads)
    thread.join();
  BOOST_TEST(executor.wait_for(per_submitter * submitters));
  BOOST_TEST(executor.twice() == 0u);
  caf::anon_send_exit(scheduler, caf::exit_reason::user_shutdown);
  scheduler = local_actor{};
  system.await_all_actors_done();
}

BOOST_AUTO_TEST_SUITE_END()
