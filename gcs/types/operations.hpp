#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gcs/types/error.hpp"
#include "gcs/types/ids.hpp"
#include "gcs/types/limits.hpp"

/// What is asked of the GCS, and what it answers: the values that travel between clients and
/// shards. Keys and values are bytes; `records.hpp` and `codec.hpp` say what they mean.
namespace caf_ray::gcs {

/// The tables of a shard. Most are ordered by key. `tasks` and `events` are written at task rate
/// and therefore ordered by when they were written (README, decisions).
enum class table_kind : std::uint8_t {
  /// Copies of objects. Key: object id, node id; placed on a shard by the object id alone.
  objects,
  /// Lineage. Key: task id, exactly 16 bytes. Kept in the order (job, time of the first put).
  tasks,
  /// Key: the function's registered name.
  functions,
  /// Key: actor id.
  actors,
  /// Actors by name. Key: namespace, '/', name. Value: actor id.
  names,
  /// Key: node id.
  nodes,
  /// Key: job id, big endian.
  jobs,
  /// Placement groups. Key: group id.
  groups,
  /// A ring of the latest ones. Put with an empty key; the shard gives the key.
  events,
  /// What users keep. Key: namespace, '/', key.
  kv,
  /// What the system keeps for itself.
  meta,
};
inline constexpr std::size_t table_count = 11;

const char* to_string(table_kind table) noexcept;

/// LMDB's limit on keys.
inline constexpr std::size_t max_key_bytes = 511;
/// One value must fit into one message, with the message's own fields.
inline constexpr std::size_t max_value_bytes = max_control_message_bytes - 8 * 1024;

enum class write_kind : std::uint8_t { put, put_if_absent, erase };

/// One write. Refers to the caller's bytes.
struct write_op {
  table_kind table = table_kind::kv;
  write_kind kind = write_kind::put;
  std::string_view key;
  std::string_view value;
  /// Orders `tasks`; ignored by the other tables and by erase.
  job_id job = 0;
};

/// Error: invalid_argument, when the key or the value cannot be of this table.
result<void> check(const write_op& op);

/// What became of one write.
enum class op_outcome : std::uint8_t {
  done,
  /// put_if_absent found the key, or erase did not.
  unchanged,
  /// Not written: the shard's map is nearly full and takes erases only.
  refused,
};

/// Writes packed one behind the other into a single string: adding one costs a copy of its bytes
/// and no allocation, and a list travels as bytes.
class write_list {
public:
  /// The op must pass `check`.
  void add(const write_op& op) {
    header h{op.table, op.kind, static_cast<std::uint16_t>(op.key.size()),
             static_cast<std::uint32_t>(op.value.size()), op.job};
    auto at = bytes_.size();
    if (bytes_.capacity() - at < sizeof(h) + op.key.size() + op.value.size())
      bytes_.reserve(2 * (at + sizeof(h) + op.key.size() + op.value.size()));
    bytes_.append(reinterpret_cast<const char*>(&h), sizeof(h));
    bytes_.append(op.key);
    bytes_.append(op.value);
    ++count_;
    erases_ += op.kind == write_kind::erase;
  }

  std::uint32_t size() const noexcept { return count_; }
  bool empty() const noexcept { return count_ == 0; }
  std::size_t size_bytes() const noexcept { return bytes_.size(); }
  std::uint32_t erase_count() const noexcept { return erases_; }

  /// What a list of these lengths takes, packed.
  static constexpr std::size_t packed_bytes(const write_op& op) noexcept {
    return sizeof(header) + op.key.size() + op.value.size();
  }

  /// Error: corrupt. To be asked of every list that another process made, before `for_each`.
  result<void> check() const;

  /// Calls `f(index, write_op)` in order; the op refers to this list's bytes.
  template <class F>
  void for_each(F f) const {
    const char* at = bytes_.data();
    for (std::uint32_t i = 0; i < count_; ++i) {
      header h;
      std::memcpy(&h, at, sizeof(h));
      at += sizeof(h);
      f(i, write_op{h.table, h.kind, {at, h.key_size}, {at + h.key_size, h.value_size}, h.job});
      at += std::size_t{h.key_size} + h.value_size;
    }
  }

  bool operator==(const write_list&) const = default;

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, write_list& x) {
    return f(x.bytes_, x.count_, x.erases_);
  }

private:
  struct header {
    table_kind table;
    write_kind kind;
    std::uint16_t key_size;
    std::uint32_t value_size;
    std::uint32_t job;
  };
  static_assert(sizeof(header) == 12 && std::endian::native == std::endian::little);
  static_assert(max_key_bytes <= UINT16_MAX);

  std::string bytes_;
  std::uint32_t count_ = 0;
  std::uint32_t erases_ = 0;
};

/// Writes of one client that take effect together, and once however often they arrive.
/// `sequence` counts the client's batches to this shard from 1. `oldest` is the lowest sequence the
/// client still has no acknowledgement of: the shard may forget what it kept for those below.
struct write_batch {
  std::uint64_t client = 0;
  std::uint64_t sequence = 0;
  std::uint64_t oldest = 0;
  /// Never null. Immutable: shared by pointer inside a process, by value between processes.
  std::shared_ptr<const write_list> ops = std::make_shared<write_list>();

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, write_batch& x) {
    if constexpr (Inspector::reads_state) {
      // Inspectors that read take non-const references all the same.
      return f(x.client, x.sequence, x.oldest, const_cast<write_list&>(*x.ops));
    } else {
      auto ops = std::make_shared<write_list>();
      auto r = f(x.client, x.sequence, x.oldest, *ops);
      x.ops = std::move(ops);
      return r;
    }
  }
};

/// The outcome of the `index`th write of a batch, where it was not `done`.
struct op_note {
  std::uint32_t index = 0;
  op_outcome outcome = op_outcome::done;

  bool operator==(const op_note&) const = default;
  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, op_note& x) {
    return f(x.index, x.outcome);
  }
};

/// Sent after the commit that holds the batch. With an error, nothing of the batch was written.
struct write_ack {
  std::uint32_t shard = 0;
  std::uint64_t client = 0;
  std::uint64_t sequence = 0;
  caf_ray::error err;
  std::vector<op_note> notes;

  bool operator==(const write_ack&) const = default;
  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, write_ack& x) {
    return f(x.shard, x.client, x.sequence, x.err, x.notes);
  }
};

enum class read_kind : std::uint8_t { get, scan };

/// One read. `id` is the asker's own number for it.
struct read_op {
  std::uint64_t id = 0;
  read_kind kind = read_kind::get;
  table_kind table = table_kind::kv;
  /// The key of a get, the prefix of a scan.
  std::string key;
  /// Scan only: the `next` of the page before; empty for the first page.
  std::string after;
  /// Scan only: entries in the page; a page also ends at about half a message.
  std::uint32_t limit = 0;

  bool operator==(const read_op&) const = default;
  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, read_op& x) {
    return f(x.id, x.kind, x.table, x.key, x.after, x.limit);
  }
};

/// Reads of one client, to be done when its batches up to `after_sequence` have been applied; so
/// they see its writes even when the way between the two loses messages.
struct read_batch {
  std::uint64_t client = 0;
  std::uint64_t after_sequence = 0;
  std::vector<read_op> ops;

  bool operator==(const read_batch&) const = default;
  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, read_batch& x) {
    return f(x.client, x.after_sequence, x.ops);
  }
};

struct entry {
  std::string key;
  std::string value;

  bool operator==(const entry&) const = default;
  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, entry& x) {
    return f(x.key, x.value);
  }
};

/// Part of a scan. `next` is empty when nothing follows; otherwise it asks for what does.
struct scan_page {
  std::vector<entry> entries;
  std::string next;

  bool operator==(const scan_page&) const = default;
  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, scan_page& x) {
    return f(x.entries, x.next);
  }
};

/// Answer to the `read_op` of the same id. A get has one entry, or none when the key is absent.
struct read_answer {
  std::uint64_t id = 0;
  caf_ray::error err;
  scan_page page;

  bool operator==(const read_answer&) const = default;
  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, read_answer& x) {
    return f(x.id, x.err, x.page);
  }
};

/// What a subscriber wants to hear of: a whole table when `key` is empty; otherwise one key, or in
/// `objects` all copies of one object.
struct watch_request {
  table_kind table = table_kind::kv;
  std::string key;

  auto operator<=>(const watch_request&) const = default;
  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, watch_request& x) {
    return f(x.table, x.key);
  }
};

/// One committed write, as subscribers see it.
struct change {
  table_kind table = table_kind::kv;
  bool erased = false;
  std::string key;
  std::string value;

  bool operator==(const change&) const = default;
  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, change& x) {
    return f(x.table, x.erased, x.key, x.value);
  }
};

/// A shard in numbers.
struct shard_status {
  std::uint32_t index = 0;
  std::uint32_t shard_count = 0;
  std::uint64_t commits = 0;
  std::uint64_t writes = 0;
  std::uint64_t duplicate_batches = 0;
  std::uint64_t reads = 0;
  std::uint64_t subscriptions = 0;
  /// The map as it is, as it may become, and what lies in it.
  std::uint64_t map_bytes = 0;
  std::uint64_t max_map_bytes = 0;
  std::uint64_t used_bytes = 0;
  /// By `table_kind`.
  std::vector<std::uint64_t> entries;
  /// Empty while all is well: map over 70 %, writes refused, or why writing has stopped.
  std::string alarm;

  bool operator==(const shard_status&) const = default;
  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, shard_status& x) {
    return f(x.index, x.shard_count, x.commits, x.writes, x.duplicate_batches, x.reads,
             x.subscriptions, x.map_bytes, x.max_map_bytes, x.used_bytes, x.entries, x.alarm);
  }
};

/// The part of a key that decides its shard, and that a subscription may name.
constexpr std::string_view routing_key(table_kind table, std::string_view key) noexcept {
  return table == table_kind::objects ? key.substr(0, 16) : key;
}

/// The shard that keeps a key. Every process of a cluster must agree, for ever.
std::uint32_t shard_of(table_kind table, std::string_view key, std::uint32_t shard_count) noexcept;

} // namespace caf_ray::gcs
