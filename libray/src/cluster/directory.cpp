#include "libray/src/cluster/directory.hpp"

#include <algorithm>

namespace caf_ray::cluster {

directory::value::value(value_form& form)
  : kind(form.kind), bytes(form.bytes), size_bytes(form.size_bytes),
    failure(std::move(form.failure)), contained(std::move(form.contained)),
    nodes(std::move(form.nodes)) {}

value_form directory::value::form() const {
  return {kind, bytes, size_bytes, failure, contained, nodes};
}

directory::holder* directory::holder_of(object& x, client_id who) {
  for (auto& h : x.holders)
    if (h.who == who)
      return &h;
  return nullptr;
}

bool directory::is_node(client_id id) const {
  return std::find(nodes_.begin(), nodes_.end(), id) != nodes_.end();
}

void directory::borrow(object_id id, client_id from, actions& out) {
  auto [at, is_new] = objects_.try_emplace(id);
  auto& origin = at->second.origin;
  if (is_new)
    origin.from = from;
  if (origin.from == from)
    ++origin.count;
  else
    out.give_back.push_back({from, id, 1});
}

void directory::settle(object_id id, actions& out) {
  if (auto at = objects_.find(id); at != objects_.end() && at->second.dead())
    bury(at, out);
}

void directory::keep_for(object_id id, client_id node, actions& out) {
  hold(id, node);
  auto& origin = objects_.at(id).origin;
  if (origin.count > 0)
    out.give_back.push_back({origin.from, id, origin.count});
  origin = {0, 0};
}

void directory::keep_copy(object_id id, client_id node, actions& out) {
  auto at = objects_.find(id);
  if (at == objects_.end() || at->second.stage != state::elsewhere) {
    out.give_back.push_back({node, id, 1});
    return;
  }
  at->second.copies.push_back({node, 1});
}

void directory::hold(object_id id, client_id to) {
  auto& x = objects_[id];
  auto* h = holder_of(x, to);
  if (!h)
    h = &x.holders.emplace_back(holder{to});
  ++h->count;
}

void directory::release(object_id id, client_id by, std::uint32_t count, actions& out) {
  auto at = objects_.find(id);
  if (at == objects_.end())
    return;
  auto* h = holder_of(at->second, by);
  if (!h)
    return;
  h->count -= std::min(h->count, count);
  if (h->count > 0) {
    // What is left is on its way to the process, which has forgotten what it had been told; or has
    // arrived there, and the process has asked before it said that the earlier ones are gone.
    h->told = false;
    if (std::exchange(h->wants, false))
      want(id, by, out);
    return;
  }
  at->second.holders.erase(at->second.holders.begin() + (h - at->second.holders.data()));
  if (at->second.dead())
    bury(at, out);
}

void directory::hold_inside(object_id id) {
  ++objects_[id].inside_count;
}

void directory::release_inside(object_id id, actions& out) {
  auto at = objects_.find(id);
  if (at == objects_.end() || at->second.inside_count == 0)
    return;
  --at->second.inside_count;
  if (at->second.dead())
    bury(at, out);
}

void directory::forget(client_id gone, node_id node, actions& out) {
  std::erase(nodes_, gone);
  std::vector<object_id> dead;
  for (auto& [id, x] : objects_) {
    if (auto* h = holder_of(x, gone)) {
      x.holders.erase(x.holders.begin() + (h - x.holders.data()));
      if (x.dead())
        dead.push_back(id);
    }
    if (!node)
      continue;
    std::erase_if(x.copies, [gone](const loan& copy) { return copy.from == gone; });
    bool was_origin = x.origin.from == gone;
    if (was_origin)
      x.origin = {0, 0};
    bool orphaned = x.stage == state::pending && was_origin;
    if (x.stage == state::elsewhere && std::erase(x.what.nodes, node) > 0)
      orphaned = x.what.nodes.empty();
    if (orphaned)
      out.orphaned.push_back(id);
  }
  // One may contain another, which is then gone already.
  for (auto& id : dead)
    settle(id, out);
}

void directory::let_go(object& x, object_id id, std::vector<object_id>& inside, actions& out) {
  if (x.ready() && x.what.kind == value_kind::stored)
    out.erase.push_back(id);
  inside.insert(inside.end(), x.what.contained.begin(), x.what.contained.end());
}

void directory::bury(table::iterator at, actions& out) {
  std::vector<object_id> inside;
  for (;;) {
    auto& x = at->second;
    if (x.stage != state::pending) {
      inlined_bytes_ -= x.what.bytes.size();
      let_go(x, at->first, inside, out);
    }
    if (x.origin.count > 0)
      out.give_back.push_back({x.origin.from, at->first, x.origin.count});
    for (auto& copy : x.copies)
      out.give_back.push_back({copy.from, at->first, copy.count});
    objects_.erase(at);
    // A list instead of recursion: values contain others, those again others.
    for (;;) {
      if (inside.empty())
        return;
      auto next = objects_.find(inside.back());
      inside.pop_back();
      if (next == objects_.end() || next->second.inside_count == 0)
        continue;
      --next->second.inside_count;
      if (next->second.dead()) {
        at = next;
        break;
      }
    }
  }
}

void directory::resolve(object_id id, value v, actions& out) {
  bool is_here = v.nodes.empty();
  bool in_arena = is_here && v.kind == value_kind::stored;
  auto at = objects_.find(id);
  if (at == objects_.end()) {
    if (in_arena)
      out.erase.push_back(id);
    return;
  }
  auto& x = at->second;
  if (x.stage == state::elsewhere && in_arena)
    return localise(id, out);
  if (x.stage != state::pending) { // of a second one in the arena the bytes are the same
    if (in_arena && x.what.kind != value_kind::stored)
      out.erase.push_back(id);
    return;
  }
  x.stage = is_here ? state::ready : state::elsewhere;
  x.what = std::move(v);
  inlined_bytes_ += x.what.bytes.size();
  for (auto& inner : x.what.contained)
    hold_inside(inner); // a reference into the map stays valid
  announce(x, id, out);
}

void directory::announce(object& x, object_id id, actions& out) {
  bool is_here = x.ready();
  if (is_here && std::exchange(x.watched, false))
    out.watched.push_back(id);
  bool needed = x.watched;
  for (auto& h : x.holders) {
    if (!h.wants)
      continue;
    if (!is_here && !is_node(h.who)) {
      needed = true;
      continue;
    }
    h.wants = false;
    if (!h.told)
      out.tell.emplace_back(h.who, id);
  }
  if (needed)
    need(x, id, out);
}

void directory::need(object& x, object_id id, actions& out) {
  if (x.stage == state::elsewhere)
    out.bring.push_back(id);
  else if (x.stage == state::pending && x.origin.from != 0 && !std::exchange(x.asked, true))
    out.ask.emplace_back(x.origin.from, id);
}

void directory::localise(object_id id, actions& out) {
  auto at = objects_.find(id);
  if (at == objects_.end() || at->second.stage != state::elsewhere) {
    if (at == objects_.end() || at->second.what.kind != value_kind::stored)
      out.erase.push_back(id);
    return;
  }
  at->second.stage = state::ready;
  at->second.what.nodes.clear();
  announce(at->second, id, out);
}

void directory::lose(object_id id, error why, actions& out) {
  auto at = objects_.find(id);
  if (at == objects_.end() || at->second.ready())
    return;
  auto& x = at->second;
  auto inside = std::exchange(x.what.contained, {});
  x.what = {};
  x.what.failure = std::move(why);
  x.stage = state::ready;
  announce(x, id, out);
  for (auto& inner : inside)
    release_inside(inner, out);
}

void directory::want(object_id id, client_id by, actions& out) {
  auto at = objects_.find(id);
  auto* h = at == objects_.end() ? nullptr : holder_of(at->second, by);
  if (!h)
    return;
  auto& x = at->second;
  bool can_be_told = x.ready() || (x.stage == state::elsewhere && is_node(by));
  if (can_be_told && !h->told) {
    out.tell.emplace_back(by, id);
    return;
  }
  h->wants = true;
  if (!can_be_told)
    need(x, id, out);
}

bool directory::watch(object_id id, actions& out) {
  auto at = objects_.find(id);
  if (at == objects_.end() || at->second.ready())
    return true;
  at->second.watched = true;
  need(at->second, id, out);
  return false;
}

const directory::value* directory::find(object_id id) const {
  auto at = objects_.find(id);
  return at == objects_.end() || !at->second.ready() ? nullptr : &at->second.what;
}

const directory::value* directory::find_anywhere(object_id id) const {
  auto at = objects_.find(id);
  return at == objects_.end() || at->second.stage == state::pending ? nullptr : &at->second.what;
}

bool directory::must_tell(object_id id, client_id to) const {
  auto at = objects_.find(id);
  if (at == objects_.end() || at->second.stage == state::pending
      || (at->second.stage == state::elsewhere && !is_node(to)))
    return false;
  auto* h = holder_of(const_cast<object&>(at->second), to);
  return h && !h->told;
}

const directory::value& directory::tell(object_id id, client_id to) {
  auto& x = objects_.at(id);
  if (auto* h = holder_of(x, to))
    h->told = true, h->wants = false;
  for (auto& inner : x.what.contained)
    hold(inner, to);
  return x.what;
}

void directory::describe(const std::function<void(object_id, const std::string&)>& each) const {
  for (auto& [id, x] : objects_) {
    std::string line = x.stage == state::pending           ? "pending"
                       : x.stage == state::elsewhere       ? "on another node"
                       : x.what.kind == value_kind::failed ? "an error"
                       : x.what.kind == value_kind::stored ? "in memory"
                                                           : "inline";
    if (x.stage != state::pending)
      line += ", " + std::to_string(x.what.size_bytes) + " bytes";
    for (auto& h : x.holders)
      line += ", held by " + std::to_string(h.who) + " x" + std::to_string(h.count);
    if (x.inside_count > 0)
      line += ", needed by tasks and values x" + std::to_string(x.inside_count);
    if (x.origin.count > 0)
      line += ", lent by " + std::to_string(x.origin.from) + " x" + std::to_string(x.origin.count);
    for (auto& copy : x.copies)
      line += ", copy at " + std::to_string(copy.from);
    each(id, line);
  }
}

} // namespace caf_ray::cluster
