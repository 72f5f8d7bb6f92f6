#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gcs/types/error.hpp"

/// Amounts of named resources ("CPU", "memory", anything a node offers).
namespace caf_ray {

/// Amounts are counted in ten-thousandths, so that sums of fractions come back to what they were.
inline constexpr std::int64_t resource_unit = 10'000;

/// A few names with their amounts, sorted by name; a name that is absent has the amount 0.
/// Value type; holds no zero entries; amounts may be negative only in a balance.
class resource_set {
public:
  using entry = std::pair<std::string, std::int64_t>;

  resource_set() = default;

  /// Checks a user's request: names not empty, amounts positive, whole above 1, finite, below 2^40.
  /// Error: invalid_argument with the name and the amount.
  static result<void> check(std::string_view name, double amount);

  void set(std::string_view name, std::int64_t units);
  std::int64_t get(std::string_view name) const noexcept;

  bool empty() const noexcept { return entries_.empty(); }
  const std::vector<entry>& entries() const noexcept { return entries_; }

  /// True when every amount of `need` is there.
  bool covers(const resource_set& need) const noexcept;
  void add(const resource_set& other);
  void subtract(const resource_set& other);

  bool operator==(const resource_set&) const = default;

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, resource_set& x) {
    return f(x.entries_);
  }

private:
  std::vector<entry> entries_;
};

/// Units of a checked amount, rounded to the nearest.
std::int64_t to_units(double amount) noexcept;

/// "{CPU: 2, memory: 0.5}"
std::string to_string(const resource_set& x);

} // namespace caf_ray
