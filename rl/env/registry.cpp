#include "rl/env/registry.hpp"

#include <map>
#include <mutex>

#include "rl/env/acrobot.hpp"
#include "rl/env/bipedal_walker.hpp"
#include "rl/env/breakout.hpp"
#include "rl/env/cartpole.hpp"
#include "rl/env/frozen_lake.hpp"
#include "rl/env/lunar_lander.hpp"
#include "rl/env/mountain_car.hpp"
#include "rl/env/mujoco.hpp"
#include "rl/env/pendulum.hpp"
#include "rl/env/time_limit.hpp"
#include "rl/env/transform.hpp"
#include "rl/error.hpp"

namespace rl {

namespace {

struct Registry {
  Registry() {
    add({"CartPole-v1", [] { return std::make_unique<CartPole>(); }, 500, 475});
    add({"Pendulum-v1", [] { return std::make_unique<Pendulum>(); }, 200});
    add({"Acrobot-v1", [] { return std::make_unique<Acrobot>(); }, 500, -100});
    add({"MountainCar-v0", [] { return std::make_unique<MountainCar>(); }, 200, -110});
    add({"MountainCarContinuous-v0", [] { return std::make_unique<MountainCarContinuous>(); }, 999,
         90});
    add_lander("LunarLander-v3", LunarLander::Control::discrete);
    add_lander("LunarLanderContinuous-v3", LunarLander::Control::continuous);
    add_walker("BipedalWalker-v3", BipedalWalker::Course::gentle, 1600);
    add_walker("BipedalWalkerHardcore-v3", BipedalWalker::Course::hardcore, 2000);
    add_mujoco("Ant-v4", 6000);
    add_mujoco("HalfCheetah-v4", 4800);
    add_mujoco("Hopper-v4", 3800);
    add_mujoco("Humanoid-v4", 6000); // by the papers' measure; Gymnasium names none
    add_mujoco("InvertedPendulum-v4", 950);
    add_mujoco("Swimmer-v4", 360);
    add_mujoco("Walker2d-v4", std::nullopt);
    add_lake("FrozenLake-v1", FrozenLake::Map::small, 100, 0.70);
    add_lake("FrozenLake8x8-v1", FrozenLake::Map::large, 200, 0.85);
    add({"MinAtar/Breakout-v1", [] { return std::make_unique<Breakout>(); }, 5000});
  }

  void add_lander(const char* name, LunarLander::Control control) {
    add({name, [control] { return std::make_unique<LunarLander>(control); }, 1000, 200});
  }

  void add_walker(const char* name, BipedalWalker::Course course, int limit) {
    add({name, [course] { return std::make_unique<BipedalWalker>(course); }, limit, 300});
  }

  void add_mujoco(const char* name, std::optional<double> solved) {
    add({name, [name] { return std::make_unique<Mujoco>(name); }, 1000, solved});
  }

  void add_lake(const char* name, FrozenLake::Map map, int limit, double solved) {
    add({name, [map] { return std::make_unique<FrozenLake>(map); }, limit, solved});
  }

  void add(EnvEntry entry) {
    auto name = entry.name;
    if (name.empty())
      throw Error(ErrorCode::bad_value, "an environment needs a name");
    if (!entry.make)
      throw Error(ErrorCode::bad_value, "environment '" + name + "' has no factory");
    if (!entries.emplace(name, std::move(entry)).second)
      throw Error(ErrorCode::bad_value,
                  "an environment called '" + name + "' is registered already");
  }

  std::vector<std::string> names() const {
    std::vector<std::string> result;
    for (auto& [name, entry] : entries)
      result.push_back(name);
    return result;
  }

  std::mutex mutex;
  std::map<std::string, EnvEntry, std::less<>> entries;
};

Registry& registry() {
  static Registry instance;
  return instance;
}

} // namespace

bool register_env(EnvEntry entry) {
  std::lock_guard lock(registry().mutex);
  registry().add(std::move(entry));
  return true;
}

EnvEntry find_env(std::string_view name) {
  std::lock_guard lock(registry().mutex);
  auto found = registry().entries.find(name);
  if (found == registry().entries.end())
    throw_unknown_name("environment", name, registry().names());
  return found->second;
}

std::unique_ptr<Env> make_env(std::string_view name) {
  auto entry = find_env(name);
  auto env = entry.make();
  if (!env)
    throw Error(ErrorCode::bad_environment,
                "the factory of environment '" + entry.name + "' made nothing");
  if (entry.max_episode_steps > 0)
    env = std::make_unique<TimeLimit>(std::move(env), entry.max_episode_steps);
  return env;
}

std::unique_ptr<Env> make_network_env(std::string_view name) {
  auto env = make_env(name);
  if (std::holds_alternative<Discrete>(env->observation_space()))
    env = std::make_unique<OneHotObservation>(std::move(env));
  return env;
}

std::vector<std::string> env_names() {
  std::lock_guard lock(registry().mutex);
  return registry().names();
}

} // namespace rl
