#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "gcs/types/ids.hpp"
#include "libray/src/cluster/directory.hpp"

namespace caf_ray::cluster {

struct worker_pool_options {
  /// Processes that a job may have for its plain tasks; each runs one task at a time, and others
  /// while that one waits.
  unsigned workers_per_job = 1;
  /// A worker gets tasks in advance for about this long, so that it need not wait for the next.
  std::chrono::microseconds ahead{2000};
  /// But not more tasks than this.
  unsigned max_ahead = 256;
  /// A worker without a task for this long is ended; one of each job stays.
  std::chrono::milliseconds idle_limit{60'000};
};

/// Which worker process of a host runs a plain task, and when processes start and end. Pure.
///
/// A worker belongs to one job. Its room is what it may be sent without another worker standing
/// idle for it: few tasks when they are long, many when they are short.
class worker_pool {
public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit worker_pool(worker_pool_options options) : options_(options) {}

  // -- what happens
  /// A process was started for this job; it has joined or it has ended before.
  void starting(job_id job) { ++starting_[job]; }
  void started(job_id job);
  void join(client_id worker, job_id job, time_point now);
  void leave(client_id worker) { workers_.erase(worker); }
  void sent(client_id worker);
  /// A task of it has ended, after this time of running.
  void ended(client_id worker, std::chrono::nanoseconds run_time, time_point now);
  /// A task of it waits, or goes on.
  void blocked(client_id worker, bool begins);

  // -- what to do
  /// A worker with room for a task of this job: the one that has least to do.
  std::optional<client_id> pick(job_id job) const;
  /// A worker of this job, whatever it has to do.
  std::optional<client_id> any(job_id job) const;
  /// Processes to start now, while `ready_count` tasks of the job find no room.
  unsigned to_start(job_id job, std::size_t ready_count) const;
  /// Workers to end, without those that are `needed` for something else than plain tasks. They are
  /// no part of the pool any more: nothing is sent to them, and others may start in their place.
  std::vector<client_id> retire_idle(time_point now, const std::function<bool(client_id)>& needed);

  std::size_t size() const noexcept { return workers_.size(); }

private:
  struct worker {
    job_id job = 0;
    std::uint32_t tasks = 0;
    std::uint32_t blocked = 0;
    time_point idle_since{};

    std::uint32_t load() const noexcept { return tasks > blocked ? tasks - blocked : 0; }
  };

  unsigned room() const;

  worker_pool_options options_;
  std::map<client_id, worker> workers_;
  std::map<job_id, unsigned> starting_;
  /// Exponential average; nothing before the first task.
  std::optional<double> mean_ns_;
};

} // namespace caf_ray::cluster
