#include "objstore/transfer_plan.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace caf_ray::objstore {

namespace {

using namespace std::chrono_literals;

/// What a question for a checksum counts for in the window.
constexpr std::size_t check_cost_bytes = 32 * 1024;

/// How long a pull waits when its source is busy; doubles each time in a row.
constexpr auto first_pause = 5ms;
constexpr auto last_pause = 160ms;

/// A source that talks, but not about this pull, is left after so many times `silence`.
constexpr int stalled_silences = 4;

/// The store ends a wait for space at the same deadline, and knows better why.
constexpr auto placing_grace = 250ms;

template <class Duration>
Duration doubled(Duration first, Duration last, unsigned times) {
  for (; times > 0 && first < last; --times)
    first *= 2;
  return std::min(first, last);
}

} // namespace

// -- sources --------------------------------------------------------------------------------------

transfer_plan::source_number transfer_plan::add_source(std::string name) {
  sources_[++last_source_].name = std::move(name);
  return last_source_;
}

bool transfer_plan::in_use(source_number source) const {
  return sources_.at(source).candidate_count > 0;
}

void transfer_plan::forget_source(source_number source) {
  sources_.erase(source);
}

void transfer_plan::heard(source_number source, time_point now) {
  sources_.at(source).heard = now;
}

void transfer_plan::lost(source_number number, const std::string& reason, time_point now) {
  auto& from = sources_.at(number);
  from.blocked_until =
    now + doubled(options_.first_backoff, options_.last_backoff, from.failures++);
  // A link that breaks again and again brings something each time, if not to every pull.
  auto fault = from.delivered ? blame::nobody : blame::source;
  from.delivered = false;
  auto asking = from.pulls;
  for (auto i : asking)
    fail_over(i, pulls_.at(i), reason, fault);
}

// -- pulls ----------------------------------------------------------------------------------------

result<transfer_plan::pull_number> transfer_plan::add(object_id id, std::size_t size_bytes,
                                                      std::span<const source_number> sources,
                                                      time_point deadline) {
  if (auto known = by_object_.find(id); known != by_object_.end()) {
    auto& x = pulls_.at(known->second);
    if (x.size_bytes != size_bytes)
      return fail(errc::invalid_argument, "object " + to_string(id) + " is being pulled with "
                                            + std::to_string(x.size_bytes) + " bytes, not "
                                            + std::to_string(size_bytes));
    x.deadline = std::max(x.deadline, deadline);
    add_candidates(x, sources);
    return known->second;
  }
  auto number = ++last_pull_;
  auto& x = pulls_[number];
  x.object = id;
  x.size_bytes = size_bytes;
  x.deadline = deadline;
  add_candidates(x, sources);
  by_object_.emplace(id, number);
  waiting_.push_back(number);
  schedule(deadline);
  return number;
}

void transfer_plan::add_candidates(pull& x, std::span<const source_number> sources) {
  for (auto number : sources) {
    auto known = std::ranges::find(x.candidates, number, &candidate::source);
    if (known != x.candidates.end()) {
      // Whoever names it again knows better than what it said before.
      known->failures = 0;
      known->hopeless = false;
      continue;
    }
    x.candidates.push_back({number, 0, false, {}});
    ++sources_.at(number).candidate_count;
  }
}

std::optional<transfer_plan::pull_number> transfer_plan::find(object_id id) const {
  auto i = by_object_.find(id);
  return i == by_object_.end() ? std::nullopt : std::optional{i->second};
}

void transfer_plan::placed(pull_number number) {
  auto i = pulls_.find(number);
  if (i == pulls_.end())
    return;
  auto& x = i->second;
  x.at = stage::fetching;
  // An empty object has one empty chunk: somebody must say that it exists.
  auto whole = (x.size_bytes + options_.chunk_bytes - 1) / options_.chunk_bytes;
  x.chunks.resize(std::max<std::size_t>(whole, 1));
  for (std::uint32_t k = 0; k < x.chunks.size(); ++k)
    x.todo.push_back(k);
  unassigned_.insert(number);
}

void transfer_plan::end(pull_number number, result<void> how) {
  if (pulls_.contains(number))
    finish(number, std::move(how));
}

void transfer_plan::finish(pull_number number, result<void> how) {
  auto& x = pulls_.at(number);
  if (x.current)
    unassign(number, x);
  unassigned_.erase(number);
  for (const auto& c : x.candidates)
    --sources_.at(c.source).candidate_count;
  if (x.at != stage::waiting)
    filling_bytes_ -= x.size_bytes;
  ended_.push_back({number, x.object, std::move(how)});
  by_object_.erase(x.object);
  pulls_.erase(number);
}

error transfer_plan::lost_error(const pull& x) const {
  auto text = "object " + to_string(x.object) + " of " + std::to_string(x.size_bytes)
              + " bytes: no source is left";
  auto separator = ": ";
  for (const auto& c : x.candidates) {
    text += separator + sources_.at(c.source).name + ' ' + c.reason;
    separator = "; ";
  }
  return {errc::object_lost, std::move(text)};
}

error transfer_plan::late_error(const pull& x) const {
  auto text = "object " + to_string(x.object) + " of " + std::to_string(x.size_bytes) + " bytes";
  if (x.at == stage::placing)
    return {errc::store_full, text + ": there was no space for it here in time"};
  if (x.at == stage::waiting)
    return {errc::timed_out, text + ": others were being brought all the time"};
  text += " was not brought in time: " + std::to_string(x.held_count) + " of "
          + std::to_string(x.chunks.size()) + " chunks are here";
  for (const auto& c : x.candidates)
    if (!c.reason.empty())
      text += "; " + sources_.at(c.source).name + ' ' + c.reason;
  return {errc::timed_out, std::move(text)};
}

// -- answers --------------------------------------------------------------------------------------

std::uint32_t transfer_plan::chunk_at(std::uint64_t offset_bytes) const {
  return static_cast<std::uint32_t>(offset_bytes / options_.chunk_bytes);
}

std::uint32_t transfer_plan::length_of(const pull& x, std::uint32_t index) const {
  auto offset = std::uint64_t{index} * options_.chunk_bytes;
  return static_cast<std::uint32_t>(
    std::min<std::uint64_t>(options_.chunk_bytes, x.size_bytes - offset));
}

std::size_t transfer_plan::cost_of(const pull& x, std::uint32_t index, bool check) const {
  // Never nothing, so that a source that owes answers owes bytes.
  return check ? check_cost_bytes : std::max<std::size_t>(length_of(x, index), 1);
}

bool transfer_plan::expects(pull_number number, source_number source, std::uint64_t offset_bytes,
                            std::uint32_t length_bytes, bool check) const {
  auto i = pulls_.find(number);
  if (i == pulls_.end())
    return false;
  const auto& x = i->second;
  if (!x.current || x.candidates[*x.current].source != source
      || offset_bytes % options_.chunk_bytes != 0
      || offset_bytes / options_.chunk_bytes >= x.chunks.size())
    return false;
  auto index = chunk_at(offset_bytes);
  return x.chunks[index].state == (check ? chunk_state::checking : chunk_state::asked)
         && length_bytes == length_of(x, index);
}

transfer_plan::chunk& transfer_plan::settle(pull& x, std::uint32_t index) {
  auto& c = x.chunks[index];
  auto cost = cost_of(x, index, c.state == chunk_state::checking);
  current_source(x).owed_bytes -= cost;
  flight_bytes_ -= cost;
  --x.asked_count;
  return c;
}

void transfer_plan::progressed(pull_number number, pull& x, time_point now) {
  x.progress = now;
  x.busy_count = 0;
  x.candidates[*x.current].failures = 0;
  current_source(x).failures = 0;
  current_source(x).delivered = true;
  if (x.held_count == x.chunks.size())
    finish(number, {});
}

void transfer_plan::held(pull_number number, std::uint64_t offset_bytes, std::uint64_t checksum,
                         time_point now) {
  auto& x = pulls_.at(number);
  settle(x, chunk_at(offset_bytes)) = {checksum, chunk_state::held};
  ++x.held_count;
  progressed(number, x, now);
}

void transfer_plan::checked(pull_number number, std::uint64_t offset_bytes, std::uint64_t checksum,
                            time_point now) {
  auto& x = pulls_.at(number);
  auto index = chunk_at(offset_bytes);
  auto& c = settle(x, index);
  if (c.checksum == checksum) {
    c.state = chunk_state::held;
    ++x.held_count;
  } else {
    c.state = chunk_state::missing;
    x.todo.push_front(index);
    if (!x.paused_until)
      current_source(x).ready.insert(number);
    ++differences_;
  }
  progressed(number, x, now);
}

void transfer_plan::damaged(pull_number number, std::uint64_t offset_bytes, time_point now) {
  auto& x = pulls_.at(number);
  const auto& name = current_source(x).name;
  x.progress = now;
  if (++x.damaged_count > 1) {
    auto text = "object " + to_string(x.object) + ": bytes from " + std::to_string(offset_bytes)
                + " have another checksum than " + name
                + " says, and those of the try before had, too";
    finish(number, fail(errc::corrupt, std::move(text)));
    return;
  }
  fail_over(number, x,
            "sent bytes from " + std::to_string(offset_bytes) + " that do not have their checksum",
            blame::source);
}

void transfer_plan::busy(pull_number number, std::uint64_t offset_bytes, time_point now) {
  auto& x = pulls_.at(number);
  auto index = chunk_at(offset_bytes);
  auto& c = settle(x, index);
  c.state = c.state == chunk_state::checking ? chunk_state::doubted : chunk_state::missing;
  x.todo.push_front(index);
  x.progress = now;
  current_source(x).ready.erase(number);
  // Answers to what was asked before the pause say nothing new.
  if (x.paused_until)
    return;
  x.paused_until = now + doubled(first_pause, last_pause, x.busy_count++);
  schedule(*x.paused_until);
}

void transfer_plan::unavailable(pull_number number, source_number source, std::string reason) {
  auto i = pulls_.find(number);
  if (i == pulls_.end())
    return;
  auto& x = i->second;
  if (x.current && x.candidates[*x.current].source == source)
    fail_over(number, x, std::move(reason), blame::for_ever);
}

void transfer_plan::unassign(pull_number number, pull& x) {
  auto& from = current_source(x);
  from.pulls.erase(number);
  from.ready.erase(number);
  for (std::uint32_t k = 0; x.asked_count > 0 && k < x.chunks.size(); ++k) {
    auto state = x.chunks[k].state;
    if (state != chunk_state::asked && state != chunk_state::checking)
      continue;
    settle(x, k).state = state == chunk_state::asked ? chunk_state::missing : chunk_state::doubted;
    x.todo.push_front(k);
  }
  x.current.reset();
  x.paused_until.reset();
  x.busy_count = 0;
}

void transfer_plan::fail_over(pull_number number, pull& x, std::string reason, blame fault) {
  auto& c = x.candidates[*x.current];
  c.failures += fault == blame::nobody ? 0 : 1;
  c.hopeless = fault == blame::for_ever;
  c.reason = std::move(reason);
  unassign(number, x);
  unassigned_.insert(number);
  ++retries_;
}

// -- decisions ------------------------------------------------------------------------------------

void transfer_plan::schedule(time_point at) {
  next_due_ = std::min(next_due_, at);
}

transfer_plan::orders transfer_plan::decide(time_point now) {
  orders out;
  if (now >= next_due_)
    scan(now);
  admit(out);
  auto unassigned = unassigned_;
  for (auto number : unassigned)
    assign(number, pulls_.at(number), now);
  ask(out, now);
  out.drop = std::exchange(drop_, {});
  out.ended = std::exchange(ended_, {});
  out.wake_at = next_due_;
  return out;
}

void transfer_plan::scan(time_point now) {
  next_due_ = time_point::max();
  for (auto& [number, from] : sources_) {
    if (from.owed_bytes == 0)
      continue;
    if (now - from.heard < options_.silence) {
      schedule(from.heard + options_.silence);
      continue;
    }
    drop_.push_back(number);
    lost(number, "said nothing for " + std::to_string(options_.silence.count()) + " ms", now);
  }
  std::vector<pull_number> late;
  for (auto& [number, x] : pulls_) {
    auto end = x.deadline + (x.at == stage::placing ? placing_grace : 0ms);
    if (now >= end) {
      late.push_back(number);
      continue;
    }
    schedule(end);
    if (x.paused_until && now >= *x.paused_until) {
      x.paused_until.reset();
      if (!x.todo.empty())
        current_source(x).ready.insert(number);
    } else if (x.paused_until) {
      schedule(*x.paused_until);
    }
    if (x.asked_count == 0)
      continue;
    auto stalled_at = x.progress + stalled_silences * options_.silence;
    if (now >= stalled_at)
      fail_over(number, x, "answers, but not for this object", blame::source);
    else
      schedule(stalled_at);
  }
  for (auto number : late)
    finish(number, tl::unexpected{late_error(pulls_.at(number))});
}

void transfer_plan::admit(orders& out) {
  while (!waiting_.empty()) {
    auto i = pulls_.find(waiting_.front());
    if (i != pulls_.end()) {
      auto& x = i->second;
      auto room = options_.filling_bytes - std::min(filling_bytes_, options_.filling_bytes);
      if (filling_bytes_ > 0 && x.size_bytes > room)
        return;
      x.at = stage::placing;
      filling_bytes_ += x.size_bytes;
      out.place.push_back({i->first, x.object, x.size_bytes, x.deadline});
    }
    waiting_.pop_front();
  }
}

void transfer_plan::assign(pull_number number, pull& x, time_point now) {
  std::optional<std::size_t> best;
  auto earliest = time_point::max();
  auto rank = [&](std::size_t i) {
    const auto& c = x.candidates[i];
    return std::tuple(c.failures, sources_.at(c.source).owed_bytes, i);
  };
  for (std::size_t i = 0; i < x.candidates.size(); ++i) {
    const auto& c = x.candidates[i];
    if (c.hopeless || c.failures >= options_.attempts)
      continue;
    auto free_at = sources_.at(c.source).blocked_until;
    if (free_at > now)
      earliest = std::min(earliest, free_at);
    else if (!best || rank(i) < rank(*best))
      best = i;
  }
  if (!best && earliest == time_point::max()) {
    finish(number, tl::unexpected{lost_error(x)});
    return;
  }
  if (!best) {
    schedule(earliest);
    return;
  }
  unassigned_.erase(number);
  x.current = best;
  x.progress = now;
  auto source = x.candidates[*best].source;
  if (x.copy_of != source) {
    for (std::uint32_t k = 0; x.held_count > 0 && k < x.chunks.size(); ++k) {
      if (x.chunks[k].state != chunk_state::held)
        continue;
      x.chunks[k].state = chunk_state::doubted;
      x.todo.push_back(k);
      --x.held_count;
    }
    x.copy_of = source;
  }
  auto& from = sources_.at(source);
  from.pulls.insert(number);
  from.ready.insert(number);
}

void transfer_plan::ask(orders& out, time_point now) {
  // In turns, one chunk each, until nobody has had anything to ask for a whole round.
  for (auto left = sources_.size(); left > 0; --left) {
    auto next = sources_.upper_bound(last_asked_);
    if (next == sources_.end())
      next = sources_.begin();
    last_asked_ = next->first;
    if (ask_next(next->first, next->second, out, now))
      left = sources_.size() + 1;
  }
}

bool transfer_plan::ask_next(source_number number, source& from, orders& out, time_point now) {
  if (from.ready.empty())
    return false;
  auto next = from.ready.upper_bound(from.last_served);
  if (next == from.ready.end())
    next = from.ready.begin();
  auto chosen = *next;
  auto& x = pulls_.at(chosen);
  auto index = x.todo.front();
  auto& c = x.chunks[index];
  bool check = c.state == chunk_state::doubted;
  auto cost = cost_of(x, index, check);
  if ((from.owed_bytes > 0 && from.owed_bytes + cost > options_.window_bytes)
      || (flight_bytes_ > 0 && flight_bytes_ + cost > options_.flight_bytes))
    return false;
  if (from.owed_bytes == 0) {
    from.heard = now;
    schedule(now + options_.silence);
  }
  if (x.asked_count == 0)
    schedule(x.progress + stalled_silences * options_.silence);
  from.owed_bytes += cost;
  flight_bytes_ += cost;
  from.last_served = chosen;
  c.state = check ? chunk_state::checking : chunk_state::asked;
  ++x.asked_count;
  x.todo.pop_front();
  if (x.todo.empty())
    from.ready.erase(chosen);
  out.ask.push_back({chosen, number, x.object, x.size_bytes,
                     std::uint64_t{index} * options_.chunk_bytes, length_of(x, index), check});
  return true;
}

} // namespace caf_ray::objstore
