// What most environments check at the top of step, with one wording.
#pragma once

#include <span>

namespace rl {

/// Throws Error{bad_environment} when no episode is running. `env` is the name for the text.
void require_running(bool running, const char* env);

/// The choice 0 .. n-1 that a discrete action holds. Throws Error{bad_value} for anything else.
int require_choice(std::span<const float> action, int n, const char* env);

/// Throws Error{bad_value} when a number of the action is NaN or infinite.
void require_finite(std::span<const float> action, const char* env);

} // namespace rl
