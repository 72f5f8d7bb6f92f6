#include "libray/src/executor.hpp"

#include <cstdio>
#include <system_error>
#include <thread>
#include <utility>

#include <caf/abstract_actor.hpp>
#include <caf/scheduled_actor.hpp>

namespace caf_ray {

namespace {

using namespace std::chrono_literals;

/// A sleeping thread takes about 28 us to wake on another core; spinning about as long first is
/// never worse than twice the best choice.
constexpr auto spin_time = 40us;

/// Surplus threads end after this long without work.
constexpr auto idle_time = 5s;

/// How often the system thread looks whether the system lane moves, and for how long it keeps
/// looking after it was needed last.
constexpr auto watch_period = 200us;
constexpr int watch_rounds = 50;

inline void pause() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}

} // namespace

/// One of our threads: what CAF calls its execution unit, and who is told about blocking.
class executor::thread_state final : public caf::execution_unit, public blocking_observer {
public:
  thread_state(caf::actor_system* system, executor& owner, bool has_slots)
    : caf::execution_unit(system), owner_(owner), has_slots_(has_slots) {}

  /// Jobs made runnable by the running actor are collected and queued at its end, or before it
  /// blocks: one lock for many.
  void exec_later(caf::resumable* job) override {
    made_ready.push_back(job);
    if (made_ready.size() >= 64)
      flush();
  }

  void enter_blocking() noexcept override {
    lock guard(owner_.mutex_);
    flush_locked();
    if (has_slots_) {
      ++owner_.blocked_;
      owner_.give_slot_away(guard);
    } else if (auto helper = owner_.recruit(guard)) {
      helper->wake.notify_one();
    }
  }

  void leave_blocking() noexcept override {
    if (!has_slots_)
      return;
    lock guard(owner_.mutex_);
    --owner_.blocked_;
    // A system actor never queues behind user code, which may hold its slot for hours: it goes on
    // at once, beside the slots if need be.
    if (in_system_job || owner_.running_ < owner_.num_workers_) {
      ++owner_.running_;
      return;
    }
    granted = false;
    owner_.returning_.push_back(this);
    while (!granted)
      wake.wait(guard);
  }

  void flush() {
    if (made_ready.empty())
      return;
    lock guard(owner_.mutex_);
    flush_locked();
    if (auto helper = owner_.recruit(guard)) {
      guard.unlock();
      helper->wake.notify_one();
    }
  }

  void flush_locked() {
    for (auto job : made_ready)
      owner_.push_locked(job, is_system(job));
    made_ready.clear();
  }

  std::condition_variable wake;
  bool woken = false;   // taken from idle_
  bool granted = false; // taken from returning_, with a slot
  bool in_system_job = false;
  std::vector<caf::resumable*> made_ready;

private:
  executor& owner_;
  const bool has_slots_; // the system thread runs beside the slots
};

executor::executor(caf::actor_system& system)
  : caf::scheduler::abstract_coordinator(system), task_unit_(&system, this) {}

executor::~executor() = default;

caf::actor_system::module* executor::make(caf::actor_system& system, caf::detail::type_list<>) {
  return new executor(system);
}

/// Hidden actors are not registered as running; everything else is user code.
bool executor::is_system(caf::resumable* job) {
  if (job->subtype() != caf::resumable::scheduled_actor)
    return false;
  return !static_cast<caf::scheduled_actor*>(job)->getf(caf::abstract_actor::is_registered_flag);
}

void executor::push_locked(caf::resumable* job, bool system) {
  (system ? system_ : user_).push_back(job);
  ready_.fetch_add(1, std::memory_order_relaxed);
}

executor::thread_state* executor::recruit(lock& guard) {
  if (!has_work())
    return nullptr;
  if (running_ < num_workers_) {
    if (spinners_.load(std::memory_order_relaxed) > 0)
      return nullptr;
    if (!idle_.empty()) {
      auto helper = idle_.back();
      idle_.pop_back();
      helper->woken = true;
      return helper;
    }
    spawn_thread(guard);
    return nullptr;
  }
  if (!system_.empty() && !watching_) {
    watching_ = true;
    system_wake_.notify_one();
  }
  return nullptr;
}

void executor::push(caf::resumable* job, bool system) {
  lock guard(mutex_);
  push_locked(job, system);
  if (auto helper = recruit(guard)) {
    guard.unlock();
    helper->wake.notify_one();
  }
}

void executor::enqueue(caf::resumable* job) {
  push(job, is_system(job));
}

void executor::enqueue_user(caf::resumable* job) {
  push(job, false);
}

/// The caller holds a slot and leaves it: to a thread that returns from blocking, else to one that
/// can take queued work, else it stays free.
void executor::give_slot_away(lock& guard) {
  if (!returning_.empty()) {
    auto next = returning_.front();
    returning_.pop_front();
    next->granted = true;
    next->wake.notify_one();
    return;
  }
  --running_;
  if (auto helper = recruit(guard))
    helper->wake.notify_one();
}

void executor::spawn_thread(lock&) {
  try {
    std::thread([this] { run_thread(); }).detach();
    ++threads_;
    peak_threads_ = std::max(peak_threads_, threads_);
  } catch (const std::system_error& e) {
    std::fprintf(stderr,
                 "caf-ray: cannot start thread %zu (%s): blocked tasks hold all of them; raise the "
                 "limit of processes or let fewer tasks block at a time\n",
                 threads_ + 1, e.what());
  }
}

caf::resumable* executor::pop(bool& system) {
  auto take = [this](std::deque<caf::resumable*>& lane) {
    auto job = lane.front();
    lane.pop_front();
    ready_.fetch_sub(1, std::memory_order_relaxed);
    return job;
  };
  system = !system_.empty();
  if (system) {
    ++system_pops_;
    return take(system_);
  }
  if (!user_.empty() && !halted_) {
    ++user_busy_;
    return take(user_);
  }
  return nullptr;
}

caf::resumable* executor::next_job(lock& guard, thread_state& self, bool& system) {
  // The thread holds no slot here.
  for (;;) {
    if (running_ < num_workers_) {
      if (auto job = pop(system)) {
        ++running_;
        if (auto helper = recruit(guard))
          helper->wake.notify_one();
        return job;
      }
    }
    if (stopping_)
      return nullptr;
    if (running_ < num_workers_ && spinners_.load(std::memory_order_relaxed) == 0) {
      spinners_.store(1, std::memory_order_relaxed);
      guard.unlock();
      auto until = std::chrono::steady_clock::now() + spin_time;
      do {
        for (int i = 0; i < 32 && ready_.load(std::memory_order_relaxed) == 0; ++i)
          pause();
        std::this_thread::yield(); // who shall make work ready may need this very core
      } while (ready_.load(std::memory_order_relaxed) == 0
               && std::chrono::steady_clock::now() < until);
      guard.lock();
      spinners_.store(0, std::memory_order_relaxed);
      if (has_work() && running_ < num_workers_)
        continue;
    }
    if (stopping_)
      return nullptr;
    self.woken = false;
    idle_.push_back(&self);
    auto status = self.wake.wait_for(guard, idle_time);
    while (!self.woken && status == std::cv_status::no_timeout && !stopping_)
      status = self.wake.wait_for(guard, idle_time);
    if (self.woken)
      continue;
    std::erase(idle_, &self);
    if (stopping_ || threads_ - blocked_ > num_workers_)
      return nullptr;
  }
}

void executor::run_job(caf::resumable* job, caf::execution_unit& unit, thread_state* self) {
  auto outcome = job->resume(&unit, max_throughput_);
  if (outcome == caf::resumable::resume_later) {
    // Behind what it made ready, in its own lane.
    if (self)
      self->made_ready.push_back(job);
    else
      enqueue(job);
    return;
  }
  caf::intrusive_ptr_release(job);
}

void executor::run_thread() {
  system().thread_started();
  {
    thread_state self(&system(), *this, true);
    lock guard(mutex_);
    bool is_system_job = false;
    while (auto job = next_job(guard, self, is_system_job)) {
      for (;;) {
        guard.unlock();
        self.in_system_job = is_system_job;
        this_thread_observer = &self;
        run_job(job, self, &self);
        this_thread_observer = nullptr;
        guard.lock();
        self.flush_locked();
        if (!is_system_job && --user_busy_ == 0 && halted_)
          ended_.notify_all();
        if (!returning_.empty() || !(job = pop(is_system_job)))
          break;
        if (auto helper = recruit(guard))
          helper->wake.notify_one();
      }
      give_slot_away(guard);
    }
    // What was queued while this thread decided to end must not wait for the next push.
    if (auto helper = recruit(guard))
      helper->wake.notify_one();
  }
  system().thread_terminates();
  lock guard(mutex_);
  --threads_;
  ended_.notify_all();
}

void executor::run_system_thread() {
  system().thread_started();
  {
    thread_state self(&system(), *this, false);
    lock guard(mutex_);
    int quiet = 0;
    auto seen = system_pops_;
    while (!stopping_) {
      if (!watching_) {
        system_wake_.wait(guard);
        quiet = 0;
        seen = system_pops_;
        continue;
      }
      system_wake_.wait_for(guard, watch_period);
      bool stuck = !system_.empty() && system_pops_ == seen;
      while (stuck && !system_.empty()) {
        quiet = 0;
        bool ignored;
        auto job = pop(ignored);
        guard.unlock();
        this_thread_observer = &self;
        run_job(job, self, &self);
        this_thread_observer = nullptr;
        guard.lock();
        self.flush_locked();
        if (auto helper = recruit(guard))
          helper->wake.notify_one();
      }
      seen = system_pops_;
      if (system_.empty() && ++quiet > watch_rounds)
        watching_ = false;
    }
  }
  system().thread_terminates();
  lock guard(mutex_);
  --threads_;
  ended_.notify_all();
}

executor::counts executor::count() const {
  lock guard(mutex_);
  return {num_workers_, running_, blocked_, threads_, peak_threads_, system_.size() + user_.size(),
          user_busy_};
}

bool executor::quiesce(std::chrono::milliseconds patience) {
  lock guard(mutex_);
  halted_ = true;
  return ended_.wait_for(guard, patience, [this] { return user_busy_ == 0; });
}

void executor::start() {
  {
    lock guard(mutex_);
    ++threads_;
    std::thread([this] { run_system_thread(); }).detach();
    for (std::size_t i = 0; i < num_workers_; ++i)
      spawn_thread(guard);
    timer_ = std::thread([this] {
      system().thread_started();
      clock_.run_dispatch_loop();
      system().thread_terminates();
    });
  }
  abstract_coordinator::start();
}

void executor::stop() {
  stop_actors();
  {
    lock guard(mutex_);
    stopping_ = true;
    system_wake_.notify_all();
    for (auto thread : idle_)
      thread->wake.notify_one();
    ended_.wait(guard, [this] { return threads_ == 0; });
  }
  // What never ran is let go while the clock still runs: ending actors tell it, and it takes 64
  // such messages and then waits for its thread.
  for (auto lane : {&system_, &user_}) {
    while (!lane->empty()) {
      auto job = lane->front();
      lane->pop_front();
      // CAF only cleans up; the state of an actor may hold promises, and these the actor itself.
      if (job->subtype() == caf::resumable::scheduled_actor)
        if (auto actor = static_cast<caf::scheduled_actor*>(job);
            !actor->getf(caf::abstract_actor::is_terminated_flag))
          actor->on_exit();
      cleanup_and_release(job);
    }
  }
  clock_.cancel_dispatch_loop();
  timer_.join();
}

} // namespace caf_ray
