#include "gcs/shard.hpp"

#include <algorithm>
#include <map>

#include "gcs/blocking.hpp"

namespace caf_ray::gcs {

void shard_state::receive(write_batch batch) {
  if (auto fine = batch.ops->check(); !fine) {
    self->send(caf::actor_cast<shard_listener>(self->current_sender()), ack_atom_v,
               write_ack{index, batch.client, batch.sequence, fine.error(), {}});
    return;
  }
  batches.push_back(std::move(batch));
  senders.push_back(self->current_sender());
  ++received;
  post_drain();
}

void shard_state::receive(const read_batch& batch) {
  if (batches.empty())
    answer(self->current_sender(), batch);
  else
    reads.push_back({self->current_sender(), batch, received});
}

/// What arrives before this message is handled joins the transaction.
void shard_state::post_drain() {
  if (!std::exchange(draining, true))
    self->send(self, drain_atom_v);
}

std::size_t shard_state::next_group() const {
  std::size_t count = 0, bytes = 0, ops = 0, erases = 0;
  for (auto& batch : batches) {
    bytes += batch.ops->size_bytes();
    ops += batch.ops->size();
    erases += batch.ops->erase_count();
    if (count > 0
        && (bytes > options.max_commit_bytes || ops > options.max_commit_ops
            || erases > options.max_commit_erases))
      break;
    ++count;
  }
  return count;
}

void shard_state::drain() {
  draining = false;
  if (batches.empty())
    return;
  auto count = next_group();
  auto outcomes = [&] {
    blocking_scope commit;
    return store->apply(std::span<const write_batch>(batches).first(count));
  }();
  dirty = true;
  for (std::size_t i = 0; i < count; ++i)
    acknowledge(i, outcomes.map([&](auto& all) { return all[i]; }));
  if (outcomes)
    publish(count, *outcomes);
  auto n = static_cast<std::ptrdiff_t>(count);
  batches.erase(batches.begin(), batches.begin() + n);
  senders.erase(senders.begin(), senders.begin() + n);
  settled += count;
  auto ready =
    std::find_if(reads.begin(), reads.end(), [this](auto& r) { return r.after > settled; });
  std::for_each(reads.begin(), ready, [this](auto& r) { answer(r.sender, r.batch); });
  reads.erase(reads.begin(), ready);
  if (!batches.empty())
    post_drain();
}

void shard_state::finish() {
  while (!batches.empty())
    drain();
}

void shard_state::acknowledge(std::size_t at, const result<batch_outcome>& outcome) {
  auto& batch = batches[at];
  // Silence makes the client send everything again, in order.
  if (!senders[at] || (outcome && outcome->kind == batch_outcome::out_of_order))
    return;
  write_ack ack{index, batch.client, batch.sequence, {}, {}};
  if (outcome)
    ack.notes = outcome->notes;
  else
    ack.err = outcome.error();
  self->send(caf::actor_cast<shard_listener>(senders[at]), ack_atom_v, std::move(ack));
}

void shard_state::publish(std::size_t count, const std::vector<batch_outcome>& outcomes) {
  if (watchers.size() == 0)
    return;
  struct letter {
    std::vector<change> changes;
    std::size_t bytes = 0;
  };
  std::map<caf::actor_addr, letter> letters;
  auto post = [&](const caf::actor_addr& to, letter& l) {
    if (auto receiver = caf::actor_cast<shard_listener>(to))
      self->send(receiver, changes_atom_v, index, std::move(l.changes));
    l = {};
  };
  for (std::size_t i = 0; i < count; ++i) {
    if (outcomes[i].kind != batch_outcome::applied)
      continue;
    auto note = outcomes[i].notes.begin();
    batches[i].ops->for_each([&](std::uint32_t at, const write_op& op) {
      if (note != outcomes[i].notes.end() && note->index == at) {
        ++note;
        return;
      }
      if (!watchers.any(op.table))
        return;
      watchers.match(op.table, op.key, [&](const caf::actor_addr& who) {
        auto& l = letters[who];
        l.bytes += op.key.size() + op.value.size() + sizeof(change);
        if (!l.changes.empty() && l.bytes > max_control_message_bytes / 2) {
          post(who, l);
          l.bytes = op.key.size() + op.value.size() + sizeof(change);
        }
        l.changes.push_back(
          {op.table, op.kind == write_kind::erase, std::string(op.key), std::string(op.value)});
      });
    });
  }
  for (auto& [to, l] : letters)
    post(to, l);
}

void shard_state::answer(const caf::strong_actor_ptr& sender, const read_batch& batch) {
  auto receiver = caf::actor_cast<shard_listener>(sender);
  if (!receiver || store->last_sequence(batch.client) < batch.after_sequence)
    return;
  read_count += batch.ops.size();
  std::vector<read_answer> answers;
  std::size_t bytes = 0;
  auto send = [&] {
    self->send(receiver, answer_atom_v, std::exchange(answers, {}));
    bytes = 0;
  };
  for (auto& op : batch.ops) {
    read_answer a{op.id, {}, {}};
    if (static_cast<std::size_t>(op.table) >= table_count) {
      a.err = {errc::invalid_argument, "no such table"};
    } else if (op.kind == read_kind::get) {
      if (auto value = store->get(op.table, op.key); !value)
        a.err = value.error();
      else if (*value)
        a.page.entries.push_back({{}, std::move(**value)});
    } else if (auto page = store->scan(op.table, op.key, op.after, op.limit); !page) {
      a.err = page.error();
    } else {
      a.page = std::move(*page);
    }
    std::size_t more = sizeof(a) + a.err.what.size();
    for (auto& e : a.page.entries)
      more += e.key.size() + e.value.size() + 16;
    if (!answers.empty() && bytes + more > max_control_message_bytes / 2)
      send();
    bytes += more;
    answers.push_back(std::move(a));
  }
  if (!answers.empty())
    send();
}

void shard_state::tick() {
  auto now = self->clock().now();
  if (std::exchange(dirty, false) && store->options().sync == durability::interval) {
    blocking_scope sync;
    (void)store->sync(); // on failure the tables refuse the next write, and say why
  }
  if (now >= next_reader_check) {
    store->check_readers();
    next_reader_check = now + options.reader_check_interval;
  }
  auto interval = options.reader_check_interval;
  if (store->options().sync == durability::interval)
    interval = std::min(interval, store->options().sync_interval);
  self->delayed_send(self, interval, tick_atom_v);
}

shard_status shard_state::status() const {
  auto s = store->status();
  s.reads = read_count;
  s.subscriptions = watchers.size();
  return s;
}

shard_actor::behavior_type shard(shard_state::self_pointer self, shard_options options) {
  auto& state = self->state;
  state.self = self;
  state.store = options.store;
  state.options = std::move(options);
  state.options.store = nullptr;
  state.index = state.store->options().shard_index;
  self->set_exit_handler([self](const caf::exit_msg& m) {
    self->state.finish();
    self->quit(m.reason);
  });
  self->set_down_handler(
    [self](const caf::down_msg& m) { self->state.watchers.remove_all(m.source); });
  state.next_reader_check = self->clock().now() + state.options.reader_check_interval;
  state.tick();
  return {
    [self](write_atom, const write_batch& batch) { self->state.receive(batch); },
    [self](read_atom, const read_batch& batch) { self->state.receive(batch); },
    [self](watch_atom, const watch_request& what, const caf::strong_actor_ptr& who) {
      if (!who || static_cast<std::size_t>(what.table) >= table_count)
        return;
      self->monitor(who);
      self->state.watchers.add(what, caf::actor_cast<caf::actor_addr>(who));
    },
    [self](unwatch_atom, const watch_request& what, const caf::strong_actor_ptr& who) {
      if (who && static_cast<std::size_t>(what.table) < table_count)
        self->state.watchers.remove(what, caf::actor_cast<caf::actor_addr>(who));
    },
    [self](status_atom) { return self->state.status(); },
    [self](drain_atom) { self->state.drain(); },
    [self](tick_atom) { self->state.tick(); },
  };
}

result<std::vector<shard_actor>> spawn_shards(caf::actor_system& system, table_options options) {
  std::vector<std::shared_ptr<tables>> stores;
  for (options.shard_index = 0; options.shard_index < options.shard_count; ++options.shard_index) {
    auto store = tables::open(options);
    if (!store)
      return tl::unexpected(store.error());
    stores.push_back(std::move(*store));
  }
  std::vector<shard_actor> shards;
  for (auto& store : stores) {
    shard_options o;
    o.store = std::move(store);
    shards.push_back(system.spawn<caf::hidden>(shard, std::move(o)));
  }
  return shards;
}

} // namespace caf_ray::gcs
