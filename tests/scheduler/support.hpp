#pragma once

#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "scheduler/local_queue.hpp"

/// What the tests of this folder share.
namespace caf_ray::scheduler::test {

/// CAF_RAY_SEED if it is set, else a new one; printed, so that a failure can be run again.
inline std::uint64_t seed() {
  auto given = std::getenv("CAF_RAY_SEED");
  auto result = given ? std::strtoull(given, nullptr, 0) : std::random_device{}();
  BOOST_TEST_MESSAGE("CAF_RAY_SEED=" << result);
  return result;
}

inline object_id object(std::uint64_t n) {
  return {0x0b1ec7, n};
}
inline node_id node(std::uint64_t n) {
  return {0x40de, n};
}
inline group_id group(std::uint64_t n) {
  return {0x6709, n};
}
inline task_id number(std::uint64_t n) {
  return {0x7a5c, n << return_index_bits};
}

inline resource_set amounts(std::initializer_list<std::pair<const char*, double>> entries) {
  resource_set result;
  for (auto& [name, amount] : entries)
    result.set(name, to_units(amount));
  return result;
}

/// Options with resources, and whatever else a test sets.
inline task_options needs(std::initializer_list<std::pair<const char*, double>> entries) {
  task_options result;
  result.resources = amounts(entries);
  return result;
}

inline task_ptr make_task(std::uint64_t n, const task_options& options = {},
                          std::initializer_list<object_id> inputs = {}) {
  auto task = std::make_shared<scheduled_task>();
  task->spec.id = number(n);
  task->spec.function = "f" + std::to_string(n);
  if (options != task_options{})
    task->spec.options = std::make_shared<const task_options>(options);
  for (auto& input : inputs)
    task->spec.arguments.push_back({argument_kind::object, 0, 0, input});
  return task;
}

inline std::uint64_t number_of(const task_ptr& task) {
  return task->spec.id.low >> return_index_bits;
}

inline std::vector<std::uint64_t> numbers_of(const std::vector<task_ptr>& tasks) {
  std::vector<std::uint64_t> result;
  for (auto& task : tasks)
    result.push_back(number_of(task));
  return result;
}

inline std::vector<std::uint64_t> numbers_of(const std::vector<numbered_task>& tasks) {
  std::vector<std::uint64_t> result;
  for (auto& entry : tasks)
    result.push_back(number_of(entry.task));
  return result;
}

using numbers = std::vector<std::uint64_t>;

/// Everything that may run now, or the first so many.
inline std::vector<task_ptr> take(local_queue& queue, std::size_t max = SIZE_MAX / 2) {
  std::vector<task_ptr> result;
  queue.take_ready(max, result);
  return result;
}

inline numbers take_numbers(local_queue& queue, std::size_t max = SIZE_MAX / 2) {
  return numbers_of(take(queue, max));
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace caf_ray::scheduler::test

namespace std {
inline ostream& operator<<(ostream& out, const vector<uint64_t>& xs) {
  out << '[';
  for (auto x : xs)
    out << ' ' << x;
  return out << " ]";
}
} // namespace std
