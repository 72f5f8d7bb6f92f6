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
