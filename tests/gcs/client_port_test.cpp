#include "gcs/client_port.hpp"

#include <map>

#include "tests/gcs/simulated.hpp"

using namespace caf_ray;
using namespace caf_ray::gcs;
using namespace caf_ray::gcs::test;

namespace {

/// A shard as one sees it over a bad network: both ways, messages are lost or come twice.
using lossy_actor = shard_actor::extend<caf::reacts_to<ack_atom, write_ack>,
                                        caf::reacts_to<answer_atom, std::vector<read_answer>>>;

struct lossy_state {
  shard_actor shard;
  caf::strong_actor_ptr client;
};

lossy_actor::behavior_type lossy(lossy_actor::stateful_pointer<lossy_state> self, shard_actor shard,
                                 std::mt19937_64* random, int loss_percent) {
  self->state.shard = std::move(shard);
  auto times = [=] {
    auto dice = static_cast<int>((*random)() % 100);
    return dice < loss_percent ? 0 : dice < loss_percent + 10 ? 2 : 1;
  };
  auto client = [self] { return caf::actor_cast<shard_listener>(self->state.client); };
  return {
    [=](write_atom, const write_batch& b) {
      self->state.client = self->current_sender();
      for (int n = times(); n > 0; --n)
        self->send(self->state.shard, write_atom_v, b);
    },
    [=](read_atom, const read_batch& b) {
      self->state.client = self->current_sender();
      for (int n = times(); n > 0; --n)
        self->send(self->state.shard, read_atom_v, b);
    },
    [=](watch_atom, const watch_request& what, const caf::strong_actor_ptr& who) {
      self->send(self->state.shard, watch_atom_v, what, who);
    },
    [=](unwatch_atom, const watch_request& what, const caf::strong_actor_ptr& who) {
      self->send(self->state.shard, unwatch_atom_v, what, who);
    },
    [=](status_atom) { return shard_status{}; },
    [=](drain_atom) {},
    [=](tick_atom) {},
    [=](ack_atom, const write_ack& ack) {
      for (int n = times(); n > 0; --n)
        self->send(client(), ack_atom_v, ack);
    },
    [=](answer_atom, const std::vector<read_answer>& answers) {
      for (int n = times(); n > 0; --n)
        self->send(client(), answer_atom_v, answers);
    },
  };
}

struct fixture : simulation {
  std::unique_ptr<client> c;
  client_options client_opts;

  ~fixture() { c = nullptr; }

  void connect(std::vector<shard_actor> shards) {
    c = make_client(*system, std::move(shards), client_opts);
    settle();
  }

  /// Lets simulated time pass until `done`, at most `limit`.
  template <class F>
  bool pass_until(F done, caf::timespan limit = std::chrono::minutes(10)) {
    for (caf::timespan passed{0}; passed < limit; passed += 20ms) {
      settle();
      if (done())
        return true;
      scheduler->advance_time(20ms);
    }
    return false;
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(port, fixture)

BOOST_AUTO_TEST_CASE(over_a_network_that_loses_and_repeats_each_write_is_applied_once) {
  std::mt19937_64 random(seed());
  client_opts.max_batch_ops = 5;
  client_opts.max_unacknowledged = 4;
  for (int loss : {0, 10, 40}) {
    options.folder = folder.path / std::to_string(loss);
    auto real = spawn_shard();
    connect({keep(system->spawn(lossy, real, &random, loss))});
    int won = 0, lost = 0, failed = 0, reads = 0, stale = 0;
    constexpr int count = 500;
    for (int i = 0; i < count; ++i) {
      // Were it applied twice, the second time would find the key.
      auto key = "k" + std::to_string(i);
      c->write(
        {table_kind::kv, write_kind::put_if_absent, key, "v", 0},
        [&](result<bool> r) { r ? ++(*r ? won : lost) : ++failed; }, std::chrono::hours(1));
      must_have(c->put(table_kind::kv, "last", std::to_string(i)));
      if (random() % 8 == 0) {
        ++reads;
        c->get(
          table_kind::kv, "last",
          [&, i](result<std::optional<std::string>> r) {
            --reads;
            stale += std::stoi(must_have(r).value_or("-1")) < i;
          },
          std::chrono::hours(1));
      }
      if (random() % 4 == 0)
        settle();
    }
    BOOST_TEST(pass_until([&] { return won + lost + failed == count && reads == 0; }));
    BOOST_TEST(won == count);
    BOOST_TEST(stale == 0);
    std::size_t there = 0;
    c->scan(
      table_kind::kv, "k", SIZE_MAX,
      [&](result<std::vector<entry>> r) { there = must_have(std::move(r)).size(); },
      std::chrono::hours(1));
    BOOST_TEST(pass_until([&] { return there > 0; }));
    BOOST_TEST(there == count);
    BOOST_TEST((loss == 0 || c->status().retries > 0));
    c = nullptr;
  }
}

BOOST_AUTO_TEST_CASE(a_mute_shard_makes_calls_fail_at_their_deadline) {
  std::mt19937_64 random(1);
  client_opts.timeout = 10ms; // at the end, the client does not wait long either
  connect({keep(system->spawn(lossy, spawn_shard(), &random, 200))});
  errc written = errc::none, read = errc::none;
  c->write(
    put("k", "v"), [&](result<bool> r) { written = code_of(r); }, 1000ms);
  c->get(
    table_kind::kv, "k", [&](result<std::optional<std::string>> r) { read = code_of(r); }, 2000ms);
  BOOST_TEST(!pass_until([&] { return written != errc::none; }, 900ms));
  BOOST_TEST(pass_until([&] { return written != errc::none; }, 300ms));
  BOOST_TEST(pass_until([&] { return read != errc::none; }, 1200ms));
  BOOST_TEST(written == errc::timed_out);
  BOOST_TEST(read == errc::timed_out);
}

BOOST_AUTO_TEST_CASE(a_dead_shard_is_unavailable_until_it_is_replaced_and_nothing_is_lost) {
  auto first = spawn_shard();
  connect({first});
  std::vector<change> told;
  c->subscribe(table_kind::kv, "after", [&](const std::vector<change>& all) {
    told.insert(told.end(), all.begin(), all.end());
  });
  must_have(c->put(table_kind::kv, "before", "1"));
  settle();
  stop(caf::actor_cast<caf::strong_actor_ptr>(first));
  first = nullptr;
  settle();
  errc early = errc::none;
  c->get(
    table_kind::kv, "before", [&](result<std::optional<std::string>> r) { early = code_of(r); },
    1000ms);
  BOOST_TEST(pass_until([&] { return early != errc::none; }, 1200ms));
  BOOST_TEST(early == errc::gcs_unavailable);
  must_have(c->put(table_kind::kv, "after", "2"));
  bool done = false;
  c->write(
    put("third", "3"), [&](result<bool> r) { done = must_have(r); }, 60'000ms);
  advance(5s);
  BOOST_TEST(!done);
  to_stop.clear();
  replace_shard(*c, 0, spawn_shard());
  settle();
  BOOST_TEST(done);
  std::string before, after;
  c->get(table_kind::kv, "before",
         [&](result<std::optional<std::string>> r) { before = must_have(r).value_or("none"); });
  c->get(table_kind::kv, "after",
         [&](result<std::optional<std::string>> r) { after = must_have(r).value_or("none"); });
  settle();
  BOOST_TEST(before == "1");
  BOOST_TEST(after == "2");
  BOOST_TEST((told == std::vector<change>{{table_kind::kv, false, "after", "2"}}));
}

BOOST_AUTO_TEST_CASE(the_timer_rests_when_nothing_is_pending) {
  options.sync = durability::none;
  connect({spawn_shard()});
  must_have(c->put(table_kind::kv, "k", "v"));
  advance(1s);
  auto timeouts = scheduler->advance_time(5s); // the shard's own comes every ten seconds
  BOOST_TEST(timeouts == 0u);
}

BOOST_AUTO_TEST_CASE(the_end_of_the_client_fails_what_is_pending_there_and_then) {
  std::mt19937_64 random(1);
  connect({keep(system->spawn(lossy, spawn_shard(), &random, 200))});
  errc read = errc::none;
  c->get(table_kind::kv, "k", [&](result<std::optional<std::string>> r) { read = code_of(r); });
  settle();
  c = nullptr;
  BOOST_TEST(read == errc::shut_down);
}

BOOST_AUTO_TEST_SUITE_END()
