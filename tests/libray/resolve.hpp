#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <ray/api/ray_config.h>
#include <ray/api/ray_exception.h>

#include "libray/src/flags.hpp"

/// What Init does with its arguments, for tests: a command line without the program's name, and an
/// environment of these variables only.
namespace caf_ray {

using words = std::vector<const char*>;
using variables = std::map<std::string, std::string>;

inline settings resolve(const ray::RayConfig& config, words flags = {}, const variables& env = {}) {
  flags.insert(flags.begin(), "program");
  return caf_ray::resolve_settings(config, static_cast<int>(flags.size()), flags.data(),
                                   [&](const char* name) -> const char* {
                                     auto at = env.find(name);
                                     return at == env.end() ? nullptr : at->second.c_str();
                                   });
}

inline std::string error_of(const ray::RayConfig& config, words flags = {},
                            const variables& env = {}) {
  try {
    resolve(config, std::move(flags), env);
  } catch (const ray::internal::RayException& e) {
    return e.what();
  }
  return "nothing was thrown";
}

} // namespace caf_ray
