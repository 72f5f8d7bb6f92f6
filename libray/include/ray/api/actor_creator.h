#pragma once

/// Creates actors: what ray::Actor returns.
///
///   class Counter { public: static Counter* Create(int start); int Inc(int by); };
///   RAY_REMOTE(Counter::Create, &Counter::Inc);
///   auto c = ray::Actor(Counter::Create).SetName("c").SetMaxRestarts(1).Remote(0);

#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>

#include "ray/api/actor_handle.h"
#include "ray/api/ray_config.h"
#include "ray/api/runtime_env.h"

namespace ray {
namespace internal {

/// A factory and how its actor shall live. Move-only.
template <typename F>
class ActorCreator {
  using ActorType = GetActorType<F>;

public:
  ActorCreator() = default;
  explicit ActorCreator(const RemoteFunction& function) : function_(&function) {}
  ActorCreator(ActorCreator&&) = default;
  ActorCreator& operator=(ActorCreator&&) = default;
  ActorCreator(const ActorCreator&) = delete;
  ActorCreator& operator=(const ActorCreator&) = delete;

  /// Starts the creation and returns at once. What the factory throws is what the actor's methods
  /// end with. Throws RayException (resources, name taken, no Init).
  template <typename... Args>
  ActorHandle<ActorType, is_x_lang_v<F>> Remote(Args&&... args) {
    static_assert(
      (std::is_pointer_v<ReturnType_t<F>> && std::is_class_v<ActorType>) || is_x_lang_v<F>,
      "An actor's factory must return a pointer to its class.");
    RuntimeUse runtime;
    TaskCall call;
    call.function = function_;
    PackArguments<F>(*runtime, call, std::forward<Args>(args)...);
    return ActorHandle<ActorType, is_x_lang_v<F>>(ActorPtr(runtime->CreateActor(call, options_)));
  }

  /// Unique among the living actors of the job's namespace.
  ActorCreator& SetName(std::string name) {
    options_.name = std::move(name);
    return *this;
  }
  ActorCreator& SetName(std::string name, std::string ray_namespace) {
    options_.name = std::move(name);
    options_.ray_namespace = std::move(ray_namespace);
    return *this;
  }
  /// With a name that is taken, Remote returns the actor that has it instead of throwing.
  ActorCreator& SetGetIfExists(bool get_if_exists) {
    options_.get_if_exists = get_if_exists;
    return *this;
  }
  /// Held as long as the actor lives.
  ActorCreator& SetResources(std::unordered_map<std::string, double> resources) {
    options_.resources = std::move(resources);
    return *this;
  }
  ActorCreator& SetResource(std::string name, double value) {
    options_.resources.insert_or_assign(std::move(name), value);
    return *this;
  }
  /// How often it starts anew after it died; -1: for ever. Default 0.
  ActorCreator& SetMaxRestarts(int max_restarts) {
    options_.max_restarts = max_restarts;
    return *this;
  }
  /// Methods that run at a time; above 1 their order is not defined. Default 1.
  ActorCreator& SetMaxConcurrency(int max_concurrency) {
    options_.max_concurrency = max_concurrency;
    return *this;
  }
  ActorCreator& SetPlacementGroup(PlacementGroup group, int bundle_index) {
    options_.group = std::move(group);
    options_.bundle_index = bundle_index;
    return *this;
  }
  ActorCreator& SetRuntimeEnv(const RuntimeEnv& runtime_env) {
    options_.serialized_runtime_env_info = runtime_env.SerializeToRuntimeEnvInfo();
    return *this;
  }
  /// Whether it outlives its job. Default: RayConfig::default_actor_lifetime.
  ActorCreator& SetLifetime(ActorLifetime lifetime) {
    options_.detached = lifetime == ActorLifetime::DETACHED;
    return *this;
  }
  /// Whether it may share its process with other actors. Default: it does not. Inside the driver's
  /// process, without a cluster, all actors share that one whatever is asked for here.
  ActorCreator& SetIsolation(Isolation isolation) {
    options_.isolation = isolation;
    return *this;
  }

private:
  const RemoteFunction* function_ = nullptr;
  ActorCreationOptions options_;
};

} // namespace internal
} // namespace ray
