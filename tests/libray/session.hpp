#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>

#include <ray/api.h>

/// A running runtime for one test case: four slots whatever the machine has.
struct session {
  explicit session(std::unordered_map<std::string, double> resources = {}) {
    ray::RayConfig config;
    config.num_cpus = 4;
    config.resources = std::move(resources);
    config.object_store_memory_bytes = std::size_t{256} << 20;
    config.log_level = ray::RayLoggerLevel::ERROR;
    ray::Init(config);
  }
  ~session() { ray::Shutdown(); }
};

/// A door between test and tasks, by name, within this process: tasks wait at it until the test
/// opens it. So tests wait for things and never sleep.
class gate {
public:
  static void open(const std::string& name) {
    auto& g = of(name);
    std::lock_guard guard(g.mutex);
    g.is_open = true;
    g.changed.notify_all();
  }
  /// False when it did not open within 20 s.
  static bool pass(const std::string& name) {
    auto& g = of(name);
    std::unique_lock guard(g.mutex);
    ++g.arrived;
    g.changed.notify_all();
    return g.changed.wait_for(guard, std::chrono::seconds(20), [&] { return g.is_open; });
  }
  /// Waits until `count` have come to it.
  static bool await_arrivals(const std::string& name, int count) {
    auto& g = of(name);
    std::unique_lock guard(g.mutex);
    return g.changed.wait_for(guard, std::chrono::seconds(20), [&] { return g.arrived >= count; });
  }

private:
  struct state {
    std::mutex mutex;
    std::condition_variable changed;
    bool is_open = false;
    int arrived = 0;
  };
  static state& of(const std::string& name) {
    static std::mutex mutex;
    static std::map<std::string, std::unique_ptr<state>> all;
    std::lock_guard guard(mutex);
    auto& g = all[name];
    if (!g)
      g = std::make_unique<state>();
    return *g;
  }
};

/// Waits until `condition` holds, at most 20 s, looking again and again: for what nobody can be
/// told of.
template <class F>
bool await(F condition) {
  auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until)
      return false;
    std::this_thread::yield();
  }
  return true;
}

/// The text of the exception that `f` throws; empty when it throws none.
template <class Exception, class F>
std::string text_of(F&& f) {
  try {
    f();
  } catch (const Exception& e) {
    return e.what();
  }
  return "";
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}
