#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "gcs/types/error.hpp"

/// What ray::Metric records into. One registry a process; ray::MetricsText shows what is in it, and
/// the system's own figures behind.
namespace caf_ray {

enum class metric_kind { gauge, counter, histogram, sum };

/// "Gauge" ..., as in the public API.
const char* to_string(metric_kind kind) noexcept;

struct metric_options {
  metric_kind kind = metric_kind::gauge;
  std::string name;
  std::string description;
  std::string unit;
  std::vector<std::string> tag_keys;
  /// Of a histogram: upper ends of the buckets, the last one (everything) left out.
  std::vector<double> boundaries;
};

/// Combinations of tag values that a metric keeps apart, and the value of every tag of the rest.
inline constexpr std::size_t max_metric_series = 1000;
inline constexpr const char* overflow_tag_value = "_other_";

/// Exported names of the system's own figures begin so (metric_system.cpp), of users' ones never.
inline constexpr const char* system_metric_prefix = "caf_ray_";

/// One metric: a series of numbers for each combination of tag values. Thread-safe; lives as long
/// as its registry.
class metric {
public:
  using tags = std::unordered_map<std::string, std::string>;

  /// `options` has passed the registry's checks.
  explicit metric(metric_options options);

  /// Tags whose key is not one of ours are ignored, a key of ours without a tag has the value "".
  /// Error: invalid_argument when `value` is not finite, or negative for a counter.
  result<void> record(double value, const tags& of);

  const metric_options& options() const noexcept { return options_; }

  /// Name in the exposition format.
  const std::string& exported_name() const noexcept { return exported_name_; }

  /// Names of the lines it writes: its own, and for a histogram the three that derive from it.
  std::vector<std::string> line_names() const;

  /// As given, in the order in which they are exported.
  std::vector<std::string> tag_keys() const;

  /// Appends HELP, TYPE and the samples, sorted by tag values; nothing when nothing was recorded.
  void write(std::string& out) const;

private:
  struct series {
    double value = 0;
    std::uint64_t count = 0;
    /// One longer than the boundaries.
    std::vector<std::uint64_t> buckets;
  };
  using tag_values = std::vector<std::string>;

  series& find_series(const tags& of);
  /// {key="value",...}, with le="..." last when there is a `bucket_end`; empty without any.
  std::string labels(const tag_values& values, const std::string& bucket_end = "") const;
  void write_histogram(std::string& out, const tag_values& values, const series& x) const;

  metric_options options_;
  std::string exported_name_;
  /// As given and as exported, sorted by the latter; `tag_values` are in this order.
  std::vector<std::pair<std::string, std::string>> keys_;
  mutable std::mutex mutex_;
  std::map<tag_values, series> series_;
};

/// All metrics of a process. Thread-safe.
class metric_registry {
public:
  /// The metric of that exported name, which is made if there is none. Errors: invalid_argument
  /// for options that ray::Metric's constructors refuse; already_exists when one of its lines has
  /// the name of another metric's line, or the metric differs in more than the description.
  result<metric*> add(metric_options options);

  /// All metrics, sorted by exported name, in Prometheus' text format 0.0.4.
  std::string prometheus_text() const;

private:
  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<metric>> metrics_;
  /// Who writes lines of that name.
  std::map<std::string, const metric*> lines_;
};

/// The registry of this process. Never destroyed: threads may record while the process ends.
metric_registry& process_metrics();

} // namespace caf_ray
