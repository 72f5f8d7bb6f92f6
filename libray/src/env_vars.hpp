#pragma once

#include <map>
#include <optional>
#include <string>

#include <ray/api/runtime_env.h>

/// What a runtime_env asks of the process environment. A process has one environment, so the job's
/// variables are set for all of it, and a task or actor that asks for others needs a process of its
/// own.
namespace caf_ray {

using env_vars = std::map<std::string, std::string>;

/// The field "env_vars"; empty when there is none. Throws RayRuntimeEnvException when it is no
/// object of strings, or a name is empty or contains '=' or a zero byte.
env_vars env_vars_of(const ray::RuntimeEnv& env);

/// The first variable that this process has not or has with another value.
std::optional<std::string> first_missing(const env_vars& wanted);

/// Sets variables for its lifetime; then each is again what it was before. Not for use while other
/// threads read the environment (setenv(3)): made before the runtime's threads start, ends after
/// them.
class env_vars_scope {
public:
  explicit env_vars_scope(const env_vars& wanted);
  ~env_vars_scope();
  env_vars_scope(const env_vars_scope&) = delete;
  env_vars_scope& operator=(const env_vars_scope&) = delete;

private:
  std::map<std::string, std::optional<std::string>> before_;
};

} // namespace caf_ray
