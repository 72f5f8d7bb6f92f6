#pragma once

#include <span>
#include <string_view>

#include "tests/bench/report.hpp"

namespace caf_ray::bench {

/// One case: a question about the system, answered by one row or a few. `--only` takes its name.
struct bench_case {
  std::string_view name;
  void (*run)(report&);
  /// Takes minutes; left out of quick runs.
  bool full_only = false;
};

// Each group in the file of its name; what its cases measure stands there.
std::span<const bench_case> task_cases();
std::span<const bench_case> actor_cases();
std::span<const bench_case> object_cases();
std::span<const bench_case> capacity_cases();
std::span<const bench_case> transfer_cases();
std::span<const bench_case> fan_cases();
std::span<const bench_case> endurance_cases();
std::span<const bench_case> process_cases();

} // namespace caf_ray::bench
