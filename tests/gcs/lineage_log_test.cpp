#include "gcs/lineage_log.hpp"

#include <map>
#include <thread>

#include "gcs/client_port.hpp"
#include "gcs/shard.hpp"
#include "gcs/types/codec.hpp"
#include "tests/gcs/support.hpp"

using namespace caf_ray;
using namespace caf_ray::gcs;
using namespace caf_ray::gcs::test;

namespace {

struct fixture {
  temp_folder folder;
  caf::actor_system_config config;
  std::unique_ptr<caf::actor_system> system;
  std::vector<shard_actor> shards;
  std::unique_ptr<client> c;
  std::unique_ptr<lineage_log> log;

  fixture() {
    config.add_message_types<caf::id_block::caf_ray>();
    config.set("scheduler.max-threads", 2);
    system = std::make_unique<caf::actor_system>(config);
    table_options options;
    options.folder = folder.path;
    options.sync = durability::none;
    options.shard_count = 2;
    shards = must_have(spawn_shards(*system, options));
    c = make_client(*system, shards);
    start({});
  }

  ~fixture() {
    log = nullptr;
    c = nullptr;
    for (auto& s : shards)
      caf::anon_send_exit(s, caf::exit_reason::user_shutdown);
    shards.clear();
  }

  /// By default it writes only when told to.
  void start(lineage_options options) {
    if (options.flush_interval == lineage_options{}.flush_interval)
      options.flush_interval = std::chrono::hours(1);
    log = nullptr;
    log = std::make_unique<lineage_log>(*c, options);
  }

  static task_id id(std::uint64_t i) { return derive_task({1, 1}, i); }

  static task_spec_ptr spec(std::uint64_t i, std::string bytes = "arguments") {
    auto s = std::make_shared<task_spec>();
    s->id = id(i);
    s->job = 1;
    s->function = "f" + std::to_string(i);
    s->argument_bytes = std::move(bytes);
    return s;
  }

  bool written(std::uint64_t i) {
    return must_have(c->get(table_kind::tasks, to_binary(id(i)))).has_value();
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(lineage, fixture)

BOOST_AUTO_TEST_CASE(a_spec_is_in_memory_first_and_in_the_gcs_after_the_flush) {
  log->append(spec(1));
  BOOST_TEST((log->find(id(1)) != nullptr));
  BOOST_TEST(!written(1));
  must_have(log->flush(long_time));
  BOOST_TEST((log->find(id(1)) == nullptr));
  auto bytes = must_have(c->get(table_kind::tasks, to_binary(id(1))));
  auto back = must_have(decode<task_spec>(bytes.value()));
  BOOST_TEST(back.function == "f1");
}

BOOST_AUTO_TEST_CASE(what_is_forgotten_or_unneeded_in_time_is_never_written) {
  auto unneeded = std::make_shared<std::atomic<bool>>(false);
  log->append(spec(1));
  log->append(spec(2), unneeded);
  log->append(spec(3));
  log->forget(id(1));
  *unneeded = true;
  must_have(log->flush(long_time));
  BOOST_TEST(!written(1));
  BOOST_TEST(!written(2));
  BOOST_TEST(written(3));
  auto s = log->status();
  BOOST_TEST(s.written == 1u);
  BOOST_TEST(s.skipped == 2u);
  BOOST_TEST(s.recorded == 1u);
  BOOST_TEST(s.buffered == 0u);
}

BOOST_AUTO_TEST_CASE(what_was_written_and_then_forgotten_is_erased) {
  std::vector<task_id> ids;
  for (std::uint64_t i = 0; i < 5000; ++i) {
    log->append(spec(i));
    ids.push_back(id(i));
  }
  must_have(log->flush(long_time));
  BOOST_TEST(must_have(c->scan(table_kind::tasks)).size() == 5000u);
  log->forget(ids);
  log->forget(ids); // twice does no harm, nor do strangers
  log->forget(id(1'000'000));
  must_have(log->flush(long_time));
  BOOST_TEST(must_have(c->scan(table_kind::tasks)).empty());
  BOOST_TEST(log->status().recorded == 0u);
}

BOOST_AUTO_TEST_CASE(forgotten_and_appended_again_ends_up_written) {
  log->append(spec(1));
  must_have(log->flush(long_time));
  log->forget(id(1));
  log->append(spec(1, "second"));
  must_have(log->flush(long_time));
  auto bytes = must_have(c->get(table_kind::tasks, to_binary(id(1))));
  BOOST_TEST_REQUIRE(bytes.has_value());
  BOOST_TEST(must_have(decode<task_spec>(*bytes)).argument_bytes == "second");
  log->forget(id(1));
  must_have(log->flush(long_time));
  BOOST_TEST(!written(1));
}

BOOST_AUTO_TEST_CASE(a_spec_that_replaces_a_buffered_one_is_the_one_that_counts) {
  log->append(spec(1, "first"));
  log->append(spec(1, "second"));
  BOOST_TEST(log->find(id(1))->argument_bytes == "second");
  must_have(log->flush(long_time));
  BOOST_TEST(log->status().written == 1u);
}

BOOST_AUTO_TEST_CASE(a_spec_too_long_for_the_gcs_is_counted_and_left_out) {
  log->append(spec(1, std::string(2 << 20, 'a')));
  log->append(spec(2));
  must_have(log->flush(long_time));
  BOOST_TEST(!written(1));
  BOOST_TEST(written(2));
  BOOST_TEST(log->status().too_long == 1u);
}

BOOST_AUTO_TEST_CASE(threads_that_append_and_forget_leave_exactly_what_they_did_not_forget) {
  auto base = seed();
  lineage_options options;
  options.flush_interval = 1ms;
  options.flush_count = 1000;
  options.max_count = 4000;
  start(options);
  constexpr std::uint64_t thread_count = 3, tasks = 30'000;
  std::vector<std::vector<bool>> kept(thread_count, std::vector<bool>(tasks));
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < thread_count; ++t)
    threads.emplace_back([&, t] {
      std::mt19937_64 random(base + t);
      std::uint64_t appended = 0;
      while (appended < tasks) {
        auto first = appended;
        for (auto n = 1 + random() % 3000; n > 0 && appended < tasks; --n)
          log->append(spec(t * tasks + appended++));
        for (auto i = first; i < appended; ++i)
          if (random() % 50 != 0)
            log->forget(id(t * tasks + i));
          else
            kept[t][i] = true;
      }
    });
  for (auto& t : threads)
    t.join();
  must_have(log->flush(long_time));
  std::map<std::string, bool> expected;
  for (std::uint64_t t = 0; t < thread_count; ++t)
    for (std::uint64_t i = 0; i < tasks; ++i)
      if (kept[t][i])
        expected[to_binary(id(t * tasks + i))] = true;
  auto found = must_have(c->scan(table_kind::tasks));
  BOOST_TEST(found.size() == expected.size());
  for (auto& e : found)
    BOOST_TEST_REQUIRE(expected.contains(e.key));
  BOOST_TEST(log->status().recorded == expected.size());
  BOOST_TEST(log->status().dropped == 0u);
}

BOOST_AUTO_TEST_CASE(the_end_of_the_log_writes_what_is_still_needed) {
  log->append(spec(1));
  log = nullptr;
  BOOST_TEST(written(1));
}

BOOST_AUTO_TEST_CASE(what_was_abandoned_is_never_written) {
  for (int i = 0; i < 100; ++i)
    log->append(spec(i));
  log->abandon();
  log->append(spec(100));
  BOOST_TEST(!log->find(id(0)));
  must_have(log->flush(std::chrono::seconds(10)));
  log = nullptr;
  BOOST_TEST(must_have(c->scan(table_kind::tasks)).empty());
}

BOOST_AUTO_TEST_CASE(without_a_gcs_appending_and_ending_do_not_hang) {
  client_options options;
  options.timeout = 50ms;
  options.max_pending_bytes = 1000;
  auto lonely = make_client(*system, shards, options);
  for (auto& s : shards)
    caf::anon_send_exit(s, caf::exit_reason::user_shutdown);
  lineage_options small;
  small.flush_interval = 1ms;
  small.flush_count = 10;
  small.max_count = 20;
  auto start = std::chrono::steady_clock::now();
  {
    lineage_log other(*lonely, small);
    for (std::uint64_t i = 0; i < 100; ++i)
      other.append(spec(i));
    BOOST_TEST(other.status().dropped > 0u);
  }
  BOOST_TEST((std::chrono::steady_clock::now() - start < 30s));
}

BOOST_AUTO_TEST_SUITE_END()
