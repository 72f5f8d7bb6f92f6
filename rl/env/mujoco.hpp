// The "v4" tasks on MuJoCo: Humanoid, Ant, HalfCheetah, Hopper, Walker2d, Swimmer and
// InvertedPendulum. Source: Gymnasium's tasks of that version with OpenAI Gym's models
// (mujoco_model.hpp), on MuJoCo 2.2; the table in mujoco.cpp is their contract.
#pragma once

#include <memory>
#include <vector>

#include "rl/env/env.hpp"
#include "rl/rng.hpp"

struct mjModel_;
struct mjData_;

namespace rl {

struct MujocoTask; // a row of the table

/// Observation: positions without those of the plane one moves in, then velocities (clipped to 10
/// for Hopper and Walker2d); for Humanoid then inertia, velocity, actuator force and contact force
/// of the bodies. Action: what the motors get, bounds from the model. Reward: speed forward plus a
/// bonus for being alive minus the cost of the action as given. Terminates where the task has a
/// notion of falling. The noise of a reset is uniform, and normal for the velocities of Ant and
/// HalfCheetah (by Rng::normal, so not numpy's numbers).
///
/// A simulation that explodes is begun anew by MuJoCo itself: the step in which that happens
/// terminates with reward 0. The registered environments add a limit of 1000 steps.
class Mujoco final : public Env {
public:
  /// One of mujoco_task_names(). Throws Error{unknown_name}, and as load_mujoco_model.
  explicit Mujoco(const std::string& task);
  ~Mujoco() override;

  const Space& observation_space() const override { return observation_space_; }
  const Space& action_space() const override { return action_space_; }
  void reset(std::optional<std::uint64_t> seed, std::span<float> observation) override;
  Step step(std::span<const float> action, std::span<float> observation) override;
  bool draw(Picture& picture) const override;

  /// qpos and qvel, in full precision.
  std::span<const double> positions() const;
  std::span<const double> velocities() const;
  /// Seconds of a step.
  double interval() const;

  /// For whoever looks deeper, or puts a state in; mj_forward then belongs to it.
  const mjModel_& model() const { return *model_; }
  mjData_& data() { return *data_; }

private:
  void observe(std::span<float> observation) const;

  const MujocoTask& task_;
  std::shared_ptr<const mjModel_> model_;
  std::unique_ptr<mjData_, void (*)(mjData_*)> data_;
  Space observation_space_, action_space_;
  bool running_ = false;
  Rng rng_;
};

/// "Humanoid-v4" and so on.
std::vector<std::string> mujoco_task_names();

} // namespace rl
