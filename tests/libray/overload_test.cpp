#define BOOST_TEST_MODULE overload
#include <boost/test/unit_test.hpp>

#include <numeric>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <ray/api/overload.h>
#include <ray/api/xlang_function.h>

namespace {

int scale() {
  return 0;
}
int scale(int x) {
  return x * 2;
}
double scale(double x) {
  return x * 2;
}
int scale(int x, int y) {
  return x * y;
}
std::string scale(const std::string& x) {
  return x + x;
}
int quiet(int x) noexcept {
  return x + 1;
}
int quiet(double) noexcept {
  return -1;
}

struct counter {
  static counter* create() { return nullptr; }
  static counter* create(int) { return nullptr; }
  static int same(int x) { return x; }
  int same(double) { return 3; }

  int add(int x) { return 10 + x; }
  int add(int x, int y) { return x + y; }
  int get(int) const { return 1; }
  int get(double) const noexcept { return 2; }
  int get(char) volatile { return 3; }
  int get(long) const volatile { return 4; }
};

/// One overload for each way to qualify a member function, told apart by a parameter.
template <int I>
struct tag {};
struct qualified {
  int f(tag<0>) { return 0; }
  int f(tag<1>) const { return 1; }
  int f(tag<2>) volatile { return 2; }
  int f(tag<3>) const volatile { return 3; }
  int f(tag<4>) & { return 4; }
  int f(tag<5>) const& { return 5; }
  int f(tag<6>) volatile& { return 6; }
  int f(tag<7>) const volatile& { return 7; }
  int f(tag<8>) && { return 8; }
  int f(tag<9>) const&& { return 9; }
  int f(tag<10>) volatile&& { return 10; }
  int f(tag<11>) const volatile&& { return 11; }
  int f(tag<12>) noexcept { return 12; }
  int f(tag<13>) const& noexcept { return 13; }
  int f(tag<14>) const volatile&& noexcept { return 14; }
};

template <int I>
int call() {
  auto f = RAY_FUNC(&qualified::f, tag<I>);
  qualified x;
  if constexpr (std::is_invocable_v<decltype(f), qualified&, tag<I>>)
    return (x.*f)({});
  else
    return (std::move(x).*f)({});
}

template <int... I>
std::vector<int> call_each(std::integer_sequence<int, I...>) {
  return {call<I>()...};
}

struct base {
  virtual ~base() = default;
  virtual int act(int) { return 1; }
  virtual int act(double) { return 2; }
};
struct derived : base {
  int act(int) override { return 3; }
  int act(double) override { return 4; }
};

} // namespace

BOOST_AUTO_TEST_SUITE(ray_func)

BOOST_AUTO_TEST_CASE(picks_the_free_function_of_exactly_these_parameters) {
  BOOST_TEST(RAY_FUNC(scale)() == 0);
  BOOST_TEST(RAY_FUNC(scale, int)(4) == 8);
  BOOST_TEST(RAY_FUNC(scale, double)(0.25) == 0.5);
  BOOST_TEST(RAY_FUNC(scale, int, int)(4, 3) == 12);
  BOOST_TEST(RAY_FUNC(scale, const std::string&)("ab") == "abab");
  BOOST_TEST(RAY_FUNC(quiet, int)(1) == 2);
  BOOST_TEST(RAY_FUNC(quiet, double)(1) == -1);
}

BOOST_AUTO_TEST_CASE(gives_the_address_of_the_function_itself) {
  static_assert(std::is_same_v<decltype(RAY_FUNC(scale, int)), int (*)(int)>);
  static_assert(std::is_same_v<decltype(RAY_FUNC(&counter::add, int)), int (counter::*)(int)>);
  static_assert(RAY_FUNC(scale, int) == static_cast<int (*)(int)>(scale), "also at compile time");
  BOOST_TEST((ray::internal::underload<int, int>(scale) == static_cast<int (*)(int, int)>(scale)));
}

BOOST_AUTO_TEST_CASE(picks_static_members) {
  BOOST_TEST((RAY_FUNC(counter::create) == static_cast<counter* (*)()>(counter::create)));
  BOOST_TEST((RAY_FUNC(counter::create, int) == static_cast<counter* (*)(int)>(counter::create)));
  BOOST_TEST(RAY_FUNC(&counter::same, int)(7) == 7);
  counter c;
  BOOST_TEST((c.*RAY_FUNC(&counter::same, double))(0) == 3);
}

BOOST_AUTO_TEST_CASE(picks_member_functions) {
  counter c;
  BOOST_TEST((c.*RAY_FUNC(&counter::add, int))(1) == 11);
  BOOST_TEST((c.*RAY_FUNC(&counter::add, int, int))(1, 2) == 3);
  BOOST_TEST((c.*RAY_FUNC(&counter::get, double))(0) == 2);
  BOOST_TEST((c.*RAY_FUNC(&counter::get, char))('a') == 3);
  BOOST_TEST((c.*RAY_FUNC(&counter::get, long))(0) == 4);
}

BOOST_AUTO_TEST_CASE(picks_member_functions_with_every_qualifier) {
  std::vector<int> numbers(15);
  std::iota(numbers.begin(), numbers.end(), 0);
  BOOST_TEST((call_each(std::make_integer_sequence<int, 15>{}) == numbers));
}

BOOST_AUTO_TEST_CASE(calls_the_overrider_of_a_virtual_function) {
  derived d;
  base& b = d;
  BOOST_TEST((b.*RAY_FUNC(&base::act, int))(0) == 3);
  BOOST_TEST((b.*RAY_FUNC(&base::act, double))(0) == 4);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(cross_language_names)

template <class F>
std::string error_of(const F& f) {
  try {
    f();
  } catch (const ray::internal::RayException& e) {
    return e.what();
  }
  return "nothing was thrown";
}

BOOST_AUTO_TEST_CASE(are_aggregates_with_the_usual_defaults) {
  ray::PyActorClass py{"module", "Class"};
  BOOST_TEST(py.function_name == "__init__");
  ray::JavaActorClass java{"io.ray.Class"};
  BOOST_TEST(java.module_name == "");
  BOOST_TEST(java.function_name == "<init>");
  ray::JavaFunction<int> function{"io.ray.Class", "call"};
  BOOST_TEST(function.class_name == "io.ray.Class");
  BOOST_TEST(function.function_name == "call");
}

BOOST_AUTO_TEST_CASE(say_their_language) {
  BOOST_TEST(ray::PyFunction<int>{}.IsPython());
  BOOST_TEST(ray::PyActorClass{}.IsPython());
  BOOST_TEST(ray::PyActorMethod<int>{}.IsPython());
  BOOST_TEST(ray::JavaFunction<int>{}.IsJava());
  BOOST_TEST(ray::JavaActorClass{}.IsJava());
  BOOST_TEST(ray::JavaActorMethod<int>{}.IsJava());
}

BOOST_AUTO_TEST_CASE(have_the_result_that_they_claim) {
  static_assert(std::is_same_v<std::invoke_result_t<ray::PyFunction<int>>, int>);
  static_assert(std::is_same_v<std::invoke_result_t<ray::JavaFunction<std::string>>, std::string>);
  static_assert(std::is_same_v<std::invoke_result_t<ray::PyActorMethod<void>>, void>);
  static_assert(std::is_same_v<std::invoke_result_t<ray::JavaActorMethod<double>>, double>);
  BOOST_TEST(ray::internal::XLANG_HEADER_LEN == 9u);
  BOOST_TEST((ray::internal::LangType::PYTHON != ray::internal::LangType::JAVA));
}

BOOST_AUTO_TEST_CASE(throw_when_called) {
  BOOST_TEST(error_of(ray::PyFunction<int>{"m", "f"}) == "Python functions are not supported: m.f");
  BOOST_TEST(error_of(ray::PyActorClass{"m", "C"}) == "Python actors are not supported: m.C");
  BOOST_TEST(error_of(ray::PyActorMethod<int>{"f"}) == "Python methods are not supported: f");
  BOOST_TEST(error_of(ray::JavaActorClass{"C"}) == "Java actors are not supported: C");
  BOOST_TEST(error_of(ray::JavaActorMethod<int>{"f"}) == "Java methods are not supported: f");
  BOOST_TEST(error_of(ray::JavaFunction<int>{"C", "f"}) == "Java functions are not supported: C.f");
}

BOOST_AUTO_TEST_SUITE_END()
