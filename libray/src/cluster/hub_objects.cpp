// The part of the hub that deals with objects: what they are, who holds them, where they lie.

#include "libray/src/cluster/hub_core.hpp"

#include <algorithm>
#include <utility>

namespace caf_ray::cluster {

using event_kind = scheduler::task_event::kind;

namespace {

/// A full store may take this long to make room before a process is told that there is none.
constexpr auto store_patience = std::chrono::minutes(5);

} // namespace

void hub_core::tell(client_id to, object_id object, bool held) {
  if (held)
    objects_.hold(object, to);
  auto& value = objects_.tell(object, to);
  auto form = value.form();
  if (is_node(to) && form.kind == value_kind::stored && form.nodes.empty())
    form.nodes.push_back(options_.node);
  say(to, ready_op{object, form, held});
}

void hub_core::perform(directory::actions& actions) {
  for (auto& [to, object] : actions.tell)
    if (objects_.must_tell(object, to))
      tell(to, object);
  for (auto& object : actions.watched)
    options_.ports->events.push({event_kind::object_ready, nullptr, object});
  for (auto& object : actions.erase)
    options_.store->erase(object);
  for (auto& object : actions.bring)
    bring(object);
  for (auto& [whom, object] : actions.ask)
    say(whom, want_op{object});
  for (auto& debt : actions.give_back)
    say(debt.to, release_op{debt.object, debt.count});
}

bool hub_core::watch(object_id object) {
  directory::actions actions;
  bool is_here = objects_.watch(object, actions);
  perform(actions);
  return is_here;
}

void hub_core::bring(object_id object) {
  auto* value = objects_.find_anywhere(object);
  if (!value || value->nodes.empty() || !bringing_.insert(object).second)
    return;
  options_.bring(object, value->size_bytes, value->nodes, [this, object](result<void> how) {
    bringing_.erase(object);
    directory::actions actions;
    if (how)
      objects_.localise(object, actions);
    else
      objects_.lose(object, how.error(), actions);
    perform(actions);
    flush();
  });
}

void hub_core::on(client_id from, want_op& op) {
  directory::actions actions;
  objects_.want(op.object, from, actions);
  perform(actions);
}

void hub_core::on(client_id from, borrow_op& op) {
  bool known = objects_.known(op.object);
  objects_.hold(op.object, from);
  directory::actions actions;
  if (!known) {
    directory::value lost;
    lost.failure = {errc::object_lost,
                    "object " + to_string(op.object)
                      + " does not exist: it was never created, or its last reference is gone"};
    objects_.resolve(op.object, std::move(lost), actions);
  }
  objects_.want(op.object, from, actions);
  perform(actions);
}

void hub_core::on(client_id from, release_op& op) {
  directory::actions actions;
  objects_.release(op.object, from, op.count, actions);
  perform(actions);
}

void hub_core::on(client_id from, put_op& op) {
  objects_.hold(op.object, from);
  find(from)->unannounced.erase(op.object);
  directory::actions actions;
  objects_.resolve(op.object, directory::value(op.value), actions);
  perform(actions);
}

void hub_core::on(client_id from, create_op& op) {
  auto created = std::make_shared<result<objstore::writable>>();
  options_.aside([store = options_.store, op,
                  created] { *created = store->create(op.object, op.size_bytes, store_patience); },
                 [this, from, object = op.object, created] {
                   made_memory(from, object, std::move(*created));
                   flush();
                 });
}

void hub_core::made_memory(client_id to, object_id object, result<objstore::writable> memory) {
  auto* c = find(to);
  if (!c)
    return;
  created_op answer;
  answer.object = object;
  if (memory) {
    answer.offset_bytes =
      static_cast<std::uint64_t>(memory->data().data() - options_.store->memory_base());
    answer.size_bytes = memory->data().size();
    c->writing[object] = std::move(*memory);
  } else {
    answer.failure = std::move(memory.error());
  }
  say(to, answer);
}

void hub_core::on(client_id from, seal_op& op) {
  auto* c = find(from);
  auto at = c->writing.find(op.object);
  if (at == c->writing.end())
    return;
  auto& pins = c->reading[op.object];
  pins.pin = at->second.seal();
  ++pins.count;
  c->unannounced.insert(op.object);
  c->writing.erase(at);
}

void hub_core::on(client_id from, abort_op& op) {
  auto* c = find(from);
  c->writing.erase(op.object);
  if (c->unannounced.erase(op.object))
    options_.store->erase(op.object);
}

void hub_core::on(client_id from, pin_op& op) {
  if (auto pin = options_.store->try_get(op.object))
    return got_pin(from, op.object, std::move(*pin));
  auto got = std::make_shared<result<objstore::pinned>>();
  options_.aside(
    [store = options_.store, op, got] { *got = store->get(op.object, store_patience); },
    [this, from, object = op.object, got] {
      got_pin(from, object, std::move(*got));
      flush();
    });
}

void hub_core::got_pin(client_id to, object_id object, result<objstore::pinned> pin) {
  auto* c = find(to);
  if (!c)
    return;
  pinned_op answer;
  answer.object = object;
  if (pin) {
    answer.offset_bytes =
      static_cast<std::uint64_t>(pin->bytes().data() - options_.store->memory_base());
    answer.size_bytes = pin->bytes().size();
    auto& pins = c->reading[object];
    pins.pin = std::move(*pin);
    ++pins.count;
  } else {
    answer.failure = std::move(pin.error());
  }
  say(to, answer);
}

void hub_core::on(client_id from, unpin_op& op) {
  auto& reading = find(from)->reading;
  auto at = reading.find(op.object);
  if (at == reading.end())
    return;
  at->second.count -= std::min(at->second.count, op.count);
  if (at->second.count == 0)
    reading.erase(at);
}

} // namespace caf_ray::cluster
