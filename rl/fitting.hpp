// Which algorithm fits which actions: one wording for all that cannot do with every space.
#pragma once

#include <cstdint>
#include <string>

#include "rl/space.hpp"

namespace rl {

/// Throws Error{bad_space} unless `actions` of the environment `env` are discrete, at least two,
/// naming the algorithms that act in boxes.
void require_discrete_actions(const char* algorithm, const std::string& env, const Space& actions);

/// Throws Error{bad_space} unless they are a box with finite bounds that lie apart, naming the
/// algorithms that fit instead.
void require_bounded_actions(const char* algorithm, const std::string& env, const Space& actions);

/// Throws Error{bad_value} unless `workers` is 0: this algorithm collects in the caller's thread.
/// `instead` is the algorithm that does the same with workers, or nothing.
void require_no_workers(const char* algorithm, std::int64_t workers, const char* instead);

} // namespace rl
