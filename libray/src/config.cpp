#include "libray/src/flags.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <numeric>
#include <span>
#include <string_view>

#include <ray/api/ray_exception.h>

#include "gcs/types/resources.hpp"
#include "libray/src/exception.hpp"
#include "libray/src/json.hpp"
#include "libray/src/logging.hpp"

namespace caf_ray {

namespace {

using ray::internal::RayException;
using namespace std::string_literals;

constexpr std::array<std::string_view, 17> flag_names = {
  "ray_address",
  "ray_redis_password",
  "ray_redis_username",
  "ray_code_search_path",
  "ray_job_id",
  "ray_node_manager_port",
  "ray_raylet_socket_name",
  "ray_plasma_store_socket_name",
  "ray_session_dir",
  "ray_logs_dir",
  "ray_node_ip_address",
  "ray_head_args",
  "startup_token",
  "ray_default_actor_lifetime",
  "ray_runtime_env",
  "ray_runtime_env_hash",
  "ray_job_namespace",
};

constexpr std::array<std::string_view, 5> head_arg_names = {
  "--num-cpus", "--num-gpus", "--memory", "--object-store-memory", "--resources",
};

constexpr std::int64_t max_count = 65536;
constexpr std::int64_t max_shards = 1024;

/// A text and where it came from ("flag --ray_address"), for messages.
struct sourced {
  std::string text;
  std::string source;
};

[[noreturn]] void bad_value(const sourced& x, const std::string& accepted) {
  throw RayException("Bad value of " + x.source + ": \"" + x.text + "\". Accepted: " + accepted
                     + ".");
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      auto replaced = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

std::string nearest(std::string_view name, std::span<const std::string_view> known) {
  return std::string(*std::min_element(known.begin(), known.end(), [&](auto a, auto b) {
    return edit_distance(name, a) < edit_distance(name, b);
  }));
}

template <class Range>
bool contains(const Range& range, std::string_view x) {
  return std::find(range.begin(), range.end(), x) != range.end();
}

std::vector<std::string> split(std::string_view text, std::string_view separators) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    auto length = std::min(text.find_first_of(separators), text.size());
    if (length > 0)
      parts.emplace_back(text.substr(0, length));
    text.remove_prefix(std::min(length + 1, text.size()));
  }
  return parts;
}

std::int64_t to_integer(const sourced& x, std::int64_t min, std::int64_t max) {
  std::int64_t value = 0;
  auto end = x.text.data() + x.text.size();
  auto [stop, error] = std::from_chars(x.text.data(), end, value);
  if (error != std::errc{} || stop != end || value < min || value > max)
    bad_value(x, max == INT64_MAX
                   ? "an integer of at least " + std::to_string(min)
                   : "an integer from " + std::to_string(min) + " to " + std::to_string(max));
  return value;
}

/// Splits "--name=value", or takes the value from the next word; `i` then stands on that one.
sourced take_value(std::string_view word, auto next_word, std::size_t count, std::size_t& i,
                   std::string source) {
  if (auto equals = word.find('='); equals != std::string_view::npos)
    return {std::string(word.substr(equals + 1)), std::move(source)};
  if (i + 1 >= count)
    throw RayException("The " + source + " needs a value, and none follows it.");
  ++i;
  return {std::string(next_word(i)), std::move(source)};
}

/// The flags of ours in a command line; the rest is the program's own.
class command_line {
public:
  command_line(int argc, const char* const* argv) {
    auto count = argv && argc > 0 ? static_cast<std::size_t>(argc) : 0;
    for (std::size_t i = 1; i < count; ++i) {
      std::string_view word = argv[i] ? argv[i] : "";
      if (word == "--")
        break;
      if (!word.starts_with('-'))
        continue;
      auto name = word.substr(word.starts_with("--") ? 2 : 1);
      name = name.substr(0, name.find('='));
      if (contains(flag_names, name)) {
        auto next = [argv](std::size_t at) { return argv[at] ? argv[at] : ""; };
        auto value = take_value(word, next, count, i, "flag --" + std::string(name));
        values_.insert_or_assign(std::string(name), std::move(value));
      } else if (name.starts_with("ray_")) {
        misspelt_.push_back("The flag --" + std::string(name)
                            + " is not known here, the nearest is --" + nearest(name, flag_names)
                            + ".");
      }
    }
  }

  /// Null when the flag is absent or empty.
  const sourced* find(const std::string& name) const {
    auto at = values_.find(name);
    return at == values_.end() || at->second.text.empty() ? nullptr : &at->second;
  }

  std::string text(const std::string& name, std::string otherwise = "") const {
    auto value = find(name);
    return value ? value->text : std::move(otherwise);
  }

  std::int64_t integer(const std::string& name, std::int64_t otherwise, std::int64_t min,
                       std::int64_t max) const {
    auto at = values_.find(name);
    return at == values_.end() ? otherwise : to_integer(at->second, min, max);
  }

  const std::vector<std::string>& misspelt() const noexcept { return misspelt_; }

private:
  std::map<std::string, sourced> values_;
  std::vector<std::string> misspelt_;
};

bool is_host(const std::string& host) {
  in6_addr address;
  if (host.starts_with('[') && host.ends_with(']'))
    return ::inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &address) == 1;
  if (host.find_first_not_of("0123456789.") == std::string::npos)
    return ::inet_pton(AF_INET, host.c_str(), &address) == 1;
  return std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.'
           || c == '-' || c == '_';
  });
}

void check_address(const sourced& x) {
  constexpr auto accepted = "ip:port, as in 10.0.0.1:6379, host:port or [ip6]:port, with a port "
                            "from 1 to 65535";
  auto colon = x.text.rfind(':');
  if (colon == std::string::npos || !is_host(x.text.substr(0, colon)))
    bad_value(x, accepted);
  unsigned port = 0;
  auto end = x.text.data() + x.text.size();
  auto [stop, error] = std::from_chars(x.text.data() + colon + 1, end, port);
  if (error != std::errc{} || stop != end || port < 1 || port > 65535)
    bad_value(x, accepted);
}

std::string resolve_address(const ray::RayConfig& config, const command_line& flags,
                            const environment& getenv) {
  if (config.local_mode)
    return "";
  sourced found;
  if (auto flag = flags.find("ray_address"))
    found = *flag;
  else if (!config.address.empty())
    found = {config.address, "RayConfig::address"};
  else if (auto variable = config.is_worker_ ? nullptr : getenv("RAY_ADDRESS"))
    found = {variable, "environment variable RAY_ADDRESS"};
  if (!found.text.empty())
    check_address(found);
  return found.text;
}

void set_resource(settings& s, const std::string& name, double amount, const std::string& source) {
  if (auto checked = resource_set::check(name, amount); !checked)
    throw RayException("Bad value of " + source + ": " + checked.error().what);
  if (name == "CPU")
    throw RayException("Bad value of " + source
                       + ": \"CPU\" is not set here but with RayConfig::num_cpus or --num-cpus.");
  if (name == "object_store_memory")
    throw RayException("Bad value of " + source
                       + ": \"object_store_memory\" is not set here but with "
                         "RayConfig::object_store_memory_bytes or --object-store-memory.");
  s.resources[name] = amount;
}

void set_resources(settings& s, const sourced& x) {
  constexpr auto accepted = "a JSON object of numbers, as in {\"simulator\": 4}";
  nlohmann::json json;
  try {
    json = parse_json(x.text);
  } catch (const std::exception& e) {
    bad_value(x, accepted + " ("s + e.what() + ")");
  }
  if (!json.is_object())
    bad_value(x, accepted);
  for (auto& [name, amount] : json.items()) {
    if (!amount.is_number())
      bad_value(x, accepted);
    set_resource(s, name, amount.get<double>(), x.source);
  }
}

void set_head_arg(settings& s, std::string_view name, const sourced& value) {
  if (name == "--num-cpus")
    s.num_cpus = static_cast<unsigned>(to_integer(value, 0, max_count));
  else if (name == "--object-store-memory")
    s.object_store_memory_bytes = static_cast<std::size_t>(to_integer(value, 1, INT64_MAX));
  else if (name == "--resources")
    set_resources(s, value);
  else if (name == "--memory")
    set_resource(s, "memory", static_cast<double>(to_integer(value, 1, INT64_MAX)), value.source);
  else if (auto gpus = to_integer(value, 0, max_count); gpus > 0)
    set_resource(s, "GPU", static_cast<double>(gpus), value.source);
  else
    s.resources.erase("GPU");
}

void read_head_args(settings& s, const std::vector<std::string>& words) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    auto& word = words[i];
    auto name = word.substr(0, word.find('='));
    std::replace(name.begin(), name.end(), '_', '-');
    if (!contains(head_arg_names, name)) {
      std::string known;
      for (auto each : head_arg_names)
        known += (known.empty() ? "" : ", ") + std::string(each);
      throw RayException("Unknown head argument \"" + word + "\". Known: " + known
                         + ". Nearest: " + nearest(name, head_arg_names) + ".");
    }
    auto next = [&](std::size_t at) { return words[at]; };
    set_head_arg(s, name, take_value(word, next, words.size(), i, "head argument " + name));
  }
}

void read_node(settings& s, const ray::RayConfig& config, const command_line& flags) {
  if (config.num_cpus < 0 || config.num_cpus > max_count)
    bad_value({std::to_string(config.num_cpus), "RayConfig::num_cpus"},
              "0 (the number of cores) to " + std::to_string(max_count));
  if (config.num_cpus > 0)
    s.num_cpus = static_cast<unsigned>(config.num_cpus);
  for (auto& [name, amount] : config.resources)
    set_resource(s, name, amount, "RayConfig::resources");
  s.object_store_memory_bytes = config.object_store_memory_bytes;
  s.spill_directory = config.spill_directory;
  s.gcs_directory = config.gcs_directory;
  if (config.gcs_shards < 1 || config.gcs_shards > max_shards)
    bad_value({std::to_string(config.gcs_shards), "RayConfig::gcs_shards"},
              "1 to " + std::to_string(max_shards));
  s.gcs_shards = static_cast<unsigned>(config.gcs_shards);
  s.gcs_durability =
    config.gcs_directory.empty() ? ray::GcsDurability::NONE : config.gcs_durability;

  read_head_args(s, config.head_args);
  read_head_args(s, split(flags.text("ray_head_args"), " \t\n"));
}

ray::ActorLifetime to_lifetime(const sourced& x) {
  auto lower = x.text;
  for (auto& c : lower)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
  if (lower == "detached")
    return ray::ActorLifetime::DETACHED;
  if (lower != "non_detached")
    bad_value(x, "detached or non_detached");
  return ray::ActorLifetime::NON_DETACHED;
}

std::uint32_t to_job_id(const sourced& x) {
  std::uint32_t id = 0;
  auto end = x.text.data() + x.text.size();
  auto [stop, error] = std::from_chars(x.text.data(), end, id, 16);
  if (error != std::errc{} || stop != end || id == 0)
    bad_value(x, "the job's number in hexadecimal, 1 to ffffffff");
  return id;
}

ray::RuntimeEnv to_runtime_env(const std::string& json, const std::string& source) {
  try {
    return ray::RuntimeEnv::Deserialize(json);
  } catch (const ray::internal::RayRuntimeEnvException& e) {
    throw ray::internal::RayRuntimeEnvException("Bad value of " + source + ": " + e.what());
  }
}

/// What job submission leaves for the driver it starts.
void read_job_config(settings& s, const sourced& x) {
  constexpr auto accepted = "a JSON object of the keys runtime_env (an object) and metadata (an "
                            "object of strings)";
  try {
    auto json = parse_json(x.text);
    if (!json.is_object() || json.size() != 2 || !json.contains("runtime_env")
        || !json.contains("metadata"))
      bad_value(x, accepted);
    s.runtime_env = to_runtime_env(json["runtime_env"].dump(), x.source);
    s.metadata = json["metadata"].get<std::map<std::string, std::string>>();
  } catch (const RayException&) {
    throw;
  } catch (const std::exception& e) {
    bad_value(x, accepted + " ("s + e.what() + ")");
  }
}

void read_job(settings& s, const ray::RayConfig& config, const command_line& flags,
              const environment& getenv) {
  s.code_search_path = config.code_search_path;
  if (auto flag = flags.find("ray_code_search_path"))
    s.code_search_path = split(flag->text, ":");
  s.default_actor_lifetime = config.default_actor_lifetime;
  if (auto flag = flags.find("ray_default_actor_lifetime"))
    s.default_actor_lifetime = to_lifetime(*flag);
  s.ray_namespace = flags.text("ray_job_namespace", config.ray_namespace);
  if (auto flag = flags.find("ray_job_id"))
    s.job_id = to_job_id(*flag);

  if (config.runtime_env)
    s.runtime_env = *config.runtime_env;
  if (!config.is_worker_)
    if (auto variable = getenv("RAY_JOB_CONFIG_JSON_ENV_VAR"); variable && *variable)
      read_job_config(s, {variable, "environment variable RAY_JOB_CONFIG_JSON_ENV_VAR"});
  if (auto flag = flags.find("ray_runtime_env"))
    s.runtime_env = to_runtime_env(flag->text, flag->source);
}

ray::RayLoggerLevel resolve_log_level(const ray::RayConfig& config, const environment& getenv) {
  if (config.log_level)
    return *config.log_level;
  auto variable = getenv("RAY_BACKEND_LOG_LEVEL");
  if (!variable || !*variable)
    return ray::RayLoggerLevel::INFO;
  auto level = parse_log_level(variable);
  if (!level)
    bad_value({variable, "environment variable RAY_BACKEND_LOG_LEVEL"}, log_level_names);
  return *level;
}

} // namespace

settings resolve_settings(const ray::RayConfig& config, int argc, const char* const* argv,
                          const environment& getenv) {
  command_line flags(argc, argv);
  settings s;
  s.local_mode = config.local_mode;
  s.is_worker = config.is_worker_;
  s.address = resolve_address(config, flags, getenv);
  s.log_level = resolve_log_level(config, getenv);
  read_job(s, config, flags, getenv);
  read_node(s, config, flags);

  s.session_directory = flags.text("ray_session_dir");
  s.logs_directory =
    flags.text("ray_logs_dir", s.session_directory.empty() ? "" : s.session_directory + "/logs");
  s.node_ip_address = flags.text("ray_node_ip_address");
  s.worker.raylet_socket_name = flags.text("ray_raylet_socket_name");
  s.worker.plasma_store_socket_name = flags.text("ray_plasma_store_socket_name");
  s.worker.node_manager_port =
    static_cast<std::uint16_t>(flags.integer("ray_node_manager_port", 0, 0, UINT16_MAX));
  s.worker.startup_token = flags.integer("startup_token", -1, -1, INT64_MAX);
  s.worker.runtime_env_hash =
    static_cast<int>(flags.integer("ray_runtime_env_hash", -1, INT32_MIN, INT32_MAX));
  s.warnings = flags.misspelt();
  return s;
}

std::vector<std::string> absolute_search_path(const std::vector<std::string>& paths) {
  std::vector<std::string> result;
  for (auto& path : paths) {
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored))
      throw RayException("code_search_path has \"" + path + "\", which does not exist.");
    result.push_back(std::filesystem::absolute(path).lexically_normal().string());
  }
  return result;
}

} // namespace caf_ray
