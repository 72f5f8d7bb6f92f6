#include "gcs/id_map.hpp"

#include <unordered_map>

#include "gcs/types/ids.hpp"
#include "tests/gcs/support.hpp"

using namespace caf_ray;
using namespace caf_ray::gcs;
using namespace caf_ray::gcs::test;

BOOST_AUTO_TEST_SUITE(ids_to_values)

BOOST_AUTO_TEST_CASE(behaves_like_an_unordered_map) {
  std::mt19937_64 random(seed());
  id_map<object_id, int> map;
  std::unordered_map<object_id, int> model;
  for (int step = 0; step < 300'000; ++step) {
    // Results of few tasks: hashes in runs, which is what probing and shifting have to survive.
    auto task = derive_task({1, 1}, random() % 50);
    auto id = result_of(task, 1 + static_cast<std::uint32_t>(random() % 100));
    bool growing = (step / 20'000) % 2 == 0;
    if (random() % 10 < (growing ? 7u : 2u)) {
      auto [value, fresh] = map.try_emplace(id, step);
      BOOST_TEST_REQUIRE(fresh == model.try_emplace(id, step).second);
      BOOST_TEST_REQUIRE(*value == model[id]);
    } else {
      BOOST_TEST_REQUIRE(map.erase(id) == (model.erase(id) == 1));
    }
    BOOST_TEST_REQUIRE(map.size() == model.size());
    auto probe = result_of(task, 1 + static_cast<std::uint32_t>(random() % 100));
    auto found = map.find(probe);
    auto expected = model.find(probe);
    BOOST_TEST_REQUIRE((found != nullptr) == (expected != model.end()));
    if (found)
      BOOST_TEST_REQUIRE(*found == expected->second);
  }
  std::size_t visited = 0;
  map.for_each([&](object_id id, int value) {
    ++visited;
    BOOST_TEST_REQUIRE(model.at(id) == value);
  });
  BOOST_TEST(visited == model.size());
}

BOOST_AUTO_TEST_CASE(is_empty_after_clear_and_after_swap_has_the_others_entries) {
  id_map<task_id, int> a, b;
  for (std::uint64_t i = 1; i <= 5000; ++i)
    a.try_emplace({i, i}, 1);
  a.swap(b);
  BOOST_TEST(a.empty());
  BOOST_TEST(b.size() == 5000u);
  b.clear();
  BOOST_TEST(b.find({1, 1}) == nullptr);
  for (std::uint64_t i = 1; i <= 5000; ++i)
    BOOST_TEST_REQUIRE(b.try_emplace({i, i}, 2).second);
}

BOOST_AUTO_TEST_SUITE_END()
