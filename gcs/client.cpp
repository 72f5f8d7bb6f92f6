#include "gcs/client.hpp"

#include <algorithm>
#include <condition_variable>

#include "gcs/blocking.hpp"
#include "gcs/client_core.hpp"

namespace caf_ray::gcs {

namespace {

/// Whose callbacks this thread is running.
thread_local const client::core* running = nullptr;

std::uint64_t random_client_id() {
  return random_bits()[0] | 1;
}

/// One result, awaited by one thread.
template <class T>
class latch {
public:
  void set(result<T> r) {
    {
      std::lock_guard guard(mutex_);
      result_ = std::move(r);
    }
    filled_.notify_one();
  }

  /// The port fails what is late, so this timeout is a safety net for a port that has ended.
  result<T> wait(std::chrono::milliseconds timeout) {
    using namespace std::chrono_literals;
    blocking_scope waiting;
    std::unique_lock lock(mutex_);
    if (!filled_.wait_for(lock, timeout + 200ms, [this] { return result_.has_value(); }))
      return fail(errc::timed_out, "the GCS client did not answer in time");
    return std::move(*result_);
  }

private:
  std::mutex mutex_;
  std::condition_variable filled_;
  std::optional<result<T>> result_;
};

/// Runs `start(done)` and waits for what it gives to `done`.
template <class T, class F>
result<T> await(std::chrono::milliseconds timeout, F start) {
  if (client::core::in_callback())
    return fail(errc::invalid_argument, "a GCS callback must not wait for the GCS");
  auto answer = std::make_shared<latch<T>>();
  start([answer](result<T> r) { answer->set(std::move(r)); });
  return answer->wait(timeout);
}

/// Pages of all shards put together, up to `limit` entries.
struct scan_job : std::enable_shared_from_this<scan_job> {
  std::shared_ptr<client::core> core;
  table_kind table;
  std::string prefix;
  std::size_t limit;
  client::scan_callback on_entries;
  outbox::time_point deadline;

  std::mutex mutex;
  std::size_t shards_left;
  std::vector<std::vector<entry>> parts;
  std::optional<error> failure;

  void ask(std::uint32_t shard, std::string after, std::size_t wanted) {
    read_op op{0,
               read_kind::scan,
               table,
               prefix,
               std::move(after),
               static_cast<std::uint32_t>(std::min<std::size_t>(wanted, UINT32_MAX))};
    auto left = std::chrono::duration_cast<client::milliseconds>(deadline - core->now());
    core->read(
      shard, std::move(op),
      [self = shared_from_this(), shard](result<scan_page> page) {
        self->receive(shard, std::move(page));
      },
      left);
  }

  void receive(std::uint32_t shard, result<scan_page> page) {
    std::unique_lock lock(mutex);
    if (!page) {
      failure = page.error();
    } else {
      auto& part = parts[shard];
      std::move(page->entries.begin(), page->entries.end(), std::back_inserter(part));
      if (!page->next.empty() && part.size() < limit) {
        auto wanted = limit - part.size();
        lock.unlock();
        ask(shard, std::move(page->next), wanted);
        return;
      }
    }
    if (--shards_left > 0)
      return;
    lock.unlock();
    finish();
  }

  void finish() {
    if (failure) {
      on_entries(tl::unexpected(std::move(*failure)));
      return;
    }
    std::vector<entry> all;
    for (auto& part : parts)
      std::move(part.begin(), part.end(), std::back_inserter(all));
    if (table != table_kind::tasks && table != table_kind::events)
      std::sort(all.begin(), all.end(), [](auto& a, auto& b) { return a.key < b.key; });
    if (all.size() > limit)
      all.resize(limit);
    on_entries(std::move(all));
  }
};

} // namespace

// -- core
// -------------------------------------------------------------------------------------------

client::core::core(client_options options, std::uint32_t shard_count,
                   std::function<time_point()> now)
  : options(options), now(std::move(now)) {
  auto id = random_client_id();
  for (std::uint32_t i = 0; i < shard_count; ++i)
    boxes.push_back(std::make_unique<outbox>(this->options, id, i));
}

result<void> client::core::write(const write_op& op, outbox::write_done done,
                                 milliseconds timeout) {
  if (auto fine = check(op); !fine)
    return fine;
  if (op.table == table_kind::events && op.kind == write_kind::erase)
    return fail(errc::invalid_argument, "events are not erased: the oldest go by themselves");
  // Events have no key: they go round.
  auto count = static_cast<std::uint32_t>(boxes.size());
  auto shard = op.table == table_kind::events && op.kind != write_kind::erase
                 ? static_cast<std::uint32_t>(next_read_++ % count)
                 : shard_of(op.table, op.key, count);
  std::optional<milliseconds> patience;
  if (!in_callback())
    patience = timeout;
  auto deadline = done ? now() + timeout : time_point::max();
  auto added = boxes[shard]->add(op, std::move(done), deadline, patience);
  ring();
  return added;
}

void client::core::read(std::uint32_t shard, read_op op, outbox::read_done done,
                        milliseconds timeout) {
  auto count = boxes.size();
  op.id = next_read_++ * count + shard; // the port finds the shard of an answer by its id
  auto failed = done;
  auto added = boxes[shard]->add(std::move(op), std::move(done), now() + timeout);
  if (!added)
    failed(tl::unexpected(added.error()));
  else
    ring();
}

result<void> client::core::flush(milliseconds timeout) {
  if (in_callback())
    return fail(errc::invalid_argument, "a GCS callback must not wait for the GCS");
  auto until = std::chrono::steady_clock::now() + timeout;
  result<void> all;
  for (auto& box : boxes)
    if (auto flushed = box->flush(until); !flushed && all)
      all = flushed;
  return all;
}

std::uint64_t client::core::subscribe(watch_request what, change_callback on_change) {
  std::uint64_t id;
  {
    std::lock_guard guard(subscriptions_mutex_);
    id = next_subscription_++;
    by_key_.add(what, id);
    watch_changes_.push_back({true, what});
    subscribed_.emplace(
      id, subscription{std::move(what), std::make_shared<change_callback>(std::move(on_change))});
  }
  ring();
  return id;
}

void client::core::unsubscribe(std::uint64_t id) {
  {
    std::lock_guard guard(subscriptions_mutex_);
    auto at = subscribed_.find(id);
    if (at == subscribed_.end())
      return;
    auto what = at->second.what;
    by_key_.remove(what, id);
    subscribed_.erase(at);
    if (std::none_of(subscribed_.begin(), subscribed_.end(),
                     [&](auto& s) { return s.second.what == what; }))
      watch_changes_.push_back({false, std::move(what)});
  }
  ring();
}

void client::core::close() {
  std::unique_lock lock(callbacks_, std::defer_lock);
  if (running != this) {
    blocking_scope waiting;
    lock.lock();
  }
  closed_ = true;
  outbox::completions finished;
  for (auto& box : boxes)
    box->close({errc::shut_down, "the GCS client was closed"}, finished);
  for (auto& f : finished)
    f();
  port_ = nullptr;
}

bool client::core::in_callback() noexcept {
  return running != nullptr;
}

void client::core::attach(std::shared_ptr<void> port, std::function<void()> bell) {
  port_ = std::move(port);
  bell_ = std::move(bell);
}

void client::core::ring() {
  if (!rung_.exchange(true))
    bell_();
}

template <class F>
void client::core::run(F collect) {
  std::lock_guard guard(callbacks_);
  if (closed_)
    return;
  running = this;
  outbox::completions finished;
  collect(finished);
  for (auto& f : finished)
    f();
  running = nullptr;
}

void client::core::acknowledge(const write_ack& ack) {
  if (ack.shard < boxes.size())
    run([&](auto& finished) { boxes[ack.shard]->acknowledge(ack, now(), finished); });
}

void client::core::answer(std::vector<read_answer> answers) {
  run([&](auto& finished) {
    for (auto& a : answers)
      boxes[a.id % boxes.size()]->answer(std::move(a), now(), finished);
  });
}

void client::core::tell(const std::vector<change>& changes) {
  // Runs of changes for the same subscribers are told in one call.
  std::vector<std::pair<std::shared_ptr<change_callback>, std::vector<change>>> letters;
  {
    std::map<std::uint64_t, std::size_t> places;
    std::lock_guard guard(subscriptions_mutex_);
    for (auto& c : changes)
      by_key_.match(c.table, c.key, [&](std::uint64_t id) {
        auto [at, fresh] = places.try_emplace(id, letters.size());
        if (fresh)
          letters.emplace_back(subscribed_.at(id).on_change, std::vector<change>{});
        letters[at->second].second.push_back(c);
      });
  }
  run([&](auto& finished) {
    for (auto& [to, what] : letters)
      finished.push_back([to = to.get(), what = &what] { (*to)(*what); });
  });
}

void client::core::expire() {
  run([&](auto& finished) {
    for (auto& box : boxes)
      box->expire(now(), finished);
  });
}

bool client::core::busy() const {
  return std::any_of(boxes.begin(), boxes.end(), [](auto& box) { return box->busy(); });
}

std::vector<client::core::watch_change> client::core::take_watch_changes() {
  std::lock_guard guard(subscriptions_mutex_);
  return std::exchange(watch_changes_, {});
}

std::vector<watch_request> client::core::watched() {
  std::lock_guard guard(subscriptions_mutex_);
  std::vector<watch_request> all;
  for (auto& [id, s] : subscribed_)
    all.push_back(s.what);
  return all;
}

// -- client
// -----------------------------------------------------------------------------------------

client::client(std::shared_ptr<core> c) : core_(std::move(c)) {}

client::~client() {
  bool reachable = std::all_of(core_->boxes.begin(), core_->boxes.end(),
                               [](auto& box) { return box->available(); });
  if (reachable && !core::in_callback())
    (void)core_->flush(core_->options.timeout);
  core_->close();
}

result<void> client::put(table_kind table, std::string_view key, std::string_view value,
                         job_id job) {
  return core_->write({table, write_kind::put, key, value, job}, nullptr, core_->options.timeout);
}

result<void> client::erase(table_kind table, std::string_view key) {
  return core_->write({table, write_kind::erase, key, {}, 0}, nullptr, core_->options.timeout);
}

result<void> client::flush(std::optional<milliseconds> timeout) {
  return core_->flush(timeout.value_or(core_->options.timeout));
}

void client::write(const write_op& op, write_callback on_done,
                   std::optional<milliseconds> timeout) {
  auto failed = on_done;
  auto added = core_->write(op, std::move(on_done), timeout.value_or(core_->options.timeout));
  if (!added)
    failed(tl::unexpected(added.error()));
}

void client::get(table_kind table, std::string_view key, get_callback on_value,
                 std::optional<milliseconds> timeout) {
  read_op op{0, read_kind::get, table, std::string(key), {}, 0};
  core_->read(
    shard_of(table, key, shard_count()), std::move(op),
    [on_value = std::move(on_value)](result<scan_page> page) {
      if (!page)
        on_value(tl::unexpected(std::move(page.error())));
      else if (page->entries.empty())
        on_value(std::nullopt);
      else
        on_value(std::move(page->entries.front().value));
    },
    timeout.value_or(core_->options.timeout));
}

void client::scan(table_kind table, std::string_view prefix, std::size_t limit,
                  scan_callback on_entries, std::optional<milliseconds> timeout) {
  auto job = std::make_shared<scan_job>();
  job->core = core_;
  job->table = table;
  job->prefix = prefix;
  job->limit = limit;
  job->on_entries = std::move(on_entries);
  job->deadline = core_->now() + timeout.value_or(core_->options.timeout);
  job->parts.resize(shard_count());
  if (table == table_kind::objects && prefix.size() >= 16) { // one object: all in one shard
    job->shards_left = 1;
    job->ask(shard_of(table, prefix, shard_count()), {}, limit);
    return;
  }
  job->shards_left = shard_count();
  for (std::uint32_t shard = 0; shard < shard_count(); ++shard)
    job->ask(shard, {}, limit);
}

result<bool> client::write(const write_op& op, std::optional<milliseconds> timeout) {
  return await<bool>(timeout.value_or(core_->options.timeout),
                     [&](auto done) { write(op, std::move(done), timeout); });
}

result<bool> client::put_if_absent(table_kind table, std::string_view key, std::string_view value,
                                   std::optional<milliseconds> timeout) {
  return write({table, write_kind::put_if_absent, key, value, 0}, timeout);
}

result<std::optional<std::string>> client::get(table_kind table, std::string_view key,
                                               std::optional<milliseconds> timeout) {
  return await<std::optional<std::string>>(
    timeout.value_or(core_->options.timeout),
    [&](auto done) { get(table, key, std::move(done), timeout); });
}

result<std::vector<entry>> client::scan(table_kind table, std::string_view prefix,
                                        std::size_t limit, std::optional<milliseconds> timeout) {
  return await<std::vector<entry>>(timeout.value_or(core_->options.timeout), [&](auto done) {
    scan(table, prefix, limit, std::move(done), timeout);
  });
}

std::uint64_t client::subscribe(table_kind table, std::string_view key, change_callback on_change) {
  return core_->subscribe({table, std::string(key)}, std::move(on_change));
}

void client::unsubscribe(std::uint64_t subscription) {
  core_->unsubscribe(subscription);
}

client::counters client::status() const {
  counters c;
  for (auto& box : core_->boxes)
    box->count(c);
  return c;
}

std::uint32_t client::shard_count() const noexcept {
  return static_cast<std::uint32_t>(core_->boxes.size());
}

const client_options& client::options() const noexcept {
  return core_->options;
}

} // namespace caf_ray::gcs
