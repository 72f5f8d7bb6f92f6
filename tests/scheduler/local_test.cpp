#include "scheduler/local.hpp"

#include "tests/scheduler/simulated_cluster.hpp"

using namespace caf_ray;
using namespace caf_ray::scheduler;
using namespace caf_ray::scheduler::test;

namespace {

const auto one_cpu = needs({{"CPU", 1}});

struct fixture : simulated_cluster {
  simulated_node& node = add_node(amounts({{"CPU", 1}}));
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(local_scheduler_suite, fixture)

BOOST_AUTO_TEST_CASE(what_is_submitted_is_dispatched_in_order) {
  for (std::uint64_t i = 1; i <= 5; ++i)
    node.submit(make_task(i));
  run();
  BOOST_TEST(node.dispatched_numbers() == (numbers{1, 2, 3, 4, 5}));
  BOOST_TEST(node.ports->gauge.dispatched == 5u);
}

BOOST_AUTO_TEST_CASE(what_was_submitted_before_the_start_is_not_lost) {
  auto ports = std::make_shared<local_ports>();
  std::size_t count = 0;
  ports->start = [&](std::vector<task_ptr>& batch) { count += batch.size(); };
  ports->submissions.push(make_task(1));
  local_options options;
  options.ports = ports;
  auto scheduler = system.spawn(local_scheduler, std::move(options));
  run();
  BOOST_TEST(count == 1u);
  caf::anon_send_exit(scheduler, caf::exit_reason::user_shutdown);
}

BOOST_AUTO_TEST_CASE(the_window_bounds_what_is_dispatched_and_not_started) {
  for (std::uint64_t i = 0; i < 3 * dispatch_window; ++i)
    node.submit(make_task(i));
  run();
  BOOST_TEST(node.dispatched.size() == dispatch_window);
  BOOST_TEST(node.ports->gauge.hungry.load());
  BOOST_TEST(node.ports->gauge.held == 2 * dispatch_window);
  node.start(dispatch_window / 2 - 1);
  run();
  BOOST_TEST(node.dispatched.size() == dispatch_window);
  node.start(1);
  run();
  BOOST_TEST(node.dispatched.size() == dispatch_window + dispatch_window / 2);
  while (node.started < 3 * dispatch_window) {
    node.start(1);
    run();
  }
  BOOST_TEST(node.dispatched.size() == 3 * dispatch_window);
  BOOST_TEST(node.ports->gauge.held == 0u);
  BOOST_TEST(!node.ports->gauge.hungry.load());
}

BOOST_AUTO_TEST_CASE(tasks_that_run_inside_start_never_fill_the_window) {
  node.ports->start = [this](std::vector<task_ptr>& batch) {
    for (auto& task : batch)
      node.dispatched.push_back(std::move(task));
    node.start(node.dispatched.size() - node.started);
  };
  for (std::uint64_t i = 0; i < 5 * dispatch_window; ++i)
    node.submit(make_task(i));
  run();
  BOOST_TEST(node.started == 5 * dispatch_window);
}

BOOST_AUTO_TEST_CASE(a_task_waits_for_its_inputs) {
  node.objects.insert(object(1));
  node.submit(make_task(1, {}, {object(1), object(2), object(2)}));
  run();
  BOOST_TEST(node.dispatched.empty());
  BOOST_TEST(contains(why(node, 1), "waits for object " + to_string(object(2))));
  node.make(object(2));
  run();
  BOOST_TEST(node.dispatched_numbers() == (numbers{1}));
}

BOOST_AUTO_TEST_CASE(ten_thousand_tasks_on_one_object_do_not_stop_others_and_watch_it_once) {
  for (std::uint64_t i = 0; i < 10'000; ++i)
    node.submit(make_task(i, {}, {object(1)}));
  node.submit(make_task(10'000));
  run();
  BOOST_TEST(node.dispatched_numbers() == (numbers{10'000}));
  BOOST_TEST(node.watched.size() == 1u);
  BOOST_TEST(node.ports->gauge.held == 10'000u);
  node.make(object(1));
  run();
  while (node.started < node.dispatched.size()) {
    node.start(1);
    run();
  }
  BOOST_TEST(node.started == 10'001u);
}

BOOST_AUTO_TEST_CASE(resources_bound_what_runs) {
  auto first = make_task(1, one_cpu), second = make_task(2, one_cpu);
  node.submit(first);
  node.submit(second);
  run();
  BOOST_TEST(node.dispatched_numbers() == (numbers{1}));
  BOOST_TEST(contains(why(node, 2), "CPU: 1 of 1 in use"));
  BOOST_TEST((status(node).available == resource_set{}));
  BOOST_TEST(status(node).queue_length == 2u); // one ready, one not started
  node.finish(first);
  run();
  BOOST_TEST(node.dispatched_numbers() == (numbers{1, 2}));
}

BOOST_AUTO_TEST_CASE(nested_tasks_make_progress_on_one_cpu) {
  std::vector<task_ptr> stack;
  for (std::uint64_t depth = 0; depth < 50; ++depth) {
    stack.push_back(make_task(depth, one_cpu));
    node.submit(stack.back());
    run();
    BOOST_TEST_REQUIRE(node.dispatched.size() == depth + 1);
    node.tell(task_event::kind::blocked, stack.back());
  }
  for (; !stack.empty(); stack.pop_back()) {
    node.tell(task_event::kind::unblocked, stack.back());
    node.finish(stack.back());
    run();
  }
  BOOST_TEST((status(node).available == status(node).total));
}

BOOST_AUTO_TEST_CASE(priorities_order_what_waits) {
  auto running = make_task(1, one_cpu);
  node.submit(running);
  run();
  auto urgent = one_cpu;
  urgent.priority = 10;
  node.submit(make_task(2, one_cpu));
  node.submit(make_task(3, urgent));
  node.finish(running);
  run();
  BOOST_TEST(node.dispatched_numbers() == (numbers{1, 3}));
}

BOOST_AUTO_TEST_CASE(a_cancelled_task_never_runs_and_its_owner_is_told) {
  node.submit(make_task(1, {}, {object(1)}));
  BOOST_TEST(cancel(node, 1));
  BOOST_TEST(!cancel(node, 1));
  BOOST_TEST(!cancel(node, 2));
  BOOST_TEST_REQUIRE(node.dropped.size() == 1u);
  BOOST_TEST((node.dropped[0].second.code == errc::cancelled));
  BOOST_TEST(node.ports->gauge.held == 0u);
  node.make(object(1));
  run();
  BOOST_TEST(node.dispatched.empty());
}

BOOST_AUTO_TEST_CASE(a_started_task_cannot_be_cancelled_here) {
  node.submit(make_task(1));
  run();
  BOOST_TEST(!cancel(node, 1));
  BOOST_TEST(node.dropped.empty());
  BOOST_TEST(contains(why(node, 1), "not held here"));
}

BOOST_AUTO_TEST_CASE(a_withdrawn_task_is_let_go) {
  auto task = make_task(1, {}, {object(1)});
  node.submit(task);
  run();
  task->try_claim();
  node.tell(task_event::kind::withdrawn, task);
  run();
  BOOST_TEST(node.ports->gauge.held == 0u);
  BOOST_TEST(task.use_count() == 1);
}

BOOST_AUTO_TEST_CASE(a_task_withdrawn_together_with_its_submission_is_not_kept) {
  auto task = make_task(1, {}, {object(1)});
  node.submit(task);
  task->try_claim();
  node.tell(task_event::kind::withdrawn, task);
  run();
  BOOST_TEST(node.ports->gauge.held == 0u);
  BOOST_TEST(task.use_count() == 1);
}

BOOST_AUTO_TEST_CASE(a_task_that_finished_and_is_retried_at_once_keeps_the_books_right) {
  auto task = make_task(1, one_cpu);
  node.submit(task);
  run();
  node.finish(task);
  node.submit(task);
  run();
  BOOST_TEST(node.dispatched_numbers() == (numbers{1, 1}));
  node.finish(task);
  run();
  BOOST_TEST((status(node).available == status(node).total));
}

BOOST_AUTO_TEST_CASE(heartbeats_report_load_and_mean_task_time) {
  pass(100ms);
  BOOST_TEST_REQUIRE(node.reports.size() == 1u);
  BOOST_TEST(node.reports[0].mean_task_us == 0);
  node.ports->gauge.finished = 10;
  node.ports->gauge.run_ns = 10 * 5'000;
  pass(100ms);
  BOOST_TEST_REQUIRE(node.reports.size() == 2u);
  BOOST_TEST(node.reports[1].mean_task_us == 5);
  BOOST_TEST(node.reports[1].heartbeat_count == 2u);
}

BOOST_AUTO_TEST_CASE(an_infeasible_task_waits_and_says_why_also_without_a_global_scheduler) {
  node.submit(make_task(1, needs({{"GPU", 1}})));
  run();
  BOOST_TEST(why(node, 1) == "This node can never give it {GPU: 1}.");
  BOOST_TEST(node.ports->gauge.held == 1u);
}

BOOST_AUTO_TEST_CASE(bundles_are_set_aside_in_two_phases) {
  std::vector<bundle_request> bundles = {{0, amounts({{"CPU", 1}})}};
  auto prepare = [&](std::uint64_t g) {
    return ask<error>(node.scheduler, prepare_atom_v, group(g), bundles).code;
  };
  auto in_group = one_cpu;
  in_group.group = group(1);
  node.submit(make_task(1, in_group, {object(1)}));
  node.submit(make_task(2, one_cpu));
  run();
  BOOST_TEST(node.dispatched_numbers() == (numbers{2}));
  BOOST_TEST((prepare(1) == errc::unschedulable));
  node.finish(node.dispatched[0]);
  run();
  BOOST_TEST((prepare(1) == errc::none));
  BOOST_TEST((prepare(2) == errc::unschedulable));
  BOOST_TEST((ask<error>(node.scheduler, commit_atom_v, group(1)).code == errc::none));
  BOOST_TEST(node.watched.size() == 1u); // not before it could run here
  node.make(object(1));
  run();
  BOOST_TEST(node.dispatched_numbers() == (numbers{2, 1}));
  BOOST_TEST((ask<error>(node.scheduler, return_atom_v, group(1)).code == errc::none));
  BOOST_TEST((status(node).available == resource_set{}));
  node.finish(node.dispatched[1]);
  BOOST_TEST((status(node).available == status(node).total));
}

BOOST_AUTO_TEST_CASE(bundles_that_nobody_commits_are_given_back) {
  std::vector<bundle_request> bundles = {{0, amounts({{"CPU", 1}})}};
  ask<error>(node.scheduler, prepare_atom_v, group(1), bundles);
  pass(9s);
  BOOST_TEST((status(node).available == resource_set{}));
  pass(2s);
  BOOST_TEST((status(node).available == status(node).total));
  BOOST_TEST((ask<error>(node.scheduler, commit_atom_v, group(1)).code == errc::not_found));
}

BOOST_AUTO_TEST_SUITE_END()
