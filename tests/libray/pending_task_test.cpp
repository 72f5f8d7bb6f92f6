#include "libray/src/pending_task.hpp"

#include <thread>

#include <boost/test/unit_test.hpp>

#include "libray/src/object_table.hpp"

using namespace caf_ray;

namespace {

EntryPtr ready_object() {
  auto entry = object_table::instance().insert(random_id<object_id>());
  stored_value value;
  bool watched;
  resolve(*entry, value, watched);
  return entry;
}

pending_task_ptr task_of(std::vector<EntryPtr> inputs, std::vector<EntryPtr> results = {}) {
  auto task = std::make_shared<pending_task>();
  task->spec.id = random_id<task_id>();
  task->inputs = std::move(inputs);
  task->results = std::move(results);
  return task;
}

} // namespace

BOOST_AUTO_TEST_SUITE(pending_task_)

BOOST_AUTO_TEST_CASE(knows_whether_inputs_and_results_are_there) {
  auto missing = object_table::instance().insert(random_id<object_id>());
  auto task = task_of({ready_object(), missing}, {ready_object()});
  BOOST_TEST(!task->inputs_ready());
  BOOST_TEST(!task->results_pending());
  stored_value value;
  bool watched;
  resolve(*missing, value, watched);
  BOOST_TEST(task->inputs_ready());
  task->results.push_back(object_table::instance().insert(random_id<object_id>()));
  BOOST_TEST(task->results_pending());
}

BOOST_AUTO_TEST_CASE(a_next_attempt_takes_everything_over) {
  auto failed = task_of({ready_object()}, {ready_object()});
  failed->live_results = 1;
  auto next = task_of({});
  next->spec.id = failed->spec.id;
  next->take_over(*failed);
  BOOST_TEST(failed->inputs.empty());
  BOOST_TEST(failed->results.empty());
  BOOST_TEST(next->inputs.size() == 1u);
  BOOST_TEST(next->results.size() == 1u);
  BOOST_TEST(next->live_results == 1u);
}

BOOST_AUTO_TEST_CASE(others_may_look_while_its_owner_lets_go) {
  for (int i = 0; i < 200; ++i) {
    auto task = task_of(std::vector<EntryPtr>(100, ready_object()));
    std::thread other([&] {
      while (task->inputs_ready() && !task->lineage_unneeded)
        std::this_thread::yield();
    });
    task->let_go();
    task->let_go();
    task->lineage_unneeded = true;
    other.join();
    BOOST_TEST(task->inputs.empty());
  }
}

BOOST_AUTO_TEST_SUITE_END()
