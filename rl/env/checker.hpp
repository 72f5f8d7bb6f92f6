// Does an environment keep the contract of env.hpp? Plays it and says which rules it breaks.
//
//   for (auto& broken : rl::check_env([] { return std::make_unique<Maze>(); }))
//     std::cout << broken.rule << ": " << broken.text << "\n";
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rl/env/env.hpp"

namespace rl {

struct CheckOptions {
  std::uint64_t seed = 1; ///< of episodes and of the actions
  int steps = 1000;       ///< random actions that are tried (> 0); episodes follow each other
};

/// A rule that an environment breaks, once each, where it was first seen. The rules:
///   factory             makes a new object each time, and throws nothing
///   space               is not empty; bounds in order and none NaN; a shape as large as the bounds
///   space-changes       spaces stay the same during an object's life
///   throws              no exception from reset, or from step with an action of the space
///   observation-size    nothing is written outside the span
///   observation-unset   every number of the observation is written
///   observation-finite  no NaN, no infinity
///   observation-space   the observation lies in its space
///   reward-finite       no NaN, no infinity
///   same-seed           equal seeds and actions give equal observations, rewards and flags, in the
///                       same object, in another one, and while a third one is played; the first
///                       reset without a seed too
///   step-before-reset   is refused with bad_environment
///   step-after-end      is refused with bad_environment, until reset
///   bad-action          is refused with bad_value: a choice that is none, a NaN in a box
///   picture             has one size and is not empty; drawing changes nothing
struct BrokenRule {
  std::string rule;
  std::string text; ///< a sentence: what happened, and in which step
};

/// Plays environments that `make` gives. Throws Error{bad_value} only for options out of range.
std::vector<BrokenRule> check_env(const std::function<std::unique_ptr<Env>()>& make,
                                  const CheckOptions& options = {});

/// The same for a registered name, with its time limit. Throws as find_env.
std::vector<BrokenRule> check_env(std::string_view name, const CheckOptions& options = {});

/// Throws Error{bad_environment} that lists the rules which the named environment breaks.
void require_sound_env(std::string_view name, const CheckOptions& options = {});

} // namespace rl
