#include "rl/presets.hpp"

namespace rl {

namespace {

struct Preset {
  std::string_view algorithm;
  std::string_view env;
  std::int64_t steps;
  const char* fields;
};

// rl/README.md says what each reaches.
constexpr Preset presets[] = {
  {"ppo", "CartPole-v1", 150'000,
   "horizon=64\nepochs=8\nminibatch=128\nlearning_rate=2e-3\ngamma=0.98\nlambda=0.9\n"},
  {"ppo", "Pendulum-v1", 200'000,
   "horizon=200\nepochs=10\nminibatch=100\nlearning_rate=2e-3\ngamma=0.95\nreward_scale=0.1\n"},
  {"es", "CartPole-v1", 1'000'000, "hidden=16\nsigma=0.1\nlearning_rate=0.05\n"},
  {"es", "Pendulum-v1", 6'000'000, "hidden=32\nsigma=0.1\nlearning_rate=0.05\nweight_decay=0\n"},
  {"dqn", "CartPole-v1", 50'000,
   "learning_rate=2e-3\ntrain_interval=16\ngradient_steps=8\ntarget_interval=100\nn_step=3\n"
   "prioritised=true\nduelling=true\nanneal=true\nactivation=tanh\nepsilon_end=0.04\n"
   "epsilon_steps=8000\n"},
  {"dqn", "MountainCar-v0", 120'000,
   "learning_rate=2e-3\ntrain_interval=16\ngradient_steps=8\ntarget_interval=300\nn_step=3\n"
   "prioritised=true\nduelling=true\nanneal=true\nactivation=tanh\ncapacity=50000\ngamma=0.98\n"
   "epsilon_end=0.07\nepsilon_steps=40000\n"},
  {"dqn", "Acrobot-v1", 100'000,
   "learning_rate=2e-3\ntrain_interval=16\ngradient_steps=8\ntarget_interval=100\nn_step=3\n"
   "prioritised=true\nduelling=true\nanneal=true\nactivation=tanh\ncapacity=50000\n"
   "epsilon_steps=12000\n"},
  {"dqn", "LunarLander-v3", 200'000,
   "learning_rate=1e-3\ntrain_interval=16\ngradient_steps=8\nn_step=3\nprioritised=true\n"
   "duelling=true\nanneal=true\nactivation=tanh\nreward_scale=0.1\nepsilon_end=0.02\n"
   "epsilon_steps=30000\n"},
  {"apex", "CartPole-v1", 200'000,
   "activation=tanh\nlearning_rate=2e-3\nanneal=true\ntarget_interval=100\n"},
  {"sac", "Pendulum-v1", 20'000, "hidden=64,64\nlearning_rate=1e-3\nminibatch=128\n"},
  {"sac", "InvertedPendulum-v4", 20'000, "hidden=64,64\nlearning_rate=1e-3\nminibatch=128\n"},
  {"sac", "LunarLanderContinuous-v3", 300'000,
   "hidden=128,128\nlearning_rate=7e-4\nminibatch=128\ntau=0.01\nanneal=true\n"
   "learning_starts=10000\ntrain_interval=2\nreward_scale=0.1\n"},
  {"td3", "Pendulum-v1", 20'000,
   "hidden=64,64\nlearning_rate=2e-3\nminibatch=128\ngamma=0.98\ntau=0.01\n"},
};

const Preset* find(std::string_view algorithm, std::string_view env) {
  for (auto& each : presets)
    if (each.algorithm == algorithm && each.env == env)
      return &each;
  return nullptr;
}

} // namespace

std::string preset(std::string_view algorithm, std::string_view env) {
  auto* found = find(algorithm, env);
  return found ? found->fields : "";
}

std::int64_t preset_steps(std::string_view algorithm, std::string_view env) {
  auto* found = find(algorithm, env);
  return found ? found->steps : 0;
}

} // namespace rl
