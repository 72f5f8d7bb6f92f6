#define BOOST_TEST_MODULE env_vars
#include "libray/src/env_vars.hpp"

#include <cstdlib>

#include <boost/test/unit_test.hpp>

using caf_ray::env_vars;
using caf_ray::env_vars_of;
using caf_ray::env_vars_scope;
using caf_ray::first_missing;
using ray::internal::RayRuntimeEnvException;

namespace {

std::string value_of(const char* name) {
  auto value = std::getenv(name);
  return value ? value : "(unset)";
}

ray::RuntimeEnv env_of(const std::string& json) {
  ray::RuntimeEnv env;
  env.SetJsonStr("env_vars", json);
  return env;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_scope_sets_variables_and_puts_back_what_was) {
  setenv("CAF_RAY_OLD", "before", 1);
  unsetenv("CAF_RAY_NEW");
  {
    env_vars_scope scope(env_vars{{"CAF_RAY_OLD", "during"}, {"CAF_RAY_NEW", ""}});
    BOOST_TEST(value_of("CAF_RAY_OLD") == "during");
    BOOST_TEST(value_of("CAF_RAY_NEW") == "");
  }
  BOOST_TEST(value_of("CAF_RAY_OLD") == "before");
  BOOST_TEST(value_of("CAF_RAY_NEW") == "(unset)");
}

BOOST_AUTO_TEST_CASE(the_first_that_is_not_there_is_named) {
  env_vars_scope scope(env_vars{{"CAF_RAY_A", "1"}});
  BOOST_TEST(!first_missing({}));
  BOOST_TEST(!first_missing({{"CAF_RAY_A", "1"}}));
  BOOST_TEST(first_missing({{"CAF_RAY_A", "2"}}).value() == "CAF_RAY_A");
  BOOST_TEST(first_missing({{"CAF_RAY_A", "1"}, {"CAF_RAY_B", ""}}).value() == "CAF_RAY_B");
}

BOOST_AUTO_TEST_CASE(only_an_object_of_strings_is_taken) {
  BOOST_TEST(env_vars_of({}).empty());
  BOOST_TEST(env_vars_of(env_of(R"({"A": "1", "B": ""})")).size() == 2);
  for (auto bad : {R"({"A": 1})", R"(["A"])", R"("A=1")", R"({"": "1"})", R"({"A=B": "1"})",
                   R"({"A": "\u0000"})"})
    BOOST_CHECK_THROW(env_vars_of(env_of(bad)), RayRuntimeEnvException);
}
