#define BOOST_TEST_MODULE ray_config
#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/libray/resolve.hpp"

using ray::RayConfig;
using namespace caf_ray;
using namespace std::string_literals;

namespace {

constexpr auto address_form = "Accepted: ip:port, as in 10.0.0.1:6379, host:port or [ip6]:port, "
                              "with a port from 1 to 65535.";

} // namespace

BOOST_AUTO_TEST_SUITE(ray_config)

BOOST_AUTO_TEST_CASE(has_the_documented_defaults) {
  RayConfig c;
  BOOST_TEST(c.address == "");
  BOOST_TEST(!c.local_mode);
  BOOST_TEST(c.code_search_path.empty());
  BOOST_TEST(c.head_args.empty());
  BOOST_TEST((c.default_actor_lifetime == ray::ActorLifetime::NON_DETACHED));
  BOOST_TEST(!c.runtime_env);
  BOOST_TEST(!c.redis_password_);
  BOOST_TEST(!c.is_worker_);
  BOOST_TEST(c.ray_namespace == "");
  BOOST_TEST(c.num_cpus == 0);
  BOOST_TEST(c.resources.empty());
  BOOST_TEST(c.object_store_memory_bytes == 0u);
  BOOST_TEST(c.spill_directory == "");
  BOOST_TEST(c.gcs_directory == "");
  BOOST_TEST(c.gcs_shards == 2);
  BOOST_TEST((c.gcs_durability == ray::GcsDurability::EVERY_COMMIT));
  BOOST_TEST(!c.log_level);
}

BOOST_AUTO_TEST_CASE(alone_becomes_a_node_of_its_own) {
  auto s = resolve({});
  BOOST_TEST(s.address == "");
  BOOST_TEST(!s.is_worker);
  BOOST_TEST(!s.num_cpus.has_value());
  BOOST_TEST(s.resources.empty());
  BOOST_TEST(s.object_store_memory_bytes == 0u);
  BOOST_TEST(s.gcs_shards == 2u);
  BOOST_TEST((s.gcs_durability == ray::GcsDurability::NONE));
  BOOST_TEST((s.log_level == ray::RayLoggerLevel::INFO));
  BOOST_TEST(s.worker.startup_token == -1);
  BOOST_TEST(s.worker.runtime_env_hash == -1);
  BOOST_TEST(!s.runtime_env.has_value());
  BOOST_TEST(!s.job_id.has_value());
}

BOOST_AUTO_TEST_CASE(reaches_the_settings_field_by_field) {
  RayConfig c;
  c.local_mode = true;
  c.code_search_path = {"a.so", "b"};
  c.default_actor_lifetime = ray::ActorLifetime::DETACHED;
  c.runtime_env = ray::RuntimeEnv();
  c.runtime_env->Set("x", 1);
  c.is_worker_ = true;
  c.ray_namespace = "space";
  c.num_cpus = 3;
  c.resources = {{"simulator", 4}, {"part", 0.5}, {"GPU", 1}};
  c.object_store_memory_bytes = 1000;
  c.spill_directory = "/spill";
  c.gcs_directory = "/gcs";
  c.gcs_shards = 5;
  c.gcs_durability = ray::GcsDurability::INTERVAL;
  c.log_level = ray::RayLoggerLevel::ERROR;
  auto s = resolve(c, {}, {{"RAY_BACKEND_LOG_LEVEL", "debug"}});
  BOOST_TEST(s.local_mode);
  BOOST_TEST((s.code_search_path == std::vector<std::string>{"a.so", "b"}));
  BOOST_TEST((s.default_actor_lifetime == ray::ActorLifetime::DETACHED));
  BOOST_TEST((s.runtime_env == *c.runtime_env));
  BOOST_TEST(s.is_worker);
  BOOST_TEST(s.ray_namespace == "space");
  BOOST_TEST((s.num_cpus == 3u));
  BOOST_TEST(
    (s.resources == std::map<std::string, double>{{"simulator", 4}, {"part", 0.5}, {"GPU", 1}}));
  BOOST_TEST(s.object_store_memory_bytes == 1000u);
  BOOST_TEST(s.spill_directory == "/spill");
  BOOST_TEST(s.gcs_directory == "/gcs");
  BOOST_TEST(s.gcs_shards == 5u);
  BOOST_TEST((s.gcs_durability == ray::GcsDurability::INTERVAL));
  BOOST_TEST((s.log_level == ray::RayLoggerLevel::ERROR));
}

BOOST_AUTO_TEST_CASE(out_of_range_is_named_with_field_value_and_range) {
  struct row {
    std::function<void(RayConfig&)> set;
    std::string error;
  };
  auto resource = [](std::string name, double amount) {
    return [=](RayConfig& c) { c.resources = {{name, amount}}; };
  };
  for (auto& [set, error] : std::vector<row>{
         {[](auto& c) { c.num_cpus = -1; },
          "Bad value of RayConfig::num_cpus: \"-1\". Accepted: 0 (the number of cores) to 65536."},
         {[](auto& c) { c.num_cpus = 65537; }, "Bad value of RayConfig::num_cpus: \"65537\". "
                                               "Accepted: 0 (the number of cores) to 65536."},
         {[](auto& c) { c.gcs_shards = 0; },
          "Bad value of RayConfig::gcs_shards: \"0\". Accepted: 1 to 1024."},
         {[](auto& c) { c.gcs_shards = 1025; },
          "Bad value of RayConfig::gcs_shards: \"1025\". Accepted: 1 to 1024."},
         {resource("", 1), "Bad value of RayConfig::resources: A resource name must not be empty. "
                           "Specified amount: 1."},
         {resource("x", -1), "Bad value of RayConfig::resources: Resource values should be "
                             "positive. Specified resource: x = -1."},
         {resource("x", 1.5), "Bad value of RayConfig::resources: A resource value should be an "
                              "integer if it is greater than 1.0. Specified resource: x = 1.5."},
         {resource("CPU", 2), "Bad value of RayConfig::resources: \"CPU\" is not set here but with "
                              "RayConfig::num_cpus or --num-cpus."},
         {resource("object_store_memory", 2),
          "Bad value of RayConfig::resources: \"object_store_memory\" is not set here but with "
          "RayConfig::object_store_memory_bytes or --object-store-memory."},
       }) {
    RayConfig c;
    set(c);
    BOOST_TEST(error_of(c) == error);
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(address)

BOOST_AUTO_TEST_CASE(comes_from_flag_config_and_variable_in_this_order) {
  variables env = {{"RAY_ADDRESS", "3.3.3.3:3"}};
  RayConfig c;
  BOOST_TEST(resolve(c, {}, env).address == "3.3.3.3:3");
  c.address = "2.2.2.2:2";
  BOOST_TEST(resolve(c, {}, env).address == "2.2.2.2:2");
  BOOST_TEST(resolve(c, {"--ray_address=1.1.1.1:1"}, env).address == "1.1.1.1:1");
  BOOST_TEST(resolve({}, {}, {{"RAY_ADDRESS", ""}}).address == "");
}

BOOST_AUTO_TEST_CASE(of_the_environment_is_for_drivers_only) {
  variables env = {{"RAY_ADDRESS", "3.3.3.3:3"}};
  RayConfig c;
  c.is_worker_ = true;
  BOOST_TEST(resolve(c, {}, env).address == "");
}

BOOST_AUTO_TEST_CASE(is_not_looked_at_in_local_mode) {
  RayConfig c;
  c.local_mode = true;
  c.address = "2.2.2.2:2";
  BOOST_TEST(resolve(c, {"--ray_address=1.1.1.1:1"}, {{"RAY_ADDRESS", "3.3.3.3:3"}}).address == "");
}

BOOST_AUTO_TEST_CASE(is_an_ip_or_host_and_a_port) {
  for (auto good : {"127.0.0.1:6379", "0.0.0.0:1", "255.255.255.255:65535", "[::1]:6379",
                    "[fe80::1:2]:80", "localhost:6379", "head-0.cluster_1.local:10001"}) {
    RayConfig c;
    c.address = good;
    BOOST_TEST(resolve(c).address == good);
  }
  for (auto bad : {"auto",
                   "ray://1.2.3.4:10001",
                   "1.2.3.4",
                   ":6379",
                   "1.2.3.4:",
                   "1.2.3.4:0",
                   "1.2.3.4:65536",
                   "1.2.3.4:99999999999999999999",
                   "1.2.3.4:-1",
                   "1.2.3.4:+1",
                   "1.2.3.4: 80",
                   "1.2.3.4:80 ",
                   "1.2.3.4:80x",
                   "256.1.1.1:80",
                   "1.2.3:80",
                   "::1:80",
                   "[::1]",
                   "[]:80",
                   "[1.2.3.4]:80",
                   "[:80",
                   "host name:80",
                   "a/b:80",
                   ":"}) {
    RayConfig c;
    c.address = bad;
    BOOST_TEST(error_of(c) == "Bad value of RayConfig::address: \""s + bad + "\". " + address_form);
  }
}

BOOST_AUTO_TEST_CASE(that_is_bad_is_named_with_its_source) {
  BOOST_TEST(error_of({}, {"--ray_address", "auto"})
             == "Bad value of flag --ray_address: \"auto\". "s + address_form);
  BOOST_TEST(error_of({}, {}, {{"RAY_ADDRESS", "auto"}})
             == "Bad value of environment variable RAY_ADDRESS: \"auto\". "s + address_form);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(environment)

BOOST_AUTO_TEST_CASE(gives_the_job_config_of_whoever_submitted_the_job) {
  variables env = {{"RAY_JOB_CONFIG_JSON_ENV_VAR",
                    R"({"runtime_env": {"env_vars": {"A": "1"}}, "metadata": {"job": "7"}})"}};
  RayConfig c;
  c.runtime_env = ray::RuntimeEnv();
  c.runtime_env->Set("x", 1);
  auto s = resolve(c, {}, env);
  BOOST_TEST(s.runtime_env->Serialize() == R"({"env_vars":{"A":"1"}})");
  BOOST_TEST((s.metadata == variables{{"job", "7"}}));
  BOOST_TEST(resolve(c, {"--ray_runtime_env={\"y\":1}"}, env).runtime_env->Serialize()
             == "{\"y\":1}");
  c.is_worker_ = true;
  BOOST_TEST((resolve(c, {}, env).runtime_env == *c.runtime_env));
}

BOOST_AUTO_TEST_CASE(with_a_bad_job_config_is_named) {
  for (auto bad :
       {"{", "[]", "{}", R"({"runtime_env": {}})", R"({"metadata": {}})",
        R"({"runtime_env": {}, "metadata": {}, "more": 1})",
        R"({"runtime_env": [], "metadata": {}})", R"({"runtime_env": {}, "metadata": {"a": 1}})",
        R"({"runtime_env": {}, "metadata": 5})"}) {
    auto text = error_of({}, {}, {{"RAY_JOB_CONFIG_JSON_ENV_VAR", bad}});
    std::string beginning = "Bad value of environment variable RAY_JOB_CONFIG_JSON_ENV_VAR: ";
    BOOST_TEST(text.substr(0, beginning.size()) == beginning, bad << " gave: " << text);
  }
}

BOOST_AUTO_TEST_CASE(gives_the_log_level) {
  BOOST_TEST((resolve({}, {}, {{"RAY_BACKEND_LOG_LEVEL", "Warning"}}).log_level
              == ray::RayLoggerLevel::WARNING));
  BOOST_TEST(
    (resolve({}, {}, {{"RAY_BACKEND_LOG_LEVEL", ""}}).log_level == ray::RayLoggerLevel::INFO));
  BOOST_TEST(
    error_of({}, {}, {{"RAY_BACKEND_LOG_LEVEL", "loud"}})
    == "Bad value of environment variable RAY_BACKEND_LOG_LEVEL: \"loud\". Accepted: debug, "
       "info, warning, error or fatal.");
}

BOOST_AUTO_TEST_CASE(can_be_that_of_the_process) {
  words argv = {"program"};
  auto s = caf_ray::resolve_settings({}, 1, argv.data(), &std::getenv);
  BOOST_TEST(s.worker.startup_token == -1);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(absolute_search_path)

BOOST_AUTO_TEST_CASE(makes_paths_absolute) {
  auto paths = caf_ray::absolute_search_path({".", "/"});
  BOOST_REQUIRE_EQUAL(paths.size(), 2u);
  BOOST_TEST(std::filesystem::path(paths[0]).is_absolute());
  BOOST_TEST(std::filesystem::equivalent(paths[0], "."));
  BOOST_TEST(paths[1] == "/");
}

BOOST_AUTO_TEST_CASE(names_a_path_that_does_not_exist) {
  try {
    caf_ray::absolute_search_path({".", "/no/such/lib.so"});
    BOOST_ERROR("nothing was thrown");
  } catch (const ray::internal::RayException& e) {
    BOOST_TEST(e.what() == "code_search_path has \"/no/such/lib.so\", which does not exist.");
  }
}

BOOST_AUTO_TEST_SUITE_END()
