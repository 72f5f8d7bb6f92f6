#include "gcs/mailbag.hpp"

#include <future>
#include <thread>

#include "tests/gcs/support.hpp"

using namespace caf_ray;
using namespace caf_ray::gcs::test;

namespace {

struct box {
  caf_ray::mailbag<int> bag;
  std::atomic<int> drains{0};
};

} // namespace

BOOST_AUTO_TEST_SUITE(mailbag)

BOOST_AUTO_TEST_CASE(every_item_of_every_thread_arrives_once_and_in_its_threads_order) {
  constexpr int thread_count = 4, items = 50'000;
  caf::actor_system_config config;
  config.add_message_types<caf::id_block::caf_ray>();
  caf::actor_system system{config};
  auto shared = std::make_shared<box>();
  std::promise<std::vector<int>> all;
  auto receiver = system.spawn([shared, &all](caf::event_based_actor* self) -> caf::behavior {
    auto got = std::make_shared<std::vector<int>>();
    auto taken = std::make_shared<std::vector<int>>();
    return {[=, &all](drain_atom) {
      ++shared->drains;
      shared->bag.take(*taken);
      got->insert(got->end(), taken->begin(), taken->end());
      if (got->size() == thread_count * items) {
        all.set_value(std::move(*got));
        self->quit();
      }
    }};
  });
  shared->bag.push(0 * items); // before the bag knows its actor
  shared->bag.bind(caf::actor_cast<caf::strong_actor_ptr>(receiver));
  std::vector<std::thread> threads;
  for (int t = 0; t < thread_count; ++t)
    threads.emplace_back([&, t] {
      for (int i = t == 0 ? 1 : 0; i < items; ++i)
        shared->bag.push(t * items + i);
    });
  for (auto& t : threads)
    t.join();
  auto future = all.get_future();
  BOOST_TEST_REQUIRE((future.wait_for(long_time) == std::future_status::ready));
  std::vector<int> next(thread_count);
  for (auto item : future.get())
    BOOST_TEST_REQUIRE(item % items == next[static_cast<std::size_t>(item / items)]++);
  BOOST_TEST(shared->drains < thread_count * items);
}

BOOST_AUTO_TEST_CASE(pushing_after_the_actors_end_does_no_harm) {
  caf::actor_system_config config;
  config.add_message_types<caf::id_block::caf_ray>();
  caf::actor_system system{config};
  caf_ray::mailbag<int> bag;
  {
    auto receiver =
      system.spawn([](caf::event_based_actor*) -> caf::behavior { return {[](drain_atom) {}}; });
    bag.bind(caf::actor_cast<caf::strong_actor_ptr>(receiver));
  }
  system.await_all_actors_done();
  bag.push(1);
  std::vector<int> items;
  bag.take(items);
  BOOST_TEST(items.size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
