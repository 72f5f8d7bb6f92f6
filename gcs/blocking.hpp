#pragma once

/// How code that is about to wait says so, without knowing who runs it.
namespace caf_ray {

/// Told by a thread around each wait. Implemented by the executor (libray), whose threads give
/// their running slot to another thread meanwhile. Called only on the thread it was set for.
class blocking_observer {
public:
  virtual void enter_blocking() noexcept = 0;
  virtual void leave_blocking() noexcept = 0;

protected:
  ~blocking_observer() = default;
};

/// The observer of the current thread; null on threads that hold no slot. Not owned.
inline thread_local blocking_observer* this_thread_observer = nullptr;

/// Put around whatever may wait: locks held long, disk, condition variables. Scopes nest; only the
/// outermost counts.
class blocking_scope {
public:
  blocking_scope() noexcept : observer_(this_thread_observer) {
    if (observer_) {
      this_thread_observer = nullptr;
      observer_->enter_blocking();
    }
  }
  ~blocking_scope() {
    if (observer_) {
      observer_->leave_blocking();
      this_thread_observer = observer_;
    }
  }
  blocking_scope(const blocking_scope&) = delete;
  blocking_scope& operator=(const blocking_scope&) = delete;

private:
  blocking_observer* observer_;
};

} // namespace caf_ray
