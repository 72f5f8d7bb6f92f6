#include "libray/src/cluster/worker_pool.hpp"

#include <algorithm>

namespace caf_ray::cluster {

namespace {

/// Weight of the newest task in the mean: the last ten or so decide.
constexpr double newest_weight = 0.1;

} // namespace

void worker_pool::started(job_id job) {
  auto at = starting_.find(job);
  if (at != starting_.end() && --at->second == 0)
    starting_.erase(at);
}

void worker_pool::join(client_id who, job_id job, time_point now) {
  workers_[who] = {job, 0, 0, now};
}

void worker_pool::sent(client_id who) {
  if (auto at = workers_.find(who); at != workers_.end())
    ++at->second.tasks;
}

void worker_pool::ended(client_id who, std::chrono::nanoseconds run_time, time_point now) {
  auto ns = static_cast<double>(run_time.count());
  mean_ns_ = mean_ns_ ? *mean_ns_ + newest_weight * (ns - *mean_ns_) : ns;
  auto at = workers_.find(who);
  if (at == workers_.end() || at->second.tasks == 0)
    return;
  if (--at->second.tasks == 0)
    at->second.idle_since = now;
}

void worker_pool::blocked(client_id who, bool begins) {
  auto at = workers_.find(who);
  if (at == workers_.end())
    return;
  if (begins)
    ++at->second.blocked;
  else if (at->second.blocked > 0)
    --at->second.blocked;
}

unsigned worker_pool::room() const {
  if (!mean_ns_)
    return 1;
  auto ahead_ns = std::chrono::duration<double, std::nano>(options_.ahead).count();
  auto tasks = ahead_ns / std::max(*mean_ns_, 1.0);
  return static_cast<unsigned>(std::clamp(tasks, 1.0, static_cast<double>(options_.max_ahead)));
}

std::optional<client_id> worker_pool::pick(job_id job) const {
  std::optional<client_id> best;
  std::uint32_t least = room();
  for (auto& [id, w] : workers_)
    if (w.job == job && w.load() < least) {
      least = w.load();
      best = id;
    }
  return best;
}

std::optional<client_id> worker_pool::any(job_id job) const {
  for (auto& [id, w] : workers_)
    if (w.job == job)
      return id;
  return std::nullopt;
}

unsigned worker_pool::to_start(job_id job, std::size_t ready_count) const {
  unsigned have = 0;
  for (auto& [id, w] : workers_)
    have += w.job == job;
  auto at = starting_.find(job);
  auto starting = at == starting_.end() ? 0 : at->second;
  have += starting;
  if (have >= options_.workers_per_job || ready_count <= starting)
    return 0;
  return static_cast<unsigned>(
    std::min<std::size_t>(options_.workers_per_job - have, ready_count - starting));
}

std::vector<client_id> worker_pool::retire_idle(time_point now,
                                                const std::function<bool(client_id)>& needed) {
  std::vector<client_id> retired;
  std::map<job_id, unsigned> left;
  for (auto& [id, w] : workers_)
    ++left[w.job];
  for (auto& [id, w] : workers_)
    if (w.tasks == 0 && now - w.idle_since > options_.idle_limit && left[w.job] > 1
        && !needed(id)) {
      --left[w.job];
      retired.push_back(id);
    }
  for (auto& id : retired)
    workers_.erase(id);
  return retired;
}

} // namespace caf_ray::cluster
