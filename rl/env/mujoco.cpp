#include "rl/env/mujoco.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <mujoco/mujoco.h>

#include "rl/env/checks.hpp"
#include "rl/env/mujoco_model.hpp"
#include "rl/env/picture.hpp"
#include "rl/error.hpp"

namespace rl {

// Gymnasium's v4 tasks, a row each.
struct MujocoTask {
  const char* name;
  const char* model;
  int frame_skip;        // steps of the simulation in one of the task
  double position_noise; // of a reset, uniform in +-this
  double velocity_noise; // uniform in +-this, or the deviation where normal
  bool normal_velocity;
  int hidden;            // leading positions that are not observed
  double velocity_bound; // on observed velocities
  bool body_forces;      // observed too
  double forward_weight, alive_bonus, control_cost;
  double (*place)(const mjModel&, const mjData&); // whose speed counts
  bool (*alive)(const mjModel&, const mjData&);   // null: always
};

namespace {

constexpr double unbounded = std::numeric_limits<double>::infinity();

double root(const mjModel&, const mjData& d) {
  return d.qpos[0];
}

double torso(const mjModel&, const mjData& d) {
  return d.xpos[3]; // body 1, as of the last step of the simulation
}

double centre_of_mass(const mjModel& m, const mjData& d) {
  double sum = 0, mass = 0;
  for (int i = 0; i < m.nbody; ++i) {
    sum += m.body_mass[i] * d.xipos[3 * i];
    mass += m.body_mass[i];
  }
  return sum / mass;
}

bool between(double low, double value, double high) {
  return low < value && value < high;
}

bool all_within(const mjtNum* values, int count, double bound) {
  return std::all_of(values, values + count,
                     [bound](double each) { return between(-bound, each, bound); });
}

bool humanoid_alive(const mjModel&, const mjData& d) {
  return between(1.0, d.qpos[2], 2.0);
}

bool ant_alive(const mjModel& m, const mjData& d) {
  return all_within(d.qpos, m.nq, unbounded) && all_within(d.qvel, m.nv, unbounded)
         && 0.2 <= d.qpos[2] && d.qpos[2] <= 1.0;
}

bool hopper_alive(const mjModel& m, const mjData& d) {
  return d.qpos[1] > 0.7 && between(-0.2, d.qpos[2], 0.2) && all_within(d.qpos + 2, m.nq - 2, 100)
         && all_within(d.qvel, m.nv, 100);
}

bool walker_alive(const mjModel&, const mjData& d) {
  return between(0.8, d.qpos[1], 2.0) && between(-1.0, d.qpos[2], 1.0);
}

bool pendulum_alive(const mjModel& m, const mjData& d) {
  return all_within(d.qpos, m.nq, unbounded) && all_within(d.qvel, m.nv, unbounded)
         && std::abs(d.qpos[1]) <= 0.2;
}

// clang-format off
const MujocoTask tasks[] = {
  // name, model, skip, position and velocity noise, normal, hidden, velocity bound, forces,
  // forward, alive, control, place, alive
  {"Humanoid-v4", "humanoid", 5, 0.01, 0.01, false, 2, unbounded, true,
   1.25, 5, 0.1, centre_of_mass, humanoid_alive},
  {"Ant-v4", "ant", 5, 0.1, 0.1, true, 2, unbounded, false,
   1, 1, 0.5, torso, ant_alive},
  {"HalfCheetah-v4", "half_cheetah", 5, 0.1, 0.1, true, 1, unbounded, false,
   1, 0, 0.1, root, nullptr},
  {"Hopper-v4", "hopper", 4, 0.005, 0.005, false, 1, 10, false,
   1, 1, 1e-3, root, hopper_alive},
  {"Walker2d-v4", "walker2d", 4, 0.005, 0.005, false, 1, 10, false,
   1, 1, 1e-3, root, walker_alive},
  {"Swimmer-v4", "swimmer", 4, 0.1, 0.1, false, 2, unbounded, false,
   1, 0, 1e-4, root, nullptr},
  {"InvertedPendulum-v4", "inverted_pendulum", 2, 0.01, 0.01, false, 0, unbounded, false,
   0, 1, 0, root, pendulum_alive},
};
// clang-format on

const MujocoTask& find_task(const std::string& name) {
  for (auto& each : tasks)
    if (each.name == name)
      return each;
  throw_unknown_name("MuJoCo task", name, mujoco_task_names());
}

int observation_size(const MujocoTask& task, const mjModel& m) {
  auto size = m.nq - task.hidden + m.nv;
  return task.body_forces ? size + (10 + 6 + 6) * m.nbody + m.nv : size;
}

Box actions(const mjModel& m) {
  std::vector<float> low, high;
  for (int i = 0; i < m.nu; ++i) {
    low.push_back(static_cast<float>(m.actuator_ctrlrange[2 * i]));
    high.push_back(static_cast<float>(m.actuator_ctrlrange[2 * i + 1]));
  }
  return make_box(low, high);
}

int explosions(const mjData& d) {
  return d.warning[mjWARN_BADQPOS].number + d.warning[mjWARN_BADQVEL].number
         + d.warning[mjWARN_BADQACC].number;
}

} // namespace

Mujoco::Mujoco(const std::string& task)
  : task_(find_task(task)), model_(load_mujoco_model(task_.model)),
    data_(mj_makeData(model_.get()), mj_deleteData),
    observation_space_(make_box(observation_size(task_, *model_),
                                -std::numeric_limits<float>::infinity(),
                                std::numeric_limits<float>::infinity())),
    action_space_(actions(*model_)) {}

Mujoco::~Mujoco() = default;

void Mujoco::reset(std::optional<std::uint64_t> seed, std::span<float> observation) {
  if (seed)
    rng_ = Rng(*seed);
  auto& m = *model_;
  auto& d = *data_;
  mj_resetData(&m, &d);
  for (int i = 0; i < m.nq; ++i)
    d.qpos[i] += rng_.uniform(-task_.position_noise, task_.position_noise);
  for (int i = 0; i < m.nv; ++i)
    d.qvel[i] += task_.normal_velocity ? task_.velocity_noise * rng_.normal()
                                       : rng_.uniform(-task_.velocity_noise, task_.velocity_noise);
  mj_forward(&m, &d);
  running_ = true;
  observe(observation);
}

Step Mujoco::step(std::span<const float> action, std::span<float> observation) {
  require_running(running_, task_.name);
  auto& m = *model_;
  auto& d = *data_;
  action = action.first(static_cast<std::size_t>(m.nu));
  require_finite(action, task_.name);
  double effort = 0;
  for (std::size_t i = 0; i < action.size(); ++i) {
    d.ctrl[i] = static_cast<double>(action[i]);
    effort += d.ctrl[i] * d.ctrl[i];
  }
  auto before = task_.place(m, d);
  auto exploded = explosions(d);
  for (int i = 0; i < task_.frame_skip; ++i)
    mj_step(&m, &d);
  if (task_.body_forces)
    mj_rnePostConstraint(&m, &d); // else contact forces are those of long ago
  auto speed = (task_.place(m, d) - before) / interval();
  Step result;
  result.reward = task_.forward_weight * speed + task_.alive_bonus - task_.control_cost * effort;
  result.terminated = task_.alive && !task_.alive(m, d);
  if (explosions(d) != exploded) {
    result.reward = 0;
    result.terminated = true;
  }
  running_ = !result.terminated;
  observe(observation);
  return result;
}

void Mujoco::observe(std::span<float> observation) const {
  auto& m = *model_;
  auto& d = *data_;
  auto* out = observation.data();
  auto put = [&out](const mjtNum* values, int count) {
    out = std::transform(values, values + count, out,
                         [](double each) { return static_cast<float>(each); });
  };
  put(d.qpos + task_.hidden, m.nq - task_.hidden);
  for (int i = 0; i < m.nv; ++i)
    *out++ = static_cast<float>(std::clamp(d.qvel[i], -task_.velocity_bound, task_.velocity_bound));
  if (!task_.body_forces)
    return;
  put(d.cinert, 10 * m.nbody);
  put(d.cvel, 6 * m.nbody);
  put(d.qfrc_actuator, m.nv);
  put(d.cfrc_ext, 6 * m.nbody);
}

std::span<const double> Mujoco::positions() const {
  return {data_->qpos, static_cast<std::size_t>(model_->nq)};
}

std::span<const double> Mujoco::velocities() const {
  return {data_->qvel, static_cast<std::size_t>(model_->nv)};
}

double Mujoco::interval() const {
  return model_->opt.timestep * task_.frame_skip;
}

// From the side, following the first body; what moves in a plane lying down, from above.
bool Mujoco::draw(Picture& picture) const {
  auto& m = *model_;
  auto& d = *data_;
  picture.clear(300, 200, {255, 255, 255});
  auto lying = m.nq > 1 && m.jnt_type[1] == mjJNT_SLIDE && m.jnt_axis[3 + 1] != 0;
  auto up = lying ? 1 : 2; // which coordinate is upwards in the picture
  constexpr double pixels = 50;
  View view{{150 - pixels * d.xpos[3], lying ? 100.0 : 170.0}, pixels};
  if (!lying)
    picture.rectangle(0, 170, 300, 171, {120, 120, 120});
  for (int mark = -4; mark <= 4; ++mark) { // on the ground, a metre apart
    auto at = view(std::floor(d.xpos[3]) + mark, 0);
    picture.rectangle(at.x - 1, lying ? 196 : 171, at.x + 1, lying ? 200 : 176, {120, 120, 120});
  }
  for (int i = 0; i < m.ngeom; ++i) {
    if (m.geom_type[i] != mjGEOM_SPHERE && m.geom_type[i] != mjGEOM_CAPSULE)
      continue;
    auto* place = d.geom_xpos + 3 * i;
    auto* turn = d.geom_xmat + 9 * i;
    auto half = m.geom_type[i] == mjGEOM_CAPSULE ? m.geom_size[3 * i + 1] : 0;
    auto end = [&](double sign) {
      return view(place[0] + sign * half * turn[2], place[up] + sign * half * turn[3 * up + 2]);
    };
    auto radius = pixels * m.geom_size[3 * i];
    auto shade = static_cast<std::uint8_t>(90 + 37 * (m.geom_bodyid[i] % 4));
    Colour colour{shade, 110, 180};
    picture.line(end(-1), end(1), 2 * radius, colour);
    picture.disc(end(-1), radius, colour);
    picture.disc(end(1), radius, colour);
  }
  return true;
}

std::vector<std::string> mujoco_task_names() {
  std::vector<std::string> result;
  for (auto& each : tasks)
    result.push_back(each.name);
  return result;
}

} // namespace rl
