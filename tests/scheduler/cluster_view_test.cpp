#include "scheduler/cluster_view.hpp"

#include "tests/scheduler/support.hpp"

using namespace caf_ray;
using namespace caf_ray::scheduler;
using namespace caf_ray::scheduler::test;

namespace {

node_record with(resource_set total, std::uint64_t queue = 0) {
  node_record x;
  x.total = x.available = std::move(total);
  x.queue_length = queue;
  return x;
}

node_record gone() {
  node_record x;
  x.alive = false;
  return x;
}

placement_request asks(resource_set resources, group_id in = {}, std::int32_t bundle = -1) {
  return {number(1), std::move(resources), in, bundle, {}};
}

group_record created(std::vector<resource_set> bundles, std::vector<node_id> places) {
  group_record x;
  x.state = group_state::created;
  x.bundles = std::move(bundles);
  x.places = std::move(places);
  return x;
}

struct fixture {
  cluster_view view;
  std::mt19937_64 random{1};
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(cluster_view_suite, fixture)

BOOST_AUTO_TEST_CASE(only_joining_leaving_and_other_totals_change_what_is_pending) {
  auto one = with(amounts({{"CPU", 1}}));
  BOOST_TEST(view.update({{node(1), one}}));
  one.queue_length = 9;
  one.available = {};
  BOOST_TEST(!view.update({{node(1), one}}));
  one.total = amounts({{"CPU", 2}});
  BOOST_TEST(view.update({{node(1), one}}));
  BOOST_TEST(view.update({{node(1), gone()}}));
  BOOST_TEST(!view.update({{node(1), gone()}}));
  BOOST_TEST(view.node_count() == 0u);
}

BOOST_AUTO_TEST_CASE(what_it_places_counts_until_the_next_heartbeat) {
  view.update({{node(1), with({})}, {node(2), with({})}});
  int on_first = 0;
  for (int i = 0; i < 100; ++i)
    on_first += view.place(asks({}), random).node == node(1);
  BOOST_TEST(on_first == 50);
  view.update({{node(1), with({}, 20)}, {node(2), with({})}});
  for (int i = 0; i < 20; ++i)
    BOOST_TEST((view.place(asks({}), random).node == node(2)));
}

BOOST_AUTO_TEST_CASE(a_task_of_a_group_goes_where_its_bundle_is) {
  auto cpu = amounts({{"CPU", 1}});
  view.update({{node(1), with(amounts({{"CPU", 4}}))}, {node(2), with(amounts({{"CPU", 4}}), 99)}});
  view.update(group(1), created({cpu, cpu}, {node(2), node(1)}));
  BOOST_TEST((view.place(asks(cpu, group(1), 0), random).node == node(2)));
  BOOST_TEST((view.place(asks(cpu, group(1), 1), random).node == node(1)));
  BOOST_TEST((view.place(asks(cpu, group(1)), random).node == node(1)));
}

BOOST_AUTO_TEST_CASE(a_group_that_is_not_there_yet_waits_and_one_that_was_removed_fails) {
  auto cpu = amounts({{"CPU", 1}});
  auto verdict = [&](std::int32_t bundle = -1) {
    return view.place(asks(cpu, group(1), bundle), random);
  };
  view.update({{node(1), with(amounts({{"CPU", 4}}))}});
  BOOST_TEST((verdict().verdict == placement_verdict::pending));
  auto record = created({cpu}, {node(1)});
  record.state = group_state::pending;
  record.pending_reason = "no room";
  BOOST_TEST(view.update(group(1), record));
  BOOST_TEST(contains(verdict().reason, "is not created yet: no room"));
  record.state = group_state::created;
  BOOST_TEST(view.update(group(1), record));
  BOOST_TEST(!view.update(group(1), record));
  BOOST_TEST((verdict().verdict == placement_verdict::run_on));
  BOOST_TEST((verdict(1).verdict == placement_verdict::never));
  view.update({{node(1), gone()}});
  BOOST_TEST((verdict().verdict == placement_verdict::pending));
  record.state = group_state::removed;
  BOOST_TEST(view.update(group(1), record));
  BOOST_TEST((verdict().verdict == placement_verdict::never));
  BOOST_TEST(contains(verdict().reason, "was removed"));
}

BOOST_AUTO_TEST_CASE(it_plans_groups_within_what_is_available) {
  auto node_1 = with(amounts({{"CPU", 4}}));
  node_1.available = amounts({{"CPU", 1}});
  view.update({{node(1), node_1}, {node(2), with(amounts({{"CPU", 2}}))}});
  std::vector<resource_set> bundles = {amounts({{"CPU", 2}})};
  BOOST_TEST((view.plan(group_strategy::pack, bundles).places == std::vector{node(2)}));
}

BOOST_AUTO_TEST_CASE(observed_transfers_weigh_inputs) {
  view.update({{node(1), with({}, 5)}, {node(2), with({})}});
  auto request = asks({});
  request.inputs = {{object(1), 1'000'000, {node(1)}}};
  BOOST_TEST((view.place(request, random).node == node(2)));
  view.observe_transfer(1'000'000, 1'000'000); // 1 MB/s
  BOOST_TEST((view.place(request, random).node == node(1)));
}

BOOST_AUTO_TEST_SUITE_END()
