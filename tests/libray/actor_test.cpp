#include <boost/test/unit_test.hpp>

#include <atomic>
#include <stdexcept>

#include "tests/libray/session.hpp"

namespace {

class counter {
public:
  explicit counter(int start) : n_(start) { ++alive; }
  virtual ~counter() { --alive; }
  static counter* create(int start) { return new counter(start); }
  static counter* fail(std::string why) { throw std::invalid_argument(why); }
  static counter* gated(std::string name) {
    gate::pass(name);
    return new counter(0);
  }
  int add(int by) { return n_ += by; }
  int get() const { return n_; }
  std::vector<int> history(int n) { return std::vector<int>(n, n_); }
  int wait_at(std::string name) { return gate::pass(name) ? n_ : -1; }
  int throws() { throw std::runtime_error("method failed"); }
  int leave() {
    ray::ExitActor();
    return 0;
  }
  bool restarted() { return ray::WasCurrentActorRestarted(); }
  virtual std::string kind() const { return "counter"; }

  static inline std::atomic<int> alive{0};

private:
  int n_;
};

struct named_thing {
  std::string label = "label";
  std::string get_label() const { return label; }
  virtual ~named_thing() = default;
};

/// Two bases: the second one's methods need another `this`.
class special : public counter, public named_thing {
public:
  special() : counter(100) {}
  static special* make() { return new special; }
  std::string kind() const override { return "special"; }
};

class holder {
public:
  static holder* create() { return new holder; }
  void keep(ray::ActorHandle<counter> handle) { handle_ = handle; }
  void keep_ref(std::vector<ray::ObjectRef<int>> refs) { refs_ = refs; }
  int forward(int by) { return *handle_.Task(&counter::add).Remote(by).Get(); }
  int read() { return *refs_.front().Get(); }
  ray::ActorHandle<counter> give() { return handle_; }

private:
  ray::ActorHandle<counter> handle_;
  std::vector<ray::ObjectRef<int>> refs_;
};

int add_through(ray::ActorHandle<counter> handle, int by) {
  return *handle.Task(&counter::add).Remote(by).Get();
}
ray::ActorHandle<counter> make_counter(int start) {
  return ray::Actor(counter::create).Remote(start);
}
counter* not_registered() {
  return nullptr;
}
int actor_pass(std::string name) {
  return gate::pass(name) ? 5 : -1;
}

RAY_REMOTE(counter::create, counter::fail, counter::gated, &counter::add, &counter::get,
           &counter::history, &counter::wait_at, &counter::throws, &counter::leave,
           &counter::restarted, &counter::kind, special::make, &named_thing::get_label,
           holder::create, &holder::keep, &holder::keep_ref, &holder::forward, &holder::read,
           &holder::give, add_through, make_counter, actor_pass);

} // namespace

using ray::internal::RayActorException;
using ray::internal::RayException;
using ray::internal::RayTaskException;

BOOST_AUTO_TEST_SUITE(actor)

BOOST_FIXTURE_TEST_CASE(keeps_its_state_between_calls, session) {
  auto c = ray::Actor(counter::create).Remote(10);
  BOOST_TEST(*c.Task(&counter::add).Remote(1).Get() == 11);
  BOOST_TEST(*c.Task(&counter::add).Remote(2).Get() == 13);
  BOOST_TEST(*c.Task(&counter::get).Remote().Get() == 13);
  BOOST_TEST(c.ID().size() == 16u);
}

BOOST_FIXTURE_TEST_CASE(runs_the_calls_of_one_caller_in_order, session) {
  auto c = ray::Actor(counter::create).Remote(0);
  std::vector<ray::ObjectRef<int>> refs;
  for (int i = 0; i < 20'000; ++i)
    refs.push_back(c.Task(&counter::add).Remote(1));
  auto values = ray::Get(refs);
  for (int i = 0; i < 20'000; ++i)
    BOOST_REQUIRE(*values[i] == i + 1);
}

BOOST_FIXTURE_TEST_CASE(a_call_whose_input_is_missing_holds_up_the_next, session) {
  auto c = ray::Actor(counter::create).Remote(0);
  auto late = ray::Task(actor_pass).Remote("order");
  auto first = c.Task(&counter::add).Remote(late);
  auto second = c.Task(&counter::add).Remote(1);
  BOOST_TEST(ray::Wait(std::vector{second}, 1, 20).ready.empty());
  gate::open("order");
  BOOST_TEST(*first.Get() == 5);
  BOOST_TEST(*second.Get() == 6);
}

BOOST_FIXTURE_TEST_CASE(methods_of_bases_get_the_right_this, session) {
  auto s = ray::Actor(special::make).Remote();
  BOOST_TEST(*s.Task(&counter::add).Remote(1).Get() == 101);
  BOOST_TEST(*s.Task(&named_thing::get_label).Remote().Get() == "label");
  BOOST_TEST(*s.Task(&counter::kind).Remote().Get() == "special");
}

BOOST_FIXTURE_TEST_CASE(handles_travel_as_arguments_results_and_members, session) {
  auto c = ray::Actor(counter::create).Remote(0);
  BOOST_TEST(*ray::Task(add_through).Remote(c, 5).Get() == 5);
  auto h = ray::Actor(holder::create).Remote();
  h.Task(&holder::keep).Remote(c).Get();
  BOOST_TEST(*h.Task(&holder::forward).Remote(2).Get() == 7);
  auto same = *h.Task(&holder::give).Remote().Get();
  BOOST_TEST((same == c));
  auto made = *ray::Task(make_counter).Remote(3).Get();
  BOOST_TEST(*made.Task(&counter::get).Remote().Get() == 3);
  auto boxed = ray::Put(std::vector{c}).Get();
  BOOST_TEST(*boxed->front().Task(&counter::get).Remote().Get() == 7);
}

BOOST_FIXTURE_TEST_CASE(refs_in_its_state_stay_alive, session) {
  auto h = ray::Actor(holder::create).Remote();
  {
    auto ref = ray::Put(8);
    h.Task(&holder::keep_ref).Remote(std::vector{ref}).Get();
  }
  BOOST_TEST(*h.Task(&holder::read).Remote().Get() == 8);
}

BOOST_FIXTURE_TEST_CASE(exceptions_of_methods_reach_the_caller_and_it_lives_on, session) {
  auto c = ray::Actor(counter::create).Remote(1);
  auto text = text_of<RayTaskException>([&] { c.Task(&counter::throws).Remote().Get(); });
  BOOST_TEST(contains(text, "method failed"));
  BOOST_TEST(contains(text, "std::runtime_error"));
  auto named = c.Task(&counter::throws).SetName("the throwing one").Remote();
  BOOST_TEST(contains(text_of<RayTaskException>([&] { named.Get(); }), "the throwing one"));
  BOOST_TEST(*c.Task(&counter::get).Remote().Get() == 1);
}

BOOST_FIXTURE_TEST_CASE(an_exception_in_the_factory_reaches_every_call, session) {
  auto c = ray::Actor(counter::fail).Remote("no such counter");
  for (int i = 0; i < 2; ++i) {
    auto text = text_of<RayActorException>([&] { c.Task(&counter::get).Remote().Get(); });
    BOOST_TEST(contains(text, "std::invalid_argument"));
    BOOST_TEST(contains(text, "no such counter"));
  }
}

BOOST_FIXTURE_TEST_CASE(kill_fails_its_calls_and_frees_its_object, session) {
  const int before = counter::alive;
  auto c = ray::Actor(counter::create).Remote(1);
  auto running = c.Task(&counter::wait_at).Remote("kill");
  auto queued = c.Task(&counter::get).Remote();
  BOOST_REQUIRE(gate::await_arrivals("kill", 1));
  c.Kill();
  BOOST_CHECK_THROW(running.Get(), RayActorException);
  BOOST_CHECK_THROW(queued.Get(), RayActorException);
  BOOST_CHECK_THROW(c.Task(&counter::get).Remote().Get(), RayActorException);
  gate::open("kill");
  auto probe = ray::Actor(counter::create).Remote(0);
  probe.Task(&counter::get).Remote().Get();
  probe.Kill();
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (counter::alive != before && std::chrono::steady_clock::now() < until)
    ray::Task(actor_pass).Remote("kill").Get();
  BOOST_TEST(counter::alive == before);
}

BOOST_FIXTURE_TEST_CASE(exit_actor_ends_it_from_inside, session) {
  auto c = ray::Actor(counter::create).SetMaxRestarts(3).Remote(1);
  BOOST_CHECK_THROW(c.Task(&counter::leave).Remote().Get(), RayActorException);
  BOOST_CHECK_THROW(c.Task(&counter::get).Remote().Get(), RayActorException);
  BOOST_CHECK_THROW(ray::ExitActor(), std::logic_error);
}

BOOST_FIXTURE_TEST_CASE(restarts_with_fresh_state_while_restarts_are_left, session) {
  auto c = ray::Actor(counter::create).SetMaxRestarts(1).Remote(5);
  BOOST_TEST(*c.Task(&counter::add).Remote(1).Get() == 6);
  BOOST_TEST(!*c.Task(&counter::restarted).Remote().Get());
  c.Kill(false);
  BOOST_TEST(*c.Task(&counter::get).Remote().Get() == 5);
  BOOST_TEST(*c.Task(&counter::restarted).Remote().Get());
  c.Kill(false);
  BOOST_CHECK_THROW(c.Task(&counter::get).Remote().Get(), RayActorException);
  BOOST_TEST(!ray::WasCurrentActorRestarted());
}

BOOST_FIXTURE_TEST_CASE(is_found_by_name, session) {
  auto c = ray::Actor(counter::create).SetName("the counter").Remote(4);
  auto found = ray::GetActor<counter>("the counter");
  BOOST_REQUIRE(found);
  BOOST_TEST(*found->Task(&counter::get).Remote().Get() == 4);
  BOOST_TEST(!ray::GetActor<counter>("another"));
  BOOST_TEST(!ray::GetActor<counter>(""));
  BOOST_TEST(!ray::GetActor<counter>("the counter", "elsewhere"));
  boost::optional<ray::ActorHandleXlang> untyped = ray::GetActor("the counter");
  BOOST_REQUIRE(untyped);
  BOOST_TEST(untyped->ID() == c.ID());
  BOOST_TEST(ray::GetActor("the counter", ray::GetNamespace())->ID() == c.ID());
  BOOST_TEST(!ray::GetActor("another"));
  auto again = [] { ray::Actor(counter::create).SetName("the counter").Remote(1); };
  BOOST_TEST(contains(text_of<RayException>(again), "taken"));
  auto same = ray::Actor(counter::create).SetName("the counter").SetGetIfExists(true).Remote(1);
  BOOST_TEST((same == c));
  auto other = ray::Actor(counter::create).SetName("the counter", "elsewhere").Remote(9);
  BOOST_TEST(!(other == c));
  c.Kill();
  BOOST_TEST(!ray::GetActor<counter>("the counter"));
  auto reborn = ray::Actor(counter::create).SetName("the counter").Remote(6);
  BOOST_TEST(*reborn.Task(&counter::get).Remote().Get() == 6);
}

BOOST_FIXTURE_TEST_CASE(max_concurrency_lets_methods_overlap, session) {
  auto c = ray::Actor(counter::create).SetMaxConcurrency(3).Remote(0);
  std::vector<ray::ObjectRef<int>> refs;
  for (int i = 0; i < 3; ++i)
    refs.push_back(c.Task(&counter::wait_at).Remote("overlap"));
  BOOST_TEST(gate::await_arrivals("overlap", 3));
  gate::open("overlap");
  ray::Get(refs);
}

BOOST_AUTO_TEST_CASE(holds_its_resources_as_long_as_it_lives) {
  session s({{"seat", 1}});
  auto first = ray::Actor(counter::create).SetResource("seat", 1).Remote(1);
  first.Task(&counter::get).Remote().Get();
  auto second = ray::Actor(counter::create).SetResource("seat", 1).Remote(2);
  auto waiting = second.Task(&counter::get).Remote();
  BOOST_TEST(ray::Wait(std::vector{waiting}, 1, 30).ready.empty());
  BOOST_TEST(contains(ray::Why(waiting), "seat"));
  first.Kill();
  BOOST_TEST(*waiting.Get() == 2);
}

BOOST_FIXTURE_TEST_CASE(calls_wait_until_it_is_created, session) {
  auto c = ray::Actor(counter::gated).Remote("creation");
  auto ref = c.Task(&counter::add).Remote(2);
  BOOST_REQUIRE(gate::await_arrivals("creation", 1));
  BOOST_TEST(ray::Wait(std::vector{ref}, 1, 0).ready.empty());
  gate::open("creation");
  BOOST_TEST(*ref.Get() == 2);
}

BOOST_FIXTURE_TEST_CASE(lives_in_this_process_whatever_its_isolation, session) {
  const int before = counter::alive;
  for (auto isolation : {ray::Isolation::OWN_PROCESS, ray::Isolation::SHARED}) {
    auto c = ray::Actor(counter::create).SetIsolation(isolation).Remote(1);
    BOOST_TEST(*c.Task(&counter::get).Remote().Get() == 1);
  }
  BOOST_TEST(counter::alive == before + 2);
}

BOOST_FIXTURE_TEST_CASE(an_infeasible_one_stays_pending_and_can_be_killed, session) {
  auto c = ray::Actor(counter::create).SetResource("GPU", 1).Remote(1);
  auto ref = c.Task(&counter::get).Remote();
  BOOST_TEST(ray::Wait(std::vector{ref}, 1, 30).ready.empty());
  BOOST_TEST(contains(ray::Why(ref), "GPU"));
  c.Kill();
  BOOST_CHECK_THROW(ref.Get(), RayActorException);
}

BOOST_FIXTURE_TEST_CASE(large_results_of_methods_are_objects, session) {
  auto c = ray::Actor(counter::create).Remote(3);
  auto ref = c.Task(&counter::history).Remote(200'000);
  BOOST_TEST(ref.Get()->back() == 3);
  for (int n : {5, 1}) {
    auto parts = c.Task(&counter::history).RemoteVector(n, n);
    BOOST_TEST(*parts.back().Get() == 3);
  }
}

BOOST_FIXTURE_TEST_CASE(misuse_is_refused_with_words, session) {
  BOOST_CHECK_THROW(ray::Actor(not_registered), RayException);
  BOOST_CHECK_THROW(ray::ActorHandle<counter>().Task(&counter::get).Remote(), RayException);
  BOOST_CHECK_THROW(ray::Actor(counter::create).SetMaxRestarts(-2).Remote(1), RayException);
  BOOST_CHECK_THROW(ray::Actor(counter::create).SetMaxConcurrency(0).Remote(1), RayException);
  ray::ActorHandle<counter> unknown(std::string(16, 'a'));
  BOOST_CHECK_THROW(unknown.Task(&counter::get).Remote().Get(), RayActorException);
  ray::RuntimeEnv env;
  env.Set("env_vars", std::map<std::string, std::string>{{"A", "b"}});
  auto text =
    text_of<RayException>([&] { ray::Actor(counter::create).SetRuntimeEnv(env).Remote(1); });
  BOOST_TEST(contains(text, "env"));
}

BOOST_FIXTURE_TEST_CASE(ten_thousand_live_side_by_side, session) {
  std::vector<ray::ActorHandle<counter>> actors;
  std::vector<ray::ObjectRef<int>> refs;
  for (int i = 0; i < 10'000; ++i) {
    actors.push_back(ray::Actor(counter::create).Remote(i));
    refs.push_back(actors.back().Task(&counter::get).Remote());
  }
  auto values = ray::Get(refs);
  BOOST_TEST(*values[9'999] == 9'999);
}

BOOST_AUTO_TEST_SUITE_END()
