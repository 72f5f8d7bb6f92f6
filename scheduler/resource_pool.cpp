#include "scheduler/resource_pool.hpp"

#include <algorithm>
#include <limits>
#include <sstream>

namespace caf_ray::scheduler {

namespace {

constexpr const char* cpu = "CPU";

std::string show(std::int64_t units) {
  std::ostringstream out;
  out << static_cast<double>(units) / static_cast<double>(resource_unit);
  return out.str();
}

void add_cpu(resource_set& to, const resource_set& amounts, std::int64_t sign) {
  to.set(cpu, to.get(cpu) + sign * amounts.get(cpu));
}

} // namespace

bool resource_pool::part::fits_once_returned(const resource_set& need) const {
  auto& entries = need.entries();
  return std::all_of(entries.begin(), entries.end(), [this](const resource_set::entry& e) {
    return available.get(e.first) + returning.get(e.first) >= e.second;
  });
}

resource_pool::resource_pool(resource_set total) {
  node_.total = node_.available = std::move(total);
}

template <class Self, class Visit>
bool resource_pool::any_part(Self& self, const demand& need, Visit visit) {
  if (!need.group)
    return visit(bundle_key{}, self.node_);
  auto first = need.bundle < 0 ? std::numeric_limits<std::int32_t>::min() : need.bundle;
  auto last = need.bundle < 0 ? std::numeric_limits<std::int32_t>::max() : need.bundle;
  for (auto at = self.bundles_.lower_bound({need.group, first});
       at != self.bundles_.end() && at->first <= bundle_key{need.group, last}; ++at)
    if (at->second.committed && visit(at->first, at->second))
      return true;
  return false;
}

resource_pool::part& resource_pool::part_of(const lease& held) {
  if (held.serial == 0)
    return node_;
  auto at = bundles_.find({held.group, held.bundle});
  return at != bundles_.end() && at->second.serial == held.serial ? at->second : node_;
}

bool resource_pool::feasible(const demand& need) const {
  return any_part(*this, need, [&need](const bundle_key&, const part& x) {
    return x.total.covers(need.resources);
  });
}

std::optional<resource_pool::lease> resource_pool::acquire(const demand& need, bool lasting) {
  std::optional<lease> result;
  any_part(*this, need, [&](const bundle_key& key, part& x) {
    if (!x.available.covers(need.resources))
      return false;
    x.available.subtract(need.resources);
    if (!lasting)
      x.returning.add(need.resources);
    result = lease{key.first, key.second, x.serial, lasting, false};
    return true;
  });
  return result;
}

void resource_pool::release(const resource_set& amounts, const lease& held) {
  auto& from = part_of(held);
  ++freed_;
  from.available.add(amounts);
  if (held.lent)
    add_cpu(from.available, amounts, -1);
  else if (!held.lasting)
    from.returning.subtract(amounts);
}

void resource_pool::lend(const resource_set& amounts, lease& held) {
  if (std::exchange(held.lent, true))
    return;
  auto& from = part_of(held);
  ++freed_;
  add_cpu(from.available, amounts, 1);
  if (!held.lasting)
    from.returning.subtract(amounts);
}

void resource_pool::take_back(const resource_set& amounts, lease& held) {
  if (!std::exchange(held.lent, false))
    return;
  auto& from = part_of(held);
  add_cpu(from.available, amounts, -1);
  if (!held.lasting)
    from.returning.add(amounts);
}

std::uint64_t resource_pool::lacking(const demand& need) const {
  std::uint64_t result = 0;
  auto& entries = need.resources.entries();
  any_part(*this, need, [&](const bundle_key&, const part& x) {
    for (std::size_t i = 0; i < entries.size() && i < 64; ++i)
      if (x.available.get(entries[i].first) < entries[i].second)
        result |= std::uint64_t{1} << i;
    return false;
  });
  return result;
}

bool resource_pool::will_fit(const demand& need) const {
  return any_part(*this, need, [&need](const bundle_key&, const part& x) {
    return x.fits_once_returned(need.resources);
  });
}

std::string resource_pool::explain(const demand& need) const {
  std::string text;
  any_part(*this, need, [&](const bundle_key& key, const part& x) {
    std::string lacking;
    for (auto& [name, units] : need.resources.entries()) {
      auto total = x.total.get(name), available = x.available.get(name);
      if (available >= units)
        continue;
      lacking += lacking.empty() ? "" : "; ";
      lacking += name + ": " + show(total - std::max<std::int64_t>(available, 0)) + " of "
                 + show(total) + " in use, " + show(units) + " needed";
    }
    if (need.group && !lacking.empty())
      lacking = "bundle " + std::to_string(key.second) + " of group " + to_string(need.group) + " ("
                + lacking + ")";
    text += (text.empty() || lacking.empty() ? "" : " or ") + lacking;
    return false;
  });
  return text;
}

bool resource_pool::prepare(group_id group, const std::vector<bundle_request>& bundles) {
  std::vector<const bundle_request*> added;
  resource_set sum;
  for (auto& bundle : bundles)
    if (!bundles_.contains({group, bundle.index})) {
      added.push_back(&bundle);
      sum.add(bundle.resources);
    }
  if (!node_.available.covers(sum))
    return false;
  node_.available.subtract(sum);
  for (auto* bundle : added) {
    part x;
    x.total = x.available = bundle->resources;
    x.serial = next_serial_++;
    bundles_.emplace(bundle_key{group, bundle->index}, std::move(x));
  }
  return true;
}

bool resource_pool::commit(group_id group) {
  bool found = false;
  for (auto& [key, x] : bundles_)
    if (key.first == group) {
      found = true;
      x.committed = true;
    }
  if (found) {
    ++generation_;
    ++freed_;
  }
  return found;
}

template <class Predicate>
void resource_pool::give_back(group_id group, Predicate wanted) {
  std::erase_if(bundles_, [&](auto& entry) {
    auto& [key, x] = entry;
    if (key.first != group || !wanted(x))
      return false;
    node_.available.add(x.available);
    node_.returning.add(x.returning);
    ++generation_;
    ++freed_;
    return true;
  });
}

void resource_pool::abort(group_id group) {
  give_back(group, [](const part& x) { return !x.committed; });
}

void resource_pool::remove(group_id group) {
  give_back(group, [](const part&) { return true; });
}

bool resource_pool::has_group(group_id group) const {
  return std::any_of(bundles_.begin(), bundles_.end(),
                     [group](auto& entry) { return entry.first.first == group; });
}

} // namespace caf_ray::scheduler
