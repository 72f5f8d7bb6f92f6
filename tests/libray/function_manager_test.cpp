#include "tests/libray/function_manager_shared.hpp"

#include <algorithm>

#include <boost/test/unit_test.hpp>

#include "tests/libray/session.hpp"

namespace {

using ray::internal::FunctionManager;
using ray::internal::RayException;
using ray::internal::RegisterRemoteFunctions;
using ray::internal::SplitNames;

int half_on_the_same_line(int x) {
  return x / 2;
}

template <class A, class B>
int sum_of(A a, B b) {
  return static_cast<int>(a + b);
}

int quiet(int x) noexcept {
  return -x;
}

int one() {
  return 1;
}
int another() {
  return 2;
}
int by_hand() {
  return 3;
}

} // namespace

static int local_name(int x) {
  return x + 1;
}

RAY_REMOTE(sum_of<int, long>, quiet, (sum_of<double, int>), local_name);

#line 1000
RAY_REMOTE(half_on_the_same_line);

BOOST_AUTO_TEST_SUITE(function_manager)

BOOST_FIXTURE_TEST_CASE(takes_functions_from_the_same_line_of_two_files, session) {
  BOOST_TEST(*ray::Task(half_on_the_same_line).Remote(8).Get() == 4);
  BOOST_TEST(*ray::Task(twin_cube_on_the_same_line).Remote(2).Get() == 8);
}

BOOST_FIXTURE_TEST_CASE(takes_a_header_that_two_sources_include, session) {
  BOOST_TEST(*ray::Task(shared_square).Remote(3).Get() == 9);
  BOOST_TEST(call_shared_square_from_twin(4) == 16);
  auto tally = ray::Actor(shared_tally::create).Remote();
  BOOST_TEST(*tally.Task(&shared_tally::add).Remote(5).Get() == 5);
  auto names = FunctionManager::Instance().Names();
  BOOST_TEST(std::count(names.begin(), names.end(), "shared_square") == 1);
}

BOOST_FIXTURE_TEST_CASE(takes_templates_with_commas_and_noexcept_functions, session) {
  BOOST_TEST(*ray::Task(sum_of<int, long>).Remote(1, 2).Get() == 3);
  BOOST_TEST(*ray::Task(sum_of<double, int>).Remote(1.5, 2).Get() == 3);
  BOOST_TEST(*ray::Task(quiet).Remote(4).Get() == -4);
  BOOST_TEST(FunctionManager::Instance().FindName("sum_of<int, long>")->name
             == "sum_of<int, long>");
}

BOOST_AUTO_TEST_CASE(splits_names_at_commas_outside_brackets) {
  auto split = [](const char* names) { return SplitNames(names); };
  using names = std::vector<std::string>;
  BOOST_TEST(split("f") == names{"f"});
  BOOST_TEST(split(" f ,\n &C::m ") == (names{"f", "&C::m"}));
  BOOST_TEST(split("t<a, b>, RAY_FUNC(f, int, u<c, d>)")
             == (names{"t<a, b>", "RAY_FUNC(f, int, u<c, d>)"}));
}

BOOST_AUTO_TEST_CASE(names_both_places_of_two_functions_with_one_name) {
  RegisterRemoteFunctions("first.cpp", 3, "disputed", one);
  auto text =
    text_of<RayException>([] { RegisterRemoteFunctions("second.cpp", 4, "disputed", another); });
  BOOST_TEST(contains(text, "disputed"));
  BOOST_TEST(contains(text, "first.cpp:3"));
  BOOST_TEST(contains(text, "second.cpp:4"));
  // The first one keeps the name, and the same again is no error.
  RegisterRemoteFunctions("third.cpp", 5, "disputed", one);
  BOOST_TEST(FunctionManager::Instance().FindName("disputed")->place == "first.cpp:3");
}

BOOST_AUTO_TEST_CASE(tells_static_functions_of_two_files_apart) {
  auto text = text_of<RayException>(register_local_name_of_twin);
  BOOST_TEST(contains(text, "local_name"));
  BOOST_TEST(contains(text, "twin.cpp:7"));
  BOOST_TEST(contains(text, "function_manager_test.cpp"));
}

BOOST_AUTO_TEST_CASE(refuses_to_register_by_hand_twice) {
  auto& manager = FunctionManager::Instance();
  BOOST_TEST(manager.RegisterRemoteFunction("by hand", by_hand));
  auto again = [&](const char* name) {
    return text_of<RayException>([&] { manager.RegisterRemoteFunction(name, by_hand); });
  };
  BOOST_TEST(contains(again("by hand"), "by hand"));
  BOOST_TEST(contains(again("another name"), "is registered as by hand"));
  session s;
  BOOST_TEST(*ray::Task(by_hand).Remote().Get() == 3);
}

BOOST_AUTO_TEST_SUITE_END()
