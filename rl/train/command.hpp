// What `caf-ray-train` does with its words: everything but main, so that tests can call it.
//
//   caf-ray-train ppo --env CartPole-v1 --seed 1 --stop-return 475 --logdir runs/first
//   caf-ray-train ppo --resume runs/first --stop-steps 200000
//   caf-ray-train eval runs/first
//   caf-ray-train record runs/first
//   caf-ray-train bench --algorithm ppo --into rl/README.md
//   caf-ray-train list
//   caf-ray-train check-env CartPole-v1
//   caf-ray-train ppo --help
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace rl {

/// Runs the command that `words` (without the program's name) ask for. Results go to `out`,
/// messages for people to `err`, the progress line to standard error. Settings come from, each over
/// the one before: defaults, the preset for algorithm and environment, the checkpoint when
/// resuming, flags. With --workers above 0, the runtime is started and ended around the training.
/// Returns the exit status: 0; 1 when something failed or --stop-return was not reached within the
/// limits; 2 when the words make no sense; 130 when training was interrupted. Never throws.
int train_command(const std::vector<std::string>& words, std::ostream& out, std::ostream& err);

} // namespace rl
