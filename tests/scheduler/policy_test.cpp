#include "scheduler/policy.hpp"

#include <map>

#include "tests/scheduler/support.hpp"

using namespace caf_ray;
using namespace caf_ray::scheduler;
using namespace caf_ray::scheduler::test;

namespace {

node_record record_of(resource_set total, std::uint64_t queue = 0, double mean_us = 1000) {
  node_record x;
  x.total = x.available = std::move(total);
  x.queue_length = queue;
  x.mean_task_us = mean_us;
  return x;
}

struct row {
  const char* what;
  node_record first;
  node_record second;
  placement_request request;
  std::uint64_t chosen; // 0: none
};

placement_request asks(resource_set resources, std::vector<input_place> inputs = {}) {
  return {number(1), std::move(resources), {}, -1, std::move(inputs)};
}

node_choice choose(const placement_request& request, const std::vector<node_record>& records,
                   std::uint64_t seed = 1) {
  std::vector<candidate> nodes;
  for (std::size_t i = 0; i < records.size(); ++i)
    nodes.push_back({node(i + 1), &records[i], 0});
  std::mt19937_64 random{seed};
  return choose_node(request, nodes, estimator{}, {}, random);
}

} // namespace

BOOST_AUTO_TEST_SUITE(policy)

BOOST_AUTO_TEST_CASE(it_takes_the_node_with_the_least_estimated_wait) {
  auto cpus = amounts({{"CPU", 4}});
  auto busy = record_of(cpus);
  busy.available = {};
  const row rows[] = {
    {"the shorter queue", record_of(cpus, 5), record_of(cpus, 3), asks({}), 2},
    {"the shorter tasks", record_of(cpus, 5, 100), record_of(cpus, 3, 1000), asks({}), 1},
    {"the inputs, when queues are equal", record_of(cpus), record_of(cpus),
     asks({}, {{object(1), 1000, {node(2)}}}), 2},
    {"the inputs, when moving them takes longer than waiting", record_of(cpus, 0),
     record_of(cpus, 9), asks({}, {{object(1), 10'000'000, {node(2)}}}), 2},
    {"the queue, when waiting takes longer than moving the inputs", record_of(cpus, 0),
     record_of(cpus, 11), asks({}, {{object(1), 10'000'000, {node(2)}}}), 1},
    {"what is free now", busy, record_of(cpus), asks(amounts({{"CPU", 1}})), 2},
    {"the only one that can", record_of(cpus), record_of(amounts({{"GPU", 1}}), 99),
     asks(amounts({{"GPU", 1}})), 2},
    {"a node that never ran a task counts with the default mean", record_of(cpus, 3, 0),
     record_of(cpus, 2, 1000), asks({}), 2},
    {"none", record_of(cpus), record_of(cpus), asks(amounts({{"GPU", 1}})), 0},
  };
  for (auto& x : rows)
    BOOST_TEST_CONTEXT(x.what) {
      auto choice = choose(x.request, {x.first, x.second});
      BOOST_TEST((choice.node == (x.chosen ? std::optional{node(x.chosen)} : std::nullopt)));
    }
}

BOOST_AUTO_TEST_CASE(ties_are_drawn_and_replay_from_the_seed) {
  std::vector<node_record> equal(3, record_of(amounts({{"CPU", 1}})));
  std::map<node_id, int> drawn;
  for (std::uint64_t s = 0; s < 300; ++s)
    ++drawn[*choose(asks({}), equal, s).node];
  BOOST_TEST(drawn.size() == 3u);
  for (auto& [id, count] : drawn)
    BOOST_TEST(count > 50);
  BOOST_TEST((choose(asks({}), equal, 7).node == choose(asks({}), equal, 7).node));
}

BOOST_AUTO_TEST_CASE(the_reason_names_what_is_absent_and_every_node_turned_down) {
  auto choice = choose(asks(amounts({{"CPU", 1}, {"GPU", 2}})),
                       {record_of(amounts({{"CPU", 4}})), record_of(amounts({{"GPU", 1}}))});
  BOOST_TEST(contains(choice.reason, "no node has GPU: 2"));
  BOOST_TEST(choice.turned_down.size() == 2u);
  BOOST_TEST(contains(choice.reason, to_string(node(1)) + " has GPU: 0"));
  BOOST_TEST(contains(choice.reason, to_string(node(2)) + " has CPU: 0, GPU: 1"));
}

BOOST_AUTO_TEST_CASE(the_reason_tells_absent_from_not_together) {
  auto choice = choose(asks(amounts({{"CPU", 4}, {"GPU", 1}})),
                       {record_of(amounts({{"CPU", 4}})), record_of(amounts({{"GPU", 1}}))});
  BOOST_TEST(contains(choice.reason, "no single node has {CPU: 4, GPU: 1}"));
  BOOST_TEST(choose(asks({}), {}).reason == "no node is known yet");
}

BOOST_AUTO_TEST_CASE(averages_follow_and_start_with_the_first_sample) {
  estimator x{0.5};
  BOOST_TEST(x.value_or(7) == 7);
  x.add(100);
  BOOST_TEST(x.value_or(7) == 100);
  x.add(200);
  BOOST_TEST(x.value_or(7) == 150);
}

BOOST_AUTO_TEST_SUITE_END()
