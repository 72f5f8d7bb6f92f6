#include "tests/cluster/cluster.hpp"

using namespace caf_ray::test;

namespace {

class counter {
public:
  explicit counter(int start) : count_(start) {}
  static counter* create(int start) { return new counter(start); }
  static counter* create_badly() { throw std::runtime_error("no counter today"); }
  int add(int by) { return count_ += by; }
  int process() { return getpid(); }
  int crash() { abort(); }
  int leave() {
    ray::ExitActor();
    return 0;
  }
  bool restarted() { return ray::WasCurrentActorRestarted(); }

private:
  int count_;
};

int add_through(ray::ActorHandle<counter> actor, int by) {
  return *actor.Task(&counter::add).Remote(by).Get();
}

RAY_REMOTE(counter::create, counter::create_badly, &counter::add, &counter::process,
           &counter::crash, &counter::leave, &counter::restarted, add_through);

} // namespace

BOOST_FIXTURE_TEST_SUITE(cluster_actors, cluster_session)

BOOST_AUTO_TEST_CASE(live_in_processes_of_their_own) {
  auto a = ray::Actor(counter::create).Remote(1);
  auto b = ray::Actor(counter::create).Remote(2);
  auto pid_a = *a.Task(&counter::process).Remote().Get();
  auto pid_b = *b.Task(&counter::process).Remote().Get();
  BOOST_TEST(pid_a != pid_b);
  BOOST_TEST(pid_a != getpid());
  BOOST_TEST(*a.Task(&counter::add).Remote(1).Get() == 2);
  BOOST_TEST(*b.Task(&counter::add).Remote(1).Get() == 3);
}

BOOST_AUTO_TEST_CASE(share_a_process_when_they_ask_for_it) {
  std::vector<ray::ActorHandle<counter>> actors;
  for (int i = 0; i < 200; ++i)
    actors.push_back(ray::Actor(counter::create).SetIsolation(ray::Isolation::SHARED).Remote(i));
  std::vector<ray::ObjectRef<int>> sums;
  for (auto& actor : actors)
    sums.push_back(actor.Task(&counter::add).Remote(1));
  for (int i = 0; i < 200; ++i)
    BOOST_TEST(*sums[static_cast<std::size_t>(i)].Get() == i + 1);
  BOOST_TEST(node.status()["workers"] <= 2);
}

BOOST_AUTO_TEST_CASE(run_the_calls_of_one_caller_in_order) {
  auto actor = ray::Actor(counter::create).Remote(0);
  std::vector<ray::ObjectRef<int>> refs;
  for (int i = 0; i < 2'000; ++i)
    refs.push_back(actor.Task(&counter::add).Remote(1));
  int wrong = 0;
  for (int i = 0; i < 2'000; ++i)
    wrong += *refs[static_cast<std::size_t>(i)].Get() != i + 1;
  BOOST_TEST(wrong == 0);
}

BOOST_AUTO_TEST_CASE(are_called_by_tasks_that_got_their_handle) {
  auto actor = ray::Actor(counter::create).Remote(5);
  BOOST_TEST(*ray::Task(add_through).Remote(actor, 10).Get() == 15);
  BOOST_TEST(*actor.Task(&counter::add).Remote(1).Get() == 16);
}

BOOST_AUTO_TEST_CASE(are_found_by_name_until_they_are_killed) {
  auto actor = ray::Actor(counter::create).SetName("tally").Remote(1);
  auto found = ray::GetActor<counter>("tally");
  BOOST_REQUIRE(found);
  BOOST_TEST(*found->Task(&counter::add).Remote(1).Get() == 2);
  actor.Kill();
  text_of<ray::internal::RayActorException>([&] { actor.Task(&counter::add).Remote(1).Get(); });
  BOOST_TEST(eventually([] { return !ray::GetActor<counter>("tally"); }));
}

BOOST_AUTO_TEST_CASE(killed_takes_their_process_with_them) {
  auto actor = ray::Actor(counter::create).Remote(1);
  auto pid = *actor.Task(&counter::process).Remote().Get();
  actor.Kill();
  BOOST_TEST(eventually([&] { return !is_running(pid); }));
}

BOOST_AUTO_TEST_CASE(killed_while_they_start_leave_no_process_and_hold_nothing) {
  for (int i = 0; i < 5; ++i) {
    auto actor = ray::Actor(counter::create).SetResource("CPU", 2).Remote(1);
    actor.Kill();
    text_of<ray::internal::RayActorException>([&] { actor.Task(&counter::add).Remote(1).Get(); });
  }
  // Needs all that the others had asked for.
  auto last = ray::Actor(counter::create).SetResource("CPU", 2).Remote(1);
  BOOST_TEST(*last.Task(&counter::add).Remote(1).Get() == 2);
  BOOST_TEST(eventually([&] { return node.status()["workers"] == 1; }));
}

BOOST_AUTO_TEST_CASE(killed_again_and_again_start_anew_each_time) {
  auto actor = ray::Actor(counter::create).SetMaxRestarts(-1).SetResource("CPU", 2).Remote(1);
  for (int i = 0; i < 5; ++i)
    actor.Kill(false);
  BOOST_TEST(*actor.Task(&counter::add).Remote(1).Get() == 2);
  BOOST_TEST(eventually([&] { return node.status()["workers"] == 1; }));
}

BOOST_AUTO_TEST_CASE(say_what_killed_their_process) {
  auto actor = ray::Actor(counter::create).Remote(1);
  auto text =
    text_of<ray::internal::RayActorException>([&] { actor.Task(&counter::crash).Remote().Get(); });
  BOOST_TEST(text.find("signal 6") != std::string::npos, text);
}

BOOST_AUTO_TEST_CASE(start_anew_as_often_as_they_may) {
  auto actor = ray::Actor(counter::create).SetMaxRestarts(1).Remote(7);
  BOOST_TEST(!*actor.Task(&counter::restarted).Remote().Get());
  text_of<ray::internal::RayActorException>([&] { actor.Task(&counter::crash).Remote().Get(); });
  BOOST_TEST(*actor.Task(&counter::add).Remote(1).Get() == 8);
  BOOST_TEST(*actor.Task(&counter::restarted).Remote().Get());
  text_of<ray::internal::RayActorException>([&] { actor.Task(&counter::crash).Remote().Get(); });
  text_of<ray::internal::RayActorException>([&] { actor.Task(&counter::add).Remote(1).Get(); });
}

BOOST_AUTO_TEST_CASE(end_from_inside) {
  auto actor = ray::Actor(counter::create).Remote(1);
  text_of<ray::internal::RayActorException>([&] { actor.Task(&counter::leave).Remote().Get(); });
  text_of<ray::internal::RayActorException>([&] { actor.Task(&counter::add).Remote(1).Get(); });
}

BOOST_AUTO_TEST_CASE(whose_factory_throws_say_so_to_every_call) {
  auto actor = ray::Actor(counter::create_badly).Remote();
  for (int i = 0; i < 2; ++i) {
    auto text =
      text_of<ray::internal::RayActorException>([&] { actor.Task(&counter::add).Remote(1).Get(); });
    BOOST_TEST(text.find("no counter today") != std::string::npos, text);
  }
}

BOOST_AUTO_TEST_SUITE_END()
