#define BOOST_TEST_MODULE runtime_env
#include <boost/test/unit_test.hpp>

#include <functional>
#include <map>

#include <ray/api/runtime_env.h>

using ray::RuntimeEnv;
using ray::internal::RayRuntimeEnvException;

namespace user {

struct pip {
  std::vector<std::string> packages;
  bool pip_check = false;
};

void to_json(nlohmann::json& json, const pip& x) {
  json = {{"packages", x.packages}, {"pip_check", x.pip_check}};
}

void from_json(const nlohmann::json& json, pip& x) {
  json.at("packages").get_to(x.packages);
  json.at("pip_check").get_to(x.pip_check);
}

struct broken {};
void to_json(nlohmann::json&, const broken&) {
  throw std::runtime_error("no JSON for this");
}

} // namespace user

namespace {

std::string nested(std::size_t depth) {
  return std::string(depth, '[') + std::string(depth, ']');
}

std::string error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const RayRuntimeEnvException& e) {
    return e.what();
  }
  return "nothing was thrown";
}

void check_error(const std::function<void()>& call, const std::string& beginning) {
  auto text = error_of(call);
  BOOST_TEST(text.substr(0, beginning.size()) == beginning);
  BOOST_TEST(text.size() < 400);
}

} // namespace

BOOST_AUTO_TEST_SUITE(runtime_env)

BOOST_AUTO_TEST_CASE(gives_back_what_was_set) {
  std::map<std::string, std::string> vars = {{"KEY1", "value1"}, {"KEY2", ""}};
  RuntimeEnv env;
  env.Set("env_vars", vars);
  env.Set("working_dir", "https://host/file.zip");
  env.Set("text", std::string("text"));
  env.Set("number", -3);
  env.Set("flag", true);
  env.Set("list", std::vector<double>{0.5, 2});
  BOOST_TEST((env.Get<std::map<std::string, std::string>>("env_vars") == vars));
  BOOST_TEST(env.Get<std::string>("working_dir") == "https://host/file.zip");
  BOOST_TEST(env.Get<std::string>("text") == "text");
  BOOST_TEST(env.Get<int>("number") == -3);
  BOOST_TEST(env.Get<bool>("flag"));
  BOOST_TEST((env.Get<std::vector<double>>("list") == std::vector<double>{0.5, 2}));
}

BOOST_AUTO_TEST_CASE(replaces_a_field_that_is_set_again) {
  RuntimeEnv env;
  env.Set("x", 1);
  env.Set("x", "two");
  BOOST_TEST(env.Get<std::string>("x") == "two");
}

BOOST_AUTO_TEST_CASE(takes_user_types_and_shows_them_as_compact_json_with_sorted_keys) {
  RuntimeEnv env;
  env.Set("pip", user::pip{{"requests", "numpy"}, true});
  BOOST_TEST(env.GetJsonStr("pip") == R"({"packages":["requests","numpy"],"pip_check":true})");
  auto pip = env.Get<user::pip>("pip");
  BOOST_TEST((pip.packages == std::vector<std::string>{"requests", "numpy"}));
  BOOST_TEST(pip.pip_check);
}

BOOST_AUTO_TEST_CASE(takes_json_texts) {
  RuntimeEnv env;
  env.SetJsonStr("pip", R"({ "pip_check": false, "packages": ["requests"] })");
  BOOST_TEST(env.GetJsonStr("pip") == R"({"packages":["requests"],"pip_check":false})");
  BOOST_TEST(env.Get<user::pip>("pip").packages.front() == "requests");
  env.SetJsonStr("scalar", "12");
  BOOST_TEST(env.Get<int>("scalar") == 12);
}

BOOST_AUTO_TEST_CASE(knows_its_fields) {
  RuntimeEnv env;
  BOOST_TEST(env.Empty());
  env.Set("a", 1);
  BOOST_TEST(!env.Empty());
  BOOST_TEST(env.Contains("a"));
  BOOST_TEST(!env.Contains("b"));
  BOOST_TEST(!env.Remove("b"));
  BOOST_TEST(env.Remove("a"));
  BOOST_TEST(!env.Remove("a"));
  BOOST_TEST(env.Empty());
}

BOOST_AUTO_TEST_CASE(survives_its_serialised_form) {
  RuntimeEnv env;
  BOOST_TEST(env.Serialize() == "{}");
  BOOST_TEST(RuntimeEnv::Deserialize("{}").Empty());
  env.Set("env_vars", std::map<std::string, std::string>{{"A", "\"quoted\" and \xc3\xa9"}});
  env.Set("b", 2);
  auto copy = RuntimeEnv::Deserialize(env.Serialize());
  BOOST_TEST((copy == env));
  copy.Set("b", 3);
  BOOST_TEST(!(copy == env));
}

BOOST_AUTO_TEST_CASE(info_wraps_the_serialised_form_as_a_string) {
  RuntimeEnv env;
  env.Set("b", 2);
  BOOST_TEST(env.SerializeToRuntimeEnvInfo() == R"({"serializedRuntimeEnv":"{\"b\":2}"})");
}

BOOST_AUTO_TEST_CASE(says_which_field_is_wrong_and_why) {
  RuntimeEnv env;
  env.Set("text", "text");
  env.Set("bytes", "\xff\xfe");
  env.Set("pip", 1);
  check_error([&] { env.Get<int>("none"); }, "The field none not found.");
  check_error([&] { env.GetJsonStr("none"); }, "The field none not found.");
  check_error([&] { env.Get<int>("text"); }, "Failed to get the field text: ");
  check_error([&] { env.Get<user::pip>("pip"); }, "Failed to get the field pip: ");
  check_error([&] { env.GetJsonStr("bytes"); }, "Failed to get the field bytes: ");
  check_error([&] { env.Set("x", user::broken{}); }, "Failed to set the field x: no JSON for this");
  check_error([&] { env.Serialize(); }, "Failed to serialize the runtime env: ");
  check_error([&] { env.SerializeToRuntimeEnvInfo(); }, "Failed to serialize the runtime env: ");
  for (auto text : {"", "{", "{\"a\":}", "nope", "1 2"})
    check_error([&] { env.SetJsonStr("x", text); }, "Failed to set the field x by json string: ");
  check_error([&] { env.SetJsonStr("x", nested(65)); },
              "Failed to set the field x by json string: nested deeper than 64 levels");
}

BOOST_AUTO_TEST_CASE(says_which_text_is_no_runtime_env_and_why) {
  struct row {
    std::string text, beginning;
  };
  for (auto& [text, beginning] : std::vector<row>{
         {"", "Failed to deserialize runtime env : "},
         {"{", "Failed to deserialize runtime env {: "},
         {"[1]", "Failed to deserialize runtime env [1]: expected an object of fields, got array"},
         {"null", "Failed to deserialize runtime env null: expected an object of fields, got null"},
         {"{\"a\":" + nested(1'000'000) + "}", "Failed to deserialize runtime env {\"a\":[[[[[[["},
       })
    check_error([&] { RuntimeEnv::Deserialize(text); }, beginning);
}

BOOST_AUTO_TEST_CASE(takes_json_that_is_64_levels_deep) {
  RuntimeEnv env;
  env.SetJsonStr("x", nested(64));
  BOOST_TEST(env.GetJsonStr("x") == nested(64));
}

BOOST_AUTO_TEST_CASE(is_as_before_after_an_error) {
  RuntimeEnv env;
  env.Set("x", 1);
  auto before = env;
  check_error([&] { env.Set("x", user::broken{}); }, "Failed");
  check_error([&] { env.Set("y", user::broken{}); }, "Failed");
  check_error([&] { env.SetJsonStr("x", "{"); }, "Failed");
  check_error([&] { env.SetJsonStr("y", "{"); }, "Failed");
  BOOST_TEST((env == before));
}

BOOST_AUTO_TEST_SUITE_END()
