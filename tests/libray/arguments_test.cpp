#include <boost/test/unit_test.hpp>

#include <any>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>

#include "tests/libray/session.hpp"

namespace {

using ray::internal::ArgumentsMatch;
using ray::internal::IsArgumentFor;
using ray::internal::RayException;
using ray::internal::RayTaskException;

int same_int(int x) {
  return x;
}
double same_double(double x) {
  return x;
}
float same_float(float x) {
  return x;
}
bool same_bool(bool x) {
  return x;
}
char same_char(char x) {
  return x;
}
std::uint64_t same_unsigned(std::uint64_t x) {
  return x;
}
std::optional<int> same_optional(std::optional<int> x) {
  return x;
}
int second(std::string, short x) {
  return x;
}
long weighted(int offset, const std::vector<int>& xs, int factor) {
  long sum = offset;
  for (auto x : xs)
    sum += static_cast<long>(x) * factor;
  return sum;
}
int throw_if_odd(int x) {
  if (x % 2)
    throw std::runtime_error(std::to_string(x) + " is odd");
  return x;
}
std::string describe(int n, std::any value) {
  auto text = std::to_string(n) + " ";
  if (!value.has_value())
    return text + "nothing";
  if (auto s = std::any_cast<std::string>(&value))
    return text + *s;
  if (auto i = std::any_cast<std::int64_t>(&value))
    return text + std::to_string(*i);
  return text + "other";
}
int pointed_at(int otherwise, std::shared_ptr<int> p) {
  return p ? *p : otherwise;
}
int value_of(std::optional<int> first, std::optional<int> last) {
  return first.value_or(-1) * 100 + last.value_or(-2);
}
std::shared_ptr<int> pointer_to(bool some) {
  return some ? std::make_shared<int>(8) : nullptr;
}
enum level { low = 1, high = 300 };

struct adder {
  static adder* create(int start) { return new adder{start}; }
  int add(short by) { return n += by; }
  int n;
};

RAY_REMOTE(same_int, same_double, same_float, same_bool, same_char, same_unsigned, same_optional,
           second, weighted, throw_if_odd, describe, pointed_at, value_of, pointer_to,
           adder::create, &adder::add);

/// What a call says that refuses its argument.
template <class F, class... Args>
std::string refusal(F f, Args... args) {
  return text_of<RayException>([&] { ray::Task(f).Remote(args...); });
}

// -- what compiles

struct from_int {
  from_int(int) {}
};
using void_ref = ray::ObjectRef<void>;
using int_ref = ray::ObjectRef<int>;
using text_ref = ray::ObjectRef<std::string>;

static_assert(IsArgumentFor<int, int>());
static_assert(IsArgumentFor<double, int>());
static_assert(IsArgumentFor<const std::string&, const char*>());
static_assert(IsArgumentFor<std::string, const char (&)[4]>());
static_assert(IsArgumentFor<from_int, int>());
static_assert(!IsArgumentFor<int, std::string>());
static_assert(!IsArgumentFor<std::string, int>());
static_assert(!IsArgumentFor<std::vector<int>, std::vector<double>>());
static_assert(!IsArgumentFor<bool, const char*>(), "any pointer would be true");
static_assert(!IsArgumentFor<bool, const char (&)[4]>());
static_assert(!IsArgumentFor<bool, std::nullptr_t>());
static_assert(IsArgumentFor<bool, bool&>());

static_assert(IsArgumentFor<int, int_ref>());
static_assert(IsArgumentFor<double, const int_ref&>());
static_assert(IsArgumentFor<const int&, int_ref&>());
static_assert(!IsArgumentFor<int, text_ref>());
static_assert(!IsArgumentFor<int, void_ref>());
static_assert(IsArgumentFor<int_ref, int_ref>());
static_assert(!IsArgumentFor<text_ref, int_ref>());
static_assert(!IsArgumentFor<int_ref, int>());

static_assert(IsArgumentFor<std::vector<int>, std::vector<int_ref>>());
static_assert(IsArgumentFor<const std::vector<double>&, std::vector<int_ref>&>());
static_assert(IsArgumentFor<std::vector<int_ref>, std::vector<int_ref>>());
static_assert(!IsArgumentFor<std::vector<int>, std::vector<text_ref>>());
static_assert(!IsArgumentFor<int, std::vector<int_ref>>());

static_assert(IsArgumentFor<int&, int&>(), "a copy of a variable");
static_assert(!IsArgumentFor<int&, double&>());
static_assert(!IsArgumentFor<int&, int_ref>(), "nobody could write it back");
static_assert(IsArgumentFor<int&&, int>());

template <class F, class... Args>
inline constexpr bool matches =
  ArgumentsMatch<ray::internal::CallParameters_t<F>, std::tuple<Args...>>::value;
static_assert(matches<decltype(&second), const char*, int>);
static_assert(matches<decltype(&second), text_ref, int_ref>);
static_assert(!matches<decltype(&second), const char*>, "one too few");
static_assert(!matches<decltype(&second), const char*, int, int>, "one too many");
static_assert(!matches<decltype(&second), int, const char*>, "in the wrong order");
static_assert(matches<decltype(&adder::add), int>, "the object is no argument");
static_assert(!matches<decltype(&adder::add), adder*, int>);

} // namespace

BOOST_AUTO_TEST_SUITE(arguments)

BOOST_FIXTURE_TEST_CASE(numbers_are_converted_when_they_stay_the_same, session) {
  BOOST_TEST(*ray::Task(same_int).Remote(5.0).Get() == 5);
  BOOST_TEST(*ray::Task(same_int).Remote(true).Get() == 1);
  BOOST_TEST(*ray::Task(same_int).Remote('a').Get() == 97);
  BOOST_TEST(*ray::Task(same_int).Remote(high).Get() == 300);
  BOOST_TEST(*ray::Task(same_int).Remote(std::int64_t{INT_MIN}).Get() == INT_MIN);
  BOOST_TEST(*ray::Task(same_double).Remote(3).Get() == 3.0);
  BOOST_TEST(*ray::Task(same_double).Remote(0.1f).Get() == 0.1f);
  BOOST_TEST(*ray::Task(same_float).Remote(0.1).Get() == 0.1f);
  BOOST_TEST(std::isinf(*ray::Task(same_float).Remote(HUGE_VAL).Get()));
  BOOST_TEST(std::isnan(*ray::Task(same_float).Remote(std::nan("")).Get()));
  BOOST_TEST(*ray::Task(same_unsigned).Remote(1e18).Get() == 1'000'000'000'000'000'000u);
  BOOST_TEST(*ray::Task(same_bool).Remote(1).Get());
  BOOST_TEST(!*ray::Task(same_bool).Remote(0.0).Get());
  BOOST_TEST(*ray::Task(same_char).Remote(120).Get() == 'x');
  BOOST_TEST(**ray::Task(same_optional).Remote(4.0).Get() == 4);
}

BOOST_FIXTURE_TEST_CASE(numbers_that_would_change_are_refused, session) {
  BOOST_TEST(refusal(same_int, 5.5) == "Remote: argument 1 is 5.5, which is no int");
  BOOST_TEST(refusal(same_int, std::int64_t{1} << 40)
             == "Remote: argument 1 is 1099511627776, which is no int");
  BOOST_TEST(refusal(same_int, 4'000'000'000u)
             == "Remote: argument 1 is 4000000000, which is no "
                "int");
  BOOST_TEST(refusal(same_int, 1e300) == "Remote: argument 1 is 1e+300, which is no int");
  BOOST_TEST(refusal(same_int, std::nan("")) == "Remote: argument 1 is nan, which is no int");
  BOOST_TEST(refusal(same_unsigned, -1) == "Remote: argument 1 is -1, which is no unsigned long");
  BOOST_TEST(refusal(same_unsigned, 0x1p64)
             == "Remote: argument 1 is 18446744073709551616, which is no unsigned long");
  BOOST_TEST(refusal(same_float, 1e300) == "Remote: argument 1 is 1e+300, which is no float");
  BOOST_TEST(refusal(same_bool, 2) == "Remote: argument 1 is 2, which is no bool");
  BOOST_TEST(refusal(same_char, 300) == "Remote: argument 1 is 300, which is no char");
  BOOST_TEST(refusal(same_char, high) == "Remote: argument 1 is 300, which is no char");
  BOOST_TEST(refusal(same_optional, 4.5) == "Remote: argument 1 is 4.5, which is no int");
  BOOST_TEST(refusal(second, "text", 70'000) == "Remote: argument 2 is 70000, which is no short");
}

BOOST_FIXTURE_TEST_CASE(the_same_holds_for_factories_and_methods, session) {
  BOOST_TEST(contains(text_of<RayException>([] { ray::Actor(adder::create).Remote(0.5); }),
                      "argument 1 is 0.5"));
  auto a = ray::Actor(adder::create).Remote(1.0);
  BOOST_TEST(contains(text_of<RayException>([&] { a.Task(&adder::add).Remote(1 << 20); }),
                      "argument 1 is 1048576"));
  BOOST_TEST(*a.Task(&adder::add).Remote(2L).Get() == 3);
}

BOOST_FIXTURE_TEST_CASE(a_ref_that_names_nothing_is_refused, session) {
  BOOST_TEST(contains(refusal(same_int, ray::ObjectRef<int>()), "names no object"));
  std::vector<ray::ObjectRef<int>> refs{ray::Put(1), {}};
  BOOST_TEST(contains(refusal(weighted, 0, refs, 1), "names no object"));
}

BOOST_FIXTURE_TEST_CASE(a_gather_stands_among_others, session) {
  std::vector<ray::ObjectRef<int>> refs;
  for (int i = 0; i < 10; ++i)
    refs.push_back(ray::Task(same_int).Remote(i));
  BOOST_TEST(*ray::Task(weighted).Remote(5, refs, 2).Get() == 95);
  BOOST_TEST(*ray::Task(weighted).Remote(ray::Put(5), refs, ray::Task(same_int).Remote(3)).Get()
             == 140);
  BOOST_TEST(*ray::Task(weighted).Remote(5, std::vector<ray::ObjectRef<int>>(), 2).Get() == 5);
  BOOST_TEST(*ray::Task(weighted).Remote(ray::Put(1), std::vector<int>{2}, 3).Get() == 7);
}

BOOST_FIXTURE_TEST_CASE(a_gather_fails_as_its_element_did, session) {
  std::vector<ray::ObjectRef<int>> refs;
  for (int i : {0, 2, 5, 8})
    refs.push_back(ray::Task(throw_if_odd).Remote(i));
  auto text = text_of<RayTaskException>([&] { ray::Task(weighted).Remote(1, refs, 1).Get(); });
  BOOST_TEST(contains(text, "throw_if_odd"));
  BOOST_TEST(contains(text, "5 is odd"));
}

BOOST_FIXTURE_TEST_CASE(a_caller_may_be_used_again, session) {
  auto caller = ray::Task(weighted);
  auto first = caller.Remote(1, std::vector<int>{1}, 1);
  auto other = caller.Remote(2, std::vector<int>{1, 1}, 10);
  BOOST_TEST(*first.Get() == 2);
  BOOST_TEST(*other.Get() == 22);
  auto a = ray::Actor(adder::create).Remote(0);
  auto method = a.Task(&adder::add);
  method.Remote(1);
  BOOST_TEST(*method.Remote(2).Get() == 3);
}

BOOST_FIXTURE_TEST_CASE(any_pointers_and_nothing_may_come_last, session) {
  BOOST_TEST(*ray::Task(describe).Remote(1, std::any(std::string("text"))).Get() == "1 text");
  BOOST_TEST(*ray::Task(describe).Remote(2, std::any(7)).Get() == "2 7");
  BOOST_TEST(*ray::Task(describe).Remote(3, std::any()).Get() == "3 nothing");
  BOOST_TEST(*ray::Task(pointed_at).Remote(1, std::make_shared<int>(6)).Get() == 6);
  BOOST_TEST(*ray::Task(pointed_at).Remote(1, nullptr).Get() == 1);
  BOOST_TEST(*ray::Task(value_of).Remote(std::nullopt, 3).Get() == -97);
  BOOST_TEST(*ray::Task(value_of).Remote(2, std::nullopt).Get() == 198);
  BOOST_TEST(**ray::Task(pointer_to).Remote(true).Get() == 8);
  BOOST_TEST((*ray::Task(pointer_to).Remote(false).Get() == nullptr));
}

BOOST_AUTO_TEST_SUITE_END()
