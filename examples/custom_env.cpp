// An environment of one's own: one class, one line that names it, checked, and learnt by PPO.
//
//   build/bin/example_custom_env
//
// A cart on ice is to come to rest at a mark; thrusters push it left or right. Prints that the
// environment keeps the rules (rl/env/env.hpp), and the mean return of random actions (about -480)
// and of what PPO has learnt in 60000 steps (about -65).

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>

#include "rl/env/checker.hpp"
#include "rl/env/checks.hpp"
#include "rl/env/registry.hpp"
#include "rl/ppo.hpp"

class Docking final : public rl::Env {
public:
  const rl::Space& observation_space() const override { return places_and_speeds_; }
  const rl::Space& action_space() const override { return thrusters_; }

  void reset(std::optional<std::uint64_t> seed, std::span<float> observation) override {
    if (seed)
      random_ = rl::Rng(*seed); // all randomness comes from here
    place_ = random_.uniform(-5, 5);
    speed_ = random_.uniform(-1, 1);
    running_ = true;
    Show(observation);
  }

  rl::Step step(std::span<const float> action, std::span<float> observation) override {
    rl::require_running(running_, "Docking");
    auto thrust = rl::require_choice(action, 3, "Docking") - 1;
    speed_ = std::clamp(speed_ + 0.1 * thrust, -4.0, 4.0);
    place_ = std::clamp(place_ + 0.1 * speed_, -10.0, 10.0);
    bool lost = std::abs(place_) == 10;
    running_ = !lost;
    Show(observation);
    return {.reward = lost ? -500 : -std::abs(place_), .terminated = lost, .truncated = false};
  }

private:
  void Show(std::span<float> observation) const {
    observation[0] = static_cast<float>(place_ / 5);
    observation[1] = static_cast<float>(speed_);
  }

  const rl::Space places_and_speeds_ = rl::make_box({-2, -4}, {2, 4});
  const rl::Space thrusters_ = rl::Discrete{3}; // left, none, right
  double place_ = 0, speed_ = 0;
  bool running_ = false;
  rl::Rng random_;
};

// At namespace scope, so that worker processes know the name too. Truncates after 100 steps.
static const bool known =
  rl::register_env({"Docking-v0", [] { return std::make_unique<Docking>(); }, 100});

int main() {
  rl::require_sound_env("Docking-v0"); // throws, and says which rules are broken
  std::printf("Docking-v0 keeps the rules\n");
  rl::Rng random(1);
  auto untrained = rl::evaluate(
    "Docking-v0", 1, 100, [&](auto, auto action) { rl::sample(rl::Discrete{3}, random, action); });
  std::printf("random actions: mean return %.0f\n", untrained.mean);

  rl::PpoConfig config;
  config.learning_rate = 2e-3, config.reward_scale = 0.02;
  rl::RunOptions options;
  options.env = "Docking-v0";
  options.stop_steps = 60'000;
  options.quiet = true;
  rl::Run run(options, "ppo", config.fields());
  rl::SerialWorkers workers(rl::ppo_workers(config, run.options()));
  auto trained = rl::train_ppo(config, run, workers);
  std::printf("after %lld steps: mean return %.0f\n", static_cast<long long>(trained.steps),
              trained.evaluation.mean);
}
