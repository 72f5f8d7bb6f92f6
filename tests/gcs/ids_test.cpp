#include "gcs/types/ids.hpp"

#include <algorithm>
#include <set>
#include <unordered_set>

#include "tests/gcs/support.hpp"

using namespace caf_ray;
using namespace caf_ray::gcs::test;

BOOST_AUTO_TEST_SUITE(ids)

BOOST_AUTO_TEST_CASE(the_same_parent_and_count_give_the_same_task) {
  auto root = driver_task(7, 123);
  BOOST_TEST((derive_task(root, 5) == derive_task(root, 5)));
  BOOST_TEST((derive_task(root, 5) != derive_task(root, 6)));
  BOOST_TEST((driver_task(7, 123) != driver_task(7, 124)));
  BOOST_TEST((driver_task(7, 123) != driver_task(8, 123)));
}

BOOST_AUTO_TEST_CASE(a_task_tree_has_no_id_twice) {
  std::set<std::pair<std::uint64_t, std::uint64_t>> seen;
  std::vector<task_id> level{driver_task(1, 1)};
  for (int depth = 0; depth < 4; ++depth) {
    std::vector<task_id> next;
    for (auto parent : level)
      for (std::uint64_t i = 0; i < 10; ++i) {
        auto child = derive_task(parent, i);
        auto put = derive_put(parent, i);
        BOOST_TEST_REQUIRE(seen.insert({child.high, child.low}).second);
        BOOST_TEST_REQUIRE(seen.insert({put.high, put.low}).second);
        next.push_back(child);
      }
    level = std::move(next);
  }
}

BOOST_AUTO_TEST_CASE(an_object_names_its_producer_and_its_place) {
  auto task = derive_task(driver_task(1, 1), 0);
  for (auto index : {1u, 2u, 1000u, max_return_count}) {
    auto object = result_of(task, index);
    BOOST_TEST(return_index(object) == index);
    BOOST_TEST((producer_of(object) == task));
  }
  BOOST_TEST(return_index(derive_put(task, 3)) == 0u);
  BOOST_TEST((result_of(task, 1) != result_of(task, 2)));
}

BOOST_AUTO_TEST_CASE(hex_goes_there_and_back) {
  for (int i = 0; i < 1000; ++i) {
    auto id = random_id<node_id>();
    auto text = to_string(id);
    BOOST_TEST_REQUIRE(text.size() == 32u);
    BOOST_TEST_REQUIRE((parse_id<node_id>(text) == id));
  }
  BOOST_TEST(to_string(task_id{0x0123456789abcdef, 0xfedcba9876543210})
             == "0123456789abcdeffedcba9876543210");
}

BOOST_AUTO_TEST_CASE(what_is_no_hex_is_no_id) {
  for (auto text : {"", "0", "0123456789abcdeffedcba987654321", "0123456789abcdeffedcba98765432100",
                    "0123456789abcdeffedcba987654321g", "0123456789ABCDEFFEDCBA9876543210",
                    "../../etc/passwd................"})
    BOOST_TEST(!parse_id<task_id>(text).has_value());
}

BOOST_AUTO_TEST_CASE(binary_form_sorts_as_the_id_does) {
  std::mt19937_64 random(seed());
  for (int i = 0; i < 1000; ++i) {
    task_id a{random() >> (random() % 64), random()}, b{random() >> (random() % 64), random()};
    BOOST_TEST_REQUIRE((to_binary(a) < to_binary(b)) == (a < b));
    BOOST_TEST_REQUIRE((from_binary<task_id>(to_binary(a)) == a));
  }
  BOOST_TEST(!from_binary<task_id>("short").has_value());
}

BOOST_AUTO_TEST_CASE(nil_is_false_and_all_else_is_true) {
  BOOST_TEST(!task_id{});
  BOOST_TEST(!!task_id(1, 0));
  BOOST_TEST(!!task_id(0, 1));
}

BOOST_AUTO_TEST_CASE(hashes_of_derived_ids_spread) {
  std::unordered_set<std::size_t> low, high;
  auto root = driver_task(1, 1);
  for (std::uint64_t i = 0; i < 4096; ++i) {
    auto h = std::hash<object_id>{}(result_of(derive_task(root, 0), static_cast<unsigned>(i + 1)));
    low.insert(h & 0xffff);
    high.insert(h >> 48);
  }
  BOOST_TEST(low.size() > 3000u);
  BOOST_TEST(high.size() > 3000u);
}

BOOST_AUTO_TEST_SUITE_END()
