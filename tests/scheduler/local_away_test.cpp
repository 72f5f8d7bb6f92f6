// The local scheduler among others: global replicas and other nodes.

#include "scheduler/local.hpp"

#include "tests/scheduler/simulated_cluster.hpp"

using namespace caf_ray;
using namespace caf_ray::scheduler;
using namespace caf_ray::scheduler::test;

namespace {

const auto one_cpu = needs({{"CPU", 1}});
const auto one_gpu = needs({{"GPU", 1}});

local_options overflow_at(std::size_t threshold) {
  local_options options;
  options.overflow_threshold = threshold;
  return options;
}

/// A replica that answers nothing.
global_actor::behavior_type deaf_replica(global_actor::pointer) {
  return {[](place_atom, node_id, std::vector<placement_request>&) {},
          [](forget_atom, const std::vector<task_id>&) {},
          [](nodes_atom, const node_updates&) {},
          [](group_atom, group_id, const group_record&) {},
          [](plan_atom, group_strategy, const std::vector<resource_set>&) { return group_plan{}; },
          [](status_atom) { return std::vector<std::pair<std::string, std::string>>{}; }};
}

std::string pending_at(simulated_cluster& cluster, std::size_t replica) {
  using pairs = std::vector<std::pair<std::string, std::string>>;
  for (auto& [name, value] : cluster.ask<pairs>(cluster.replicas[replica], status_atom_v))
    if (name == "pending")
      return value;
  return {};
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(local_away, simulated_cluster)

BOOST_AUTO_TEST_CASE(an_infeasible_task_is_pending_and_runs_once_a_node_that_can_joins) {
  auto& first = add_node(amounts({{"CPU", 1}}));
  add_replica();
  introduce();
  auto task = make_task(1, one_gpu);
  first.submit(task);
  run();
  BOOST_TEST(contains(why(first, 1), "no node has GPU: 1"));
  BOOST_TEST(first.ports->gauge.held == 1u);
  auto& second = add_node(amounts({{"GPU", 1}}));
  introduce();
  pass(2s); // the request, if it was answered before the nodes knew each other
  BOOST_TEST(second.dispatched_numbers() == (numbers{1}));
  BOOST_TEST_REQUIRE(first.moved.size() == 1u);
  BOOST_TEST((first.moved[0].second == second.id));
  BOOST_TEST((task->claim == scheduled_task::claim_state::taken));
  BOOST_TEST(first.ports->gauge.held == 0u);
  BOOST_TEST(pending_at(*this, 0) == "0");
}

BOOST_AUTO_TEST_CASE(the_reason_follows_the_cluster) {
  auto& first = add_node(amounts({{"CPU", 1}}));
  add_replica();
  introduce();
  first.submit(make_task(1, needs({{"CPU", 1}, {"GPU", 1}})));
  run();
  BOOST_TEST(contains(why(first, 1), "no node has GPU: 1"));
  add_node(amounts({{"GPU", 1}}));
  introduce();
  BOOST_TEST(contains(why(first, 1), "no single node has {CPU: 1, GPU: 1}"));
}

BOOST_AUTO_TEST_CASE(overflow_goes_where_the_queue_is_shorter_and_comes_back_where_it_is_not) {
  auto& busy = add_node(amounts({{"CPU", 1}}), overflow_at(10));
  auto& idle = add_node(amounts({{"CPU", 1}}));
  add_replica();
  introduce();
  for (std::uint64_t i = 0; i < 60; ++i)
    busy.submit(make_task(i, one_cpu));
  run();
  BOOST_TEST(idle.dispatched.size() == 1u);
  BOOST_TEST(busy.moved.size() > 10u);
  BOOST_TEST(busy.ports->gauge.held + idle.ports->gauge.held == 58u);
  BOOST_TEST(busy.ports->gauge.held > 10u); // some came back
  std::set<std::uint64_t> ran;
  for (auto* node : {&busy, &idle})
    for (std::size_t i = 0; i < node->dispatched.size(); ++i) {
      ran.insert(number_of(node->dispatched[i]));
      node->finish(node->dispatched[i]);
      run();
    }
  BOOST_TEST(ran.size() == 60u);
}

BOOST_AUTO_TEST_CASE(long_tasks_go_elsewhere_before_they_wait_and_bind_few_in_advance) {
  local_options options;
  options.overflow_wait = 100ms;
  options.dispatch_ahead = 20ms;
  auto& busy = add_node(amounts({{"CPU", 1}}), options);
  auto& idle = add_node(amounts({{"CPU", 1}}), options);
  add_replica();
  introduce();
  for (std::uint64_t i = 0; i < 3 * dispatch_window; ++i)
    busy.submit(make_task(i));
  run();
  BOOST_TEST(busy.dispatched.size() == dispatch_window);
  BOOST_TEST(idle.dispatched.empty(), "nobody knows yet how long they take");
  busy.start(1);
  pass(1s); // and the first one has not ended
  BOOST_TEST(!busy.moved.empty());
  BOOST_TEST(!idle.dispatched.empty());
  busy.start(dispatch_window - 1);
  run();
  BOOST_TEST(busy.dispatched.size() == dispatch_window + 1);
}

BOOST_AUTO_TEST_CASE(tasks_can_be_carried_to_other_nodes_by_other_means) {
  std::vector<std::pair<task_ptr, node_id>> carried;
  bool is_connected = false;
  local_options options;
  options.forward = [&](const task_ptr& task, node_id to) {
    if (is_connected)
      carried.emplace_back(task, to);
    return is_connected;
  };
  auto& first = add_node(amounts({{"CPU", 1}}), options);
  auto& second = add_node(amounts({{"GPU", 1}}));
  add_replica();
  introduce();
  pass(1s);
  first.submit(make_task(1, one_gpu));
  run();
  BOOST_TEST(contains(why(first, 1), "which is not connected"));
  is_connected = true;
  pass(2s);
  BOOST_TEST_REQUIRE(carried.size() == 1u);
  BOOST_TEST((carried[0].second == second.id));
  BOOST_TEST(second.dispatched.empty());
  BOOST_TEST(first.ports->gauge.held == 0u);
}

BOOST_AUTO_TEST_CASE(a_task_that_was_placed_is_not_handed_up_for_its_place_in_the_queue) {
  auto& first = add_node(amounts({{"CPU", 1}}), overflow_at(2));
  add_node(amounts({{"CPU", 1}}));
  add_replica();
  introduce();
  for (std::uint64_t i = 0; i < 20; ++i) {
    auto task = make_task(i, one_cpu);
    task->placed = true;
    first.submit(task);
  }
  pass(1s);
  BOOST_TEST(first.moved.empty());
  BOOST_TEST(first.ports->gauge.held == 19u);
}

BOOST_AUTO_TEST_CASE(a_node_alone_keeps_its_overflow) {
  auto& only = add_node(amounts({{"CPU", 1}}), overflow_at(10));
  add_replica();
  introduce();
  for (std::uint64_t i = 0; i < 60; ++i)
    only.submit(make_task(i, one_cpu));
  run();
  BOOST_TEST(only.ports->gauge.held == 59u);
  BOOST_TEST(contains(why(only, 59), "It waits for CPU"));
}

BOOST_AUTO_TEST_CASE(when_a_replica_dies_another_is_asked) {
  auto& first = add_node(amounts({{"CPU", 1}}));
  add_replica();
  add_replica();
  introduce();
  for (std::uint64_t i = 0; i < 20; ++i) {
    first.submit(make_task(i, one_gpu));
    run();
  }
  BOOST_TEST(pending_at(*this, 0) != "0");
  kill_replica(0);
  BOOST_TEST(pending_at(*this, 0) == "20");
  auto& second = add_node(amounts({{"GPU", 20}}));
  introduce();
  pass(2s);
  BOOST_TEST(second.dispatched.size() == 20u);
}

BOOST_AUTO_TEST_CASE(a_replica_that_does_not_answer_is_given_up_after_the_deadline) {
  auto& first = add_node(amounts({{"CPU", 1}}));
  replicas.push_back(system.spawn(deaf_replica));
  introduce();
  first.submit(make_task(1, one_gpu));
  run();
  BOOST_TEST(contains(why(first, 1), "was asked"));
  add_replica();
  introduce();
  for (int i = 0; i < 60 && pending_at(*this, 1) == "0"; ++i)
    pass(1s);
  BOOST_TEST(contains(why(first, 1), "no node has GPU: 1"));
}

BOOST_AUTO_TEST_CASE(without_any_replica_left_tasks_that_can_run_here_come_back) {
  auto& first = add_node(amounts({{"CPU", 1}}), overflow_at(0));
  add_node(amounts({{"CPU", 1}}));
  replicas.push_back(system.spawn(deaf_replica));
  introduce();
  first.submit(make_task(1, one_cpu));
  first.submit(make_task(2, one_cpu));
  first.submit(make_task(3, one_gpu));
  run();
  kill_replica(0);
  first.finish(first.dispatched.at(0));
  run();
  BOOST_TEST(first.dispatched_numbers() == (numbers{1, 2}));
  BOOST_TEST(why(first, 3) == "No global scheduler can be asked for a node.");
  add_replica();
  introduce();
  BOOST_TEST(contains(why(first, 3), "no node has GPU: 1"));
}

BOOST_AUTO_TEST_CASE(what_was_on_its_way_to_a_dead_node_is_placed_anew) {
  auto& first = add_node(amounts({{"CPU", 1}}));
  auto& second = add_node(amounts({{"GPU", 1}}));
  add_replica();
  introduce();
  auto task = make_task(1, one_gpu);
  first.submit(task);
  // It dies while the task is on its way, and nobody knows yet.
  auto* dying =
    dynamic_cast<caf::resumable*>(caf::actor_cast<caf::abstract_actor*>(second.scheduler));
  caf::anon_send_exit(second.scheduler, caf::exit_reason::kill);
  coordinator.run_jobs_filtered([dying](caf::resumable* x) { return x != dying; });
  BOOST_TEST((task->claim == scheduled_task::claim_state::taken));
  second.scheduler = local_actor{};
  run();
  BOOST_TEST(second.dispatched.empty());
  BOOST_TEST(first.moved.empty());
  BOOST_TEST((task->claim == scheduled_task::claim_state::free));
  BOOST_TEST(first.ports->gauge.held == 1u);
  node_record dead;
  dead.alive = false;
  for (auto& replica : replicas)
    caf::anon_send(replica, nodes_atom_v, node_updates{{second.id, dead}});
  pass(3s);
  BOOST_TEST(contains(why(first, 1), "no node has GPU: 1"));
  auto& third = add_node(amounts({{"GPU", 1}}));
  introduce();
  pass(2s);
  BOOST_TEST(third.dispatched_numbers() == (numbers{1}));
}

BOOST_AUTO_TEST_CASE(a_placed_task_waits_until_its_node_is_connected) {
  auto& first = add_node(amounts({{"CPU", 1}}));
  auto& second = add_node(amounts({{"GPU", 1}}));
  add_replica();
  introduce();
  caf::anon_send(first.scheduler, peer_atom_v, second.id, caf::strong_actor_ptr{});
  first.submit(make_task(1, one_gpu));
  run();
  BOOST_TEST(contains(why(first, 1), "which is not connected"));
  introduce();
  pass(2s);
  BOOST_TEST(second.dispatched_numbers() == (numbers{1}));
}

BOOST_AUTO_TEST_CASE(a_cancelled_or_withdrawn_task_is_forgotten_by_the_replica) {
  auto& first = add_node(amounts({{"CPU", 1}}));
  add_replica();
  introduce();
  auto task = make_task(2, one_gpu);
  first.submit(make_task(1, one_gpu));
  first.submit(task);
  run();
  BOOST_TEST(pending_at(*this, 0) == "2");
  BOOST_TEST(cancel(first, 1));
  BOOST_TEST(pending_at(*this, 0) == "1");
  task->try_claim();
  first.tell(task_event::kind::withdrawn, task);
  run();
  BOOST_TEST(pending_at(*this, 0) == "0");
  BOOST_TEST(first.ports->gauge.held == 0u);
  BOOST_TEST(task.use_count() == 1);
}

BOOST_AUTO_TEST_CASE(tasks_of_a_removed_group_fail_with_its_name) {
  auto& first = add_node(amounts({{"CPU", 1}}));
  add_replica();
  introduce();
  auto options = one_cpu;
  options.group = group(1);
  first.submit(make_task(1, options));
  run();
  BOOST_TEST(contains(why(first, 1), "is not known"));
  group_record removed;
  removed.state = group_state::removed;
  caf::anon_send(replicas[0], group_atom_v, group(1), removed);
  run();
  BOOST_TEST_REQUIRE(first.dropped.size() == 1u);
  BOOST_TEST((first.dropped[0].second.code == errc::unschedulable));
  BOOST_TEST(contains(first.dropped[0].second.what, "was removed"));
  BOOST_TEST(first.ports->gauge.held == 0u);
}

BOOST_AUTO_TEST_CASE(a_task_of_a_group_goes_to_the_node_of_its_bundle) {
  auto& first = add_node(amounts({{"CPU", 4}}));
  auto& second = add_node(amounts({{"CPU", 4}}));
  add_replica();
  introduce();
  auto options = one_cpu;
  options.group = group(1);
  options.bundle = 0;
  first.submit(make_task(1, options));
  run();
  std::vector<bundle_request> bundles = {{0, amounts({{"CPU", 1}})}};
  ask<error>(second.scheduler, prepare_atom_v, group(1), bundles);
  ask<error>(second.scheduler, commit_atom_v, group(1));
  group_record created;
  created.state = group_state::created;
  created.bundles = {bundles[0].resources};
  created.places = {second.id};
  caf::anon_send(replicas[0], group_atom_v, group(1), created);
  run();
  BOOST_TEST(second.dispatched_numbers() == (numbers{1}));
}

BOOST_AUTO_TEST_CASE(many_infeasible_tasks_go_up_in_bounded_numbers) {
  local_options options;
  options.queue.max_away_per_class = 100;
  auto& first = add_node(amounts({{"CPU", 1}}), options);
  add_replica();
  introduce();
  for (std::uint64_t i = 0; i < 1000; ++i)
    first.submit(make_task(i, one_gpu));
  run();
  BOOST_TEST(pending_at(*this, 0) == "100");
  auto& second = add_node(amounts({{"GPU", 2000}}));
  introduce();
  pass(3s);
  BOOST_TEST(second.dispatched.size() == 1000u);
}

BOOST_AUTO_TEST_CASE(a_task_that_travels_keeps_its_spec_and_attempt) {
  auto& first = add_node(amounts({{"CPU", 1}}));
  auto& second = add_node(amounts({{"GPU", 1}}));
  add_replica();
  introduce();
  auto task = make_task(1, one_gpu, {object(1)});
  task->spec.argument_bytes = std::string(90'000, 'x');
  task->attempt = 3;
  second.objects.insert(object(1));
  first.submit(task);
  run();
  BOOST_TEST_REQUIRE(second.dispatched.size() == 1u);
  auto& arrived = *second.dispatched[0];
  BOOST_TEST(&arrived != task.get());
  BOOST_TEST((arrived.spec.id == task->spec.id));
  BOOST_TEST((arrived.spec.opts() == task->spec.opts()));
  BOOST_TEST(arrived.spec.argument_bytes.size() == 90'000u);
  BOOST_TEST(arrived.attempt == 3u);
  BOOST_TEST(first.watched.empty()); // its inputs are not brought to a node that cannot run it
}

BOOST_AUTO_TEST_SUITE_END()
