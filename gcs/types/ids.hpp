#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

/// Names of everything the system remembers.
///
/// All are 128 bits. A task's id is derived from its parent's id and the number of calls the parent
/// had made, an object's id from its task's id and the place among the results: a parent that runs
/// again names the same children and the same objects, which is what lets lineage rebuild nested
/// tasks (Ray, OSDI'18, section 4). Ids print as 32 hex digits and parse back.
namespace caf_ray {

/// 128 bits with a type: an `object_id` never passes for a `task_id`. The nil id is all zero.
template <class Tag>
struct basic_id {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  auto operator<=>(const basic_id&) const = default;
  explicit operator bool() const noexcept { return (high | low) != 0; }

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, basic_id& x) {
    return f(x.high, x.low);
  }
};

using task_id = basic_id<struct task_tag>;
using object_id = basic_id<struct object_tag>;
using actor_id = basic_id<struct actor_tag>;
using node_id = basic_id<struct node_tag>;
using group_id = basic_id<struct group_tag>;

/// Jobs are numbered by the job table in the order of their registration, from 1.
using job_id = std::uint32_t;

/// The low bits of an object id hold its place among its task's results, counted from 1; place 0
/// is an object that a task put. The other 104 bits are the task's.
inline constexpr unsigned return_index_bits = 24;
inline constexpr std::uint32_t max_return_count = (1u << return_index_bits) - 1;

/// The task that `parent` starts as its `count`th call (counted from 0). Deterministic.
task_id derive_task(task_id parent, std::uint64_t count);

/// The actor that the creation task `creator` makes.
actor_id derive_actor(task_id creator);

/// The root of a job's task tree: what a driver's own calls have as their parent.
task_id driver_task(job_id job, std::uint64_t incarnation);

/// The object that `parent` puts as its `count`th put (counted from 0). Deterministic.
object_id derive_put(task_id parent, std::uint64_t count);

/// The `index`th result of `task`, 1 <= index <= max_return_count.
constexpr object_id result_of(task_id task, std::uint32_t index) noexcept {
  return {task.high, task.low | index};
}

/// Place among the results of its task; 0 for an object that was put.
constexpr std::uint32_t return_index(object_id id) noexcept {
  return static_cast<std::uint32_t>(id.low & max_return_count);
}

/// The task whose result `id` is; meaningless when `return_index(id)` is 0.
constexpr task_id producer_of(object_id id) noexcept {
  return {id.high, id.low & ~std::uint64_t{max_return_count}};
}

/// 128 bits from the system's random source: nodes, groups, incarnations.
std::array<std::uint64_t, 2> random_bits();

template <class Id>
Id random_id() {
  auto bits = random_bits();
  return Id{bits[0], bits[1]};
}

namespace detail {
std::string to_hex(std::uint64_t high, std::uint64_t low);
bool parse_hex(std::string_view text, std::uint64_t& high, std::uint64_t& low);
} // namespace detail

template <class Tag>
std::string to_string(const basic_id<Tag>& id) {
  return detail::to_hex(id.high, id.low);
}

/// The id whose `to_string` is `text`, or nothing when `text` is not 32 hex digits.
template <class Id>
std::optional<Id> parse_id(std::string_view text) {
  Id id;
  if (!detail::parse_hex(text, id.high, id.low))
    return std::nullopt;
  return id;
}

/// 16 bytes, big endian: sorts as the id does. The key form in tables and in the public API.
template <class Tag>
std::string to_binary(const basic_id<Tag>& id) {
  std::string bytes(16, '\0');
  auto put = [&](std::size_t at, std::uint64_t x) {
    for (std::size_t i = 0; i < 8; ++i)
      bytes[at + i] = static_cast<char>(x >> (56 - 8 * i));
  };
  put(0, id.high);
  put(8, id.low);
  return bytes;
}

/// The id whose `to_binary` is `bytes`, or nothing when its length is not 16.
template <class Id>
std::optional<Id> from_binary(std::string_view bytes) {
  if (bytes.size() != 16)
    return std::nullopt;
  auto get = [&](std::size_t at) {
    std::uint64_t x = 0;
    for (std::size_t i = 0; i < 8; ++i)
      x = x << 8 | static_cast<std::uint8_t>(bytes[at + i]);
    return x;
  };
  return Id{get(0), get(8)};
}

} // namespace caf_ray

template <class Tag>
struct std::hash<caf_ray::basic_id<Tag>> {
  /// Ids are hashes already; multiplying spreads the return index into the high bits too.
  std::size_t operator()(const caf_ray::basic_id<Tag>& id) const noexcept {
    return (id.high ^ id.low) * 0x9e3779b97f4a7c15ull;
  }
};
