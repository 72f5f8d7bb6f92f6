#include <ray/api/runtime_env.h>

#include "libray/src/json.hpp"

namespace ray {

namespace {

using internal::RayRuntimeEnvException;

// Enough of a text to recognise it by.
std::string excerpt(const std::string& text) {
  constexpr std::size_t limit = 200;
  return text.size() <= limit ? text : text.substr(0, limit) + "...";
}

} // namespace

const nlohmann::json& RuntimeEnv::Find(const std::string& name) const {
  auto at = fields_.find(name);
  if (at == fields_.end())
    throw RayRuntimeEnvException("The field " + name + " not found.");
  return *at;
}

void RuntimeEnv::SetJsonStr(const std::string& name, const std::string& json_str) {
  try {
    auto field = caf_ray::parse_json(json_str);
    fields_[name] = std::move(field);
  } catch (const std::exception& e) {
    throw RayRuntimeEnvException("Failed to set the field " + name
                                 + " by json string: " + e.what());
  }
}

std::string RuntimeEnv::GetJsonStr(const std::string& name) const {
  const auto& field = Find(name);
  try {
    return field.dump();
  } catch (const std::exception& e) {
    throw RayRuntimeEnvException("Failed to get the field " + name + ": " + e.what());
  }
}

bool RuntimeEnv::Contains(const std::string& name) const {
  return fields_.contains(name);
}

bool RuntimeEnv::Remove(const std::string& name) {
  return fields_.erase(name) > 0;
}

bool RuntimeEnv::Empty() const {
  return fields_.empty();
}

std::string RuntimeEnv::Serialize() const {
  try {
    return fields_.dump();
  } catch (const std::exception& e) {
    throw RayRuntimeEnvException(std::string("Failed to serialize the runtime env: ") + e.what());
  }
}

std::string RuntimeEnv::SerializeToRuntimeEnvInfo() const {
  return nlohmann::json{{"serializedRuntimeEnv", Serialize()}}.dump();
}

RuntimeEnv RuntimeEnv::Deserialize(const std::string& serialized_runtime_env) {
  try {
    RuntimeEnv env;
    env.fields_ = caf_ray::parse_json(serialized_runtime_env);
    if (!env.fields_.is_object())
      throw std::runtime_error(std::string("expected an object of fields, got ")
                               + env.fields_.type_name());
    return env;
  } catch (const std::exception& e) {
    throw RayRuntimeEnvException("Failed to deserialize runtime env "
                                 + excerpt(serialized_runtime_env) + ": " + e.what());
  }
}

} // namespace ray
