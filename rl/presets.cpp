#include "rl/presets.hpp"

namespace rl {

namespace {

struct Preset {
  std::string_view algorithm;
  std::string_view env;
  const char* fields;
};

// rl/README.md says what each reaches.
constexpr Preset presets[] = {
  {"ppo", "CartPole-v1",
   "horizon=64\nepochs=8\nminibatch=128\nlearning_rate=2e-3\ngamma=0.98\nlambda=0.9\n"
   "anneal_steps=150000\n"},
  {"ppo", "Pendulum-v1",
   "horizon=200\nepochs=10\nminibatch=100\nlearning_rate=2e-3\ngamma=0.95\nreward_scale=0.1\n"
   "anneal_steps=200000\n"},
  {"es", "CartPole-v1", "hidden=16\nsigma=0.1\nlearning_rate=0.05\n"},
  {"es", "Pendulum-v1", "hidden=32\nsigma=0.1\nlearning_rate=0.05\nweight_decay=0\n"},
};

} // namespace

std::string preset(std::string_view algorithm, std::string_view env) {
  for (auto& each : presets)
    if (each.algorithm == algorithm && each.env == env)
      return each.fields;
  return {};
}

} // namespace rl
