#define BOOST_TEST_MODULE flags
#include <boost/test/unit_test.hpp>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/libray/resolve.hpp"

using ray::RayConfig;
using namespace caf_ray;
using namespace std::string_literals;

namespace {

RayConfig with_head_args(std::vector<std::string> head_args) {
  RayConfig config;
  config.head_args = std::move(head_args);
  return config;
}

} // namespace

BOOST_AUTO_TEST_SUITE(flags)

BOOST_AUTO_TEST_CASE(are_read_with_equals_sign_and_with_a_word_of_their_own) {
  struct row {
    std::string name, value;
    std::function<bool(const settings&)> arrived;
  };
  for (auto& [name, value, arrived] : std::vector<row>{
         {"ray_address", "1.2.3.4:80", [](auto& s) { return s.address == "1.2.3.4:80"; }},
         {"ray_redis_password", "secret", [](auto& s) { return s.warnings.empty(); }},
         {"ray_redis_username", "user", [](auto& s) { return s.warnings.empty(); }},
         {"ray_code_search_path", "a:b::c/d",
          [](auto& s) {
            return s.code_search_path == std::vector<std::string>{"a", "b", "c/d"};
          }},
         {"ray_job_id", "0000001f", [](auto& s) { return s.job_id == 31u; }},
         {"ray_node_manager_port", "65535",
          [](auto& s) { return s.worker.node_manager_port == 65535; }},
         {"ray_raylet_socket_name", "/r",
          [](auto& s) { return s.worker.raylet_socket_name == "/r"; }},
         {"ray_plasma_store_socket_name", "/p",
          [](auto& s) { return s.worker.plasma_store_socket_name == "/p"; }},
         {"ray_session_dir", "/s",
          [](auto& s) { return s.session_directory == "/s" && s.logs_directory == "/s/logs"; }},
         {"ray_logs_dir", "/l", [](auto& s) { return s.logs_directory == "/l"; }},
         {"ray_node_ip_address", "1.2.3.4", [](auto& s) { return s.node_ip_address == "1.2.3.4"; }},
         {"ray_head_args", "--num-cpus 2  --num-gpus=1",
          [](auto& s) { return s.num_cpus == 2u && s.resources.at("GPU") == 1; }},
         {"startup_token", "12345678901",
          [](auto& s) { return s.worker.startup_token == 12345678901; }},
         {"ray_default_actor_lifetime", "Detached",
          [](auto& s) { return s.default_actor_lifetime == ray::ActorLifetime::DETACHED; }},
         {"ray_runtime_env", "{\"x\":1}",
          [](auto& s) { return s.runtime_env && s.runtime_env->Serialize() == "{\"x\":1}"; }},
         {"ray_runtime_env_hash", "-7", [](auto& s) { return s.worker.runtime_env_hash == -7; }},
         {"ray_job_namespace", "space", [](auto& s) { return s.ray_namespace == "space"; }},
       }) {
    BOOST_TEST_CONTEXT(name) {
      BOOST_TEST(
        (name == "ray_redis_password" || name == "ray_redis_username" || !arrived(resolve({}))),
        "the row tests nothing");
      auto joined = "--" + name + "=" + value;
      auto separate = "--" + name;
      auto dash = "-" + name;
      BOOST_TEST(arrived(resolve({}, {joined.c_str()})));
      BOOST_TEST(arrived(resolve({}, {separate.c_str(), value.c_str()})));
      BOOST_TEST(arrived(resolve({}, {dash.c_str(), value.c_str()})));
      BOOST_TEST(error_of({}, {separate.c_str()})
                 == "The flag --" + name + " needs a value, and none follows it.");
    }
  }
}

BOOST_AUTO_TEST_CASE(take_a_value_that_looks_like_a_flag) {
  auto s = resolve({}, {"--ray_head_args", "--num-cpus 2", "--ray_job_namespace", "--x"});
  BOOST_TEST((s.num_cpus == 2u));
  BOOST_TEST(s.ray_namespace == "--x");
}

BOOST_AUTO_TEST_CASE(stand_among_the_words_of_the_program) {
  words argv = {"--steps", "5", "file", "--ray_job_namespace=space", "", "-v", "-", "--=", nullptr};
  auto s = resolve({}, argv);
  BOOST_TEST(s.ray_namespace == "space");
  BOOST_TEST(s.warnings.empty());
}

BOOST_AUTO_TEST_CASE(are_not_looked_for_in_the_program_name_or_after_two_dashes) {
  words argv = {"--ray_job_namespace=a", "--", "--ray_job_namespace=b"};
  auto none = [](const char*) -> const char* { return nullptr; };
  auto s = caf_ray::resolve_settings({}, static_cast<int>(argv.size()), argv.data(), none);
  BOOST_TEST(s.ray_namespace == "");
  BOOST_TEST(caf_ray::resolve_settings({}, 0, nullptr, none).ray_namespace == "");
}

BOOST_AUTO_TEST_CASE(count_by_the_last_one) {
  BOOST_TEST(resolve({}, {"--ray_job_namespace=a", "--ray_job_namespace", "b"}).ray_namespace
             == "b");
}

BOOST_AUTO_TEST_CASE(go_before_the_config) {
  RayConfig c;
  c.address = "1.1.1.1:1";
  c.code_search_path = {"config.so"};
  c.default_actor_lifetime = ray::ActorLifetime::DETACHED;
  c.ray_namespace = "config";
  c.runtime_env = ray::RuntimeEnv();
  c.head_args = {"--num-cpus", "1"};
  auto s = resolve(c, {"--ray_address=2.2.2.2:2", "--ray_code_search_path=flag.so",
                       "--ray_default_actor_lifetime=NON_DETACHED", "--ray_job_namespace=flag",
                       "--ray_runtime_env={\"x\":1}", "--ray_head_args=--num-cpus 2"});
  BOOST_TEST(s.address == "2.2.2.2:2");
  BOOST_TEST((s.code_search_path == std::vector<std::string>{"flag.so"}));
  BOOST_TEST((s.default_actor_lifetime == ray::ActorLifetime::NON_DETACHED));
  BOOST_TEST(s.ray_namespace == "flag");
  BOOST_TEST(s.runtime_env->Contains("x"));
  BOOST_TEST((s.num_cpus == 2u));
}

BOOST_AUTO_TEST_CASE(leave_the_config_when_their_text_is_empty) {
  RayConfig c;
  c.address = "1.1.1.1:1";
  c.ray_namespace = "config";
  c.default_actor_lifetime = ray::ActorLifetime::DETACHED;
  auto s = resolve(c, {"--ray_address=", "--ray_job_namespace=", "--ray_default_actor_lifetime="});
  BOOST_TEST(s.address == "1.1.1.1:1");
  BOOST_TEST(s.ray_namespace == "config");
  BOOST_TEST((s.default_actor_lifetime == ray::ActorLifetime::DETACHED));
}

BOOST_AUTO_TEST_CASE(do_not_stick_from_one_init_to_the_next) {
  auto first = resolve(with_head_args({"--resources", "{\"a\":1}"}),
                       {"--ray_address=2.2.2.2:2", "--ray_default_actor_lifetime=detached"},
                       {{"RAY_BACKEND_LOG_LEVEL", "error"}});
  BOOST_TEST(first.address == "2.2.2.2:2");
  auto second = resolve({});
  BOOST_TEST(second.address == "");
  BOOST_TEST(second.resources.empty());
  BOOST_TEST((second.default_actor_lifetime == ray::ActorLifetime::NON_DETACHED));
  BOOST_TEST((second.log_level == ray::RayLoggerLevel::INFO));
}

BOOST_AUTO_TEST_CASE(that_look_misspelt_are_told_with_the_nearest) {
  auto s = resolve({}, {"--ray_adress=1.2.3.4:5", "--adress", "-ray_head_arg", "x"});
  BOOST_TEST(s.address == "");
  BOOST_REQUIRE_EQUAL(s.warnings.size(), 2u);
  BOOST_TEST(s.warnings[0]
             == "The flag --ray_adress is not known here, the nearest is --ray_address.");
  BOOST_TEST(s.warnings[1]
             == "The flag --ray_head_arg is not known here, the nearest is --ray_head_args.");
}

BOOST_AUTO_TEST_CASE(with_a_bad_value_are_named_with_value_and_what_is_accepted) {
  struct row {
    const char *flag, *value;
    std::string accepted;
  };
  auto port = "an integer from 0 to 65535."s;
  for (auto& [flag, value, accepted] : std::vector<row>{
         {"ray_node_manager_port", "abc", port},
         {"ray_node_manager_port", "", port},
         {"ray_node_manager_port", "65536", port},
         {"ray_node_manager_port", "-1", port},
         {"ray_node_manager_port", "1 ", port},
         {"ray_node_manager_port", "1e3", port},
         {"startup_token", "-2", "an integer of at least -1."},
         {"startup_token", "9223372036854775808", "an integer of at least -1."},
         {"ray_runtime_env_hash", "2147483648", "an integer from -2147483648 to 2147483647."},
         {"ray_job_id", "0", "the job's number in hexadecimal, 1 to ffffffff."},
         {"ray_job_id", "xyz", "the job's number in hexadecimal, 1 to ffffffff."},
         {"ray_job_id", "100000000", "the job's number in hexadecimal, 1 to ffffffff."},
         {"ray_default_actor_lifetime", "for_ever", "detached or non_detached."},
       }) {
    auto word = "--"s + flag + "=" + value;
    BOOST_TEST(error_of({}, {word.c_str()})
               == "Bad value of flag --"s + flag + ": \"" + value + "\". Accepted: " + accepted);
  }
}

BOOST_AUTO_TEST_CASE(with_a_bad_runtime_env_say_what_is_wrong_with_it) {
  auto text = error_of({}, {"--ray_runtime_env={\"a\":}"});
  std::string beginning = "Bad value of flag --ray_runtime_env: Failed to deserialize runtime env "
                          "{\"a\":}: ";
  BOOST_TEST(text.substr(0, beginning.size()) == beginning);
  BOOST_CHECK_THROW(resolve({}, {"--ray_runtime_env=[]"}), ray::internal::RayRuntimeEnvException);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(head_args)

BOOST_AUTO_TEST_CASE(are_understood_in_both_forms) {
  for (auto& args : std::vector<std::vector<std::string>>{
         {"--num-cpus", "2", "--resources", "{\"a\": 1, \"b\": 0.5}", "--object-store-memory",
          "1000", "--memory", "2000", "--num-gpus", "3"},
         {"--num-cpus=2", "--resources={\"a\":1,\"b\":0.5}", "--object_store_memory=1000",
          "--memory=2000", "--num_gpus=3"},
       }) {
    auto s = resolve(with_head_args(args));
    BOOST_TEST((s.num_cpus == 2u));
    BOOST_TEST(s.object_store_memory_bytes == 1000u);
    BOOST_TEST(
      (s.resources
       == std::map<std::string, double>{{"a", 1}, {"b", 0.5}, {"memory", 2000}, {"GPU", 3}}));
  }
}

BOOST_AUTO_TEST_CASE(go_before_the_fields_and_the_flag_comes_last) {
  auto c = with_head_args({"--num-cpus", "2", "--resources", "{\"a\":1}"});
  c.num_cpus = 8;
  c.resources = {{"a", 5}, {"b", 6}};
  c.object_store_memory_bytes = 1000;
  auto s = resolve(c);
  BOOST_TEST((s.num_cpus == 2u));
  BOOST_TEST((s.resources == std::map<std::string, double>{{"a", 1}, {"b", 6}}));
  BOOST_TEST(s.object_store_memory_bytes == 1000u);
  s = resolve(c, {"--ray_head_args=--num-cpus=0 --object-store-memory 7 --resources {\"b\":9}"});
  BOOST_TEST((s.num_cpus == 0u));
  BOOST_TEST((s.resources == std::map<std::string, double>{{"a", 1}, {"b", 9}}));
  BOOST_TEST(s.object_store_memory_bytes == 7u);
}

BOOST_AUTO_TEST_CASE(can_take_gpus_away) {
  auto c = with_head_args({"--num-gpus", "0"});
  c.resources = {{"GPU", 1}};
  BOOST_TEST(resolve(c).resources.empty());
}

BOOST_AUTO_TEST_CASE(that_are_wrong_are_named_with_what_is_accepted) {
  auto known = "Known: --num-cpus, --num-gpus, --memory, --object-store-memory, --resources. "s;
  auto object = "Accepted: a JSON object of numbers, as in {\"simulator\": 4}"s;
  struct row {
    std::vector<std::string> args;
    std::string error;
  };
  for (auto& [args, error] : std::vector<row>{
         {{"--num-cpu", "2"},
          "Unknown head argument \"--num-cpu\". " + known + "Nearest: --num-cpus."},
         {{"--object-memory=1"},
          "Unknown head argument \"--object-memory=1\". " + known
            + "Nearest: --object-store-memory."},
         {{"2"}, "Unknown head argument \"2\". " + known + "Nearest: --memory."},
         {{""}, "Unknown head argument \"\". " + known + "Nearest: --memory."},
         {{"--num-cpus"}, "The head argument --num-cpus needs a value, and none follows it."},
         {{"--num-cpus", "-1"},
          "Bad value of head argument --num-cpus: \"-1\". Accepted: an integer "
          "from 0 to 65536."},
         {{"--num-cpus", "1.5"},
          "Bad value of head argument --num-cpus: \"1.5\". Accepted: an "
          "integer from 0 to 65536."},
         {{"--num-cpus="},
          "Bad value of head argument --num-cpus: \"\". Accepted: an integer from 0 "
          "to 65536."},
         {{"--num-gpus", "x"},
          "Bad value of head argument --num-gpus: \"x\". Accepted: an integer "
          "from 0 to 65536."},
         {{"--memory", "0"},
          "Bad value of head argument --memory: \"0\". Accepted: an integer of at "
          "least 1."},
         {{"--object-store-memory", "4g"},
          "Bad value of head argument --object-store-memory: \"4g\". "
          "Accepted: an integer of at least 1."},
         {{"--resources", "[1]"},
          "Bad value of head argument --resources: \"[1]\". " + object + "."},
         {{"--resources", "{\"a\":\"b\"}"},
          "Bad value of head argument --resources: \"{\"a\":\"b\"}\". " + object + "."},
         {{"--resources", "{\"a\":-1}"},
          "Bad value of head argument --resources: Resource values "
          "should be positive. Specified resource: a = -1."},
         {{"--resources", "{\"CPU\":1}"},
          "Bad value of head argument --resources: \"CPU\" is not set "
          "here but with RayConfig::num_cpus or --num-cpus."},
       })
    BOOST_TEST(error_of(with_head_args(args)) == error);
  auto text = error_of(with_head_args({"--resources", "{\"a\":"}));
  auto beginning = "Bad value of head argument --resources: \"{\"a\":\". " + object + " (";
  BOOST_TEST(text.substr(0, beginning.size()) == beginning);
}

BOOST_AUTO_TEST_CASE(of_the_flag_are_checked_too) {
  auto text = error_of({}, {"--ray_head_args", "--num-cpus two"});
  BOOST_TEST(text
             == "Bad value of head argument --num-cpus: \"two\". Accepted: an integer from 0 to "
                "65536.");
}

BOOST_AUTO_TEST_SUITE_END()
