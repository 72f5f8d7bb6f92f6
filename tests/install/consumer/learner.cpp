#include <rl/ppo.hpp>
#include <rl/ppo_workers.hpp>

// Trains for a moment, with an actor: called by main.
bool Learns() {
  rl::RunOptions options;
  options.stop_steps = 2000;
  options.quiet = true;
  options.evaluation_episodes = 5;
  rl::PpoConfig config;
  rl::Run run(options, "ppo", config.fields());
  auto workers = rl::make_workers(rl::ppo_workers(config, options), 1);
  auto trained = rl::train_ppo(config, run, *workers);
  return trained.steps == 2048 && trained.evaluation.mean > 0;
}
