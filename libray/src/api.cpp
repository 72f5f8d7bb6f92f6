#include "ray/api.h"

#include <cstdlib>
#include <mutex>
#include <stdexcept>
#include <vector>

#include "gcs/types/resources.hpp"
#include "libray/src/exception.hpp"
#include "libray/src/flags.hpp"
#include "libray/src/logging.hpp"
#include "libray/src/runtime.hpp"
#include "ray/api/internal_api.h"

namespace ray {

namespace {

/// Init and Shutdown, one at a time.
std::mutex& lifecycle_mutex() {
  static std::mutex mutex;
  return mutex;
}

/// Runtimes whose user code did not end: it still looks at them now and then, so they stay.
std::vector<caf_ray::runtime*>& left_behind() {
  static auto all = new std::vector<caf_ray::runtime*>;
  return *all;
}

} // namespace

void Init(RayConfig& config, int argc, char** argv) {
  if (IsInitialized())
    return;
  std::lock_guard guard(lifecycle_mutex());
  if (caf_ray::runtime_gate::open())
    return;
  auto settings = caf_ray::resolve_settings(config, argc, argv, [](const char* name) {
    return const_cast<const char*>(std::getenv(name));
  });
  caf_ray::set_log_threshold(settings.log_level);
  caf_ray::set_log_folder(settings.logs_directory);
  for (auto& warning : settings.warnings)
    RAYLOG(WARNING) << warning;
  settings.code_search_path = caf_ray::absolute_search_path(settings.code_search_path);
  auto runtime = std::make_unique<caf_ray::runtime>(std::move(settings));
  caf_ray::runtime_gate::publish(runtime.release());
}

void Init(RayConfig& config) {
  Init(config, 0, nullptr);
}

void Init() {
  RayConfig config;
  Init(config);
}

bool IsInitialized() {
  return caf_ray::task_context::current != nullptr || caf_ray::runtime_gate::open();
}

void Shutdown() {
  if (caf_ray::task_context::current)
    throw internal::RayException(
      "ray::Shutdown: call it on the driver, not inside a task or actor");
  std::lock_guard guard(lifecycle_mutex());
  auto runtime = caf_ray::runtime_gate::retire();
  if (!runtime)
    return;
  runtime->close();
  if (runtime->ended())
    delete runtime;
  else
    left_behind().push_back(runtime);
}

void ExitActor() {
  auto context = caf_ray::task_context::current;
  if (!context || !context->actor)
    throw std::logic_error("This shouldn't be called on a non-actor worker.");
  throw internal::RayIntentionalSystemExitException("ray::ExitActor was called");
}

bool WasCurrentActorRestarted() {
  auto context = caf_ray::task_context::current;
  return context && context->actor && context->actor_restarted;
}

std::string GetNamespace() {
  internal::RuntimeUse use;
  return static_cast<caf_ray::runtime&>(*use).ray_namespace();
}

void RunTaskExecutionLoop() {
  throw internal::RayException("ray::RunTaskExecutionLoop: this process is no worker");
}

namespace internal {

void CheckTaskOptions(const std::unordered_map<std::string, double>& resources) {
  for (auto& [name, value] : resources)
    if (auto checked = caf_ray::resource_set::check(name, value); !checked)
      throw RayException(checked.error().what);
}

} // namespace internal
} // namespace ray
