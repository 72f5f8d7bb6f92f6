#define BOOST_TEST_MODULE ray_exception
#include <boost/test/unit_test.hpp>

#include <map>
#include <optional>
#include <typeindex>

#include <ray/api/ray_exception.h>

#include "libray/src/exception.hpp"

using namespace ray::internal;
using caf_ray::errc;

namespace {

struct seen {
  std::type_index type;
  std::string text;
};

seen thrown_for(const caf_ray::error& x) {
  try {
    caf_ray::throw_error(x);
  } catch (const RayException& e) {
    BOOST_TEST(std::string(e.what()) == e.msg_);
    return {typeid(e), e.what()};
  }
}

const std::map<errc, std::type_index> expected = {
  {errc::task_failed, typeid(RayTaskException)},
  {errc::actor_died, typeid(RayActorException)},
  {errc::worker_died, typeid(RayWorkerException)},
  {errc::node_died, typeid(RayNodeDiedException)},
  {errc::object_lost, typeid(UnreconstructableException)},
  {errc::store_full, typeid(RayObjectStoreFullException)},
  {errc::cancelled, typeid(RayTaskCancelledException)},
  {errc::timed_out, typeid(RayTimeoutException)},
  {errc::shut_down, typeid(RayShutdownException)},
  {errc::out_of_memory, typeid(RayOutOfMemoryException)},
  {errc::function_not_found, typeid(RayFunctionNotFound)},
  {errc::unschedulable, typeid(RayUnschedulableException)},
  {errc::not_found, typeid(RayException)},
  {errc::already_exists, typeid(RayException)},
  {errc::invalid_argument, typeid(RayException)},
  {errc::corrupt, typeid(RaySystemException)},
  {errc::version_mismatch, typeid(RaySystemException)},
  {errc::in_use, typeid(RaySystemException)},
  {errc::io_failed, typeid(RaySystemException)},
  {errc::gcs_unavailable, typeid(RaySystemException)},
  {errc::runtime_env_failed, typeid(RayRuntimeEnvException)},
  {errc::not_supported, typeid(RayException)},
};

/// Every code that error.hpp has a name for, `none` left out.
std::vector<errc> all_codes() {
  std::vector<errc> codes;
  for (unsigned i = 1; i < 256; ++i)
    if (auto code = static_cast<errc>(i); to_string(code) != std::string("unknown"))
      codes.push_back(code);
  return codes;
}

} // namespace

BOOST_AUTO_TEST_SUITE(throw_error)

BOOST_AUTO_TEST_CASE(throws_the_documented_type_for_every_code) {
  auto codes = all_codes();
  BOOST_REQUIRE_GE(codes.size(), expected.size());
  for (auto code : codes) {
    BOOST_TEST_CONTEXT(to_string(code)) {
      auto row = expected.find(code);
      BOOST_REQUIRE(row != expected.end());
      auto [type, text] = thrown_for({code, "task 12 on node 7: gone"});
      BOOST_TEST((type == row->second), "threw " << type.name());
      BOOST_TEST(text == "task 12 on node 7: gone");
    }
  }
}

BOOST_AUTO_TEST_CASE(names_the_code_when_there_is_no_text) {
  for (auto code : all_codes())
    BOOST_TEST(thrown_for({code, ""}).text == to_string(code));
}

BOOST_AUTO_TEST_CASE(does_not_hide_a_code_that_this_program_does_not_know) {
  auto [type, text] = thrown_for({static_cast<errc>(200), "from a newer peer"});
  BOOST_TEST((type == typeid(RaySystemException)));
  BOOST_TEST(text == "error code 200: from a newer peer");
}

BOOST_AUTO_TEST_CASE(never_returns_even_for_the_code_none) {
  auto [type, text] = thrown_for({errc::none, ""});
  BOOST_TEST((type == typeid(RaySystemException)));
  BOOST_TEST(text == "error code 0: none");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(ray_exception)

BOOST_AUTO_TEST_CASE(is_made_from_a_string_and_keeps_it_as_a_public_member) {
  RayException e = std::string("text");
  BOOST_TEST(e.msg_ == "text");
  e.msg_ = "other";
  BOOST_TEST(e.what() == "other");
}

BOOST_AUTO_TEST_CASE(is_caught_as_std_exception_and_keeps_its_text_when_copied) {
  std::optional<RayTaskException> copy;
  try {
    throw RayTaskException("a text that is longer than what fits into the string object itself");
  } catch (const std::exception& e) {
    copy = dynamic_cast<const RayTaskException&>(e);
  }
  BOOST_TEST(copy->msg_ == "a text that is longer than what fits into the string object itself");
}

BOOST_AUTO_TEST_CASE(of_a_lost_host_or_too_much_memory_is_also_that_of_a_lost_worker) {
  BOOST_CHECK_THROW(throw RayNodeDiedException("host"), RayWorkerException);
  BOOST_CHECK_THROW(throw RayOutOfMemoryException("memory"), RayWorkerException);
}

BOOST_AUTO_TEST_CASE(of_exit_actor_is_a_ray_exception) {
  BOOST_CHECK_THROW(throw RayIntentionalSystemExitException("exit"), RayException);
}

BOOST_AUTO_TEST_SUITE_END()
