#include "gcs/types/resources.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>

namespace caf_ray {

namespace {

std::string show(double amount) {
  std::ostringstream out;
  out << amount;
  return out.str();
}

auto position(auto& entries, std::string_view name) {
  return std::lower_bound(entries.begin(), entries.end(), name,
                          [](const auto& e, std::string_view n) { return e.first < n; });
}

} // namespace

std::int64_t to_units(double amount) noexcept {
  return std::llround(amount * static_cast<double>(resource_unit));
}

result<void> resource_set::check(std::string_view name, double amount) {
  std::string shown = std::string(name) + " = " + show(amount);
  if (name.empty())
    return fail(errc::invalid_argument,
                "A resource name must not be empty. Specified amount: " + show(amount) + ".");
  if (!std::isfinite(amount) || amount <= 0 || to_units(std::min(amount, 1.0)) == 0)
    return fail(errc::invalid_argument,
                "Resource values should be positive. Specified resource: " + shown + ".");
  if (amount > 1 && amount != std::floor(amount))
    return fail(errc::invalid_argument, "A resource value should be an integer if it is greater "
                                        "than 1.0. Specified resource: "
                                          + shown + ".");
  if (amount > static_cast<double>(1ll << 40))
    return fail(errc::invalid_argument,
                "A resource value should be below 2^40. Specified resource: " + shown + ".");
  return {};
}

void resource_set::set(std::string_view name, std::int64_t units) {
  auto at = position(entries_, name);
  bool found = at != entries_.end() && at->first == name;
  if (units == 0) {
    if (found)
      entries_.erase(at);
  } else if (found) {
    at->second = units;
  } else {
    entries_.emplace(at, std::string(name), units);
  }
}

std::int64_t resource_set::get(std::string_view name) const noexcept {
  auto at = position(entries_, name);
  return at != entries_.end() && at->first == name ? at->second : 0;
}

bool resource_set::covers(const resource_set& need) const noexcept {
  return std::all_of(need.entries_.begin(), need.entries_.end(),
                     [this](const entry& e) { return get(e.first) >= e.second; });
}

void resource_set::add(const resource_set& other) {
  for (auto& [name, units] : other.entries_)
    set(name, get(name) + units);
}

void resource_set::subtract(const resource_set& other) {
  for (auto& [name, units] : other.entries_)
    set(name, get(name) - units);
}

std::string to_string(const resource_set& x) {
  std::string text = "{";
  for (auto& [name, units] : x.entries()) {
    if (text.size() > 1)
      text += ", ";
    text += name + ": " + show(static_cast<double>(units) / static_cast<double>(resource_unit));
  }
  return text + "}";
}

} // namespace caf_ray
