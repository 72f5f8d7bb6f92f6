#include "scheduler/local_queue.hpp"

#include "tests/scheduler/support.hpp"

using namespace caf_ray;
using namespace caf_ray::scheduler;
using namespace caf_ray::scheduler::test;

BOOST_AUTO_TEST_SUITE(local_queue_why)

BOOST_AUTO_TEST_CASE(it_names_the_objects_that_are_missing) {
  local_queue queue;
  std::vector<object_id> one = {object(1)}, both = {object(1), object(2)};
  queue.submit(make_task(1, {}, {object(1)}), one);
  queue.submit(make_task(2, {}, {object(1), object(2)}), both);
  BOOST_TEST(queue.why(number(1)) == "It waits for object " + to_string(object(1)) + ".");
  queue.object_ready(object(1));
  BOOST_TEST(queue.why(number(2)) == "It waits for object " + to_string(object(2)) + ".");
}

BOOST_AUTO_TEST_CASE(it_names_what_is_in_use) {
  local_queue queue{amounts({{"CPU", 2}})};
  auto first = make_task(1, needs({{"CPU", 2}}));
  queue.submit(first, {});
  queue.submit(make_task(2, needs({{"CPU", 1}})), {});
  queue.submit(make_task(3, needs({{"CPU", 1}})), {});
  take(queue);
  BOOST_TEST(queue.why(number(1)) == "It has been dispatched and holds {CPU: 2}.");
  BOOST_TEST(queue.why(number(2))
             == "It waits for CPU: 2 of 2 in use, 1 needed; 0 tasks of its kind are before it.");
  BOOST_TEST(contains(queue.why(number(3)), "1 tasks of its kind"));
  queue.blocked(*first);
  BOOST_TEST(contains(queue.why(number(1)), "its CPU is lent out"));
}

BOOST_AUTO_TEST_CASE(it_says_when_this_node_can_never_run_it) {
  local_queue queue{amounts({{"CPU", 2}})};
  queue.submit(make_task(1, needs({{"GPU", 1}})), {});
  BOOST_TEST(queue.why(number(1)) == "This node can never give it {GPU: 1}.");
}

BOOST_AUTO_TEST_CASE(it_names_the_bundle) {
  local_queue queue{amounts({{"CPU", 2}})};
  queue.pool().prepare(group(1), {{1, amounts({{"CPU", 1}})}});
  queue.pool().commit(group(1));
  auto options = needs({{"CPU", 1}});
  options.group = group(1);
  options.bundle = 1;
  for (std::uint64_t i = 1; i <= 2; ++i)
    queue.submit(make_task(i, options), {});
  take(queue);
  BOOST_TEST(contains(queue.why(number(2)), "It waits for bundle 1 of group " + to_string(group(1))
                                              + " (CPU: 1 of 1 in use"));
}

BOOST_AUTO_TEST_CASE(it_says_nothing_of_what_it_does_not_hold) {
  local_queue queue;
  auto task = make_task(1);
  queue.submit(task, {});
  BOOST_TEST(contains(queue.why(number(1)), "It is ready"));
  take(queue);
  BOOST_TEST(queue.why(number(1)) == "");
  BOOST_TEST(queue.find(number(1)) == nullptr);
}

BOOST_AUTO_TEST_SUITE_END()
