#include "gcs/table.hpp"

#include <algorithm>
#include <map>

#include "gcs/types/ids.hpp"
#include "tests/gcs/support.hpp"

using namespace caf_ray;
using namespace caf_ray::gcs;
using namespace caf_ray::gcs::test;

namespace {

struct fixture {
  temp_folder folder;
  table_options options;

  fixture() {
    options.folder = folder.path / "gcs";
    options.sync = durability::none;
  }

  std::unique_ptr<tables> open() { return must_have(tables::open(options)); }
};

std::vector<entry> everything(const tables& t, table_kind table, std::string_view prefix = {},
                              std::size_t page_size = 7) {
  std::vector<entry> all;
  scan_page page;
  do {
    page = must_have(t.scan(table, prefix, page.next, page_size));
    BOOST_TEST_REQUIRE(page.entries.size() <= page_size);
    all.insert(all.end(), page.entries.begin(), page.entries.end());
  } while (!page.next.empty());
  return all;
}

write_batch batch(std::uint64_t client, std::uint64_t sequence, std::uint64_t oldest,
                  std::initializer_list<write_op> ops) {
  auto list = std::make_shared<write_list>();
  for (auto& op : ops)
    list->add(op);
  return {client, sequence, oldest, list};
}

batch_outcome apply(tables& t, const write_batch& b) {
  return must_have(t.apply(std::span(&b, 1))).front();
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(table, fixture)

BOOST_AUTO_TEST_CASE(behaves_like_a_map_also_after_reopening) {
  std::mt19937_64 random(seed());
  auto t = open();
  const table_kind kinds[] = {table_kind::kv, table_kind::objects, table_kind::nodes};
  std::map<std::string, std::string> model[3];
  for (int round = 0; round < 400; ++round) {
    if (random() % 40 == 0) {
      t = nullptr;
      t = open();
    }
    std::vector<std::string> bytes;
    std::vector<write_op> ops;
    std::vector<op_outcome> expected;
    bytes.reserve(200);
    for (auto count = random() % 100; count > 0; --count) {
      auto which = random() % 3;
      auto& key = bytes.emplace_back("k" + random_bytes(random, 1));
      auto& value = bytes.emplace_back(random_bytes(random, 30 << random() % 9));
      auto kind = static_cast<write_kind>(random() % 3);
      ops.push_back({kinds[which], kind, key, value, 0});
      auto there = model[which].contains(key);
      bool acts = kind == write_kind::put || (kind == write_kind::erase) == there;
      expected.push_back(acts ? op_outcome::done : op_outcome::unchanged);
      if (acts && kind == write_kind::erase)
        model[which].erase(key);
      else if (acts)
        model[which][key] = value;
    }
    BOOST_TEST_REQUIRE((must_have(t->apply(ops)) == expected));
    for (std::size_t which = 0; which < 3; ++which) {
      auto key = "k" + random_bytes(random, 1);
      auto found = must_have(t->get(kinds[which], key));
      auto wanted = model[which].find(key);
      BOOST_TEST_REQUIRE(found.has_value() == (wanted != model[which].end()));
      if (found)
        BOOST_TEST_REQUIRE(*found == wanted->second);
      auto scanned = everything(*t, kinds[which]);
      BOOST_TEST_REQUIRE(
        std::equal(scanned.begin(), scanned.end(), model[which].begin(), model[which].end(),
                   [](auto& e, auto& kv) { return e.key == kv.first && e.value == kv.second; }));
    }
  }
}

BOOST_AUTO_TEST_CASE(tasks_behave_like_a_map_and_keep_the_order_of_writing_per_job) {
  std::mt19937_64 random(seed());
  auto t = open();
  struct row {
    job_id job;
    std::uint64_t written;
    std::string value;
  };
  std::map<std::string, row> model;
  std::uint64_t clock = 0;
  for (int step = 0; step < 4000; ++step) {
    if (random() % 500 == 0) {
      t = nullptr;
      t = open();
    }
    auto id = to_binary(derive_task({1, 1}, random() % 300));
    auto there = model.find(id);
    if (random() % 3 == 0) {
      BOOST_TEST_REQUIRE(must_have(t->erase(table_kind::tasks, id)) == (there != model.end()));
      model.erase(id);
    } else {
      auto value = random_bytes(random, 200);
      auto job = static_cast<job_id>(1 + random() % 3);
      must_have(t->put(table_kind::tasks, id, value, job));
      if (there == model.end())
        model[id] = {job, ++clock, value};
      else
        there->second.value = value; // keeps its place
    }
  }
  for (job_id job : {0u, 1u, 2u, 3u}) {
    std::vector<std::pair<std::string, row>> wanted;
    for (auto& r : model)
      if (job == 0 || r.second.job == job)
        wanted.push_back(r);
    std::sort(wanted.begin(), wanted.end(), [](auto& a, auto& b) {
      return std::pair(a.second.job, a.second.written) < std::pair(b.second.job, b.second.written);
    });
    std::string prefix = job == 0 ? "" : std::string{0, 0, 0, static_cast<char>(job)};
    auto found = everything(*t, table_kind::tasks, prefix);
    BOOST_TEST_REQUIRE(found.size() == wanted.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      BOOST_TEST_REQUIRE(found[i].key == wanted[i].first);
      BOOST_TEST_REQUIRE(found[i].value == wanted[i].second.value);
      BOOST_TEST_REQUIRE(must_have(t->get(table_kind::tasks, found[i].key)).value()
                         == found[i].value);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_scan_returns_what_starts_with_the_prefix_in_pages) {
  auto t = open();
  for (auto key : {"a", "ab", "ab1", "ab2", "ab3", "ac", "b"})
    must_have(t->put(table_kind::kv, key, "v"));
  BOOST_TEST(everything(*t, table_kind::kv, "ab", 2).size() == 4u);
  BOOST_TEST(everything(*t, table_kind::kv, "", 2).size() == 7u);
  BOOST_TEST(everything(*t, table_kind::kv, "zz", 2).empty());
  auto page = must_have(t->scan(table_kind::kv, "ab", "", 2));
  must_have(t->erase(table_kind::kv, page.next)); // the page goes on where it was all the same
  BOOST_TEST(must_have(t->scan(table_kind::kv, "ab", page.next, 2)).entries.front().key == "ab2");
}

BOOST_AUTO_TEST_CASE(a_scan_page_ends_before_a_message_is_too_long) {
  auto t = open();
  std::string value(200'000, 'v');
  for (int i = 0; i < 20; ++i)
    must_have(t->put(table_kind::kv, "k" + std::to_string(i), value));
  auto page = must_have(t->scan(table_kind::kv, "", "", 1000));
  BOOST_TEST(page.entries.size() == 2u);
  BOOST_TEST(everything(*t, table_kind::kv, "", 1000).size() == 20u);
}

BOOST_AUTO_TEST_CASE(events_get_growing_keys_and_only_the_latest_stay) {
  options.max_events = 10;
  auto t = open();
  for (int i = 0; i < 25; ++i) {
    must_have(t->put(table_kind::events, "", std::to_string(i)));
    if (i == 12) {
      t = nullptr;
      t = open();
    }
  }
  auto all = everything(*t, table_kind::events);
  BOOST_TEST_REQUIRE(all.size() == 10u);
  for (std::size_t i = 0; i < all.size(); ++i)
    BOOST_TEST(all[i].value == std::to_string(15 + i));
  BOOST_TEST(must_have(t->get(table_kind::events, all[3].key)).value() == "18");
}

BOOST_AUTO_TEST_CASE(a_batch_that_is_sent_again_is_applied_once_also_after_reopening) {
  auto t = open();
  auto first = batch(1, 1, 1,
                     {{table_kind::kv, write_kind::put, "a", "1", 0},
                      {table_kind::kv, write_kind::put_if_absent, "a", "2", 0},
                      {table_kind::kv, write_kind::erase, "none", "", 0}});
  auto outcome = apply(*t, first);
  BOOST_TEST(outcome.kind == batch_outcome::applied);
  BOOST_TEST_REQUIRE(outcome.notes.size() == 2u);
  must_have(t->put(table_kind::kv, "a", "by another"));
  for (int i = 0; i < 2; ++i) {
    auto again = apply(*t, first);
    BOOST_TEST(again.kind == batch_outcome::duplicate);
    BOOST_TEST((again.notes == outcome.notes));
    BOOST_TEST(must_have(t->get(table_kind::kv, "a")).value() == "by another");
    t = nullptr;
    t = open();
  }
}

BOOST_AUTO_TEST_CASE(batches_of_one_transaction_are_judged_in_order) {
  auto t = open();
  auto put = [](const char* key) { return write_op{table_kind::kv, write_kind::put, key, "v", 0}; };
  const write_batch batches[] = {
    batch(1, 1, 1, {put("a")}), batch(2, 1, 1, {put("b")}), batch(1, 2, 1, {put("c")}),
    batch(1, 4, 1, {put("d")}), batch(1, 2, 1, {put("c")}), batch(1, 3, 1, {put("e")}),
  };
  auto outcomes = must_have(t->apply(batches));
  const batch_outcome::kind_type expected[] = {
    batch_outcome::applied,      batch_outcome::applied,   batch_outcome::applied,
    batch_outcome::out_of_order, batch_outcome::duplicate, batch_outcome::applied};
  for (std::size_t i = 0; i < outcomes.size(); ++i)
    BOOST_TEST(outcomes[i].kind == expected[i]);
  BOOST_TEST(!must_have(t->get(table_kind::kv, "d")).has_value());
  auto status = t->status();
  BOOST_TEST(status.writes == 4u);
  BOOST_TEST(status.duplicate_batches == 1u);
}

BOOST_AUTO_TEST_CASE(another_number_of_shards_is_a_version_mismatch_that_says_both) {
  options.shard_count = 2;
  open();
  options.shard_count = 3;
  auto opened = tables::open(options);
  BOOST_TEST_REQUIRE(code_of(opened) == errc::version_mismatch);
  BOOST_TEST(opened.error().what.find("number of shards 2") != std::string::npos);
  BOOST_TEST(opened.error().what.find("expects 3") != std::string::npos);
  options.shard_count = 2;
  BOOST_TEST(code_of(tables::open(options)) == errc::none);
}

BOOST_AUTO_TEST_CASE(a_shard_that_does_not_exist_is_an_invalid_argument) {
  options.shard_index = 1;
  BOOST_TEST(code_of(tables::open(options)) == errc::invalid_argument);
  options.shard_count = 0;
  BOOST_TEST(code_of(tables::open(options)) == errc::invalid_argument);
}

BOOST_AUTO_TEST_CASE(status_counts_entries_per_table) {
  auto t = open();
  must_have(t->put(table_kind::kv, "a", "1"));
  must_have(t->put(table_kind::kv, "b", "1"));
  must_have(t->put(table_kind::nodes, "b", "1"));
  auto s = t->status();
  BOOST_TEST_REQUIRE(s.entries.size() == table_count);
  BOOST_TEST(s.entries[static_cast<std::size_t>(table_kind::kv)] == 2u);
  BOOST_TEST(s.entries[static_cast<std::size_t>(table_kind::nodes)] == 1u);
  BOOST_TEST(s.entries[static_cast<std::size_t>(table_kind::tasks)] == 0u);
  BOOST_TEST(s.alarm == "");
}

BOOST_AUTO_TEST_SUITE_END()
