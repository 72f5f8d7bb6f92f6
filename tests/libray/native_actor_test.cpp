#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <functional>
#include <future>
#include <typeinfo>

#include <ray/caf.h>

#include "gcs/table.hpp"
#include "gcs/types/codec.hpp"
#include "gcs/types/records.hpp"
#include "tests/libray/session.hpp"
#include "tests/support/temp_folder.hpp"

namespace {

using add_atom = caf::atom_constant<caf::atom("testadd")>;
using fail_atom = caf::atom_constant<caf::atom("testfail")>;

caf::behavior adder(caf::stateful_actor<int>* self, int start) {
  self->state = start;
  return {
    [self](add_atom, int by) { return self->state += by; },
    [](fail_atom) -> caf::result<int> {
      return caf::make_error(caf::sec::runtime_error, "no luck");
    },
    [](int) {},
  };
}

using doubler = caf::typed_actor<caf::replies_to<int>::with<int>>;
doubler::behavior_type doubling() {
  return {[](int x) { return 2 * x; }};
}

/// The same two as classes.
class adding_class : public caf::event_based_actor {
public:
  adding_class(caf::actor_config& config, int start) : event_based_actor(config), sum_(start) {}
  caf::behavior make_behavior() override {
    return {[this](add_atom, int by) { return sum_ += by; }};
  }

private:
  int sum_;
};
class doubling_class : public doubler::base {
public:
  explicit doubling_class(caf::actor_config& config) : doubler::base(config) {}
  behavior_type make_behavior() override {
    return {[](int x) { return 2 * x; }};
  }
};

/// Owes its answers, waits at the gate of that name, quits when told to.
struct late_state {
  std::vector<caf::response_promise> owed;
};
caf::behavior late(caf::stateful_actor<late_state>* self) {
  return {
    [self](int) -> caf::result<int> {
      self->state.owed.push_back(self->make_response_promise());
      return self->state.owed.back();
    },
    [](const std::string& name) { return gate::pass(name) ? 1 : 0; },
    [self](fail_atom) { self->quit(); },
  };
}

void blocking(caf::blocking_actor*) {}

/// A child on a thread of its own that nobody ends.
caf::behavior careless_parent(caf::event_based_actor* self) {
  self->spawn<caf::detached>([]() -> caf::behavior { return {[](int) {}}; });
  return {[](int x) { return x; }};
}

int ask_for_ever(ray::NativeActor<caf::actor> a, std::string name) {
  gate::pass(name);
  return a.Ask<int>(-1, 1);
}

int add_there(ray::NativeActor<caf::actor> actor, int by) {
  return actor.Ask<int>(20000, add_atom::value, by);
}

struct owner {
  static owner* create() { return new owner; }
  int twice(ray::NativeActor<doubler> d, int x) { return d.Ask<int>(20000, x); }
};

RAY_REMOTE(add_there, ask_for_ever, owner::create, &owner::twice);

using ray::internal::RayActorException;
using ray::internal::RayException;

/// What `f` throws, by its type's name; empty when it throws nothing.
std::future<std::string> thrown_by(std::function<void()> f) {
  return std::async(std::launch::async, [f] {
    try {
      f();
    } catch (const std::exception& e) {
      return std::string(typeid(e).name());
    }
    return std::string();
  });
}

} // namespace

BOOST_AUTO_TEST_SUITE(native_actor)

BOOST_FIXTURE_TEST_CASE(is_reached_by_driver_tasks_and_actors, session) {
  auto a = ray::SpawnNative(adder, 10);
  BOOST_TEST(a.Ask<int>(20000, add_atom::value, 1) == 11);
  BOOST_TEST(*ray::Task(add_there).Remote(a, 5).Get() == 16);
  auto d = ray::SpawnNative(doubling);
  auto o = ray::Actor(owner::create).Remote();
  BOOST_TEST(*o.Task(&owner::twice).Remote(d, 21).Get() == 42);
  a.Ask<void>(20000, 1);
}

BOOST_FIXTURE_TEST_CASE(is_found_by_name_until_it_ends, session) {
  auto a = ray::SpawnNativeNamed("adder", adder, 1);
  auto found = ray::GetNative<caf::actor>("adder");
  BOOST_REQUIRE(found);
  BOOST_TEST(found->Ask<int>(20000, add_atom::value, 1) == 2);
  BOOST_CHECK_THROW(ray::SpawnNativeNamed("adder", adder, 1), ray::internal::RayException);
  BOOST_TEST(!ray::GetNative<caf::actor>("nobody"));
  a.Kill();
  BOOST_CHECK_THROW(a.Ask<int>(20000, add_atom::value, 1), RayActorException);
  BOOST_CHECK_THROW(a.Send(add_atom::value, 1), RayActorException);
  BOOST_CHECK_THROW(a.Get(), RayActorException);
  a.Kill();
  BOOST_TEST(!ray::GetNative<caf::actor>("adder"));
  BOOST_TEST(ray::SpawnNativeNamed("adder", adder, 5).Ask<int>(20000, add_atom::value, 1) == 6);
}

BOOST_FIXTURE_TEST_CASE(may_be_a_class, session) {
  auto a = ray::SpawnNative<adding_class>(10);
  BOOST_TEST(a.Ask<int>(20000, add_atom::value, 1) == 11);
  BOOST_TEST(*ray::Task(add_there).Remote(a, 5).Get() == 16);
  ray::NativeActor<doubler> d = ray::SpawnNativeNamed<doubling_class>("class");
  BOOST_TEST(ray::GetNative<doubler>("class")->Ask<int>(20000, 21) == 42);
  auto o = ray::Actor(owner::create).Remote();
  BOOST_TEST(*o.Task(&owner::twice).Remote(d, 4).Get() == 8);
  auto lambda = ray::SpawnNative([]() -> caf::behavior { return {[](int x) { return x + 1; }}; });
  BOOST_TEST(lambda.Ask<int>(20000, 1) == 2);
}

BOOST_FIXTURE_TEST_CASE(shares_names_with_actors, session) {
  auto o = ray::Actor(owner::create).SetName("one name").Remote();
  BOOST_CHECK_THROW(ray::SpawnNativeNamed("one name", adder, 1), RayException);
  BOOST_TEST(!ray::GetNative<caf::actor>("one name"));
  auto a = ray::SpawnNativeNamed("another", adder, 1);
  BOOST_CHECK_THROW(ray::Actor(owner::create).SetName("another").Remote(), RayException);
  BOOST_TEST(!ray::GetActor<owner>("another"));
  a.Kill();
  BOOST_TEST(*ray::Actor(owner::create)
                .SetName("another")
                .Remote()
                .Task(&owner::twice)
                .Remote(ray::SpawnNative(doubling), 1)
                .Get()
             == 2);
}

BOOST_FIXTURE_TEST_CASE(that_ends_answers_those_who_wait, session) {
  auto a = ray::SpawnNative(late);
  auto killed = ray::SpawnNative(late);
  auto first = thrown_by([=] { a.Ask<int>(-1, 1); });
  auto second = thrown_by([=] { killed.Ask<int>(60000, 1); });
  auto third = thrown_by([=] { killed.Ask<int>(60000, std::string("native handler")); });
  BOOST_REQUIRE(gate::await_arrivals("native handler", 1));
  // CAF itself tells nobody that an answer never comes, nor interrupts a handler.
  killed.Kill();
  BOOST_TEST(second.get() == typeid(RayActorException).name());
  BOOST_TEST(third.get() == typeid(RayActorException).name());
  gate::open("native handler");
  a.Send(fail_atom::value);
  BOOST_TEST(first.get() == typeid(RayActorException).name());
  BOOST_CHECK_THROW(a.Ask<int>(-1, 1), RayActorException);
}

BOOST_FIXTURE_TEST_CASE(may_take_longer_than_its_asker_waits, session) {
  auto a = ray::SpawnNative(late);
  BOOST_CHECK_THROW(a.Ask<int>(10, 1), ray::internal::RayTimeoutException);
  BOOST_CHECK_THROW(a.Ask<int>(0, 1), ray::internal::RayTimeoutException);
}

BOOST_AUTO_TEST_CASE(lets_shutdown_end_whoever_asks) {
  // Threads that are before, in and behind a question when the actor system goes.
  for (int round = 0; round < 5; ++round) {
    auto s = std::make_unique<session>();
    auto a = ray::SpawnNative(late);
    auto quick = ray::SpawnNative(doubling);
    auto gate_name = "asked " + std::to_string(round);
    std::vector<std::future<std::string>> threads;
    threads.push_back(thrown_by([=] { a.Ask<int>(60000, 1); }));
    threads.push_back(thrown_by([=] {
      gate::pass(gate_name);
      for (;;)
        quick.Ask<int>(60000, 1);
    }));
    threads.push_back(thrown_by([=] {
      gate::pass(gate_name);
      for (;;)
        ray::SpawnNative(doubling).Send(1);
    }));
    auto task = ray::Task(ask_for_ever).Remote(a, gate_name);
    BOOST_REQUIRE(gate::await_arrivals(gate_name, 3));
    gate::open(gate_name);
    auto begin = std::chrono::steady_clock::now();
    s.reset();
    BOOST_TEST(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count()
               < 2.0);
    for (auto& thread : threads)
      BOOST_TEST(thread.get() != "");
    BOOST_CHECK_THROW(a.Ask<int>(1, 1), RayException);
    BOOST_CHECK_THROW(task.Get(), RayException);
  }
}

BOOST_AUTO_TEST_CASE(that_blocks_a_thread_is_refused_by_the_compiler) {
  using caf::infer_impl_from_fun_t;
  using ray::internal::runs_on_slots_v;
  static_assert(!runs_on_slots_v<infer_impl_from_fun_t<decltype(&blocking)>>);
  static_assert(!runs_on_slots_v<caf::blocking_actor>);
  static_assert(runs_on_slots_v<infer_impl_from_fun_t<decltype(&late)>>);
  static_assert(runs_on_slots_v<infer_impl_from_fun_t<decltype(&doubling)>>);
  static_assert(runs_on_slots_v<doubling_class>);
}

BOOST_AUTO_TEST_CASE(leaves_behind_threads_that_it_spawned) {
  auto s = std::make_unique<session>();
  BOOST_TEST(ray::SpawnNative(careless_parent).Ask<int>(20000, 3) == 3);
  auto begin = std::chrono::steady_clock::now();
  s.reset();
  BOOST_TEST(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() < 2.0);
}

BOOST_AUTO_TEST_CASE(is_in_the_table_of_actors) {
  caf_ray::test::temp_folder folder;
  ray::RayConfig config;
  config.gcs_directory = folder.path.string();
  config.gcs_shards = 1;
  config.ray_namespace = "natives";
  config.log_level = ray::RayLoggerLevel::ERROR;
  ray::Init(config);
  auto living = ray::SpawnNativeNamed("living", late);
  auto killed = ray::SpawnNativeNamed<doubling_class>("killed");
  killed.Kill();
  ray::Shutdown();
  {
    caf_ray::gcs::table_options options;
    options.folder = folder.path;
    auto shard = caf_ray::gcs::tables::open(options);
    BOOST_REQUIRE(shard);
    auto record_of = [&](const std::string& id) {
      auto value = (*shard)->get(caf_ray::gcs::table_kind::actors, id);
      BOOST_REQUIRE((value && *value));
      auto record = caf_ray::decode<caf_ray::actor_record>(**value);
      BOOST_REQUIRE(record);
      return *record;
    };
    auto first = record_of(living.ID());
    BOOST_TEST(first.name == "living");
    BOOST_TEST(first.ray_namespace == "natives");
    BOOST_TEST(first.class_name == "native (anonymous namespace)::late_state");
    BOOST_TEST((first.state == caf_ray::actor_state::dead));
    BOOST_TEST(first.death_cause == "its job has ended");
    auto second = record_of(killed.ID());
    BOOST_TEST(second.class_name == "native (anonymous namespace)::doubling_class");
    BOOST_TEST(contains(second.death_cause, "killed"));
  }
  ray::Init(config);
  BOOST_TEST(ray::SpawnNativeNamed("living", adder, 1).Ask<int>(20000, add_atom::value, 1) == 2);
  ray::Shutdown();
}

BOOST_FIXTURE_TEST_CASE(its_errors_are_exceptions, session) {
  auto a = ray::SpawnNative(adder, 1);
  auto text =
    text_of<ray::internal::RayTaskException>([&] { a.Ask<int>(20000, fail_atom::value); });
  BOOST_TEST(contains(text, "no luck"));
  BOOST_CHECK_THROW(ray::NativeActor<caf::actor>("unknown").Get(),
                    ray::internal::RayActorException);
}

BOOST_AUTO_TEST_SUITE_END()
