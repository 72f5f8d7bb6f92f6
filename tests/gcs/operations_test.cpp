#include "gcs/types/operations.hpp"

#include <vector>

#include "gcs/types/codec.hpp"
#include "gcs/types/ids.hpp"
#include "tests/gcs/support.hpp"

using namespace caf_ray;
using namespace caf_ray::gcs;
using namespace caf_ray::gcs::test;

BOOST_AUTO_TEST_SUITE(operations)

BOOST_AUTO_TEST_CASE(a_write_list_gives_back_what_was_added) {
  std::mt19937_64 random(seed());
  struct kept {
    table_kind table;
    write_kind kind;
    std::string key, value;
    job_id job;
  };
  std::vector<kept> all;
  write_list list;
  std::size_t bytes = 0;
  for (int i = 0; i < 1000; ++i) {
    kept k{table_kind::kv, static_cast<write_kind>(random() % 3), "k" + random_bytes(random, 40),
           random_bytes(random, 500), static_cast<job_id>(random())};
    write_op op{k.table, k.kind, k.key, k.value, k.job};
    bytes += write_list::packed_bytes(op);
    list.add(op);
    all.push_back(std::move(k));
  }
  BOOST_TEST(list.size() == all.size());
  BOOST_TEST(list.size_bytes() == bytes);
  BOOST_TEST(code_of(list.check()) == errc::none);
  list.for_each([&](std::uint32_t i, const write_op& op) {
    auto& k = all[i];
    BOOST_TEST_REQUIRE((op.table == k.table && op.kind == k.kind && op.key == k.key
                        && op.value == k.value && op.job == k.job));
  });
}

BOOST_AUTO_TEST_CASE(a_list_that_another_process_garbled_is_corrupt) {
  std::mt19937_64 random(seed());
  write_list list;
  for (int i = 0; i < 20; ++i)
    list.add({table_kind::kv, write_kind::put, "key" + std::to_string(i), "value", 0});
  auto bytes = encode(list);
  int refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    auto bad = bytes;
    for (auto flips = 1 + random() % 4; flips > 0; --flips)
      bad[random() % bad.size()] ^= static_cast<char>(1 << random() % 8);
    auto decoded = decode<write_list>(bad);
    if (!decoded)
      continue;
    if (!decoded->check()) {
      ++refused;
      continue;
    }
    // What passes can be read without harm.
    std::size_t sum = 0;
    decoded->for_each([&](std::uint32_t, const write_op& op) {
      for (auto c : op.value)
        sum += static_cast<unsigned char>(c);
    });
    BOOST_TEST_REQUIRE(sum < bad.size() * 256);
  }
  BOOST_TEST(refused > 1000);
}

BOOST_AUTO_TEST_CASE(keys_and_values_outside_their_limits_are_refused) {
  std::string id(16, 'i'), long_key(max_key_bytes + 1, 'k'), long_value(max_value_bytes + 1, 'v');
  struct row {
    write_op op;
    errc expected;
  };
  const row rows[] = {
    {{table_kind::kv, write_kind::put, "k", "", 0}, errc::none},
    {{table_kind::kv, write_kind::put, "", "v", 0}, errc::invalid_argument},
    {{table_kind::kv, write_kind::put, long_key, "v", 0}, errc::invalid_argument},
    {{table_kind::kv, write_kind::put, "k", long_value, 0}, errc::invalid_argument},
    {{table_kind::tasks, write_kind::put, id, "v", 0}, errc::none},
    {{table_kind::tasks, write_kind::put, "short", "v", 0}, errc::invalid_argument},
    {{table_kind::tasks, write_kind::erase, "short", "", 0}, errc::invalid_argument},
    {{table_kind::tasks, write_kind::put, std::string_view("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16),
      "v", 0},
     errc::invalid_argument},
    {{table_kind::events, write_kind::put, "", "v", 0}, errc::none},
    {{table_kind::events, write_kind::put, "k", "v", 0}, errc::invalid_argument},
    {{static_cast<table_kind>(table_count), write_kind::put, "k", "v", 0}, errc::invalid_argument},
  };
  for (auto& [op, expected] : rows)
    BOOST_TEST(code_of(check(op)) == expected);
}

BOOST_AUTO_TEST_CASE(all_copies_of_an_object_are_in_one_shard) {
  auto object = to_binary(random_id<object_id>());
  auto shard = shard_of(table_kind::objects, object, 7);
  for (int i = 0; i < 50; ++i)
    BOOST_TEST(shard_of(table_kind::objects, object + to_binary(random_id<node_id>()), 7) == shard);
}

BOOST_AUTO_TEST_CASE(keys_spread_evenly_and_for_ever_the_same) {
  std::vector<int> counts(4);
  for (int i = 0; i < 8000; ++i)
    ++counts[shard_of(table_kind::kv, "key" + std::to_string(i), 4)];
  for (auto c : counts)
    BOOST_TEST((c > 1800 && c < 2200));
  // Another answer here would lose every record of every folder written so far.
  BOOST_TEST(shard_of(table_kind::kv, "key1", 1'000'003) == 139'350u);
}

BOOST_AUTO_TEST_SUITE_END()
