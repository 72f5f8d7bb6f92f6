#pragma once

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "gcs/types/operations.hpp"

namespace caf_ray::gcs {

/// Who wants to hear of which changes. Used by a shard for the actors that watch it, and by the
/// client for the callbacks behind its port. Ends do not matter here: say `remove_all`.
template <class Subscriber>
class subscriptions {
public:
  /// Subscribing twice to the same thing is subscribing once.
  void add(const watch_request& what, const Subscriber& who) {
    auto& list = lists_[static_cast<std::size_t>(what.table)][what.key];
    if (std::find(list.begin(), list.end(), who) == list.end()) {
      list.push_back(who);
      ++size_;
    }
  }

  void remove(const watch_request& what, const Subscriber& who) {
    auto& table = lists_[static_cast<std::size_t>(what.table)];
    if (auto list = table.find(what.key); list != table.end()) {
      size_ -= std::erase(list->second, who);
      if (list->second.empty())
        table.erase(list);
    }
  }

  void remove_all(const Subscriber& who) {
    for (auto& table : lists_)
      for (auto list = table.begin(); list != table.end();) {
        size_ -= std::erase(list->second, who);
        list = list->second.empty() ? table.erase(list) : std::next(list);
      }
  }

  /// True when anybody watches anything in this table.
  bool any(table_kind table) const noexcept {
    return !lists_[static_cast<std::size_t>(table)].empty();
  }

  std::size_t size() const noexcept { return size_; }

  /// Calls `f(subscriber)` once for each that a change of this key concerns.
  template <class F>
  void match(table_kind table, std::string_view key, F f) const {
    auto& lists = lists_[static_cast<std::size_t>(table)];
    std::vector<Subscriber> told;
    auto tell = [&](std::string_view name) {
      auto list = lists.find(name);
      if (list == lists.end())
        return;
      for (auto& who : list->second)
        if (std::find(told.begin(), told.end(), who) == told.end()) {
          told.push_back(who);
          f(who);
        }
    };
    tell({});
    if (!key.empty())
      tell(key);
    if (auto part = routing_key(table, key); part != key)
      tell(part);
  }

private:
  std::array<std::map<std::string, std::vector<Subscriber>, std::less<>>, table_count> lists_;
  std::size_t size_ = 0;
};

} // namespace caf_ray::gcs
