// Numbers that a program shows to whoever watches it, exported in Prometheus' text format.
//
//   ray::Counter episodes("rl.episodes", "Episodes played", "episodes", {"env"});
//   ray::Histogram returns("rl.return", "Return of an episode", "reward", {100, 475}, {"env"});
//   episodes.Inc(1, {{"env", "CartPole-v1"}});
//   returns.Observe(500, {{"env", "CartPole-v1"}});
//   std::ofstream("/var/lib/node_exporter/train.prom") << ray::MetricsText();
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

namespace ray {

/// All that this process's tasks, actors and driver have recorded, in Prometheus' text exposition
/// format 0.0.4: what a scrape of /metrics is answered with. A metric without a record is left out.
///
/// Between Init and Shutdown the system's own figures follow, all named caf_ray_*:
///   tasks_{submitted,finished}_total, tasks_{queued,running}, task_runs_total,
///   task_run_seconds_total, actors_alive, objects, store_{capacity,used,committed,spilled}_bytes,
///   store_objects, store_spill_writes_total, gcs_{writes,retries}_total, gcs_pending_bytes,
///   executor_{slots,threads,blocked,queued}
/// What each counts is in its HELP line. They are read when this is called and cost nothing else.
/// Thread-safe.
std::string MetricsText();

/// A metric of this process. Two objects of one name are the same metric, so each actor may make
/// its own; what was recorded stays when they go. The name is exported with every character outside
/// [a-zA-Z0-9_:] as '_', and so are the tag keys.
///
/// The constructors of all four throw RayException for an empty name or tag key, a name exported as
/// caf_ray_*, boundaries that do not increase, the tag key "le" of a histogram, and for a name that
/// a metric of another kind, unit, set of tag keys or boundaries is exported under already. (Of two
/// descriptions the first stays.)
///
/// Tags whose key was not given to the constructor are ignored; a key without a tag counts as the
/// empty text. A metric keeps at most 1000 combinations of tag values; the rest is recorded
/// together, under "_other_" for every key.
///
/// Thread-safe. Copies are the same metric.
class Metric {
public:
  Metric(const Metric&) = default;
  Metric& operator=(const Metric&) = default;
  virtual ~Metric() = 0;

  std::string GetName() const;

  /// What it means for each kind stands there. Throws RayException for a value that is not finite.
  void Record(double value, const std::unordered_map<std::string, std::string>& tags);

protected:
  Metric(std::string name, void* metric);

  /// Belongs to the process.
  void* metric_ = nullptr;

private:
  std::string name_;
};

/// A value that goes up and down: the last one recorded counts.
class Gauge : public Metric {
public:
  Gauge(const std::string& name, const std::string& description, const std::string& unit,
        const std::vector<std::string>& tag_keys = {});

  void Set(double value, const std::unordered_map<std::string, std::string>& tags);
};

/// A sum that only grows. A negative value throws RayException.
class Counter : public Metric {
public:
  Counter(const std::string& name, const std::string& description, const std::string& unit,
          const std::vector<std::string>& tag_keys = {});

  void Inc(double value, const std::unordered_map<std::string, std::string>& tags);
};

/// How often values up to each boundary (included) occurred, their number and their sum.
/// `boundaries` are finite and increase; values above the last one are counted too.
class Histogram : public Metric {
public:
  Histogram(const std::string& name, const std::string& description, const std::string& unit,
            const std::vector<double> boundaries, const std::vector<std::string>& tag_keys = {});

  void Observe(double value, const std::unordered_map<std::string, std::string>& tags);
};

/// A sum that may also shrink: Record adds.
class Sum : public Metric {
public:
  Sum(const std::string& name, const std::string& description, const std::string& unit,
      const std::vector<std::string>& tag_keys = {});
};

} // namespace ray
