#include <boost/test/unit_test.hpp>

#include "tests/libray/session.hpp"

namespace {

int group_one() {
  return 1;
}
int group_pass(std::string name) {
  return gate::pass(name) ? 1 : 0;
}
struct thing {
  static thing* create() { return new thing; }
  int get() { return 7; }
};
RAY_REMOTE(group_one, group_pass, thing::create, &thing::get);

using ray::PlacementStrategy;
using bundles = std::vector<std::unordered_map<std::string, double>>;

} // namespace

using ray::internal::RayException;

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

BOOST_FIXTURE_TEST_CASE(a_task_of_a_removed_group_ends_with_an_error, session) {
  auto group = ray::CreatePlacementGroup({"", bundles{{{"CPU", 1}}}, PlacementStrategy::PACK});
  BOOST_REQUIRE(group.Wait(10));
  auto running =
    ray::Task(group_pass).SetResource("CPU", 1).SetPlacementGroup(group, 0).Remote("group");
  BOOST_REQUIRE(gate::await_arrivals("group", 1));
  auto queued = ray::Task(group_one).SetResource("CPU", 1).SetPlacementGroup(group, 0).Remote();
  ray::RemovePlacementGroup(group.GetID());
  gate::open("group");
  BOOST_CHECK_THROW(queued.Get(20000), ray::internal::RayUnschedulableException);
  BOOST_TEST(*running.Get() == 1);
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
