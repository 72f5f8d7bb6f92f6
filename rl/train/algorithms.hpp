// What the program knows of each algorithm: one row of a table (command.cpp).
#pragma once

#include <iosfwd>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "rl/evaluate.hpp"
#include "rl/policy.hpp"
#include "rl/run/checkpoint.hpp"
#include "rl/run/run.hpp"

namespace rl {

using Words = std::span<const std::string>;

struct Algorithm {
  const char* name;
  const char* what;
  /// Trains as the words say (train_command); returns the exit status.
  int (*train)(Words words, std::ostream& out, std::ostream& err);
  /// The most likely actions of the policy in one of its checkpoints; none: it cannot be played
  /// yet. Throws Error{bad_checkpoint} when the checkpoint is not what it says.
  Act (*play)(const Checkpoint& checkpoint) = nullptr;
};

std::span<const Algorithm> algorithms();

/// Throws Error{unknown_name} with the known names and the nearest.
const Algorithm& find_algorithm(std::string_view name);

/// Algorithm::play of those whose checkpoints hold an ActorCritic's weights, and whose `policy`
/// follows from their Config and the environment.
template <class Config, class Policy>
Act play_actor_critic(const Checkpoint& checkpoint, Policy policy) {
  Config config;
  read_fields(config.fields(), checkpoint.get("config"));
  RunOptions options;
  options.env = checkpoint.get("env");
  struct Player {
    ActorCritic<float> network;
    std::vector<float> weights;
    ActorCritic<float>::Workspace workspace;
  };
  auto player = std::make_shared<Player>(
    Player{ActorCritic<float>(policy(config, options)), checkpoint.get_floats("weights"), {}});
  if (player->weights.size() != player->network.parameter_count())
    throw Error(ErrorCode::bad_checkpoint,
                "the checkpoint's weights do not fit its settings; it was written by another "
                "version of this program: train again");
  return [player](auto observation, auto action) {
    player->network.act_greedily(player->weights, observation, action, player->workspace);
  };
}

} // namespace rl
