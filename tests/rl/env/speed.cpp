// How fast the environments are: steps per second of one thread, random actions from a table,
// resets included, through VectorEnv as training uses it. Prints a table for rl/README.md.
//
//   build/bin/rl_env_speed [SECONDS [NAME...]]      0.5 s each, and all names, unless said

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "rl/env/registry.hpp"
#include "rl/env/vector_env.hpp"
#include "rl/error.hpp"
#include "rl/rng.hpp"

namespace {

// The median of five stretches.
double steps_per_second(const std::string& name, double seconds) {
  constexpr int envs = 8, rows = 64;
  rl::VectorEnv env(name, 1, 0, envs);
  auto width = rl::value_size(env.action_space());
  std::vector<float> actions(rows * envs * width);
  rl::Rng rng(1);
  for (std::size_t i = 0; i < actions.size(); i += width)
    rl::sample(env.action_space(), rng, std::span(actions).subspan(i, width));
  std::vector<float> reward(envs);
  std::vector<std::uint8_t> terminated(envs), truncated(envs);
  std::vector<double> rates;
  for (int stretch = 0; stretch < 5; ++stretch) {
    auto begin = std::clock();
    long steps = 0;
    double passed = 0;
    do {
      for (std::size_t row = 0; row < rows; ++row, steps += envs)
        env.step(std::span(actions).subspan(row * envs * width, envs * width),
                 {reward, terminated, truncated});
      passed = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
    } while (passed < seconds / 5);
    rates.push_back(static_cast<double>(steps) / passed);
  }
  std::sort(rates.begin(), rates.end());
  return rates[2];
}

} // namespace

int main(int argc, char** argv) {
  auto seconds = argc > 1 ? std::strtod(argv[1], nullptr) : 0.5;
  std::vector<std::string> names(argv + std::min(argc, 2), argv + argc);
  if (names.empty())
    names = rl::env_names();
  std::printf("| environment | steps/s |\n|---|---|\n");
  for (auto& name : names)
    try {
      auto rate = steps_per_second(name, seconds);
      auto large = rate >= 1e6;
      std::printf("| %s | %.*f %s |\n", name.c_str(), rate >= 1e7 || !large ? 0 + !large : 1,
                  rate / (large ? 1e6 : 1e3), large ? "M" : "k");
      std::fflush(stdout);
    } catch (const rl::Error& error) {
      std::fprintf(stderr, "rl_env_speed: %s\n", error.what());
      return 1;
    }
}
