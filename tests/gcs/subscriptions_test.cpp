#include "gcs/subscriptions.hpp"

#include <set>

#include "tests/gcs/support.hpp"

using namespace caf_ray::gcs;
using namespace caf_ray::gcs::test;

namespace {

std::multiset<int> told(const subscriptions<int>& s, table_kind table, std::string_view key) {
  std::multiset<int> who;
  s.match(table, key, [&](int x) { who.insert(x); });
  return who;
}

} // namespace

BOOST_AUTO_TEST_SUITE(watchers)

BOOST_AUTO_TEST_CASE(a_change_concerns_who_watches_the_key_or_the_table_once_each) {
  subscriptions<int> s;
  s.add({table_kind::actors, ""}, 1);
  s.add({table_kind::actors, "k"}, 1);
  s.add({table_kind::actors, "k"}, 2);
  s.add({table_kind::nodes, ""}, 3);
  BOOST_TEST((told(s, table_kind::actors, "k") == std::multiset<int>{1, 2}));
  BOOST_TEST((told(s, table_kind::actors, "x") == std::multiset<int>{1}));
  BOOST_TEST((told(s, table_kind::nodes, "k") == std::multiset<int>{3}));
  BOOST_TEST(told(s, table_kind::kv, "k").empty());
}

BOOST_AUTO_TEST_CASE(an_object_watched_means_all_its_copies) {
  subscriptions<int> s;
  std::string object(16, 'o'), node(16, 'n');
  s.add({table_kind::objects, object}, 1);
  BOOST_TEST((told(s, table_kind::objects, object + node) == std::multiset<int>{1}));
  BOOST_TEST(told(s, table_kind::objects, node + object).empty());
  BOOST_TEST(told(s, table_kind::kv, object + node).empty());
}

BOOST_AUTO_TEST_CASE(what_is_removed_is_told_nothing) {
  subscriptions<int> s;
  s.add({table_kind::actors, ""}, 1);
  s.add({table_kind::actors, "k"}, 1);
  s.add({table_kind::actors, "k"}, 1); // subscribing twice is subscribing once
  BOOST_TEST(s.size() == 2u);
  s.remove({table_kind::actors, "k"}, 1);
  BOOST_TEST(s.size() == 1u);
  s.add({table_kind::nodes, "a"}, 1);
  s.add({table_kind::nodes, "a"}, 2);
  s.remove_all(1);
  BOOST_TEST(s.size() == 1u);
  BOOST_TEST(!s.any(table_kind::actors));
  BOOST_TEST((told(s, table_kind::nodes, "a") == std::multiset<int>{2}));
}

BOOST_AUTO_TEST_SUITE_END()
