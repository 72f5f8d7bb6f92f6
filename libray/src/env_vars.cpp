#include "libray/src/env_vars.hpp"

#include <cstdlib>

namespace caf_ray {

using ray::internal::RayRuntimeEnvException;

env_vars env_vars_of(const ray::RuntimeEnv& env) {
  if (!env.Contains("env_vars"))
    return {};
  env_vars vars;
  try {
    vars = env.Get<env_vars>("env_vars");
  } catch (const RayRuntimeEnvException&) {
    throw RayRuntimeEnvException("runtime_env: env_vars is an object of strings, as in "
                                 "{\"OMP_NUM_THREADS\": \"1\"}, not "
                                 + env.GetJsonStr("env_vars"));
  }
  for (auto& [name, value] : vars)
    if (name.empty() || name.find('=') != std::string::npos || name.find('\0') != std::string::npos
        || value.find('\0') != std::string::npos)
      throw RayRuntimeEnvException(
        "runtime_env: \"" + name
        + "\" in env_vars cannot be an environment variable: its name is "
          "empty or has '=' in it, or a zero byte is in name or value");
  return vars;
}

std::optional<std::string> first_missing(const env_vars& wanted) {
  for (auto& [name, value] : wanted)
    if (auto present = std::getenv(name.c_str()); !present || value != present)
      return name;
  return std::nullopt;
}

env_vars_scope::env_vars_scope(const env_vars& wanted) {
  for (auto& [name, value] : wanted) {
    auto present = std::getenv(name.c_str());
    before_[name] = present ? std::optional<std::string>(present) : std::nullopt;
    setenv(name.c_str(), value.c_str(), 1);
  }
}

env_vars_scope::~env_vars_scope() {
  for (auto& [name, value] : before_) {
    if (value)
      setenv(name.c_str(), value->c_str(), 1);
    else
      unsetenv(name.c_str());
  }
}

} // namespace caf_ray
