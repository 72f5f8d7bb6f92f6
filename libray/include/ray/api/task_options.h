#pragma once

/// Options of tasks and actors, and placement groups.
///
///   ray::PlacementGroupCreationOptions o{"pair", {{{"CPU", 1}}, {{"CPU", 1}}},
///                                        ray::PlacementStrategy::PACK};
///   auto group = ray::CreatePlacementGroup(o);
///   if (group.Wait(10)) ray::Task(f).SetPlacementGroup(group, 0).Remote();

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ray/api/ray_exception.h"

namespace ray {
namespace internal {

/// Throws RayException for an empty name, a value that is not positive and finite, or a fraction
/// above 1. The message names resource and value.
void CheckTaskOptions(const std::unordered_map<std::string, double>& resources);

} // namespace internal

enum class PlacementStrategy {
  PACK = 0,
  SPREAD = 1,
  STRICT_PACK = 2,
  STRICT_SPREAD = 3,
  UNRECOGNIZED = -1
};

enum PlacementGroupState {
  PENDING = 0,
  PREPARED = 1,
  CREATED = 2,
  REMOVED = 3,
  RESCHEDULING = 4,
  UNRECOGNIZED = -1,
};

struct PlacementGroupCreationOptions {
  std::string name;
  /// Resources of each bundle; a bundle lies on one node.
  std::vector<std::unordered_map<std::string, double>> bundles;
  PlacementStrategy strategy;
};

/// A reservation of resources, as it was when it was created or looked up.
class PlacementGroup {
public:
  PlacementGroup() = default;
  PlacementGroup(std::string id, PlacementGroupCreationOptions options,
                 PlacementGroupState state = PlacementGroupState::UNRECOGNIZED)
    : id_(std::move(id)), options_(std::move(options)), state_(state) {}

  std::string GetID() const { return id_; }
  std::string GetName() const { return options_.name; }
  std::vector<std::unordered_map<std::string, double>> GetBundles() const {
    return options_.bundles;
  }
  PlacementGroupState GetState() const { return state_; }
  PlacementStrategy GetStrategy() const { return options_.strategy; }

  /// True once all bundles are reserved, false when that takes longer than `timeout_seconds`.
  /// Throws RayException for a group that is unknown or removed.
  bool Wait(int timeout_seconds) {
    if (callback_)
      return callback_(id_, timeout_seconds);
    return WaitForGroup(id_, timeout_seconds);
  }
  /// Replaces what Wait asks; for tests of user code.
  void SetWaitCallbak(std::function<bool(const std::string&, int)> callback) {
    callback_ = std::move(callback);
  }
  bool Empty() const { return id_.empty(); }

private:
  static bool WaitForGroup(const std::string& id, int timeout_seconds);

  std::string id_;
  PlacementGroupCreationOptions options_{{}, {}, PlacementStrategy::UNRECOGNIZED};
  PlacementGroupState state_ = PlacementGroupState::UNRECOGNIZED;
  std::function<bool(const std::string&, int)> callback_;
};

/// Where an actor lives.
enum class Isolation {
  /// In a process of its own: Kill ends that, and a crash harms nobody else.
  OWN_PROCESS,
  /// In a process with others: thousands fit on a node.
  SHARED
};

namespace internal {

/// What TaskCaller and ActorTaskCaller collect.
struct CallOptions {
  std::string name;
  std::unordered_map<std::string, double> resources;
  PlacementGroup group;
  int bundle_index = -1;
  std::string serialized_runtime_env_info;
  /// How often a task runs again after its worker or node died; -1: for ever.
  int max_retries = 3;
  bool retry_exceptions = false;
  int priority = 0;
};

/// What ActorCreator collects.
struct ActorCreationOptions {
  std::string name;
  std::string ray_namespace;
  std::unordered_map<std::string, double> resources;
  int max_restarts = 0;
  int max_concurrency = 1;
  PlacementGroup group;
  int bundle_index = -1;
  std::string serialized_runtime_env_info;
  /// -1: as RayConfig says, 0: ends with its job, 1: detached.
  int detached = -1;
  bool get_if_exists = false;
  Isolation isolation = Isolation::OWN_PROCESS;
};

} // namespace internal
} // namespace ray
