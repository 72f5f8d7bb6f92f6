#include "gcs/client.hpp"

#include <atomic>
#include <future>
#include <map>
#include <thread>

#include "gcs/client_port.hpp"
#include "gcs/shard.hpp"
#include "gcs/types/ids.hpp"
#include "tests/gcs/support.hpp"

using namespace caf_ray;
using namespace caf_ray::gcs;
using namespace caf_ray::gcs::test;

namespace {

/// Three shards on CAF's own scheduler with real threads.
struct fixture {
  temp_folder folder;
  caf::actor_system_config config;
  std::unique_ptr<caf::actor_system> system;
  std::vector<shard_actor> shards;
  std::unique_ptr<client> c;

  fixture() {
    config.add_message_types<caf::id_block::caf_ray>();
    config.set("scheduler.max-threads", 2);
    system = std::make_unique<caf::actor_system>(config);
    table_options options;
    options.folder = folder.path;
    options.sync = durability::none;
    options.shard_count = 3;
    shards = must_have(spawn_shards(*system, options));
    c = make_client(*system, shards);
  }

  ~fixture() {
    c = nullptr;
    for (auto& s : shards)
      caf::anon_send_exit(s, caf::exit_reason::user_shutdown);
    shards.clear();
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(gcs_client, fixture)

BOOST_AUTO_TEST_CASE(what_was_put_is_got_from_all_shards) {
  for (int i = 0; i < 300; ++i)
    must_have(c->put(table_kind::kv, "k" + std::to_string(i), std::to_string(i)));
  for (int i = 0; i < 300; ++i)
    BOOST_TEST_REQUIRE(must_have(c->get(table_kind::kv, "k" + std::to_string(i))).value()
                       == std::to_string(i));
  BOOST_TEST(!must_have(c->get(table_kind::kv, "none")).has_value());
  must_have(c->erase(table_kind::kv, "k7"));
  BOOST_TEST(!must_have(c->get(table_kind::kv, "k7")).has_value());
  BOOST_TEST(c->shard_count() == 3u);
}

BOOST_AUTO_TEST_CASE(a_scan_joins_the_shards_in_order_of_the_key) {
  std::map<std::string, std::string> model;
  for (int i = 0; i < 5000; ++i) {
    auto key = (i % 2 ? "odd" : "even") + std::to_string(i);
    must_have(c->put(table_kind::kv, key, std::string(300, 'v')));
    if (i % 2)
      model[key] = std::string(300, 'v');
  }
  auto found = must_have(c->scan(table_kind::kv, "odd"));
  BOOST_TEST_REQUIRE(found.size() == model.size());
  BOOST_TEST(std::equal(found.begin(), found.end(), model.begin(),
                        [](auto& e, auto& kv) { return e.key == kv.first; }));
  BOOST_TEST(must_have(c->scan(table_kind::kv, "odd", 10)).size() == 10u);
  BOOST_TEST(must_have(c->scan(table_kind::kv, "neither")).empty());
}

BOOST_AUTO_TEST_CASE(the_copies_of_an_object_are_found_by_its_id) {
  auto object = to_binary(random_id<object_id>());
  for (int i = 0; i < 5; ++i)
    must_have(c->put(table_kind::objects, object + to_binary(random_id<node_id>()), "copy"));
  must_have(c->put(table_kind::objects,
                   to_binary(random_id<object_id>()) + to_binary(random_id<node_id>()), "other"));
  BOOST_TEST(must_have(c->scan(table_kind::objects, object)).size() == 5u);
}

BOOST_AUTO_TEST_CASE(events_of_all_shards_are_listed) {
  for (int i = 0; i < 10; ++i)
    must_have(c->put(table_kind::events, "", "e"));
  BOOST_TEST(must_have(c->scan(table_kind::events)).size() == 10u);
  BOOST_TEST(code_of(c->erase(table_kind::events, "12345678")) == errc::invalid_argument);
}

BOOST_AUTO_TEST_CASE(of_many_that_put_if_absent_exactly_one_wins) {
  for (int round = 0; round < 50; ++round) {
    std::atomic<int> winners{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&, i] {
        auto won =
          c->put_if_absent(table_kind::names, "name" + std::to_string(round), std::to_string(i));
        winners += won && *won;
      });
    for (auto& t : threads)
      t.join();
    BOOST_TEST_REQUIRE(winners == 1);
  }
}

BOOST_AUTO_TEST_CASE(writes_of_many_threads_are_few_batches_and_all_there_after_flush) {
  constexpr int thread_count = 4, writes = 20'000;
  std::vector<std::thread> threads;
  for (int t = 0; t < thread_count; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < writes; ++i)
        if (!c->put(table_kind::kv, std::to_string(t) + "/" + std::to_string(i), "v"))
          std::abort();
    });
  for (auto& t : threads)
    t.join();
  must_have(c->flush(long_time));
  auto status = c->status();
  BOOST_TEST(status.pending_bytes == 0u);
  BOOST_TEST(status.unacknowledged_batches == 0u);
  BOOST_TEST(status.batches < thread_count * writes / 10);
  BOOST_TEST(must_have(c->scan(table_kind::kv)).size() == thread_count * writes);
}

BOOST_AUTO_TEST_CASE(writers_wait_when_too_much_is_pending) {
  client_options options;
  options.max_pending_bytes = 100'000;
  options.max_batch_bytes = 20'000;
  auto small = make_client(*system, shards, options);
  std::atomic<bool> done{false};
  std::size_t most = 0;
  std::thread writer([&] {
    std::string value(1000, 'v');
    for (int i = 0; i < 5000; ++i)
      if (!small->put(table_kind::kv, std::to_string(i), value))
        std::abort();
    done = true;
  });
  while (!done)
    most = std::max(most, small->status().pending_bytes);
  writer.join();
  must_have(small->flush(long_time));
  BOOST_TEST(most <= 3 * options.max_pending_bytes);
  BOOST_TEST(must_have(small->scan(table_kind::kv)).size() == 5000u);
}

BOOST_AUTO_TEST_CASE(a_subscriber_hears_all_changes_of_a_table_from_all_shards) {
  std::promise<void> all;
  std::map<std::string, std::string> heard;
  auto id = c->subscribe(table_kind::actors, "", [&](const std::vector<change>& changes) {
    for (auto& x : changes)
      heard[x.key] = x.value;
    if (heard.size() == 100)
      all.set_value();
  });
  for (int i = 0; i < 100; ++i)
    must_have(c->put(table_kind::actors, "a" + std::to_string(i), std::to_string(i)));
  BOOST_TEST_REQUIRE((all.get_future().wait_for(long_time) == std::future_status::ready));
  c->unsubscribe(id);
  must_have(c->get(table_kind::actors, "a0")); // the port has seen the unsubscription
  for (auto& [key, value] : heard)
    BOOST_TEST_REQUIRE(key == "a" + value);
}

BOOST_AUTO_TEST_CASE(two_subscriptions_to_one_key_are_both_told_and_end_apart) {
  std::atomic<int> first{0}, second{0};
  auto count = [](std::atomic<int>& n) {
    return [&n](const std::vector<change>& x) { n += static_cast<int>(x.size()); };
  };
  auto one = c->subscribe(table_kind::kv, "k", count(first));
  auto two = c->subscribe(table_kind::kv, "k", count(second));
  auto write = [&] {
    must_have(c->write({table_kind::kv, write_kind::put, "k", "v", 0}));
    must_have(c->get(table_kind::kv, "k")); // its answer comes behind the change
  };
  write();
  c->unsubscribe(one);
  write();
  c->unsubscribe(two);
  write();
  BOOST_TEST(first == 1);
  BOOST_TEST(second == 2);
}

BOOST_AUTO_TEST_CASE(a_callback_that_would_wait_gets_an_error_at_once) {
  std::promise<errc> code;
  c->get(table_kind::kv, "k", [&](auto) { code.set_value(code_of(c->get(table_kind::kv, "k"))); });
  auto future = code.get_future();
  BOOST_TEST_REQUIRE((future.wait_for(long_time) == std::future_status::ready));
  BOOST_TEST(future.get() == errc::invalid_argument);
}

BOOST_AUTO_TEST_CASE(a_callback_may_write_and_read_on) {
  std::promise<std::string> value;
  c->get(table_kind::kv, "k", [&](auto) {
    (void)c->put(table_kind::kv, "k", "from the callback");
    c->get(table_kind::kv, "k", [&](auto r) { value.set_value(must_have(r).value_or("none")); });
  });
  auto future = value.get_future();
  BOOST_TEST_REQUIRE((future.wait_for(long_time) == std::future_status::ready));
  BOOST_TEST(future.get() == "from the callback");
}

BOOST_AUTO_TEST_CASE(keys_and_values_that_do_not_fit_are_invalid_arguments) {
  BOOST_TEST(code_of(c->put(table_kind::kv, "", "v")) == errc::invalid_argument);
  BOOST_TEST(code_of(c->put(table_kind::kv, std::string(600, 'k'), "v")) == errc::invalid_argument);
  BOOST_TEST(code_of(c->put(table_kind::kv, "k", std::string(2 << 20, 'v')))
             == errc::invalid_argument);
  BOOST_TEST(code_of(c->put_if_absent(table_kind::tasks, "k", "v")) == errc::invalid_argument);
  std::string longest(max_value_bytes, 'v');
  must_have(c->put(table_kind::kv, "k", longest));
  BOOST_TEST((must_have(c->get(table_kind::kv, "k")).value() == longest));
}

BOOST_AUTO_TEST_CASE(without_shards_calls_end_at_their_deadline) {
  for (auto& s : shards)
    caf::anon_send_exit(s, caf::exit_reason::user_shutdown);
  auto start = std::chrono::steady_clock::now();
  auto got = c->get(table_kind::kv, "k", 200ms);
  BOOST_TEST((code_of(got) == errc::gcs_unavailable || code_of(got) == errc::timed_out));
  must_have(c->put(table_kind::kv, "k", "v"));
  auto flushed = c->flush(200ms);
  BOOST_TEST(code_of(flushed) == errc::gcs_unavailable);
  c = nullptr;
  BOOST_TEST((std::chrono::steady_clock::now() - start < 5s));
}

BOOST_AUTO_TEST_SUITE_END()
