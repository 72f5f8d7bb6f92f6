#include <boost/test/unit_test.hpp>

#include <thread>

#include "tests/libray/session.hpp"

namespace {

std::atomic<int> alive{0};
std::atomic<int> destructor_results{0};

int life_square(int x) {
  return x * x;
}

/// Its first life stays in the factory until `door` opens.
struct slow_starter {
  static slow_starter* create(std::string door) {
    auto restarted = ray::WasCurrentActorRestarted();
    if (!restarted)
      gate::pass(door);
    return new slow_starter{restarted};
  }
  bool restarted() { return started_anew; }
  bool started_anew;
};

struct plain_actor {
  static plain_actor* create() { return new plain_actor; }
  plain_actor() { ++alive; }
  ~plain_actor() { --alive; }
  int echo(int x) { return x; }
  int exit_now() { ray::ExitActor(); }
};

/// Calls the API from where its object is deleted.
struct last_words {
  static last_words* create() { return new last_words; }
  ~last_words() { destructor_results += *ray::Task(life_square).Remote(*ray::Put(3).Get()).Get(); }
  int ready() { return 1; }
};

RAY_REMOTE(life_square, slow_starter::create, &slow_starter::restarted, plain_actor::create,
           &plain_actor::echo, &plain_actor::exit_now, last_words::create, &last_words::ready);

} // namespace

using ray::internal::RayActorException;
using ray::internal::RayException;
using ray::internal::RayTaskCancelledException;

BOOST_AUTO_TEST_SUITE(actor_life)

BOOST_FIXTURE_TEST_CASE(a_cancelled_call_at_the_head_does_not_hold_up_the_next, session) {
  auto never = ray::Task(life_square).SetResource("GPU", 1).Remote(1);
  auto actor = ray::Actor(plain_actor::create).Remote();
  auto head = actor.Task(&plain_actor::echo).Remote(never);
  auto next = actor.Task(&plain_actor::echo).Remote(2);
  BOOST_TEST(ray::Wait(std::vector{next}, 1, 50).ready.empty());
  ray::Cancel(head);
  BOOST_TEST(*next.Get(10'000) == 2);
  BOOST_CHECK_THROW(head.Get(), RayTaskCancelledException);
}

BOOST_FIXTURE_TEST_CASE(killed_in_its_factory_it_starts_anew_and_the_first_one_is_dropped,
                        session) {
  auto actor = ray::Actor(slow_starter::create).SetMaxRestarts(1).Remote("slow factory");
  BOOST_REQUIRE(gate::await_arrivals("slow factory", 1));
  actor.Kill(false);
  BOOST_TEST(*actor.Task(&slow_starter::restarted).Remote().Get(10'000));
  gate::open("slow factory");
  for (int i = 0; i < 100; ++i)
    BOOST_REQUIRE(*actor.Task(&slow_starter::restarted).Remote().Get(10'000));
}

BOOST_FIXTURE_TEST_CASE(kill_may_meet_the_end_of_a_method, session) {
  for (int i = 0; i < 300; ++i) {
    auto actor = ray::Actor(plain_actor::create).Remote();
    actor.Task(&plain_actor::echo).Remote(0).Get();
    std::vector<ray::ObjectRef<int>> refs;
    for (int k = 0; k < 20; ++k)
      refs.push_back(actor.Task(&plain_actor::echo).Remote(k));
    std::thread killer([&] { actor.Kill(); });
    for (int k = 0; k < 20; ++k) {
      try {
        BOOST_REQUIRE(*refs[k].Get() == k);
      } catch (const RayActorException&) {
      }
    }
    killer.join();
  }
}

BOOST_FIXTURE_TEST_CASE(calls_behind_exit_actor_never_run, session) {
  for (int i = 0; i < 200; ++i) {
    auto actor = ray::Actor(plain_actor::create).Remote();
    auto last = actor.Task(&plain_actor::exit_now).Remote();
    auto behind = actor.Task(&plain_actor::echo).Remote(1);
    BOOST_REQUIRE_THROW(last.Get(), RayActorException);
    BOOST_REQUIRE_THROW(behind.Get(), RayActorException);
  }
}

BOOST_AUTO_TEST_CASE(objects_of_actors_are_deleted_before_the_runtime_goes) {
  {
    session s;
    std::vector<ray::ActorHandle<plain_actor>> actors;
    for (int i = 0; i < 1000; ++i)
      actors.push_back(ray::Actor(plain_actor::create).Remote());
    actors.back().Task(&plain_actor::echo).Remote(1).Get();
  }
  BOOST_TEST(alive == 0);
}

BOOST_AUTO_TEST_CASE(a_destructor_may_call_tasks_at_kill_and_at_shutdown) {
  destructor_results = 0;
  {
    session s;
    auto killed = ray::Actor(last_words::create).Remote();
    auto left = ray::Actor(last_words::create).Remote();
    killed.Task(&last_words::ready).Remote().Get();
    left.Task(&last_words::ready).Remote().Get();
    killed.Kill();
  }
  BOOST_TEST(destructor_results == 18);
}

BOOST_FIXTURE_TEST_CASE(get_or_create_from_many_threads_gives_one_actor, session) {
  for (int round = 0; round < 20; ++round) {
    auto name = "only one " + std::to_string(round);
    std::vector<std::string> ids(8);
    std::vector<std::thread> threads;
    for (auto& id : ids)
      threads.emplace_back([&] {
        id = ray::Actor(plain_actor::create).SetName(name).SetGetIfExists(true).Remote().ID();
      });
    for (auto& thread : threads)
      thread.join();
    for (auto& id : ids)
      BOOST_TEST(id == ids.front());
  }
}

BOOST_FIXTURE_TEST_CASE(a_forgotten_one_still_says_why_it_died, session) {
  std::string id;
  {
    auto actor = ray::Actor(plain_actor::create).SetName("forgotten").Remote();
    actor.Task(&plain_actor::echo).Remote(1).Get();
    id = actor.ID();
    actor.Kill();
  }
  ray::ActorHandle<plain_actor> again(id);
  auto text = text_of<RayActorException>([&] { again.Task(&plain_actor::echo).Remote(1).Get(); });
  BOOST_TEST(contains(text, "killed"), text);
  BOOST_TEST(contains(text, "forgotten"), text);
}

BOOST_AUTO_TEST_SUITE_END()
