#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "gcs/client.hpp"
#include "gcs/outbox.hpp"
#include "gcs/subscriptions.hpp"

namespace caf_ray::gcs {

/// What the client and its port actor share: an outbox per shard, subscriptions, and the rule that
/// callbacks run one at a time and never after the client's end. No CAF here: the port gives its
/// clock and its bell as functions.
class client::core {
public:
  using time_point = outbox::time_point;

  core(client_options options, std::uint32_t shard_count, std::function<time_point()> now);

  // -- Any thread. --------------------------------------------------------------------------------

  result<void> write(const write_op& op, outbox::write_done done, milliseconds timeout);
  void read(std::uint32_t shard, read_op op, outbox::read_done done, milliseconds timeout);
  result<void> flush(milliseconds timeout);
  std::uint64_t subscribe(watch_request what, change_callback on_change);
  void unsubscribe(std::uint64_t id);
  /// Fails what is pending in the calling thread. When it has returned, no callback runs any more.
  void close();

  const std::shared_ptr<void>& port() const noexcept { return port_; }

  /// True on a port actor while it runs callbacks, of any client.
  static bool in_callback() noexcept;

  // -- The port actor. ----------------------------------------------------------------------------

  /// What keeps the port alive until `close`, and what wakes it. Called once, before any use.
  void attach(std::shared_ptr<void> port, std::function<void()> bell);
  /// To be called before looking at what there is; the bell rings again for what comes later.
  void bell_heard() noexcept { rung_ = false; }

  void acknowledge(const write_ack& ack);
  void answer(std::vector<read_answer> answers);
  void tell(const std::vector<change>& changes);
  void expire();
  bool busy() const;

  /// Watches to begin and to end at the shards since the last call, in order.
  struct watch_change {
    bool begin = true;
    watch_request what;
  };
  std::vector<watch_change> take_watch_changes();
  /// Everything watched now.
  std::vector<watch_request> watched();

  client_options options;
  std::function<time_point()> now;
  /// By shard.
  std::vector<std::unique_ptr<outbox>> boxes;

private:
  void ring();
  /// `collect(finished)` finds completions; they then run, unless the client was closed.
  template <class F>
  void run(F collect);

  std::shared_ptr<void> port_;
  std::function<void()> bell_;
  std::atomic<bool> rung_{false};
  std::atomic<std::uint64_t> next_read_{0};

  /// Held while callbacks run.
  std::mutex callbacks_;
  bool closed_ = false;

  struct subscription {
    watch_request what;
    std::shared_ptr<change_callback> on_change;
  };
  std::mutex subscriptions_mutex_;
  std::uint64_t next_subscription_ = 1;
  std::map<std::uint64_t, subscription> subscribed_;
  subscriptions<std::uint64_t> by_key_;
  std::vector<watch_change> watch_changes_;
};

} // namespace caf_ray::gcs
