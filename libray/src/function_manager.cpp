#include "ray/api/function_manager.h"

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <string_view>

namespace ray::internal {

namespace {

struct CodeKey {
  const std::type_info* type;
  std::array<std::byte, 2 * sizeof(void*)> code;

  bool operator<(const CodeKey& other) const {
    if (*type != *other.type)
      return type->before(*other.type);
    return code < other.code;
  }
};

struct Tables {
  std::shared_mutex mutex;
  std::deque<RemoteFunction> functions; // addresses stay
  std::map<std::string, const RemoteFunction*> by_name;
  std::map<CodeKey, const RemoteFunction*> by_code;
};

/// Never destroyed: static objects of other files may call functions while the program ends.
Tables& Get() {
  static auto tables = new Tables;
  return *tables;
}

std::string Describe(const RemoteFunction& f) {
  return f.place.empty() ? "registered by hand" : "at " + f.place;
}

} // namespace

FunctionManager& FunctionManager::Instance() {
  static FunctionManager manager;
  return manager;
}

void FunctionManager::Register(RemoteFunction function, bool repeats_ok) {
  auto& tables = Get();
  std::unique_lock guard(tables.mutex);
  CodeKey key{function.type, function.code};
  auto same_name = tables.by_name.find(function.name);
  if (same_name != tables.by_name.end()) {
    auto& other = *same_name->second;
    bool same_code = *other.type == *function.type && other.code == function.code;
    if (same_code && repeats_ok)
      return;
    throw RayException("Duplicate RAY_REMOTE function: " + function.name + " (" + Describe(function)
                       + "; the other one is " + Describe(other) + ")");
  }
  if (!repeats_ok && tables.by_code.contains(key))
    throw RayException("Duplicate RAY_REMOTE function: " + function.name + " is registered as "
                       + tables.by_code.at(key)->name + " already");
  auto& kept = tables.functions.emplace_back(std::move(function));
  tables.by_name.emplace(kept.name, &kept);
  tables.by_code.emplace(key, &kept);
}

const RemoteFunction*
FunctionManager::FindCode(const std::type_info& type,
                          const std::array<std::byte, 2 * sizeof(void*)>& code) const {
  // Functions are never removed, so what a thread found last stays right.
  thread_local const RemoteFunction* last = nullptr;
  if (last && last->code == code && *last->type == type)
    return last;
  auto& tables = Get();
  std::shared_lock guard(tables.mutex);
  auto found = tables.by_code.find({&type, code});
  if (found == tables.by_code.end())
    return nullptr;
  return last = found->second;
}

const RemoteFunction* FunctionManager::FindName(const std::string& name) const {
  auto& tables = Get();
  std::shared_lock guard(tables.mutex);
  auto found = tables.by_name.find(name);
  return found == tables.by_name.end() ? nullptr : found->second;
}

std::vector<std::string> FunctionManager::Names() const {
  auto& tables = Get();
  std::shared_lock guard(tables.mutex);
  std::vector<std::string> names;
  for (auto& [name, function] : tables.by_name)
    names.push_back(name);
  return names;
}

void CheckReturnCount(std::size_t returned, std::size_t asked_for) {
  if (returned != asked_for)
    throw RayException("the function returned " + std::to_string(returned) + " elements where "
                       + std::to_string(asked_for) + " results were asked for");
}

std::vector<std::string> SplitNames(const char* names) {
  std::vector<std::string> split;
  std::string current;
  int depth = 0;
  auto finish = [&] {
    auto first = current.find_first_not_of(" \t\n");
    auto last = current.find_last_not_of(" \t\n");
    split.push_back(first == std::string::npos ? "" : current.substr(first, last - first + 1));
    current.clear();
  };
  for (const char* c = names; *c; ++c) {
    if (std::string_view("(<[{").find(*c) != std::string_view::npos)
      ++depth;
    else if (std::string_view(")>]}").find(*c) != std::string_view::npos)
      --depth;
    if (*c == ',' && depth == 0)
      finish();
    else
      current += *c;
  }
  finish();
  return split;
}

} // namespace ray::internal
