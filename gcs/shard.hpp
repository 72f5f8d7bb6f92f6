#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "gcs/actors.hpp"
#include "gcs/subscriptions.hpp"
#include "gcs/table.hpp"

/// The actor in front of one shard's tables.
namespace caf_ray::gcs {

struct shard_options {
  /// Open; the shard's own from now on. (Shared only because CAF copies what it spawns with.)
  std::shared_ptr<tables> store;
  /// One transaction takes batches up to these, and at least one batch; the rest follows.
  std::size_t max_commit_bytes = 8 * 1024 * 1024;
  std::size_t max_commit_ops = 20'000;
  std::size_t max_commit_erases = 1'000;
  /// Between looks for reader slots that dead processes left in the folder.
  std::chrono::milliseconds reader_check_interval{10'000};
};

/// Batches gather while a transaction commits, and the next one takes all that came: the load sets
/// the size of the transactions (group commit). Reads see committed state only; one that comes
/// behind batches waits for them.
///
/// Invariant: a drain message is on its way exactly when `draining`, and then `batches` or `reads`
/// is not empty.
struct shard_state {
  static inline const char* name = "gcs-shard";

  using self_pointer = shard_actor::stateful_pointer<shard_state>;

  void receive(write_batch batch);
  void receive(const read_batch& batch);
  void drain();
  /// Drains until nothing is left.
  void finish();
  void tick();
  shard_status status() const;

  self_pointer self = nullptr;
  shard_options options;
  std::shared_ptr<tables> store;
  std::uint32_t index = 0;

  /// In order of arrival; `senders[i]` gets the acknowledgement of `batches[i]`.
  std::vector<write_batch> batches;
  std::vector<caf::strong_actor_ptr> senders;
  struct waiting_read {
    caf::strong_actor_ptr sender;
    read_batch batch;
    /// Answered when this many batches, counted over the shard's life, have been settled.
    std::uint64_t after = 0;
  };
  std::vector<waiting_read> reads;
  std::uint64_t received = 0;
  std::uint64_t settled = 0;
  bool draining = false;
  /// Committed since the last sync; matters to durability::interval only.
  bool dirty = false;

  /// By address, so that a subscription keeps nobody alive.
  subscriptions<caf::actor_addr> watchers;
  std::uint64_t read_count = 0;
  std::chrono::steady_clock::time_point next_reader_check;

private:
  void post_drain();
  std::size_t next_group() const;
  void acknowledge(std::size_t at, const result<batch_outcome>& outcome);
  void publish(std::size_t count, const std::vector<batch_outcome>& outcomes);
  void answer(const caf::strong_actor_ptr& sender, const read_batch& batch);
};

/// At start: takes the open tables. At exit: commits and acknowledges what has arrived, answers the
/// reads, closes the folder. When a subscriber dies: forgets it. Spawn it in the shared scheduler:
/// commits happen inside a `blocking_scope`.
shard_actor::behavior_type shard(shard_state::self_pointer self, shard_options options);

/// Opens all shards of a folder and spawns them. `options.shard_index` is ignored. Errors: those of
/// `tables::open`.
result<std::vector<shard_actor>> spawn_shards(caf::actor_system& system, table_options options);

} // namespace caf_ray::gcs
