#include "scheduler/global.hpp"

#include "tests/scheduler/simulated_cluster.hpp"

using namespace caf_ray;
using namespace caf_ray::scheduler;
using namespace caf_ray::scheduler::test;

namespace {

struct fixture : simulated_cluster {
  fixture() { add_replica(); }

  void join(std::uint64_t n, resource_set total) {
    node_record record;
    record.total = record.available = std::move(total);
    caf::anon_send(replicas[0], nodes_atom_v, node_updates{{test::node(n), record}});
    run();
  }

  std::string number_named(const std::string& wanted) {
    using pairs = std::vector<std::pair<std::string, std::string>>;
    for (auto& [name, value] : ask<pairs>(replicas[0], status_atom_v))
      if (name == wanted)
        return value;
    return "none";
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(global_scheduler_suite, fixture)

BOOST_AUTO_TEST_CASE(it_answers_a_batch_at_once_and_pending_ones_again_when_they_can_run) {
  join(1, amounts({{"CPU", 1}}));
  caf::scoped_actor asker{system};
  std::vector<placement_request> requests = {{number(1), amounts({{"CPU", 1}}), {}, -1, {}},
                                             {number(2), amounts({{"GPU", 1}}), {}, -1, {}}};
  asker->send(caf::actor_cast<caf::actor>(replicas[0]), place_atom_v, node(9), requests);
  run();
  std::vector<placement> answers;
  auto receive = [&] {
    answers.clear();
    asker->receive([&](placed_atom, std::vector<placement>& x) { answers = std::move(x); },
                   caf::after(0s) >> [] {});
  };
  receive();
  BOOST_TEST_REQUIRE(answers.size() == 2u);
  BOOST_TEST((answers[0] == placement{number(1), placement_verdict::run_on, node(1), ""}));
  BOOST_TEST((answers[1].verdict == placement_verdict::pending));
  join(2, amounts({{"GPU", 1}}));
  receive();
  BOOST_TEST_REQUIRE(answers.size() == 1u);
  BOOST_TEST((answers[0].node == node(2)));
  BOOST_TEST(number_named("pending") == "0");
  BOOST_TEST(number_named("placed") == "2");
}

BOOST_AUTO_TEST_CASE(a_heartbeat_that_changes_nothing_is_not_answered) {
  join(1, amounts({{"CPU", 1}}));
  caf::scoped_actor asker{system};
  std::vector<placement_request> requests = {{number(1), amounts({{"GPU", 1}}), {}, -1, {}}};
  asker->send(caf::actor_cast<caf::actor>(replicas[0]), place_atom_v, node(9), requests);
  run();
  join(1, amounts({{"CPU", 1}}));
  run();
  std::size_t count = 0;
  bool more = true;
  while (more)
    asker->receive([&](placed_atom, std::vector<placement>&) { ++count; },
                   caf::after(0s) >> [&] { more = false; });
  BOOST_TEST(count == 1u);
}

BOOST_AUTO_TEST_CASE(requests_of_a_dead_node_are_forgotten) {
  auto& first = add_node({});
  introduce();
  first.submit(make_task(1, needs({{"GPU", 1}})));
  run();
  BOOST_TEST(number_named("pending") == "1");
  kill(first);
  BOOST_TEST(number_named("pending") == "0");
}

BOOST_AUTO_TEST_CASE(it_plans_placement_groups) {
  join(1, amounts({{"CPU", 1}}));
  std::vector<resource_set> bundles = {amounts({{"CPU", 1}}), amounts({{"CPU", 1}})};
  auto plan = ask<group_plan>(replicas[0], plan_atom_v, group_strategy::pack, bundles);
  BOOST_TEST(plan.places.empty());
  BOOST_TEST(!plan.reason.empty());
  join(2, amounts({{"CPU", 1}}));
  plan = ask<group_plan>(replicas[0], plan_atom_v, group_strategy::strict_spread, bundles);
  BOOST_TEST(plan.places.size() == 2u);
}

BOOST_AUTO_TEST_SUITE_END()
