#include <boost/test/unit_test.hpp>

#include <numeric>
#include <optional>
#include <stdexcept>

#include "tests/libray/session.hpp"

namespace {

int plus(int a, int b) {
  return a + b;
}
double half(double x) {
  return x / 2;
}
std::string greet(const std::string& name) {
  return "hello " + name;
}
int fib(int n);
void nothing() {}
int fail_if(int x) {
  if (x != 0)
    throw std::runtime_error("it was " + std::to_string(x));
  return 0;
}
int throw_seven() {
  throw 7;
}
std::tuple<int, std::string, std::vector<double>> three(int n) {
  return {n, std::to_string(n), std::vector<double>(n, 1.0)};
}
std::tuple<std::string> one_alone(int n) {
  return {std::to_string(n)};
}
std::vector<int> count_to(int n) {
  std::vector<int> xs(n);
  std::iota(xs.begin(), xs.end(), 0);
  return xs;
}
long sum(const std::vector<int>& xs) {
  return std::accumulate(xs.begin(), xs.end(), 0L);
}
int deref(ray::ObjectRef<int> ref) {
  return *ref.Get();
}
int deref_all(std::vector<ray::ObjectRef<int>> refs) {
  int s = 0;
  for (auto& ref : refs)
    s += *ref.Get();
  return s;
}
ray::ObjectRef<int> make_ref(int x) {
  return ray::Put(x);
}
int pass_gate(std::string name) {
  return gate::pass(name) ? 1 : 0;
}
int overloaded(int x) {
  return x;
}
int overloaded(std::string x) {
  return static_cast<int>(x.size());
}
int by_reference(int& x) {
  return ++x;
}
std::optional<int> maybe(bool some) {
  return some ? std::optional<int>(3) : std::nullopt;
}
std::int64_t same64(std::int64_t x) {
  return x;
}
int unregistered() {
  return 1;
}

std::atomic<int> attempts{0};
int fail_twice() {
  if (++attempts < 3)
    throw std::runtime_error("not yet");
  return attempts;
}

std::vector<int> arrivals; // written by one task at a time: they share a slot
int arrive(int i) {
  arrivals.push_back(i);
  return i;
}

struct point {
  double x = 0;
  std::vector<float> path;
  MSGPACK_DEFINE(x, path)
};
point move_point(point p, double by) {
  p.x += by;
  for (auto& v : p.path)
    v += static_cast<float>(by);
  return p;
}

RAY_REMOTE(plus, half, greet, fib, nothing, fail_if, throw_seven, three, one_alone, count_to, sum,
           deref, deref_all, make_ref, pass_gate, RAY_FUNC(overloaded, int),
           RAY_FUNC(overloaded, std::string), by_reference, maybe, same64, fail_twice, move_point,
           arrive);

int fib(int n) {
  if (n < 2)
    return n;
  auto a = ray::Task(fib).Remote(n - 1);
  auto b = ray::Task(fib).Remote(n - 2);
  return *a.Get() + *b.Get();
}

} // namespace

using ray::internal::RayException;
using ray::internal::RayTaskException;
using ray::internal::RayTimeoutException;

BOOST_AUTO_TEST_SUITE(task)

BOOST_FIXTURE_TEST_CASE(returns_what_the_function_returns, session) {
  BOOST_TEST(*ray::Task(plus).Remote(1, 2).Get() == 3);
  BOOST_TEST(*ray::Get(ray::Task(greet).Remote("you")) == "hello you");
  ray::Task(nothing).Remote().Get();
  ray::Get(ray::Task(nothing).Remote());
}

BOOST_FIXTURE_TEST_CASE(converts_arguments_to_the_parameters_types, session) {
  BOOST_TEST(*ray::Task(half).Remote(5).Get() == 2.5);
  BOOST_TEST(*ray::Task(plus).Remote(true, 5.0).Get() == 6);
  // The value of an object is converted, too.
  BOOST_TEST(*ray::Task(half).Remote(ray::Put(5)).Get() == 2.5);
}

BOOST_FIXTURE_TEST_CASE(passes_64_bit_integers_unharmed, session) {
  for (std::int64_t x :
       {std::int64_t{1} << 32, INT64_MAX, INT64_MIN, std::int64_t{-1}, std::int64_t{0}})
    BOOST_TEST(*ray::Task(same64).Remote(x).Get() == x);
}

BOOST_FIXTURE_TEST_CASE(waits_for_its_inputs, session) {
  auto first = ray::Task(pass_gate).Remote("inputs");
  auto second = ray::Task(plus).Remote(first, 41);
  BOOST_TEST(ray::Wait(std::vector{second}, 1, 0).ready.empty());
  gate::open("inputs");
  BOOST_TEST(*second.Get() == 42);
}

BOOST_FIXTURE_TEST_CASE(takes_refs_as_values_and_as_refs, session) {
  auto three_ref = ray::Put(3);
  BOOST_TEST(*ray::Task(deref).Remote(three_ref).Get() == 3);
  BOOST_TEST(*ray::Task(deref_all).Remote(std::vector{three_ref, ray::Put(4)}).Get() == 7);
  // A vector parameter given a value, and one ref.
  BOOST_TEST(*ray::Task(sum).Remote(std::vector<int>{1, 2}).Get() == 3);
  BOOST_TEST(*ray::Task(sum).Remote(ray::Put(std::vector<int>{3, 4})).Get() == 7);
  // A vector of refs for a vector parameter: the values, when all are there.
  std::vector<ray::ObjectRef<int>> refs;
  for (int i = 0; i < 100; ++i)
    refs.push_back(ray::Task(plus).Remote(i, 0));
  BOOST_TEST(*ray::Task(sum).Remote(refs).Get() == 4950);
}

BOOST_FIXTURE_TEST_CASE(a_returned_ref_keeps_its_object_alive, session) {
  auto outer = ray::Task(make_ref).Remote(9);
  auto inner = *outer.Get();
  outer = {};
  BOOST_TEST(*inner.Get() == 9);
}

BOOST_FIXTURE_TEST_CASE(runs_nested_tasks_that_block, session) {
  BOOST_TEST(*ray::Task(fib).Remote(15).Get() == 610);
}

BOOST_FIXTURE_TEST_CASE(gives_one_ref_per_element_of_a_tuple, session) {
  auto [number, text, vector] = ray::Task(three).RemoteTuple(4);
  BOOST_TEST(*number.Get() == 4);
  BOOST_TEST(*text.Get() == "4");
  BOOST_TEST(vector.Get()->size() == 4u);
  auto whole = ray::Task(three).Remote(2).Get();
  BOOST_TEST(std::get<1>(*whole) == "2");
}

BOOST_FIXTURE_TEST_CASE(gives_one_ref_per_element_of_a_vector, session) {
  auto refs = ray::Task(count_to).RemoteVector(10, 10);
  BOOST_TEST(*refs[9].Get() == 9);
  auto wrong = ray::Task(count_to).RemoteVector(11, 10);
  BOOST_TEST(contains(text_of<RayTaskException>([&] { wrong[0].Get(); }), "returned 10 elements"));
}

BOOST_FIXTURE_TEST_CASE(gives_one_ref_for_one_element, session) {
  auto [text] = ray::Task(one_alone).RemoteTuple(4);
  BOOST_TEST(*text.Get() == "4");
  BOOST_TEST(std::get<0>(*ray::Task(one_alone).Remote(5).Get()) == "5");
  for (int chunks : {3, 2, 1}) {
    auto refs = ray::Task(count_to).RemoteVector(chunks, chunks);
    BOOST_TEST(refs.size() == static_cast<std::size_t>(chunks));
    BOOST_TEST(*refs.back().Get() == chunks - 1);
  }
  BOOST_TEST(ray::Task(count_to).Remote(1).Get()->size() == 1u);
  auto wrong = ray::Task(count_to).RemoteVector(1, 2);
  BOOST_TEST(contains(text_of<RayTaskException>([&] { wrong[0].Get(); }), "returned 2 elements"));
  BOOST_CHECK_THROW(ray::Task(count_to).RemoteVector(0, 0), RayException);
}

BOOST_FIXTURE_TEST_CASE(an_exception_reaches_every_dependent_get, session) {
  auto failed = ray::Task(fail_if).Remote(5);
  auto next = ray::Task(plus).Remote(failed, 1);
  auto last = ray::Task(plus).Remote(1, next);
  for (auto& ref : {failed, next, last}) {
    auto text = text_of<RayTaskException>([&] { ref.Get(); });
    BOOST_TEST(contains(text, "fail_if"));
    BOOST_TEST(contains(text, "std::runtime_error"));
    BOOST_TEST(contains(text, "it was 5"));
  }
  BOOST_TEST(
    contains(text_of<RayTaskException>([] { ray::Task(throw_seven).Remote().Get(); }), "int"));
  // The vector form throws the first failure, too.
  BOOST_CHECK_THROW(ray::Get(std::vector{ray::Put(1), failed}), RayTaskException);
}

BOOST_FIXTURE_TEST_CASE(a_dependency_of_the_wrong_type_says_so, session) {
  auto text = ray::Put(std::string("no number"));
  ray::ObjectRef<int> as_int(text.ID());
  auto error = text_of<RayTaskException>([&] { ray::Task(plus).Remote(1, as_int).Get(); });
  BOOST_TEST(contains(error, "plus"));
  BOOST_TEST(contains(error, "argument 2: a string of 9 bytes is no int"));
  ray::ObjectRef<double> fraction(ray::Put(5.5).ID());
  BOOST_TEST(*fraction.Get() == 5.5);
}

BOOST_FIXTURE_TEST_CASE(get_times_out_and_says_why, session) {
  auto ref = ray::Task(pass_gate).Remote("timeout");
  auto text = text_of<RayTimeoutException>([&] { ref.Get(10); });
  BOOST_TEST(contains(text, "pass_gate"));
  gate::open("timeout");
  BOOST_TEST(*ref.Get(20000) == 1);
  BOOST_CHECK_THROW(ref.Get(-2), RayException);
}

BOOST_FIXTURE_TEST_CASE(wait_returns_the_first_k, session) {
  std::vector<ray::ObjectRef<int>> refs;
  for (int i = 0; i < 3; ++i)
    refs.push_back(ray::Task(pass_gate).Remote("wait" + std::to_string(i)));
  auto none = ray::Wait(refs, 3, 0);
  BOOST_TEST(none.ready.size() == 0u);
  BOOST_TEST(none.unready.size() == 3u);
  gate::open("wait1");
  auto one = ray::Wait(refs, 1, -1);
  BOOST_REQUIRE(one.ready.size() == 1u);
  BOOST_TEST(one.ready.front().ID() == refs[1].ID());
  BOOST_TEST(one.unready.front().ID() == refs[0].ID());
  gate::open("wait0");
  gate::open("wait2");
  BOOST_TEST(ray::Wait(refs, 3, 20000).ready.size() == 3u);
  BOOST_TEST(ray::Wait(refs, 2, 0).ready.size() == 2u);
}

BOOST_FIXTURE_TEST_CASE(wait_refuses_bad_numbers, session) {
  std::vector<ray::ObjectRef<int>> refs{ray::Put(1), ray::Put(2)};
  BOOST_TEST(contains(text_of<RayException>([&] { ray::Wait(refs, 0, 10); }), "0 of 2"));
  BOOST_TEST(contains(text_of<RayException>([&] { ray::Wait(refs, 3, 10); }), "3 of 2"));
  refs.push_back(refs[0]);
  BOOST_TEST(contains(text_of<RayException>([&] { ray::Wait(refs, 1, 10); }), "Duplicate"));
  BOOST_CHECK_THROW(ray::Wait(std::vector{ray::ObjectRef<int>()}, 1, 0), RayException);
}

BOOST_FIXTURE_TEST_CASE(a_failed_object_counts_as_ready, session) {
  auto ref = ray::Task(fail_if).Remote(1);
  BOOST_TEST(ray::Wait(std::vector{ref}, 1, 20000).ready.size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(overloads_are_told_apart, session) {
  BOOST_TEST(*ray::Task(RAY_FUNC(overloaded, int)).Remote(7).Get() == 7);
  BOOST_TEST(*ray::Task(RAY_FUNC(overloaded, std::string)).Remote("four").Get() == 4);
}

BOOST_FIXTURE_TEST_CASE(a_reference_parameter_gets_a_copy, session) {
  int x = 1;
  BOOST_TEST(*ray::Task(by_reference).Remote(x).Get() == 2);
  BOOST_TEST(x == 1);
}

BOOST_FIXTURE_TEST_CASE(an_empty_optional_is_a_value, session) {
  BOOST_TEST(ray::Task(maybe).Remote(true).Get()->value() == 3);
  BOOST_TEST(!ray::Task(maybe).Remote(false).Get()->has_value());
}

BOOST_FIXTURE_TEST_CASE(user_types_travel, session) {
  point p{1, std::vector<float>(100'000, 2.f)};
  auto moved = ray::Task(move_point).Remote(p, 3).Get();
  BOOST_TEST(moved->x == 4);
  BOOST_TEST(moved->path.size() == 100'000u);
  BOOST_TEST(moved->path.back() == 5.f);
}

BOOST_FIXTURE_TEST_CASE(is_retried_after_exceptions_when_asked_for, session) {
  attempts = 0;
  BOOST_TEST(*ray::Task(fail_twice).SetRetryExceptions(true).SetMaxRetries(5).Remote().Get() == 3);
  attempts = 0;
  BOOST_CHECK_THROW(ray::Task(fail_twice).SetRetryExceptions(true).SetMaxRetries(1).Remote().Get(),
                    RayTaskException);
  attempts = 0;
  BOOST_CHECK_THROW(ray::Task(fail_twice).Remote().Get(), RayTaskException);
  BOOST_TEST(attempts == 1);
}

BOOST_FIXTURE_TEST_CASE(unregistered_functions_are_refused_at_once, session) {
  BOOST_TEST(contains(text_of<RayException>([] { ray::Task(unregistered); }), "RAY_REMOTE"));
}

BOOST_FIXTURE_TEST_CASE(functions_of_other_languages_are_refused_with_words, session) {
  auto check = [](auto&& call, const char* words) {
    BOOST_TEST(contains(text_of<RayException>(call), words));
  };
  check([] { ray::Task(ray::PyFunction<int>{"m", "f"}).Remote(1); }, "Python functions");
  check(
    [] {
      ray::Task(ray::JavaFunction<int>{"C", "f"}).SetName("x").Remote("a", 2);
    },
    "Java functions are not supported: C.f");
  check(
    [] {
      ray::ActorHandleXlang a = ray::Actor(ray::PyActorClass{"m", "C"}).Remote();
    },
    "Python actors are not supported: m.C");
  check(
    [] { ray::ActorHandleXlang a = ray::Actor(ray::JavaActorClass{"C"}).SetName("x").Remote(1); },
    "Java actors are not supported: C");
  ray::ActorHandleXlang handle;
  check([&] { handle.Task(ray::PyActorMethod<int>{"f"}).Remote(1).Get(); },
        "Python methods are not supported: f");
  check([&] { handle.Task(ray::JavaActorMethod<int>{"f"}).Remote(); },
        "Java methods are not supported: f");
}

BOOST_FIXTURE_TEST_CASE(a_name_that_was_set_is_shown_in_errors, session) {
  auto failing = ray::Task(fail_if).SetName("the failing one").Remote(3);
  BOOST_TEST(contains(text_of<RayTaskException>([&] { failing.Get(); }), "the failing one"));
  auto waiting = ray::Task(pass_gate).SetName("the waiting one").Remote("named");
  BOOST_TEST(contains(text_of<RayTimeoutException>([&] { waiting.Get(0); }), "the waiting one"));
  gate::open("named");
}

BOOST_FIXTURE_TEST_CASE(bad_resources_are_refused, session) {
  for (double amount : {0.0, -1.0, 1.5, 1e300})
    BOOST_CHECK_THROW(ray::Task(nothing).SetResource("CPU", amount).Remote(), RayException);
  BOOST_CHECK_THROW(ray::Task(nothing).SetResource("", 1).Remote(), RayException);
  ray::Task(nothing).SetResource("CPU", 0.5).Remote().Get();
  // The last of two counts.
  ray::Task(nothing).SetResource("CPU", 99).SetResource("CPU", 1).Remote().Get();
}

BOOST_FIXTURE_TEST_CASE(without_its_resources_it_stays_pending_and_says_why, session) {
  auto ref = ray::Task(plus).SetResource("GPU", 1).Remote(1, 1);
  BOOST_TEST(ray::Wait(std::vector{ref}, 1, 50).unready.size() == 1u);
  BOOST_TEST(contains(ray::Why(ref), "GPU"));
  BOOST_CHECK_THROW(ref.Get(10), RayTimeoutException);
}

BOOST_AUTO_TEST_CASE(waits_for_its_share_of_a_resource) {
  session s({{"slot", 1}});
  auto first = ray::Task(pass_gate).SetResource("slot", 1).Remote("share");
  auto second = ray::Task(plus).SetResource("slot", 1).Remote(1, 1);
  BOOST_REQUIRE(gate::await_arrivals("share", 1));
  BOOST_TEST(ray::Wait(std::vector{second}, 1, 20).ready.empty());
  BOOST_TEST(contains(ray::Why(second), "slot"));
  gate::open("share");
  BOOST_TEST(*second.Get() == 2);
}

BOOST_AUTO_TEST_CASE(nested_tasks_with_all_cpus_make_progress) {
  session s;
  std::vector<ray::ObjectRef<int>> refs;
  for (int i = 0; i < 8; ++i)
    refs.push_back(ray::Task(fib).SetResource("CPU", 4).Remote(6));
  for (auto& ref : refs)
    BOOST_TEST(*ref.Get() == 8);
}

BOOST_FIXTURE_TEST_CASE(cancel_stops_what_has_not_started, session) {
  auto blocker = ray::Task(pass_gate).Remote("cancel");
  auto waiting = ray::Task(plus).Remote(blocker, 1);
  ray::Cancel(waiting);
  BOOST_CHECK_THROW(waiting.Get(), ray::internal::RayTaskCancelledException);
  auto infeasible = ray::Task(plus).SetResource("GPU", 1).Remote(1, 1);
  ray::Cancel(infeasible);
  BOOST_CHECK_THROW(infeasible.Get(), ray::internal::RayTaskCancelledException);
  BOOST_REQUIRE(gate::await_arrivals("cancel", 1));
  ray::Cancel(blocker); // runs: goes on
  BOOST_TEST(ray::Wait(std::vector{blocker}, 1, 0).ready.empty());
  ray::Cancel(blocker, true);
  BOOST_CHECK_THROW(blocker.Get(), ray::internal::RayTaskCancelledException);
  gate::open("cancel");
}

BOOST_FIXTURE_TEST_CASE(ten_thousand_blocked_on_one_object_do_not_stop_others, session) {
  auto blocker = ray::Task(pass_gate).Remote("ten thousand");
  std::vector<ray::ObjectRef<int>> waiting;
  for (int i = 0; i < 10'000; ++i)
    waiting.push_back(ray::Task(plus).Remote(blocker, i));
  BOOST_TEST(*ray::Task(plus).Remote(1, 1).Get() == 2);
  BOOST_TEST(*ray::Task(fib).Remote(8).Get() == 21);
  gate::open("ten thousand");
  auto values = ray::Get(waiting);
  BOOST_TEST(*values.back() == 10'000);
}

BOOST_FIXTURE_TEST_CASE(many_tasks_give_their_own_results, session) {
  std::vector<ray::ObjectRef<int>> refs;
  for (int i = 0; i < 50'000; ++i)
    refs.push_back(ray::Task(plus).Remote(i, 1));
  auto values = ray::Get(refs);
  for (int i = 0; i < 50'000; ++i)
    BOOST_REQUIRE(*values[i] == i + 1);
}

BOOST_AUTO_TEST_CASE(priorities_go_first) {
  session s({{"slot", 1}});
  auto holder = ray::Task(pass_gate).SetResource("slot", 1).Remote("priority");
  BOOST_REQUIRE(gate::await_arrivals("priority", 1));
  arrivals.clear();
  std::vector<ray::ObjectRef<int>> refs;
  for (int i = 0; i < 5; ++i)
    refs.push_back(ray::Task(arrive).SetResource("slot", 1).SetPriority(i).Remote(i));
  gate::open("priority");
  ray::Get(refs);
  BOOST_TEST(arrivals == (std::vector<int>{4, 3, 2, 1, 0}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
