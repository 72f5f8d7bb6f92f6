#include <boost/test/unit_test.hpp>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <stdexcept>
#include <thread>

#include <ray/api/metric.h>

#include "gcs/table.hpp"
#include "gcs/types/codec.hpp"
#include "gcs/types/records.hpp"
#include "tests/libray/session.hpp"
#include "tests/support/temp_folder.hpp"

namespace {

int group_one() {
  return 1;
}
int group_pass(std::string name) {
  return gate::pass(name) ? 1 : 0;
}
std::vector<double> group_large(std::string name) {
  gate::pass(name);
  return std::vector<double>(100'000);
}
int group_same(int x) {
  return x;
}
int group_fail_first(std::string name) {
  static std::atomic<bool> failed{false};
  if (!failed.exchange(true))
    throw std::runtime_error("first");
  return group_pass(name);
}
struct thing {
  static thing* create() { return new thing; }
  int get() { return 7; }
  int pass(std::string name) { return group_pass(name); }
};
RAY_REMOTE(group_one, group_pass, group_fail_first, group_large, group_same, thing::create,
           &thing::get, &thing::pass);

using ray::PlacementStrategy;
using ray::internal::RayActorException;
using ray::internal::RayException;
using ray::internal::RayUnschedulableException;
using bundles = std::vector<std::unordered_map<std::string, double>>;

ray::PlacementGroup group_of(bundles b, std::string name = "") {
  return ray::CreatePlacementGroup({std::move(name), std::move(b), PlacementStrategy::PACK});
}

ray::ObjectRef<int> start_in(const ray::PlacementGroup& group) {
  return ray::Task(group_one).SetResource("CPU", 1).SetPlacementGroup(group, 0).Remote();
}

/// A control store in which a job that is not there any more has left a group called `name`.
struct folder_of_a_dead_job : caf_ray::test::temp_folder {
  folder_of_a_dead_job(const std::string& ray_namespace, const std::string& name) {
    caf_ray::group_record record;
    record.name = name;
    record.ray_namespace = ray_namespace;
    record.state = caf_ray::group_state::created;
    record.bundles.emplace_back().set("CPU", caf_ray::to_units(1));
    put(caf_ray::gcs::table_kind::groups, id, caf_ray::encode(record));
    put(caf_ray::gcs::table_kind::names,
        std::string("placement group\0", 16) + ray_namespace + '\0' + name, id);
  }

  void init(const std::string& ray_namespace) const {
    ray::RayConfig config;
    config.num_cpus = 4;
    config.gcs_directory = path.string();
    config.gcs_shards = 1;
    config.ray_namespace = ray_namespace;
    config.log_level = ray::RayLoggerLevel::ERROR;
    ray::Init(config);
  }

  const std::string id = caf_ray::to_binary(caf_ray::random_id<caf_ray::group_id>());

private:
  void put(caf_ray::gcs::table_kind table, const std::string& key, const std::string& value) {
    caf_ray::gcs::table_options options;
    options.folder = path;
    auto shard = caf_ray::gcs::tables::open(options);
    BOOST_REQUIRE(shard);
    BOOST_REQUIRE((*shard)->put(table, key, value));
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(placement_group)

BOOST_FIXTURE_TEST_CASE(tasks_and_actors_run_in_its_bundles, session) {
  auto group = ray::CreatePlacementGroup(
    {"pair", bundles{{{"CPU", 1}}, {{"CPU", 2}}}, PlacementStrategy::PACK});
  BOOST_REQUIRE(group.Wait(10));
  BOOST_TEST(group.GetName() == "pair");
  BOOST_TEST(group.GetBundles().size() == 2u);
  auto in_first = ray::Task(group_one).SetResource("CPU", 1).SetPlacementGroup(group, 0).Remote();
  BOOST_TEST(*in_first.Get() == 1);
  auto anywhere = ray::Task(group_one).SetResource("CPU", 2).SetPlacementGroup(group, -1).Remote();
  BOOST_TEST(*anywhere.Get() == 1);
  auto actor = ray::Actor(thing::create).SetResource("CPU", 1).SetPlacementGroup(group, 1).Remote();
  BOOST_TEST(*actor.Task(&thing::get).Remote().Get() == 7);
  // Three of four CPUs are set aside, so two for anybody else never come.
  auto outside = ray::Task(group_one).SetResource("CPU", 2).Remote();
  BOOST_TEST(ray::Wait(std::vector{outside}, 1, 30).ready.empty());
  ray::RemovePlacementGroup(group.GetID());
  BOOST_TEST(*outside.Get() == 1);
  BOOST_CHECK_THROW(actor.Task(&thing::get).Remote().Get(), ray::internal::RayActorException);
}

BOOST_FIXTURE_TEST_CASE(one_that_cannot_be_placed_stays_pending, session) {
  auto impossible =
    ray::CreatePlacementGroup({"", bundles{{{"CPU", 100}}}, PlacementStrategy::PACK});
  BOOST_TEST(!impossible.Wait(0));
  auto apart = ray::CreatePlacementGroup(
    {"", bundles{{{"CPU", 1}}, {{"CPU", 1}}}, PlacementStrategy::STRICT_SPREAD});
  BOOST_TEST(!apart.Wait(0));
  ray::RemovePlacementGroup(apart.GetID());
  BOOST_CHECK_THROW(apart.Wait(1), RayException);
}

BOOST_FIXTURE_TEST_CASE(is_looked_up_by_name_and_id, session) {
  auto group = ray::CreatePlacementGroup({"g", bundles{{{"CPU", 1}}}, PlacementStrategy::SPREAD});
  BOOST_REQUIRE(group.Wait(10));
  auto named = ray::GetPlacementGroup("g");
  BOOST_TEST(named.GetID() == group.GetID());
  BOOST_TEST(named.GetState() == ray::PlacementGroupState::CREATED);
  BOOST_TEST(named.GetBundles().front().at("CPU") == 1.0);
  BOOST_TEST(named.Wait(1));
  BOOST_TEST(ray::GetPlacementGroupById(group.GetID()).GetName() == "g");
  BOOST_TEST(ray::GetAllPlacementGroups().size() == 1u);
  BOOST_TEST(ray::GetPlacementGroup("unknown").Empty());
  auto twice = [] {
    ray::CreatePlacementGroup({"g", bundles{{{"CPU", 1}}}, PlacementStrategy::PACK});
  };
  BOOST_CHECK_THROW(twice(), RayException);
  ray::RemovePlacementGroup(group.GetID());
  ray::RemovePlacementGroup(group.GetID());
  BOOST_TEST(ray::GetPlacementGroupById(group.GetID()).GetState()
             == ray::PlacementGroupState::REMOVED);
  BOOST_TEST(ray::GetPlacementGroup("g").Empty());
  twice();
}

BOOST_FIXTURE_TEST_CASE(is_there_for_everybody_once_it_is_created, session) {
  for (int i = 0; i < 50; ++i) {
    auto group = group_of({{{"CPU", 1}}}, "at once");
    BOOST_TEST(ray::GetPlacementGroup("at once").GetID() == group.GetID());
    BOOST_TEST(ray::GetPlacementGroupById(group.GetID()).GetBundles().size() == 1u);
    // Frees the name at once, too.
    ray::RemovePlacementGroup(group.GetID());
    BOOST_TEST(ray::GetPlacementGroup("at once").Empty());
    BOOST_TEST(ray::GetPlacementGroupById(group.GetID()).GetState()
               == ray::PlacementGroupState::REMOVED);
  }
}

BOOST_FIXTURE_TEST_CASE(wait_tells_the_state_whatever_the_patience, session) {
  auto group = group_of({{{"CPU", 1}}});
  BOOST_REQUIRE(group.Wait(10));
  for (int i = 0; i < 200; ++i)
    BOOST_REQUIRE(group.Wait(0));
  auto impossible = group_of({{{"CPU", 100}}});
  BOOST_TEST(!impossible.Wait(0));
  BOOST_TEST(!impossible.Wait(-1));
  BOOST_TEST(!impossible.Wait(1));
}

BOOST_FIXTURE_TEST_CASE(wait_refuses_a_group_that_does_not_exist, session) {
  auto unknown = caf_ray::to_binary(caf_ray::random_id<caf_ray::group_id>());
  for (int seconds : {0, 1}) {
    BOOST_CHECK_THROW(ray::PlacementGroup().Wait(seconds), RayException);
    BOOST_CHECK_THROW(ray::PlacementGroup(unknown, {}).Wait(seconds), RayException);
  }
}

BOOST_FIXTURE_TEST_CASE(wait_ends_when_the_group_is_removed, session) {
  auto group = group_of({{{"CPU", 100}}});
  std::thread remover([&] { ray::RemovePlacementGroup(group.GetID()); });
  BOOST_CHECK_THROW(group.Wait(60), RayException);
  remover.join();
}

BOOST_AUTO_TEST_CASE(wait_ends_with_shutdown_which_leaves_nothing_behind) {
  ray::RayConfig config;
  ray::RuntimeEnv env;
  env.Set("env_vars", std::map<std::string, std::string>{{"CAF_RAY_GROUP", "1"}});
  config.runtime_env = env;
  ray::Init(config);
  auto group = group_of({{{"CPU", 100'000}}});
  std::promise<void> begins;
  auto waiter = std::async(std::launch::async, [&] {
    begins.set_value();
    return !text_of<RayException>([&] { group.Wait(60); }).empty();
  });
  begins.get_future().wait();
  ray::Shutdown();
  BOOST_TEST(waiter.get());
  BOOST_TEST(!std::getenv("CAF_RAY_GROUP")); // it would stay with a runtime that is left behind
}

BOOST_FIXTURE_TEST_CASE(a_task_of_a_pending_one_can_tell_why_it_waits, session) {
  auto waiting = start_in(group_of({{{"CPU", 100}}}));
  auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!contains(ray::Why(waiting), "bundle 0 needs") && std::chrono::steady_clock::now() < until)
    std::this_thread::yield();
  BOOST_TEST(contains(ray::Why(waiting), "is not created yet: bundle 0 needs"));
}

BOOST_FIXTURE_TEST_CASE(its_removal_ends_tasks_that_run_and_that_wait, session) {
  auto group = group_of({{{"CPU", 1}}});
  BOOST_REQUIRE(group.Wait(10));
  auto running =
    ray::Task(group_pass).SetResource("CPU", 1).SetPlacementGroup(group, 0).Remote("group");
  BOOST_REQUIRE(gate::await_arrivals("group", 1));
  auto without_resources = ray::Task(group_pass).SetPlacementGroup(group, -1).Remote("group");
  BOOST_REQUIRE(gate::await_arrivals("group", 2));
  auto queued = start_in(group);
  auto input = ray::Task(group_pass).Remote("input");
  auto waiting = ray::Task(group_same).SetPlacementGroup(group, 0).Remote(input);
  ray::RemovePlacementGroup(group.GetID());
  auto name = caf_ray::to_string(*caf_ray::from_binary<caf_ray::group_id>(group.GetID()));
  for (auto& ref : {running, without_resources, queued, waiting, start_in(group)}) {
    auto text = text_of<RayUnschedulableException>([&] { ref.Get(20000); });
    BOOST_TEST(contains(text, name));
    BOOST_TEST(contains(text, "removed"));
  }
  // What they hold comes back when their code ends; others are not concerned.
  auto all = ray::Task(group_one).SetResource("CPU", 4).Remote();
  BOOST_TEST(ray::Wait(std::vector{all}, 1, 0).ready.empty());
  gate::open("group");
  gate::open("input");
  BOOST_TEST(*all.Get(20000) == 1);
  BOOST_TEST(*input.Get(20000) == 1);
}

BOOST_FIXTURE_TEST_CASE(its_removal_drops_large_results_from_the_store, session) {
  auto group = group_of({{{"CPU", 1}}});
  auto ref = ray::Task(group_large).SetPlacementGroup(group, 0).Remote("large");
  BOOST_REQUIRE(gate::await_arrivals("large", 1));
  ray::RemovePlacementGroup(group.GetID());
  BOOST_CHECK_THROW(ref.Get(20000), RayUnschedulableException);
  gate::open("large");
  auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  auto ended = [] { return contains(ray::MetricsText(), "\ncaf_ray_tasks_finished_total 1\n"); };
  while (!ended() && std::chrono::steady_clock::now() < until)
    std::this_thread::yield();
  BOOST_TEST(contains(ray::MetricsText(), "\ncaf_ray_store_objects 0\n"));
}

BOOST_FIXTURE_TEST_CASE(its_removal_finds_what_runs_among_all_that_ran, session) {
  auto group = group_of({{{"CPU", 1}}});
  auto running = ray::Task(group_pass).SetPlacementGroup(group, 0).Remote("among many");
  BOOST_REQUIRE(gate::await_arrivals("among many", 1));
  std::vector<ray::ObjectRef<int>> others;
  for (int i = 0; i < 3000; ++i)
    others.push_back(start_in(group));
  BOOST_TEST(ray::Get(others).size() == 3000u);
  ray::RemovePlacementGroup(group.GetID());
  BOOST_CHECK_THROW(running.Get(20000), RayUnschedulableException);
  BOOST_TEST(*others.back().Get() == 1);
  gate::open("among many");
}

BOOST_FIXTURE_TEST_CASE(its_removal_ends_a_task_that_is_tried_again, session) {
  auto group = group_of({{{"CPU", 1}}});
  auto again = ray::Task(group_fail_first)
                 .SetPlacementGroup(group, 0)
                 .SetRetryExceptions(true)
                 .SetMaxRetries(-1)
                 .Remote("second try");
  BOOST_REQUIRE(gate::await_arrivals("second try", 1));
  ray::RemovePlacementGroup(group.GetID());
  BOOST_CHECK_THROW(again.Get(20000), RayUnschedulableException);
  gate::open("second try");
}

BOOST_FIXTURE_TEST_CASE(its_removal_ends_actors, session) {
  auto group = group_of({{{"CPU", 1}}, {{"CPU", 1}}});
  auto actor = ray::Actor(thing::create)
                 .SetResource("CPU", 1)
                 .SetPlacementGroup(group, 1)
                 .SetMaxRestarts(-1)
                 .SetName("inside")
                 .Remote();
  auto running = actor.Task(&thing::pass).Remote("actor in group");
  BOOST_REQUIRE(gate::await_arrivals("actor in group", 1));
  auto queued = actor.Task(&thing::get).Remote();
  ray::RemovePlacementGroup(group.GetID());
  BOOST_CHECK_THROW(running.Get(20000), RayActorException);
  BOOST_CHECK_THROW(queued.Get(20000), RayActorException);
  BOOST_TEST(!ray::GetActor<thing>("inside"));
  gate::open("actor in group");
}

BOOST_FIXTURE_TEST_CASE(may_be_removed_while_it_is_pending, session) {
  auto group = group_of({{{"CPU", 100}}}, "never");
  auto waiting = start_in(group);
  auto actor = ray::Actor(thing::create).SetPlacementGroup(group, 0).Remote();
  auto call = actor.Task(&thing::get).Remote();
  BOOST_TEST(ray::Wait(std::vector{waiting, call}, 1, 0).ready.empty());
  ray::RemovePlacementGroup(group.GetID());
  BOOST_CHECK_THROW(waiting.Get(20000), RayUnschedulableException);
  BOOST_CHECK_THROW(call.Get(20000), RayActorException);
  BOOST_CHECK_THROW(group.Wait(0), RayException);
  // Nothing stays reserved, whatever stage the reservation has reached meanwhile.
  for (int i = 0; i < 50; ++i)
    ray::RemovePlacementGroup(group_of({{{"CPU", 4}}}, "never").GetID());
  BOOST_TEST(*ray::Task(group_one).SetResource("CPU", 4).Remote().Get(20000) == 1);
}

BOOST_FIXTURE_TEST_CASE(that_is_removed_again_leaves_its_successor_alone, session) {
  auto first = group_of({{{"CPU", 1}}}, "successor");
  ray::RemovePlacementGroup(first.GetID());
  auto second = group_of({{{"CPU", 1}}}, "successor");
  ray::RemovePlacementGroup(first.GetID());
  BOOST_TEST(ray::GetPlacementGroup("successor").GetID() == second.GetID());
  BOOST_CHECK_THROW(group_of({{{"CPU", 1}}}, "successor"), RayException);
}

BOOST_AUTO_TEST_CASE(of_a_job_that_died_is_gone_with_it) {
  folder_of_a_dead_job folder("mine", "stale");
  folder.init("mine");
  BOOST_TEST(ray::GetPlacementGroup("stale").Empty());
  BOOST_TEST(ray::GetPlacementGroupById(folder.id).Empty());
  ray::RemovePlacementGroup(folder.id);
  BOOST_TEST(group_of({{{"CPU", 1}}}, "stale").Wait(10));
  ray::Shutdown();
}

BOOST_AUTO_TEST_CASE(ends_with_its_job) {
  folder_of_a_dead_job folder("other", "x");
  folder.init("mine");
  auto id = group_of({{{"CPU", 1}}}, "of the job").GetID();
  ray::Shutdown();
  folder.init("mine");
  BOOST_TEST(ray::GetPlacementGroupById(id).Empty());
  BOOST_TEST(group_of({{{"CPU", 1}}}, "of the job").Wait(10));
  ray::Shutdown();
}

BOOST_FIXTURE_TEST_CASE(that_never_existed_is_refused_at_the_call, session) {
  auto id = caf_ray::random_id<caf_ray::group_id>();
  ray::PlacementGroup unknown(caf_ray::to_binary(id), {});
  auto text = text_of<RayException>([&] { start_in(unknown); });
  BOOST_TEST(contains(text, "no placement group"));
  BOOST_TEST(contains(text, caf_ray::to_string(id)));
  BOOST_CHECK_THROW(ray::Actor(thing::create).SetPlacementGroup(unknown, 0).Remote(), RayException);
}

BOOST_FIXTURE_TEST_CASE(has_bundles_from_0_on, session) {
  auto group = group_of({{{"CPU", 1}}, {{"CPU", 1}}});
  for (int bundle : {-2, 2, 100}) {
    auto call = [&] { ray::Task(group_one).SetPlacementGroup(group, bundle).Remote(); };
    auto text = text_of<RayException>(call);
    BOOST_TEST(contains(text, std::to_string(bundle)));
    BOOST_TEST(contains(text, "2 bundles"));
    auto create = [&] { ray::Actor(thing::create).SetPlacementGroup(group, bundle).Remote(); };
    BOOST_CHECK_THROW(create(), RayException);
  }
  for (int bundle : {-1, 0, 1})
    BOOST_TEST(*ray::Task(group_one).SetPlacementGroup(group, bundle).Remote().Get(20000) == 1);
}

BOOST_FIXTURE_TEST_CASE(bad_requests_are_refused, session) {
  auto make = [](bundles b, PlacementStrategy s) {
    return [b, s] { ray::CreatePlacementGroup({"", b, s}); };
  };
  BOOST_CHECK_THROW(make({}, PlacementStrategy::PACK)(), RayException);
  BOOST_CHECK_THROW(make({{}}, PlacementStrategy::PACK)(), RayException);
  BOOST_CHECK_THROW(make({{{"CPU", -1}}}, PlacementStrategy::PACK)(), RayException);
  BOOST_CHECK_THROW(make({{{"CPU", 1}}}, PlacementStrategy::UNRECOGNIZED)(), RayException);
  BOOST_CHECK_THROW(ray::RemovePlacementGroup("short"), RayException);
}

BOOST_AUTO_TEST_SUITE_END()
