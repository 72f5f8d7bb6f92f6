#include "gcs/lineage_log.hpp"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "gcs/blocking.hpp"
#include "gcs/id_map.hpp"
#include "gcs/types/codec.hpp"

namespace caf_ray::gcs {

/// Where a spec is, all under one lock:
///
///     append -> buffer_ -> flying_ -> recorded_ -> forget -> erasures_ -> (erased)
///                 |           |
///                 +-----------+-- forgotten or unneeded --> (gone, never written)
///
/// The writer thread swaps `buffer_` with `flying_` and works through it in steps; what has been
/// started is also in `recorded_`. Each round sends the erasures of the rounds before first, so an
/// id that is forgotten and appended again ends up written.
class lineage_log::impl {
public:
  impl(client& store, lineage_options options)
    : store_(store), options_(options), compact_at_(options.flush_count) {
    writer_ = std::thread([this] { run(); });
  }

  ~impl() {
    {
      std::lock_guard guard(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    writer_.join();
    if (!abandoned_)
      (void)store_.flush();
  }

  // -- any thread ---------------------------------------------------------------------------------

  void append(task_spec_ptr spec, std::shared_ptr<const std::atomic<bool>> unneeded) {
    std::unique_lock lock(mutex_);
    if (abandoned_)
      return;
    if (buffer_.specs.size() >= compact_at_ && !make_room(lock)) {
      ++dropped_;
      return;
    }
    auto [place, fresh] =
      buffer_.places.try_emplace(spec->id, static_cast<std::uint32_t>(buffer_.specs.size()));
    if (fresh)
      buffer_.specs.push_back({std::move(spec), std::move(unneeded)});
    else
      buffer_.specs[*place] = {std::move(spec), std::move(unneeded)};
  }

  void forget(std::span<const task_id> ids) {
    // Specs are freed after the lock.
    std::vector<std::array<buffered, 2>> freed(ids.size());
    std::lock_guard guard(mutex_);
    for (std::size_t i = 0; i < ids.size(); ++i)
      freed[i] = take_out(ids[i]);
  }

  void forget(task_id id) {
    std::array<buffered, 2> freed;
    std::lock_guard guard(mutex_);
    freed = take_out(id);
  }

  void abandon() {
    batch freed;
    std::lock_guard guard(mutex_);
    abandoned_ = true;
    std::swap(freed.specs, buffer_.specs);
    freed.places.swap(buffer_.places);
    erasures_.clear();
    done_.notify_all();
  }

  task_spec_ptr find(task_id id) const {
    std::lock_guard guard(mutex_);
    for (auto from : {&buffer_, &flying_})
      if (auto place = from->places.find(id))
        return from->specs[*place].spec;
    return nullptr;
  }

  result<void> flush(std::chrono::milliseconds timeout) {
    auto until = std::chrono::steady_clock::now() + timeout;
    {
      blocking_scope waiting;
      std::unique_lock lock(mutex_);
      auto wanted = ++rounds_wanted_;
      wake_.notify_all();
      if (!done_.wait_until(lock, until, [&] { return rounds_done_ >= wanted; }))
        return fail(errc::timed_out, "the lineage was not written in time");
    }
    auto left = until - std::chrono::steady_clock::now();
    return store_.flush(std::chrono::duration_cast<std::chrono::milliseconds>(left));
  }

  counters status() const {
    std::lock_guard guard(mutex_);
    return {buffer_.places.size() + flying_.specs.size() - started_,
            recorded_.size(),
            written_,
            skipped_,
            too_long_,
            dropped_};
  }

private:
  struct buffered {
    task_spec_ptr spec;
    std::shared_ptr<const std::atomic<bool>> unneeded;

    bool wanted() const { return spec && !(unneeded && unneeded->load(std::memory_order_relaxed)); }
  };

  struct batch {
    /// In order; null where taken out.
    std::vector<buffered> specs;
    id_map<task_id, std::uint32_t> places;
  };

  struct nothing {};

  // -- under the lock -----------------------------------------------------------------------------

  /// At most one copy waits in each batch; a third may be in the GCS.
  std::array<buffered, 2> take_out(task_id id) {
    std::array<buffered, 2> out;
    if (auto place = buffer_.places.find(id)) {
      out[0] = std::exchange(buffer_.specs[*place], {});
      buffer_.places.erase(id);
      ++skipped_;
    }
    if (auto place = flying_.places.find(id)) {
      bool started = *place < started_;
      out[1] = std::exchange(flying_.specs[*place], {});
      flying_.places.erase(id);
      skipped_ += !started;
    }
    if (recorded_.erase(id))
      erasures_.push_back(id);
    return out;
  }

  /// Drops the holes; wakes the writer when half of the buffer is still wanted; waits for it when
  /// the buffer is full. False when it stayed full.
  bool make_room(std::unique_lock<std::mutex>& lock) {
    compact();
    auto size = [this] { return buffer_.specs.size(); };
    if (2 * size() >= options_.flush_count && !hurry_) {
      hurry_ = true;
      wake_.notify_all();
    }
    compact_at_ = std::max(options_.flush_count, 2 * size());
    if (size() < options_.max_count) {
      compact_at_ = std::min(compact_at_, options_.max_count);
      return true;
    }
    blocking_scope waiting;
    return done_.wait_for(lock, store_.options().timeout,
                          [&] { return size() < options_.max_count; });
  }

  void compact() {
    std::size_t kept = 0;
    for (auto& b : buffer_.specs) {
      if (!b.spec)
        continue;
      if (!b.wanted()) {
        buffer_.places.erase(b.spec->id);
        b = {};
        ++skipped_;
        continue;
      }
      *buffer_.places.find(b.spec->id) = static_cast<std::uint32_t>(kept);
      if (&buffer_.specs[kept] != &b)
        buffer_.specs[kept] = std::exchange(b, {});
      ++kept;
    }
    buffer_.specs.resize(kept);
  }

  // -- the writer ---------------------------------------------------------------------------------

  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait_for(lock, options_.flush_interval,
                     [this] { return stopping_ || hurry_ || rounds_wanted_ > rounds_done_; });
      bool last = stopping_;
      auto serves = rounds_wanted_;
      hurry_ = false;
      round(lock);
      rounds_done_ = serves;
      done_.notify_all();
      if (last)
        return;
    }
  }

  void round(std::unique_lock<std::mutex>& lock) {
    std::swap(buffer_.specs, flying_.specs);
    buffer_.places.swap(flying_.places);
    started_ = 0;
    compact_at_ = options_.flush_count;
    auto erasures = std::exchange(erasures_, {});
    done_.notify_all();
    lock.unlock();
    for (auto id : erasures)
      send([&] { return store_.erase(table_kind::tasks, to_binary(id)); });
    lock.lock();
    std::vector<buffered> step;
    while (started_ < flying_.specs.size()) {
      start_step(step);
      lock.unlock();
      auto failures = write(step);
      lock.lock();
      written_ += step.size() - failures.size();
      for (auto& [id, why] : failures) {
        recorded_.erase(id);
        ++(why == errc::invalid_argument ? too_long_ : dropped_);
      }
    }
    auto finished = std::move(flying_.specs);
    flying_.places.clear();
    flying_.specs = {};
    started_ = 0;
    lock.unlock();
    finished.clear();
    lock.lock();
    if (flying_.specs.capacity() < finished.capacity())
      flying_.specs.swap(finished);
  }

  /// What of the next few specs is still wanted counts as recorded from here on.
  void start_step(std::vector<buffered>& step) {
    constexpr std::size_t step_size = 512;
    step.clear();
    auto end = std::min(started_ + step_size, flying_.specs.size());
    for (; started_ < end; ++started_) {
      auto& b = flying_.specs[started_];
      if (b.wanted() && !abandoned_) {
        recorded_.try_emplace(b.spec->id);
        step.push_back(b);
      } else if (b.spec) {
        flying_.places.erase(b.spec->id);
        b = {};
        ++skipped_;
      }
    }
  }

  std::vector<std::pair<task_id, errc>> write(const std::vector<buffered>& step) {
    std::vector<std::pair<task_id, errc>> failures;
    for (auto& b : step) {
      auto code = send([&] {
        return store_.put(table_kind::tasks, to_binary(b.spec->id), encode(*b.spec), b.spec->job);
      });
      if (code != errc::none)
        failures.emplace_back(b.spec->id, code);
    }
    return failures;
  }

  /// Again while the GCS is away, unless this log is to end.
  template <class F>
  errc send(F attempt) {
    while (!gave_up_) {
      auto sent = attempt();
      if (sent)
        return errc::none;
      auto code = sent.error().code;
      if (code != errc::gcs_unavailable && code != errc::timed_out)
        return code;
      std::lock_guard guard(mutex_);
      gave_up_ = stopping_;
    }
    return errc::gcs_unavailable;
  }

  client& store_;
  const lineage_options options_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  /// A round has ended, or room was made.
  std::condition_variable done_;
  batch buffer_;
  batch flying_;
  /// Specs of `flying_` before this one are in `recorded_`.
  std::size_t started_ = 0;
  id_map<task_id, nothing> recorded_;
  std::vector<task_id> erasures_;
  /// Size of `buffer_` at which holes are looked for.
  std::size_t compact_at_;
  bool hurry_ = false;
  bool stopping_ = false;
  bool abandoned_ = false;
  /// Of the writer: the GCS was away when the log was to end.
  bool gave_up_ = false;
  std::uint64_t rounds_wanted_ = 0;
  std::uint64_t rounds_done_ = 0;

  std::uint64_t written_ = 0;
  std::uint64_t skipped_ = 0;
  std::uint64_t too_long_ = 0;
  std::uint64_t dropped_ = 0;

  std::thread writer_;
};

lineage_log::lineage_log(client& store, lineage_options options)
  : impl_(std::make_unique<impl>(store, options)) {}

lineage_log::~lineage_log() = default;

void lineage_log::append(task_spec_ptr spec, std::shared_ptr<const std::atomic<bool>> unneeded) {
  impl_->append(std::move(spec), std::move(unneeded));
}

void lineage_log::forget(task_id id) {
  impl_->forget(id);
}

void lineage_log::forget(std::span<const task_id> ids) {
  impl_->forget(ids);
}

task_spec_ptr lineage_log::find(task_id id) const {
  return impl_->find(id);
}

result<void> lineage_log::flush(std::chrono::milliseconds timeout) {
  return impl_->flush(timeout);
}

void lineage_log::abandon() {
  impl_->abandon();
}

lineage_log::counters lineage_log::status() const {
  return impl_->status();
}

} // namespace caf_ray::gcs
