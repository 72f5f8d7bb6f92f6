#include "libray/src/cluster/directory.hpp"

#include <algorithm>

namespace caf_ray::cluster {

directory::value::value(value_form& form)
  : kind(form.kind), bytes(form.bytes), size_bytes(form.size_bytes),
    failure(std::move(form.failure)), contained(std::move(form.contained)) {}

value_form directory::value::form() const {
  return {kind, bytes, size_bytes, failure, contained};
}

directory::holder* directory::holder_of(object& x, client_id who) {
  for (auto& h : x.holders)
    if (h.who == who)
      return &h;
  return nullptr;
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
    if (at->second.ready && std::exchange(h->wants, false))
      out.tell.emplace_back(by, id);
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

void directory::forget(client_id gone, actions& out) {
  std::vector<object_id> dead;
  for (auto& [id, x] : objects_) {
    auto* h = holder_of(x, gone);
    if (!h)
      continue;
    x.holders.erase(x.holders.begin() + (h - x.holders.data()));
    if (x.dead())
      dead.push_back(id);
  }
  // One may contain another, which is then gone already.
  for (auto& id : dead)
    if (auto at = objects_.find(id); at != objects_.end() && at->second.dead())
      bury(at, out);
}

void directory::let_go(value& v, object_id id, std::vector<object_id>& inside, actions& out) {
  if (v.kind == value_kind::stored)
    out.erase.push_back(id);
  inside.insert(inside.end(), v.contained.begin(), v.contained.end());
}

void directory::bury(table::iterator at, actions& out) {
  std::vector<object_id> inside;
  for (;;) {
    if (at->second.ready) {
      inlined_bytes_ -= at->second.what.bytes.size();
      let_go(at->second.what, at->first, inside, out);
    }
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
  auto at = objects_.find(id);
  if (at == objects_.end()) {
    if (v.kind == value_kind::stored)
      out.erase.push_back(id);
    return;
  }
  auto& x = at->second;
  if (x.ready) { // of a second one in the arena the bytes are the same, and lie there once
    if (v.kind == value_kind::stored && x.what.kind != value_kind::stored)
      out.erase.push_back(id);
    return;
  }
  x.ready = true;
  x.what = std::move(v);
  inlined_bytes_ += x.what.bytes.size();
  for (auto& inner : x.what.contained)
    hold_inside(inner); // a reference into the map stays valid
  if (std::exchange(x.watched, false))
    out.watched.push_back(id);
  for (auto& h : x.holders)
    if (std::exchange(h.wants, false) && !h.told)
      out.tell.emplace_back(h.who, id);
}

void directory::want(object_id id, client_id by, actions& out) {
  auto at = objects_.find(id);
  auto* h = at == objects_.end() ? nullptr : holder_of(at->second, by);
  if (!h)
    return;
  if (at->second.ready && !h->told)
    out.tell.emplace_back(by, id);
  else
    h->wants = true;
}

bool directory::watch(object_id id) {
  auto at = objects_.find(id);
  if (at == objects_.end() || at->second.ready)
    return true;
  at->second.watched = true;
  return false;
}

const directory::value* directory::find(object_id id) const {
  auto at = objects_.find(id);
  return at == objects_.end() || !at->second.ready ? nullptr : &at->second.what;
}

bool directory::must_tell(object_id id, client_id to) const {
  auto at = objects_.find(id);
  if (at == objects_.end() || !at->second.ready)
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

} // namespace caf_ray::cluster
