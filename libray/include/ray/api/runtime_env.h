// What a job, a task or an actor finds around it: a JSON object of named fields.
//
//   ray::RuntimeEnv env;
//   env.Set("env_vars", std::map<std::string, std::string>{{"OMP_NUM_THREADS", "1"}});
//   ray::Task(Train).SetRuntimeEnv(env).Remote(); // std::getenv("OMP_NUM_THREADS") there gives "1"
//   auto vars = env.Get<std::map<std::string, std::string>>("env_vars");
//   env.SetJsonStr("pip", R"({"packages": ["numpy"]})"); // kept for others; no effect here
#pragma once

#include <exception>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include <ray/api/ray_exception.h>

namespace ray {

/// Fields by name. Only "env_vars" (an object of strings) has an effect in this runtime; others are
/// kept as they are. User types pass through nlohmann's to_json and from_json. Value type; equal
/// when all fields are. Every error is a RayRuntimeEnvException and leaves the object as it was.
class RuntimeEnv {
public:
  /// Sets or replaces a field. Error: "Failed to set the field N: ..." when to_json throws.
  template <typename T>
  void Set(const std::string& name, const T& value) {
    try {
      nlohmann::json field = value;
      fields_[name] = std::move(field);
    } catch (const std::exception& e) {
      throw internal::RayRuntimeEnvException("Failed to set the field " + name + ": " + e.what());
    }
  }

  /// The field as a T. Errors: "The field N not found.", "Failed to get the field N: ..." when it
  /// is of another type.
  template <typename T>
  T Get(const std::string& name) const {
    const auto& field = Find(name);
    try {
      return field.get<T>();
    } catch (const std::exception& e) {
      throw internal::RayRuntimeEnvException("Failed to get the field " + name + ": " + e.what());
    }
  }

  /// Sets or replaces a field by its JSON text, nested at most 64 deep. Error: "Failed to set the
  /// field N by json string: ..." when it does not parse.
  void SetJsonStr(const std::string& name, const std::string& json_str);

  /// The field as JSON, without blanks, keys sorted. Errors: "The field N not found.", "Failed to
  /// get the field N: ..." when it has a string that is not UTF-8.
  std::string GetJsonStr(const std::string& name) const;

  bool Contains(const std::string& name) const;

  /// False when there was no such field.
  bool Remove(const std::string& name);

  bool Empty() const;

  /// All fields as one JSON object, "{}" when empty; Deserialize reads it back. Error: "Failed to
  /// serialize the runtime env: ..." when a field has a string that is not UTF-8.
  std::string Serialize() const;

  /// {"serializedRuntimeEnv": what Serialize gives, as a string}
  std::string SerializeToRuntimeEnvInfo() const;

  /// Error: "Failed to deserialize runtime env ..." when the text is no JSON object, or is nested
  /// deeper than 64.
  static RuntimeEnv Deserialize(const std::string& serialized_runtime_env);

  friend bool operator==(const RuntimeEnv& a, const RuntimeEnv& b) {
    return a.fields_ == b.fields_;
  }

private:
  const nlohmann::json& Find(const std::string& name) const;

  nlohmann::json fields_ = nlohmann::json::object();
};

} // namespace ray
