// The MuJoCo tasks against their written contract: layout of observations, rewards, terminations.
#include "rl/env/mujoco.hpp"

#include <cmath>
#include <cstdlib>
#include <optional>

#include <mujoco/mujoco.h>

#include "rl/env/mujoco_model.hpp"
#include "rl/env/picture.hpp"
#include "rl/env/registry.hpp"
#include "rl/env/wrapper.hpp"
#include "rl/run/file.hpp"
#include "tests/rl/support.hpp"

namespace {

using rl::ErrorCode;
using rl::Mujoco;
using rl::test::fails;

// What rl-facts and Gymnasium's pages say of each task, written down once more.
struct Row {
  const char* name;
  std::size_t observation, action, positions, velocities;
  double interval;
  float bound; // of actions
  double forward, alive, cost;
};
const Row rows[] = {
  {"Humanoid-v4", 376, 17, 24, 23, 0.015, 0.4f, 1.25, 5, 0.1},
  {"Ant-v4", 27, 8, 15, 14, 0.05, 1, 1, 1, 0.5},
  {"HalfCheetah-v4", 17, 6, 9, 9, 0.05, 1, 1, 0, 0.1},
  {"Hopper-v4", 11, 3, 6, 6, 0.008, 1, 1, 1, 1e-3},
  {"Walker2d-v4", 17, 6, 9, 9, 0.008, 1, 1, 1, 1e-3},
  {"Swimmer-v4", 8, 2, 5, 5, 0.04, 1, 1, 0, 1e-4},
  {"InvertedPendulum-v4", 4, 1, 2, 2, 0.04, 3, 0, 1, 0},
};

// An environment variable for the time of a test.
class Variable {
public:
  Variable(const char* name, const std::string& value) : name_(name) {
    if (auto* before = std::getenv(name))
      before_ = before;
    ::setenv(name, value.c_str(), 1);
  }
  ~Variable() {
    if (before_)
      ::setenv(name_, before_->c_str(), 1);
    else
      ::unsetenv(name_);
  }

private:
  const char* name_;
  std::optional<std::string> before_;
};

// Where the task says one is, from the simulation's own numbers.
double place(const std::string& name, Mujoco& env) {
  auto& m = env.model();
  auto& d = env.data();
  if (name == "Ant-v4")
    return d.xpos[3 * mj_name2id(&m, mjOBJ_BODY, "torso")];
  if (name != "Humanoid-v4")
    return d.qpos[0];
  double sum = 0;
  for (int i = 1; i < m.nbody; ++i)
    sum += m.body_mass[i] * d.xipos[3 * i];
  return sum / mj_getTotalmass(&m);
}

// Puts the environment into a state that step starts from.
void put(Mujoco& env, std::initializer_list<std::pair<int, double>> positions) {
  for (auto [index, value] : positions)
    env.data().qpos[index] = value;
  mj_forward(&env.model(), &env.data());
}

} // namespace

BOOST_AUTO_TEST_SUITE(mujoco)

BOOST_AUTO_TEST_CASE(spaces_and_sizes_are_those_of_the_contract) {
  BOOST_TEST(rl::mujoco_task_names().size() == std::size(rows));
  for (auto& row : rows) {
    Mujoco env(row.name);
    BOOST_TEST(rl::value_size(env.observation_space()) == row.observation, row.name);
    auto& actions = std::get<rl::Box>(env.action_space());
    BOOST_TEST(actions.low == std::vector<float>(row.action, -row.bound),
               boost::test_tools::per_element());
    BOOST_TEST(actions.high == std::vector<float>(row.action, row.bound),
               boost::test_tools::per_element());
    BOOST_TEST(env.positions().size() == row.positions);
    BOOST_TEST(env.velocities().size() == row.velocities);
    BOOST_TEST(env.interval() == row.interval, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(rl::find_env(row.name).max_episode_steps == 1000);
  }
}

BOOST_AUTO_TEST_CASE(observations_are_positions_then_velocities_then_forces) {
  rl::Rng rng(3);
  for (auto& row : rows) {
    Mujoco env(row.name);
    std::vector<float> observation(row.observation), action(row.action);
    env.reset(11, observation);
    for (int step = 0; step < 20; ++step) {
      auto hidden = row.positions + row.velocities;
      auto forces = row.observation > 300;
      hidden -= forces ? row.observation - 22 * 14 - row.velocities : row.observation;
      auto bound = row.interval == 0.008 ? 10.0 : 1e300; // Hopper and Walker2d
      std::size_t at = 0;
      for (std::size_t i = hidden; i < row.positions; ++i)
        BOOST_TEST(observation[at++] == static_cast<float>(env.positions()[i]), row.name);
      for (auto each : env.velocities())
        BOOST_TEST(observation[at++] == static_cast<float>(std::clamp(each, -bound, bound)));
      if (forces) {
        auto& d = env.data();
        for (int i = 0; i < 14 * 10; ++i)
          BOOST_TEST(observation[at++] == static_cast<float>(d.cinert[i]));
        for (int i = 0; i < 14 * 6; ++i)
          BOOST_TEST(observation[at++] == static_cast<float>(d.cvel[i]));
        for (int i = 0; i < 23; ++i)
          BOOST_TEST(observation[at++] == static_cast<float>(d.qfrc_actuator[i]));
        for (int i = 0; i < 14 * 6; ++i)
          BOOST_TEST(observation[at++] == static_cast<float>(d.cfrc_ext[i]));
      }
      BOOST_TEST(at == observation.size());
      rl::sample(env.action_space(), rng, action);
      if (env.step(action, observation).terminated)
        env.reset(std::nullopt, observation);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_humanoid_that_stands_feels_the_ground_in_its_feet) {
  Mujoco env("Humanoid-v4");
  std::vector<float> observation(376), action(17);
  env.reset(1, observation);
  double most = 0;
  for (int i = 0; i < 40 && most == 0; ++i) {
    if (env.step(action, observation).terminated)
      break;
    for (std::size_t k = 376 - 84; k < 376; ++k)
      most = std::max(most, std::abs(static_cast<double>(observation[k])));
  }
  BOOST_TEST(most > 0); // cfrc_ext stays 0 unless it is asked for
}

BOOST_AUTO_TEST_CASE(rewards_are_speed_and_bonus_minus_the_cost_of_the_action) {
  rl::Rng rng(5);
  for (auto& row : rows) {
    Mujoco env(row.name);
    std::vector<float> observation(row.observation), action(row.action);
    env.reset(4, observation);
    for (int step = 0; step < 30; ++step) {
      rl::sample(env.action_space(), rng, action);
      if (step % 3 == 0)
        for (auto& each : action)
          each *= 2; // outside: the motors take the bound, the cost is of what was asked for
      auto before = place(row.name, env);
      auto result = env.step(action, observation);
      double effort = 0;
      for (auto each : action)
        effort += static_cast<double>(each) * static_cast<double>(each);
      auto expected = row.forward * (place(row.name, env) - before) / row.interval + row.alive
                      - row.cost * effort;
      BOOST_TEST(std::abs(result.reward - expected) < 1e-9, row.name);
      if (result.terminated)
        env.reset(std::nullopt, observation);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_reset_stays_within_its_noise_of_the_models_pose) {
  struct {
    const char* name;
    double position, velocity; // 0: normal velocities
  } noises[] = {{"Humanoid-v4", 0.01, 0.01},        {"Ant-v4", 0.1, 0},
                {"HalfCheetah-v4", 0.1, 0},         {"Hopper-v4", 0.005, 0.005},
                {"Walker2d-v4", 0.005, 0.005},      {"Swimmer-v4", 0.1, 0.1},
                {"InvertedPendulum-v4", 0.01, 0.01}};
  for (auto& noise : noises) {
    Mujoco env(noise.name);
    std::vector<float> observation(rl::value_size(env.observation_space()));
    auto quaternion = env.model().jnt_type[0] == mjJNT_FREE; // is scaled to length 1
    double largest = 0, squares = 0, count = 0;
    for (std::uint64_t seed = 0; seed < 30; ++seed) {
      env.reset(seed, observation);
      for (std::size_t i = 0; i < env.positions().size(); ++i) {
        auto off = std::abs(env.positions()[i] - env.model().qpos0[i]);
        if (!(quaternion && i >= 3 && i < 7)) {
          largest = std::max(largest, off);
          BOOST_TEST(off <= noise.position, noise.name);
        }
      }
      for (auto each : env.velocities()) {
        squares += each * each;
        ++count;
        if (noise.velocity > 0)
          BOOST_TEST(std::abs(each) <= noise.velocity);
      }
    }
    BOOST_TEST(largest > 0.8 * noise.position);
    auto deviation = noise.velocity > 0 ? noise.velocity / std::sqrt(3) : 0.1;
    BOOST_TEST(std::abs(std::sqrt(squares / count) / deviation - 1) < 0.25, noise.name);
  }
}

BOOST_AUTO_TEST_CASE(episodes_end_where_the_contract_says) {
  // A coordinate is put near its limit, on either side of it; what follows in one step is little.
  struct {
    const char* name;
    int coordinate;
    double inside, outside;
  } limits[] = {
    {"Humanoid-v4", 2, 1.05, 0.95},
    {"Humanoid-v4", 2, 1.95, 2.05},
    {"Ant-v4", 2, 0.95, 1.1},
    {"Hopper-v4", 1, 0.75, 0.65},
    {"Hopper-v4", 2, 0.18, 0.22},
    {"Hopper-v4", 2, -0.18, -0.22},
    {"Walker2d-v4", 1, 0.85, 0.75},
    {"Walker2d-v4", 1, 1.95, 2.05},
    {"Walker2d-v4", 2, 0.95, 1.05},
    {"Walker2d-v4", 2, -0.95, -1.05},
    {"InvertedPendulum-v4", 1, 0.17, 0.25},
    {"InvertedPendulum-v4", 1, -0.17, -0.25},
  };
  for (auto& limit : limits) {
    Mujoco env(limit.name);
    std::vector<float> observation(rl::value_size(env.observation_space()));
    std::vector<float> action(rl::value_size(env.action_space()));
    for (auto value : {limit.inside, limit.outside}) {
      env.reset(1, observation);
      for (std::size_t i = 0; i < env.velocities().size(); ++i)
        env.data().qvel[i] = 0;
      if (limit.coordinate == 2 && env.model().jnt_type[0] != mjJNT_FREE)
        put(env, {{1, 1.6}}); // high enough not to touch the ground while leaning
      if (std::string(limit.name) == "Humanoid-v4")
        put(env, {{3, std::sqrt(0.5)}, {5, std::sqrt(0.5)}}); // lying, for the same reason
      put(env, {{limit.coordinate, value}});
      BOOST_TEST(env.step(action, observation).terminated == (value == limit.outside),
                 limit.name << ", coordinate " << limit.coordinate << " at " << value);
    }
  }
  for (auto* name : {"HalfCheetah-v4", "Swimmer-v4"}) { // these go on whatever happens
    auto env = rl::make_env(name);
    std::vector<float> observation(rl::value_size(env->observation_space()));
    std::vector<float> action(rl::value_size(env->action_space()), 1);
    env->reset(1, observation);
    for (int i = 1; i <= 1000; ++i) {
      auto result = env->step(action, observation);
      BOOST_TEST(!result.terminated);
      BOOST_TEST(result.truncated == (i == 1000));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_simulation_that_explodes_terminates_and_stays_finite) {
  rl::test::TemporaryFolder folder;
  auto here = std::filesystem::current_path();
  std::filesystem::current_path(folder.path);
  Mujoco env("HalfCheetah-v4");
  std::vector<float> observation(17), action(6);
  env.reset(1, observation);
  env.data().qvel[3] = 1e12;
  auto result = env.step(action, observation);
  BOOST_TEST(result.terminated);
  BOOST_TEST(result.reward == 0);
  for (auto each : observation)
    BOOST_TEST(std::isfinite(each));
  BOOST_TEST(fails(ErrorCode::bad_environment, [&] { env.step(action, observation); }));
  env.reset(1, observation);
  BOOST_TEST(!env.step(action, observation).terminated);
  std::filesystem::current_path(here);
  BOOST_TEST(std::filesystem::is_empty(folder.path)); // MuJoCo would leave a log there
}

BOOST_AUTO_TEST_CASE(an_error_inside_mujoco_is_an_exception_and_not_the_end_of_the_process) {
  auto model = rl::load_mujoco_model("swimmer");
  BOOST_TEST(fails(ErrorCode::bad_environment, [] { mju_error("stack overflow"); },
                   {"MuJoCo: stack overflow"}));
}

BOOST_AUTO_TEST_CASE(the_model_is_compiled_once_for_all_who_use_it) {
  auto one = rl::load_mujoco_model("swimmer");
  BOOST_TEST(one.get() == rl::load_mujoco_model("swimmer").get());
  Mujoco a("Swimmer-v4"), b("Swimmer-v4");
  BOOST_TEST(&a.model() == &b.model());
}

BOOST_AUTO_TEST_CASE(a_missing_or_damaged_model_says_what_to_do) {
  rl::test::TemporaryFolder folder;
  Variable elsewhere("CAF_RAY_MUJOCO_MODELS", folder.path.string());
  auto make = [] { rl::make_env("Ant-v4"); };
  BOOST_TEST(fails(ErrorCode::cannot_read, make,
                   {"'ant'", folder.path.c_str(), "dart-doc", "CAF_RAY_MUJOCO_MODELS"}));
  rl::write_file(folder.path / "ant.xml.gz", "not packed at all");
  BOOST_TEST(fails(ErrorCode::cannot_read, make, {"ant.xml.gz", "gzip"}));
  rl::write_file(folder.path / "ant.xml", "<mujoco><worldbody><body/></worldbody>");
  BOOST_TEST(fails(ErrorCode::cannot_read, make, {"MuJoCo cannot compile", "'ant'"}));
  BOOST_TEST(fails(ErrorCode::unknown_name, [] { Mujoco("Aant-v4"); }, {"Ant-v4"}));
}

BOOST_AUTO_TEST_CASE(every_task_draws_itself) {
  for (auto& row : rows) {
    Mujoco env(row.name);
    std::vector<float> observation(row.observation);
    env.reset(1, observation);
    rl::Picture picture;
    BOOST_TEST(env.draw(picture));
    int coloured = 0;
    for (auto& each : picture.pixels())
      coloured += each.blue == 180;
    BOOST_TEST(coloured > 100, row.name << " covers " << coloured << " pixels");
  }
}

BOOST_AUTO_TEST_SUITE_END()
