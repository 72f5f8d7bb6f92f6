#include "gcs/outbox.hpp"

#include <algorithm>

#include "gcs/blocking.hpp"

namespace caf_ray::gcs {

outbox::outbox(const client_options& options, std::uint64_t client, std::uint32_t shard)
  : options_(options), client_(client), shard_(shard), patience_(options.retry_after) {}

// -- any thread
// -------------------------------------------------------------------------------------

result<void> outbox::add(const write_op& op, write_done done, time_point deadline,
                         std::optional<std::chrono::milliseconds> timeout) {
  auto bytes = write_list::packed_bytes(op);
  std::unique_lock lock(mutex_);
  auto has_room = [&] {
    return closed_ || pending_bytes_ == 0 || pending_bytes_ + bytes <= options_.max_pending_bytes;
  };
  if (timeout && !has_room()) {
    blocking_scope waiting;
    if (!changed_.wait_for(lock, *timeout, has_room))
      return tl::unexpected(late());
  }
  if (closed_)
    return tl::unexpected(*closed_);
  auto& letter = open_letter(op);
  if (done) {
    letter.waiting.push_back({letter.ops.size(), std::move(done), deadline});
    earliest_ = std::min(earliest_, deadline);
  }
  letter.ops.add(op);
  ++added_;
  pending_bytes_ += bytes;
  return {};
}

outbox::letter& outbox::open_letter(const write_op& op) {
  auto full = [&](const write_list& ops) {
    return ops.size() >= options_.max_batch_ops
           || ops.size_bytes() + write_list::packed_bytes(op) > options_.max_batch_bytes
           || (op.kind == write_kind::erase && ops.erase_count() >= options_.max_batch_erases);
  };
  if (queue_.empty() || (!queue_.back().ops.empty() && full(queue_.back().ops)))
    queue_.emplace_back();
  return queue_.back();
}

result<void> outbox::add(read_op op, read_done done, time_point deadline) {
  std::lock_guard guard(mutex_);
  if (closed_)
    return tl::unexpected(*closed_);
  unsent_reads_.emplace_back(added_, op.id);
  earliest_ = std::min(earliest_, deadline);
  auto id = op.id;
  reads_.emplace(id, waiting_read{std::move(op), std::move(done), deadline, added_});
  return {};
}

result<void> outbox::flush(std::chrono::steady_clock::time_point until) {
  std::unique_lock lock(mutex_);
  auto reached = [this, wanted = added_] { return closed_ || settled_ >= wanted; };
  if (!reached()) {
    blocking_scope waiting;
    if (!changed_.wait_until(lock, until, reached))
      return tl::unexpected(late());
  }
  if (auto failure = std::exchange(first_failure_, std::nullopt))
    return tl::unexpected(std::move(*failure));
  if (closed_)
    return tl::unexpected(*closed_);
  return {};
}

void outbox::count(client::counters& to) const {
  std::lock_guard guard(mutex_);
  to.pending_bytes += pending_bytes_;
  to.unacknowledged_batches += flying_.size();
  to.pending_reads += reads_.size();
  to.writes += added_;
  to.batches += sequence_;
  to.retries += retries_;
}

bool outbox::available() const {
  std::lock_guard guard(mutex_);
  return available_;
}

// -- the port
// ---------------------------------------------------------------------------------------

outbox::parcel outbox::take(time_point now) {
  parcel p;
  std::lock_guard guard(mutex_);
  if (flying_.empty() && reads_.size() == unsent_reads_.size())
    last_heard_ = now;
  if (!resend_ && now - last_heard_ >= patience_) {
    resend_ = true;
    patience_ = std::min(2 * patience_, 16 * options_.retry_after);
  }
  if (std::exchange(resend_, false)) {
    for (auto& batch : flying_)
      if (!batch.settled)
        p.batches.push_back({client_, batch.sequence, 0, batch.ops});
    unsent_reads_.clear();
    for (auto& [id, read] : reads_)
      unsent_reads_.emplace_back(read.after, id);
    std::sort(unsent_reads_.begin(), unsent_reads_.end());
    retries_ += p.batches.size();
    last_heard_ = now;
  }
  while (!queue_.empty() && flying_.size() < options_.max_unacknowledged) {
    auto& next = queue_.front();
    flying_.push_back({++sequence_, std::make_shared<const write_list>(std::move(next.ops)),
                       std::move(next.waiting), false});
    taken_ += flying_.back().ops->size();
    queue_.pop_front();
    p.batches.push_back({client_, sequence_, 0, flying_.back().ops});
  }
  for (auto& batch : p.batches)
    batch.oldest = flying_.front().sequence;
  p.reads.client = client_;
  p.reads.after_sequence = flying_.empty() ? 0 : flying_.back().sequence;
  while (!unsent_reads_.empty() && unsent_reads_.front().first <= taken_) {
    if (auto read = reads_.find(unsent_reads_.front().second); read != reads_.end())
      p.reads.ops.push_back(read->second.op);
    unsent_reads_.pop_front();
  }
  return p;
}

void outbox::acknowledge(const write_ack& ack, time_point now, completions& finished) {
  {
    std::lock_guard guard(mutex_);
    if (ack.client != client_ || flying_.empty() || ack.sequence < flying_.front().sequence)
      return;
    auto at = ack.sequence - flying_.front().sequence;
    if (at >= flying_.size() || flying_[at].settled)
      return;
    settle(flying_[at], ack, finished);
    last_heard_ = now;
    patience_ = options_.retry_after;
    while (!flying_.empty() && flying_.front().settled) {
      settled_ += flying_.front().ops->size();
      pending_bytes_ -= flying_.front().ops->size_bytes();
      flying_.pop_front();
    }
  }
  changed_.notify_all();
}

void outbox::settle(flying_batch& batch, const write_ack& ack, completions& finished) {
  batch.settled = true;
  auto failed = ack.err.code != errc::none;
  auto refused = [&] {
    return error{errc::store_full,
                 "shard " + std::to_string(shard_) + " of the GCS is full: it takes erases only"};
  };
  auto note = ack.notes.begin();
  auto outcome_of = [&](std::uint32_t index) {
    while (note != ack.notes.end() && note->index < index)
      ++note;
    return note != ack.notes.end() && note->index == index ? note->outcome : op_outcome::done;
  };
  for (auto& w : batch.waiting) {
    result<bool> outcome = true;
    if (failed)
      outcome = tl::unexpected(ack.err);
    else if (auto what = outcome_of(w.index); what == op_outcome::refused)
      outcome = tl::unexpected(refused());
    else
      outcome = what == op_outcome::done;
    if (w.done)
      finished.push_back(
        [done = std::move(w.done), r = std::move(outcome)]() mutable { done(std::move(r)); });
  }
  batch.waiting.clear();
  if (first_failure_)
    return;
  if (failed)
    first_failure_ = ack.err;
  else if (std::any_of(ack.notes.begin(), ack.notes.end(),
                       [](auto& n) { return n.outcome == op_outcome::refused; }))
    first_failure_ = refused();
}

void outbox::answer(read_answer answer, time_point now, completions& finished) {
  std::lock_guard guard(mutex_);
  auto read = reads_.find(answer.id);
  if (read == reads_.end())
    return;
  last_heard_ = now;
  result<scan_page> r = std::move(answer.page);
  if (answer.err.code != errc::none)
    r = tl::unexpected(std::move(answer.err));
  finished.push_back(
    [done = std::move(read->second.done), r = std::move(r)]() mutable { done(std::move(r)); });
  reads_.erase(read);
}

error outbox::late() const {
  auto shard = "shard " + std::to_string(shard_) + " of the GCS ";
  if (!available_)
    return {errc::gcs_unavailable, shard + "is gone and did not come back in time"};
  return {errc::timed_out, shard + "did not answer in time"};
}

void outbox::expire_writes(std::vector<waiting_write>& waiting, time_point now,
                           completions& finished) {
  for (auto& w : waiting) {
    if (w.done && w.deadline <= now)
      finished.push_back([done = std::exchange(w.done, nullptr), why = late()]() mutable {
        done(tl::unexpected(std::move(why)));
      });
    else if (w.done)
      earliest_ = std::min(earliest_, w.deadline);
  }
}

void outbox::expire(time_point now, completions& finished) {
  std::lock_guard guard(mutex_);
  if (now < earliest_)
    return;
  earliest_ = time_point::max();
  for (auto& letter : queue_)
    expire_writes(letter.waiting, now, finished);
  for (auto& batch : flying_)
    expire_writes(batch.waiting, now, finished);
  for (auto read = reads_.begin(); read != reads_.end();) {
    if (read->second.deadline <= now) {
      finished.push_back([done = std::move(read->second.done), why = late()]() mutable {
        done(tl::unexpected(std::move(why)));
      });
      read = reads_.erase(read);
    } else {
      earliest_ = std::min(earliest_, read->second.deadline);
      ++read;
    }
  }
}

void outbox::set_available(bool yes) {
  std::lock_guard guard(mutex_);
  available_ = yes;
  resend_ = resend_ || yes;
  patience_ = options_.retry_after;
}

void outbox::close(const error& why, completions& finished) {
  {
    std::lock_guard guard(mutex_);
    if (closed_)
      return;
    closed_ = why;
    auto fail_all = [&](std::vector<waiting_write>& waiting) {
      for (auto& w : waiting)
        if (w.done)
          finished.push_back(
            [done = std::move(w.done), why]() mutable { done(tl::unexpected(std::move(why))); });
    };
    for (auto& batch : flying_)
      fail_all(batch.waiting);
    for (auto& letter : queue_)
      fail_all(letter.waiting);
    for (auto& [id, read] : reads_)
      finished.push_back(
        [done = std::move(read.done), why]() mutable { done(tl::unexpected(std::move(why))); });
    queue_.clear();
    flying_.clear();
    reads_.clear();
    unsent_reads_.clear();
    pending_bytes_ = 0;
  }
  changed_.notify_all();
}

bool outbox::busy() const {
  std::lock_guard guard(mutex_);
  return !queue_.empty() || !flying_.empty() || !reads_.empty();
}

} // namespace caf_ray::gcs
