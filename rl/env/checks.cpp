#include "rl/env/checks.hpp"

#include <cmath>
#include <string>

#include "rl/error.hpp"

namespace rl {

void require_running(bool running, const char* env) {
  if (!running)
    throw Error(ErrorCode::bad_environment,
                std::string(env) + ": step without a running episode; reset first");
}

int require_choice(std::span<const float> action, int n, const char* env) {
  auto value = action[0];
  if (!(value >= 0 && value < static_cast<float>(n) && value == std::floor(value)))
    throw Error(ErrorCode::bad_value, std::string(env) + ": action " + std::to_string(value)
                                        + " is not one of 0 to " + std::to_string(n - 1));
  return static_cast<int>(value);
}

void require_finite(std::span<const float> action, const char* env) {
  for (std::size_t i = 0; i < action.size(); ++i)
    if (!std::isfinite(action[i]))
      throw Error(ErrorCode::bad_value, std::string(env) + ": number " + std::to_string(i)
                                          + " of the action is " + std::to_string(action[i]));
}

} // namespace rl
