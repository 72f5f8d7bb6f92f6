// Each message that schedulers send survives the wire. A type that CAF was not told of would
// arrive as an empty message.

#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>

#include "tests/scheduler/simulated_cluster.hpp"

using namespace caf_ray;
using namespace caf_ray::scheduler;
using namespace caf_ray::scheduler::test;

namespace {

struct fixture {
  test_config config;
  caf::actor_system system{config};

  /// What arrives when these are sent.
  template <class... Ts>
  caf::message send(const Ts&... xs) {
    caf::binary_serializer::container_type bytes;
    caf::binary_serializer out{system, bytes};
    auto sent = caf::make_message(xs...);
    BOOST_TEST(!out(sent));
    caf::message arrived;
    caf::binary_deserializer in{system, bytes};
    BOOST_TEST(!in(arrived));
    BOOST_TEST_REQUIRE(arrived.size() == sizeof...(Ts));
    return arrived;
  }

  template <class T>
  void survives(const T& x) {
    BOOST_TEST((send(x).template get_as<T>(0) == x));
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(scheduler_messages, fixture)

BOOST_AUTO_TEST_CASE(requests_and_answers_survive_the_wire) {
  survives(std::vector<placement_request>{
    {number(1), amounts({{"CPU", 1.5}}), group(2), 3, {{object(4), 5, {node(6), node(7)}}}}});
  survives(std::vector<placement>{{number(1), placement_verdict::run_on, node(2), ""},
                                  {number(3), placement_verdict::never, {}, "removed"}});
  survives(std::vector<task_id>{number(1), number(2)});
}

BOOST_AUTO_TEST_CASE(nodes_and_groups_survive_the_wire) {
  node_record record;
  record.host = "a";
  record.total = amounts({{"CPU", 4}});
  record.queue_length = 9;
  survives(node_updates{{node(1), record}});
  group_record of_group;
  of_group.strategy = group_strategy::strict_spread;
  of_group.bundles = {record.total};
  of_group.places = {node(1)};
  survives(of_group);
  survives(group_plan{{node(1), node(2)}, ""});
  survives(std::vector<bundle_request>{{7, record.total}});
  send(plan_atom_v, group_strategy::spread, of_group.bundles);
}

BOOST_AUTO_TEST_CASE(travelling_tasks_survive_the_wire) {
  auto task = make_task(1, needs({{"GPU", 1}}), {object(1)});
  std::vector<forwarded_task> sent = {{task->spec, 2}};
  auto arrived = send(sent).get_as<std::vector<forwarded_task>>(0);
  BOOST_TEST_REQUIRE(arrived.size() == 1u);
  BOOST_TEST(arrived[0].attempt == 2u);
  BOOST_TEST((arrived[0].spec.opts() == task->spec.opts()));
  BOOST_TEST((arrived[0].spec.arguments == task->spec.arguments));
}

BOOST_AUTO_TEST_SUITE_END()
