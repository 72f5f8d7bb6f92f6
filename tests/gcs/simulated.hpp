#pragma once

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include <caf/all.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include "gcs/actors.hpp"
#include "gcs/shard.hpp"
#include "tests/gcs/support.hpp"

/// Actors on CAF's test coordinator: one thread, simulated time, nothing happens between two calls.
namespace caf_ray::gcs::test {

/// What one listener has received.
struct received {
  std::vector<write_ack> acks;
  std::vector<read_answer> answers;
  std::vector<change> changes;
  std::size_t change_messages = 0;
};

inline shard_listener::behavior_type listener(shard_listener::pointer,
                                              std::shared_ptr<received> got) {
  return {
    [got](ack_atom, const write_ack& ack) { got->acks.push_back(ack); },
    [got](answer_atom, const std::vector<read_answer>& answers) {
      got->answers.insert(got->answers.end(), answers.begin(), answers.end());
    },
    [got](changes_atom, std::uint32_t, const std::vector<change>& changes) {
      ++got->change_messages;
      got->changes.insert(got->changes.end(), changes.begin(), changes.end());
    },
  };
}

struct simulation {
  temp_folder folder;
  caf::actor_system_config config;
  std::unique_ptr<caf::actor_system> system;
  caf::scheduler::test_coordinator* scheduler = nullptr;
  table_options options;
  std::vector<caf::strong_actor_ptr> to_stop;

  simulation() {
    config.add_message_types<caf::id_block::caf_ray>();
    config.set("scheduler.policy", caf::atom("testing"));
    system = std::make_unique<caf::actor_system>(config);
    scheduler = &dynamic_cast<caf::scheduler::test_coordinator&>(system->scheduler());
    options.folder = folder.path;
    options.sync = durability::none;
  }

  ~simulation() {
    for (auto& actor : to_stop)
      stop(actor);
    to_stop.clear();
    settle();
  }

  void stop(const caf::strong_actor_ptr& actor) {
    caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
  }

  /// Runs what can run at this moment.
  void settle() {
    while (scheduler->try_run_once())
      ;
  }

  void advance(caf::timespan by) {
    settle();
    scheduler->advance_time(by);
    settle();
  }

  template <class Handle>
  Handle keep(Handle actor) {
    to_stop.push_back(caf::actor_cast<caf::strong_actor_ptr>(actor));
    return actor;
  }

  shard_actor spawn_shard() {
    shard_options o;
    o.store = must_have(tables::open(options));
    return keep(system->spawn(shard, std::move(o)));
  }

  std::pair<shard_listener, std::shared_ptr<received>> spawn_listener() {
    auto got = std::make_shared<received>();
    return {keep(system->spawn(listener, got)), got};
  }
};

inline write_batch batch(std::uint64_t sequence, std::initializer_list<write_op> ops,
                         std::uint64_t client = 1) {
  auto list = std::make_shared<write_list>();
  for (auto& op : ops)
    list->add(op);
  return {client, sequence, 1, list};
}

inline write_op put(std::string_view key, std::string_view value,
                    table_kind table = table_kind::kv) {
  return {table, write_kind::put, key, value, 0};
}

} // namespace caf_ray::gcs::test
