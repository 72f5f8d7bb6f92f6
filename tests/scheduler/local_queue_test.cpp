#include "scheduler/local_queue.hpp"

#include <set>

#include "tests/scheduler/support.hpp"

using namespace caf_ray;
using namespace caf_ray::scheduler;
using namespace caf_ray::scheduler::test;

namespace {

task_options priority(std::int32_t value) {
  task_options x;
  x.priority = value;
  return x;
}

task_options in_group(std::uint64_t g, std::int32_t bundle,
                      std::initializer_list<std::pair<const char*, double>> entries) {
  auto x = needs(entries);
  x.group = group(g);
  x.bundle = bundle;
  return x;
}

const auto one_cpu = needs({{"CPU", 1}});
const auto two_cpus = needs({{"CPU", 2}});
const auto one_gpu = needs({{"GPU", 1}});

std::vector<numbered_task> hand_up(local_queue& queue, std::size_t threshold = SIZE_MAX,
                                   std::size_t max = 1000) {
  std::vector<numbered_task> result;
  queue.hand_up(max, threshold, result);
  return result;
}

} // namespace

BOOST_AUTO_TEST_SUITE(local_queue_suite)

BOOST_AUTO_TEST_CASE(tasks_that_need_nothing_run_in_order) {
  local_queue queue;
  for (std::uint64_t i = 1; i <= 5; ++i)
    queue.submit(make_task(i), {});
  BOOST_TEST(queue.ready() == 5u);
  BOOST_TEST(take_numbers(queue, 2) == (numbers{1, 2}));
  BOOST_TEST(take_numbers(queue) == (numbers{3, 4, 5}));
  BOOST_TEST(queue.held() == 0u);
}

BOOST_AUTO_TEST_CASE(a_dispatched_task_is_marked) {
  local_queue queue;
  auto task = make_task(1);
  queue.submit(task, {});
  BOOST_TEST(!task->dispatched);
  take(queue);
  BOOST_TEST(task->dispatched);
}

BOOST_AUTO_TEST_CASE(higher_priority_runs_first_also_when_it_came_last) {
  local_queue queue;
  queue.submit(make_task(1), {});
  queue.submit(make_task(2, priority(-1)), {});
  queue.submit(make_task(3, priority(7)), {});
  queue.submit(make_task(4, priority(7)), {});
  queue.submit(make_task(5), {});
  BOOST_TEST(take_numbers(queue) == (numbers{3, 4, 1, 5, 2}));
}

BOOST_AUTO_TEST_CASE(classes_of_one_priority_take_turns_by_arrival) {
  local_queue queue{amounts({{"CPU", 8}})};
  for (std::uint64_t i = 1; i <= 6; ++i)
    queue.submit(make_task(i, i % 2 ? task_options{} : one_cpu), {});
  BOOST_TEST(take_numbers(queue) == (numbers{1, 2, 3, 4, 5, 6}));
}

BOOST_AUTO_TEST_CASE(a_task_waits_for_each_of_its_inputs) {
  local_queue queue;
  std::vector<object_id> both = {object(1), object(2)};
  queue.submit(make_task(1, {}, {object(1), object(2)}), both);
  BOOST_TEST(queue.waiting() == 1u);
  BOOST_TEST(queue.awaits(object(1)));
  queue.object_ready(object(1));
  queue.object_ready(object(1));
  BOOST_TEST(take_numbers(queue).empty());
  queue.object_ready(object(2));
  BOOST_TEST(queue.waiting() == 0u);
  BOOST_TEST(take_numbers(queue) == (numbers{1}));
}

BOOST_AUTO_TEST_CASE(ten_thousand_tasks_on_one_object_do_not_stop_others) {
  local_queue queue;
  std::vector<object_id> one = {object(1)};
  for (std::uint64_t i = 0; i < 10'000; ++i)
    queue.submit(make_task(i, {}, {object(1)}), one);
  queue.submit(make_task(10'000), {});
  BOOST_TEST(take_numbers(queue) == (numbers{10'000}));
  queue.object_ready(object(1));
  auto woken = take_numbers(queue);
  BOOST_TEST(woken.size() == 10'000u);
  BOOST_TEST(std::is_sorted(woken.begin(), woken.end()));
}

BOOST_AUTO_TEST_CASE(a_class_that_lacks_resources_does_not_stop_others) {
  local_queue queue{amounts({{"CPU", 2}, {"GPU", 1}})};
  queue.submit(make_task(1, one_gpu), {});
  queue.submit(make_task(2, one_gpu), {});
  queue.submit(make_task(3, one_cpu), {});
  queue.submit(make_task(4), {});
  BOOST_TEST(take_numbers(queue) == (numbers{1, 3, 4}));
}

BOOST_AUTO_TEST_CASE(resources_return_when_a_task_ends) {
  local_queue queue{amounts({{"CPU", 1}})};
  auto first = make_task(1, one_cpu);
  queue.submit(first, {});
  queue.submit(make_task(2, one_cpu), {});
  BOOST_TEST(take_numbers(queue) == (numbers{1}));
  BOOST_TEST(take_numbers(queue).empty());
  queue.finished(*first);
  queue.finished(*first);
  BOOST_TEST(take_numbers(queue) == (numbers{2}));
  BOOST_TEST(queue.holders() == 1u);
}

BOOST_AUTO_TEST_CASE(nested_tasks_make_progress_on_one_cpu) {
  local_queue queue{amounts({{"CPU", 1}})};
  std::vector<task_ptr> running;
  for (std::uint64_t depth = 0; depth < 100; ++depth) {
    auto task = make_task(depth, one_cpu);
    queue.submit(task, {});
    BOOST_TEST_REQUIRE(take_numbers(queue) == (numbers{depth}));
    running.push_back(task);
    queue.blocked(*task);
  }
  for (; !running.empty(); running.pop_back()) {
    queue.unblocked(*running.back());
    BOOST_TEST(queue.pool().available().get("CPU") == 0);
    queue.finished(*running.back());
  }
  BOOST_TEST(queue.pool().available().get("CPU") == resource_unit);
}

BOOST_AUTO_TEST_CASE(a_large_request_is_overtaken_only_so_often) {
  local_queue queue{amounts({{"CPU", 2}}), {.overtake_limit = 10}};
  std::vector<task_ptr> running;
  std::uint64_t next = 1;
  auto submit_small = [&] { queue.submit(make_task(next++, one_cpu), {}); };
  submit_small();
  submit_small();
  queue.take_ready(9, running);
  queue.submit(make_task(1000, two_cpus), {});
  int overtakes = 0;
  for (int i = 0; i < 100; ++i) {
    submit_small();
    queue.finished(*running.front());
    running.erase(running.begin());
    auto taken = take(queue);
    running.insert(running.end(), taken.begin(), taken.end());
    for (auto& task : taken) {
      if (number_of(task) == 1000) {
        BOOST_TEST(overtakes == 10);
        return;
      }
      ++overtakes;
    }
  }
  BOOST_FAIL("it never ran");
}

BOOST_AUTO_TEST_CASE(several_large_requests_of_different_kinds_all_run) {
  local_queue queue{amounts({{"CPU", 4}, {"GPU", 2}}), {.overtake_limit = 4}};
  std::set<std::uint64_t> large = {1, 2, 3};
  std::vector<task_ptr> running;
  std::uint64_t next = 100;
  for (int i = 0; i < 2; ++i)
    queue.submit(make_task(next++, needs({{"CPU", 1}, {"GPU", 1}})), {});
  running = take(queue);
  queue.submit(make_task(1, needs({{"CPU", 4}})), {});
  queue.submit(make_task(2, needs({{"GPU", 2}})), {});
  queue.submit(make_task(3, needs({{"CPU", 3}, {"GPU", 1}})), {});
  for (int i = 0; i < 200 && !large.empty(); ++i) {
    queue.submit(make_task(next++, one_cpu), {});
    queue.submit(make_task(next++, one_gpu), {});
    if (!running.empty()) {
      queue.finished(*running.front());
      running.erase(running.begin());
    }
    for (auto& task : take(queue)) {
      large.erase(number_of(task));
      running.push_back(task);
    }
  }
  BOOST_TEST(large.empty());
}

BOOST_AUTO_TEST_CASE(nothing_is_held_back_while_a_holder_waits_for_its_child) {
  local_queue queue{amounts({{"CPU", 9}, {"GPU", 2}}), {.overtake_limit = 0}};
  auto parent = make_task(1, one_gpu);
  queue.submit(parent, {});
  take(queue);
  queue.submit(make_task(2, needs({{"GPU", 2}})), {});
  queue.submit(make_task(3, one_gpu), {});
  BOOST_TEST(take_numbers(queue).empty());
  queue.blocked(*parent);
  BOOST_TEST(take_numbers(queue) == (numbers{3}));
}

BOOST_AUTO_TEST_CASE(nothing_is_held_back_for_what_an_actor_holds) {
  local_queue queue{amounts({{"CPU", 2}}), {.overtake_limit = 0}};
  auto actor = make_task(1, one_cpu);
  actor->spec.kind = task_kind::actor_creation;
  queue.submit(actor, {});
  take(queue);
  queue.submit(make_task(2, two_cpus), {});
  queue.submit(make_task(3, one_cpu), {});
  BOOST_TEST(take_numbers(queue) == (numbers{3}));
}

BOOST_AUTO_TEST_CASE(what_holds_back_others_is_never_of_lower_priority) {
  local_queue queue{amounts({{"CPU", 2}}), {.overtake_limit = 0}};
  auto running = make_task(1, one_cpu);
  queue.submit(running, {});
  take(queue);
  queue.submit(make_task(2, two_cpus), {});
  auto urgent = one_cpu;
  urgent.priority = 1;
  queue.submit(make_task(3, urgent), {});
  BOOST_TEST(take_numbers(queue) == (numbers{3}));
}

BOOST_AUTO_TEST_CASE(a_claimed_task_is_passed_over) {
  local_queue queue;
  auto taken = make_task(1), free = make_task(2), late = make_task(3);
  for (auto& task : {taken, free})
    queue.submit(task, {});
  BOOST_TEST(taken->try_claim());
  BOOST_TEST(late->try_claim(scheduled_task::claim_state::cancelled));
  queue.submit(late, {});
  BOOST_TEST(take_numbers(queue) == (numbers{2}));
  BOOST_TEST(!queue.withdraw(*taken));
  BOOST_TEST(queue.held() == 0u);
}

BOOST_AUTO_TEST_CASE(a_withdrawn_task_is_let_go) {
  local_queue queue;
  std::vector<object_id> one = {object(1)};
  auto ready = make_task(1), waiting = make_task(2, {}, {object(1)});
  auto parked = make_task(3, one_gpu);
  queue.submit(ready, {});
  queue.submit(waiting, one);
  queue.submit(parked, {});
  for (auto& task : {ready, waiting, parked}) {
    task->try_claim(scheduled_task::claim_state::cancelled);
    BOOST_TEST(queue.withdraw(*task));
    BOOST_TEST(!queue.withdraw(*task));
    BOOST_TEST(task.use_count() == 2); // this list and the variable
  }
  BOOST_TEST(queue.held() == 0u);
  BOOST_TEST(!queue.awaits(object(1)));
  BOOST_TEST(take_numbers(queue).empty());
}

BOOST_AUTO_TEST_CASE(withdrawing_many_frees_them_without_waiting_for_their_turn) {
  local_queue queue;
  std::vector<task_ptr> tasks;
  for (std::uint64_t i = 0; i < 1000; ++i)
    queue.submit(tasks.emplace_back(make_task(i)), {});
  for (std::uint64_t i = 0; i < 900; ++i) {
    tasks[i]->try_claim();
    queue.withdraw(*tasks[i]);
  }
  BOOST_TEST(queue.ready() == 100u);
  auto freed =
    std::count_if(tasks.begin(), tasks.end(), [](const task_ptr& x) { return x.use_count() == 1; });
  BOOST_TEST(freed >= 700);
  BOOST_TEST(take_numbers(queue).size() == 100u);
}

BOOST_AUTO_TEST_CASE(a_task_that_ran_in_place_and_is_retried_runs_once_more) {
  local_queue queue;
  std::vector<object_id> one = {object(1)};
  auto task = make_task(1), other = make_task(2), third = make_task(3);
  for (auto& x : {task, other, third})
    queue.submit(x, {});
  task->try_claim();
  queue.withdraw(*task);
  task->claim = scheduled_task::claim_state::free;
  queue.submit(task, {});
  BOOST_TEST(take_numbers(queue) == (numbers{2, 3, 1}));
  queue.submit(task, one); // its node lost an input meanwhile
  BOOST_TEST(queue.waiting() == 1u);
  BOOST_TEST(!task->dispatched);
}

BOOST_AUTO_TEST_CASE(a_task_is_not_taken_twice) {
  local_queue queue;
  auto task = make_task(1);
  queue.submit(task, {});
  queue.submit(task, {});
  BOOST_TEST(take_numbers(queue) == (numbers{1}));
}

BOOST_AUTO_TEST_CASE(what_can_never_run_here_goes_up_and_nothing_else) {
  local_queue queue{amounts({{"CPU", 1}})};
  std::vector<object_id> one = {object(1)};
  queue.submit(make_task(1, one_gpu, {object(1)}), one);
  queue.submit(make_task(2, two_cpus), {});
  queue.submit(make_task(3, one_cpu), {});
  queue.submit(make_task(4, in_group(1, 0, {})), {});
  BOOST_TEST(queue.parked() == 3u);
  auto up = numbers_of(hand_up(queue));
  BOOST_TEST((std::set(up.begin(), up.end()) == std::set<std::uint64_t>{1, 2, 4}));
  BOOST_TEST(hand_up(queue).empty());
  BOOST_TEST(queue.held() == 1u);
}

BOOST_AUTO_TEST_CASE(the_youngest_overflow_and_take_their_old_place_when_they_come_back) {
  local_queue queue;
  for (std::uint64_t i = 1; i <= 10; ++i)
    queue.submit(make_task(i), {});
  auto up = hand_up(queue, 6);
  BOOST_TEST(numbers_of(up) == (numbers{7, 8, 9, 10}));
  queue.submit(make_task(11), {});
  BOOST_TEST(numbers_of(hand_up(queue, 6)) == (numbers{11}));
  for (std::size_t i : {2, 0, 3, 1})
    queue.come_back(up[i], {});
  BOOST_TEST(hand_up(queue, 6).size() == 4u); // the others that are left; not those that came back
  BOOST_TEST(take_numbers(queue) == (numbers{1, 2, 7, 8, 9, 10}));
}

BOOST_AUTO_TEST_CASE(those_of_least_priority_overflow_first) {
  local_queue queue;
  queue.submit(make_task(1, priority(5)), {});
  queue.submit(make_task(2), {});
  queue.submit(make_task(3, priority(-5)), {});
  queue.submit(make_task(4, priority(5)), {});
  BOOST_TEST(numbers_of(hand_up(queue, 1)) == (numbers{3, 2, 4}));
}

BOOST_AUTO_TEST_CASE(tasks_of_a_group_do_not_overflow) {
  local_queue queue{amounts({{"CPU", 1}})};
  queue.pool().prepare(group(1), {{0, amounts({{"CPU", 1}})}});
  queue.pool().commit(group(1));
  for (std::uint64_t i = 1; i <= 3; ++i)
    queue.submit(make_task(i, in_group(1, 0, {{"CPU", 1}})), {});
  BOOST_TEST(hand_up(queue, 0).empty());
}

BOOST_AUTO_TEST_CASE(only_so_many_of_a_class_are_away_at_once) {
  local_queue queue{{}, {.max_away_per_class = 3}};
  for (std::uint64_t i = 0; i < 5; ++i)
    queue.submit(make_task(i, one_gpu), {});
  queue.submit(make_task(9, two_cpus), {});
  auto up = hand_up(queue);
  BOOST_TEST(up.size() == 4u);
  queue.settle(*up.back().task); // resources sort by name: GPU comes last
  BOOST_TEST(hand_up(queue).size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_committed_bundle_lets_its_tasks_in_and_removing_it_parks_the_rest) {
  local_queue queue{amounts({{"CPU", 2}})};
  auto wants = in_group(1, 0, {{"CPU", 1}});
  queue.submit(make_task(1, wants), {});
  queue.pool().prepare(group(1), {{0, amounts({{"CPU", 1}})}});
  queue.pool().commit(group(1));
  std::vector<task_ptr> tasks;
  queue.unpark(tasks);
  BOOST_TEST(numbers_of(tasks) == (numbers{1}));
  queue.submit(tasks[0], {});
  queue.submit(make_task(2, wants), {});
  BOOST_TEST(take_numbers(queue) == (numbers{1}));
  queue.pool().remove(group(1));
  BOOST_TEST(take_numbers(queue).empty());
  BOOST_TEST(queue.parked() == 1u);
  BOOST_TEST(numbers_of(hand_up(queue)) == (numbers{2}));
}

BOOST_AUTO_TEST_CASE(any_bundle_serves_where_no_index_was_asked_for) {
  local_queue queue{amounts({{"CPU", 2}})};
  queue.pool().prepare(group(1), {{0, amounts({{"CPU", 1}})}, {1, amounts({{"CPU", 1}})}});
  queue.pool().commit(group(1));
  for (std::uint64_t i = 1; i <= 3; ++i)
    queue.submit(make_task(i, in_group(1, -1, {{"CPU", 1}})), {});
  BOOST_TEST(take_numbers(queue) == (numbers{1, 2}));
}

BOOST_AUTO_TEST_CASE(a_million_tasks_can_be_queued) {
  local_queue queue;
  auto task = make_task(1);
  for (std::uint64_t i = 0; i < 1'000'000; ++i)
    queue.submit(make_task(i), {});
  BOOST_TEST(queue.ready() == 1'000'000u);
  std::uint64_t next = 0;
  std::vector<task_ptr> batch;
  do {
    batch.clear();
    queue.take_ready(1024, batch);
    for (auto& x : batch)
      BOOST_TEST_REQUIRE(number_of(x) == next++);
  } while (!batch.empty());
  BOOST_TEST(next == 1'000'000u);
}

BOOST_AUTO_TEST_SUITE_END()
