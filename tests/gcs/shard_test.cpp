#include "gcs/shard.hpp"

#include "tests/gcs/simulated.hpp"

using namespace caf_ray;
using namespace caf_ray::gcs;
using namespace caf_ray::gcs::test;

namespace {

struct fixture : simulation {
  shard_actor s = spawn_shard();
  shard_listener me;
  std::shared_ptr<received> got;

  fixture() {
    std::tie(me, got) = spawn_listener();
    settle();
  }

  template <class... Ts>
  void send(Ts&&... xs) {
    caf::send_as(me, s, std::forward<Ts>(xs)...);
  }

  caf::strong_actor_ptr my_address() const { return caf::actor_cast<caf::strong_actor_ptr>(me); }

  shard_status status() {
    shard_status result;
    caf::scoped_actor self{*system};
    auto pending = self->request(s, long_time, status_atom_v);
    settle();
    pending.receive([&](shard_status& s) { result = std::move(s); },
                    [](caf::error& e) { BOOST_FAIL("no status: " << to_string(e)); });
    return result;
  }

  read_op get(std::uint64_t id, std::string key) {
    return {id, read_kind::get, table_kind::kv, std::move(key), {}, 0};
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(gcs_shard, fixture)

BOOST_AUTO_TEST_CASE(batches_that_arrive_together_are_committed_together) {
  auto before = status().commits;
  for (std::uint64_t i = 1; i <= 10; ++i)
    send(write_atom_v, batch(i, {put("k" + std::to_string(i), "v")}));
  settle();
  BOOST_TEST(status().commits == before + 1);
  BOOST_TEST_REQUIRE(got->acks.size() == 10u);
  for (std::uint64_t i = 0; i < 10; ++i) {
    BOOST_TEST(got->acks[i].sequence == i + 1);
    BOOST_TEST(got->acks[i].err.code == errc::none);
  }
}

BOOST_AUTO_TEST_CASE(too_much_for_one_transaction_goes_into_several) {
  auto before = status().commits;
  std::string value(500'000, 'v');
  for (std::uint64_t i = 1; i <= 40; ++i)
    send(write_atom_v, batch(i, {put("k" + std::to_string(i), value)}));
  settle();
  BOOST_TEST(got->acks.size() == 40u);
  auto commits = status().commits - before;
  BOOST_TEST(commits == 3u);
}

BOOST_AUTO_TEST_CASE(no_acknowledgement_comes_before_the_commit) {
  send(write_atom_v, batch(1, {put("k", "v")}));
  BOOST_TEST_REQUIRE(scheduler->try_run_once()); // the shard takes the batch in
  BOOST_TEST(got->acks.empty());
  settle();
  BOOST_TEST(got->acks.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_read_behind_a_write_sees_it_and_one_before_does_not) {
  send(read_atom_v, read_batch{1, 0, {get(1, "k")}});
  send(write_atom_v, batch(1, {put("k", "v")}));
  send(read_atom_v, read_batch{1, 0, {get(2, "k"), get(3, "none")}});
  settle();
  BOOST_TEST_REQUIRE(got->answers.size() == 3u);
  BOOST_TEST(got->answers[0].page.entries.empty());
  BOOST_TEST_REQUIRE(got->answers[1].page.entries.size() == 1u);
  BOOST_TEST(got->answers[1].page.entries[0].value == "v");
  BOOST_TEST(got->answers[2].page.entries.empty());
  for (std::uint64_t i = 0; i < 3; ++i)
    BOOST_TEST(got->answers[i].id == i + 1);
}

BOOST_AUTO_TEST_CASE(a_read_whose_write_was_lost_on_the_way_is_dropped_until_both_come_again) {
  send(read_atom_v, read_batch{1, 1, {get(1, "k")}});
  settle();
  BOOST_TEST(got->answers.empty());
  send(write_atom_v, batch(1, {put("k", "v")}));
  send(read_atom_v, read_batch{1, 1, {get(1, "k")}});
  settle();
  BOOST_TEST(got->answers.at(0).page.entries.at(0).value == "v");
}

BOOST_AUTO_TEST_CASE(a_retried_batch_is_acknowledged_again_with_the_same_outcome) {
  auto b = batch(1, {{table_kind::kv, write_kind::put_if_absent, "k", "v", 0},
                     {table_kind::kv, write_kind::put_if_absent, "k", "w", 0}});
  send(write_atom_v, b);
  send(write_atom_v, b); // joins the same transaction
  settle();
  send(write_atom_v, b);
  settle();
  BOOST_TEST_REQUIRE(got->acks.size() == 3u);
  for (auto& ack : got->acks)
    BOOST_TEST((ack.notes == std::vector<op_note>{{1, op_outcome::unchanged}}));
  BOOST_TEST(status().duplicate_batches == 2u);
}

BOOST_AUTO_TEST_CASE(a_batch_before_its_predecessor_is_dropped_until_it_comes_again) {
  send(write_atom_v, batch(2, {put("k", "2")}));
  settle();
  BOOST_TEST(got->acks.empty());
  send(write_atom_v, batch(1, {put("k", "1")}));
  send(write_atom_v, batch(2, {put("k", "2")}));
  send(read_atom_v, read_batch{1, 0, {get(1, "k")}});
  settle();
  BOOST_TEST(got->acks.size() == 2u);
  BOOST_TEST(got->answers.at(0).page.entries.at(0).value == "2");
}

BOOST_AUTO_TEST_CASE(a_batch_that_is_none_is_answered_with_an_error) {
  auto list = std::make_shared<write_list>();
  list->add({table_kind::tasks, write_kind::put, "no task id", "v", 0});
  send(write_atom_v, write_batch{1, 1, 1, list});
  settle();
  BOOST_TEST(got->acks.at(0).err.code == errc::corrupt);
  read_op bad{1, read_kind::get, static_cast<table_kind>(200), "k", {}, 0};
  send(read_atom_v, read_batch{1, 0, {bad}});
  settle();
  BOOST_TEST(got->answers.at(0).err.code == errc::invalid_argument);
}

BOOST_AUTO_TEST_CASE(subscribers_hear_of_what_was_committed_and_changed) {
  send(watch_atom_v, watch_request{table_kind::actors, ""}, my_address());
  send(watch_atom_v, watch_request{table_kind::kv, "b"}, my_address());
  send(write_atom_v, batch(1, {put("1", "x", table_kind::actors),
                               put("a", "x"),
                               put("b", "x"),
                               {table_kind::kv, write_kind::put_if_absent, "b", "y", 0},
                               {table_kind::kv, write_kind::erase, "b", "", 0},
                               {table_kind::actors, write_kind::erase, "none", "", 0}}));
  settle();
  std::vector<change> expected{{table_kind::actors, false, "1", "x"},
                               {table_kind::kv, false, "b", "x"},
                               {table_kind::kv, true, "b", ""}};
  BOOST_TEST((got->changes == expected));
  BOOST_TEST(got->change_messages == 1u);
  send(unwatch_atom_v, watch_request{table_kind::actors, ""}, my_address());
  send(write_atom_v, batch(2, {put("2", "x", table_kind::actors)}));
  settle();
  BOOST_TEST(got->changes.size() == 3u);
}

BOOST_AUTO_TEST_CASE(a_retried_batch_is_told_once) {
  send(watch_atom_v, watch_request{table_kind::kv, ""}, my_address());
  for (int i = 0; i < 3; ++i)
    send(write_atom_v, batch(1, {put("k", "v")}));
  settle();
  BOOST_TEST(got->changes.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_subscriber_that_dies_is_forgotten) {
  auto [other, others] = spawn_listener();
  auto address = caf::actor_cast<caf::strong_actor_ptr>(other);
  send(watch_atom_v, watch_request{table_kind::kv, ""}, address);
  send(watch_atom_v, watch_request{table_kind::kv, "k"}, address);
  settle();
  BOOST_TEST(status().subscriptions == 2u);
  stop(address);
  settle();
  BOOST_TEST(status().subscriptions == 0u);
}

BOOST_AUTO_TEST_CASE(what_arrived_before_the_exit_is_committed_and_acknowledged) {
  for (std::uint64_t i = 1; i <= 3; ++i)
    send(write_atom_v, batch(i, {put("k" + std::to_string(i), "v")}));
  send(read_atom_v, read_batch{1, 0, {get(1, "k3")}});
  // An exit message overtakes the drain message, since it has priority.
  BOOST_TEST_REQUIRE(scheduler->try_run_once());
  stop(caf::actor_cast<caf::strong_actor_ptr>(s));
  settle();
  BOOST_TEST(got->acks.size() >= 1u);
  auto t = must_have(tables::open(options)); // the folder is free again
  for (auto& ack : got->acks)
    BOOST_TEST(must_have(t->get(table_kind::kv, "k" + std::to_string(ack.sequence))).has_value());
}

BOOST_AUTO_TEST_CASE(a_full_map_is_told_per_write) {
  auto [other, others] = spawn_listener();
  options.shard_index = 1;
  options.shard_count = 2;
  options.folder = folder.path / "small";
  options.map_bytes = options.max_map_bytes = 1 << 20;
  auto small = spawn_shard();
  std::string value(100'000, 'v');
  for (std::uint64_t i = 1; i <= 20; ++i)
    caf::send_as(other, small, write_atom_v, batch(i, {put("k" + std::to_string(i), value)}));
  caf::send_as(other, small, write_atom_v,
               batch(21, {{table_kind::kv, write_kind::erase, "k1", "", 0}}));
  settle();
  BOOST_TEST_REQUIRE(others->acks.size() == 21u);
  int refused = 0;
  for (auto& ack : others->acks) {
    BOOST_TEST(ack.err.code == errc::none);
    for (auto& n : ack.notes)
      refused += n.outcome == op_outcome::refused;
  }
  BOOST_TEST(refused > 5);
}

BOOST_AUTO_TEST_CASE(the_timer_syncs_only_after_writes_and_goes_on) {
  options.folder = folder.path / "interval";
  options.sync = durability::interval;
  auto other = spawn_shard();
  for (int i = 0; i < 50; ++i)
    advance(100ms);
  caf::send_as(me, other, write_atom_v, batch(1, {put("k", "v")}));
  for (int i = 0; i < 50; ++i)
    advance(100ms);
  BOOST_TEST(got->acks.size() == 1u);
  BOOST_TEST(scheduler->has_pending_timeout());
}

BOOST_AUTO_TEST_CASE(spawning_on_a_folder_in_use_is_an_error_and_spawns_nothing) {
  auto again = spawn_shards(*system, options);
  BOOST_TEST(code_of(again) == errc::in_use);
}

BOOST_AUTO_TEST_SUITE_END()
