#include "gcs/table.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "gcs/batch_ledger.hpp"
#include "gcs/environment.hpp"
#include "gcs/lmdb.hpp"
#include "gcs/task_index.hpp"

namespace caf_ray::gcs {

namespace {

/// Raise when what lies on the disk changes its shape.
constexpr std::uint64_t format_version = 2;

/// In front of each value of `tasks`: the id, from which the index is rebuilt.
constexpr std::size_t id_bytes = 16;

std::string to_key(const task_place& place) {
  return big_endian(place.job) + big_endian(place.sequence);
}

constexpr std::size_t task_key_bytes = sizeof(job_id) + sizeof(std::uint64_t);

} // namespace

/// The tables besides those of `table_kind`: `format` (what wrote this folder), `clients` (the rows
/// of the ledger).
class tables::impl {
public:
  impl(const table_options& options, std::unique_ptr<environment> env)
    : options_(options), env_(std::move(env)), ledger_(options.max_clients) {}

  // -- opening ------------------------------------------------------------------------------------

  result<void> open() {
    std::optional<error> mismatch;
    auto opened = env_->transact([&](MDB_txn* txn) { mismatch = open_tables(txn); }, [] {});
    if (!opened)
      return opened;
    if (mismatch)
      return tl::unexpected(*mismatch);
    try {
      load();
      return {};
    } catch (const lmdb_failure& e) {
      return tl::unexpected(describe(e.code, "cannot read the GCS folder " + env_->where()));
    }
  }

  /// Makes the tables of a new folder. An error when the folder is not ours.
  std::optional<error> open_tables(MDB_txn* txn) {
    constexpr MDB_dbi main_table = 1; // holds the names of the others
    MDB_stat main{};
    must(mdb_stat(txn, main_table, &main));
    unsigned create = main.ms_entries == 0 ? MDB_CREATE : 0;
    MDB_dbi format = 0;
    int code = mdb_dbi_open(txn, "format", create, &format);
    if (code == MDB_NOTFOUND || code == MDB_INCOMPATIBLE)
      return error{errc::version_mismatch, env_->where()
                                             + " holds an LMDB database that is not a GCS: choose "
                                               "another folder"};
    must(code);
    const std::pair<const char*, std::uint64_t> facts[] = {
      {"format", format_version},
      {"number of shards", options_.shard_count},
      {"shard index", options_.shard_index},
    };
    for (auto& [name, expected] : facts) {
      auto key = to_val(name);
      auto text = std::to_string(expected);
      auto value = to_val(text);
      if (create)
        must(mdb_put(txn, format, &key, &value, 0));
      code = mdb_get(txn, format, &key, &value);
      auto found = code == MDB_SUCCESS ? std::string(to_view(value)) : "none";
      if (found != text)
        return error{errc::version_mismatch,
                     "the GCS folder " + env_->where() + " has " + name + " " + found
                       + ", this program expects " + text
                       + ": start the one that wrote it, with the same settings, or choose another "
                         "folder"};
    }
    must(mdb_dbi_open(txn, "clients", create, &clients_));
    for (std::size_t i = 0; i < table_count; ++i)
      must(mdb_dbi_open(txn, to_string(static_cast<table_kind>(i)), create, &tables_[i]));
    return std::nullopt;
  }

  /// What is kept in memory: places of tasks, clients, the number of the next event.
  void load() {
    environment::reading txn(*env_);
    MDB_val key, value;
    cursor task(txn.get(), dbi(table_kind::tasks));
    for (auto go = MDB_FIRST; task.move(go, key, value); go = MDB_NEXT) {
      auto id = from_binary<task_id>(to_view(value).substr(0, id_bytes));
      if (key.mv_size != task_key_bytes || !id || !*id)
        throw lmdb_failure{MDB_CORRUPTED};
      index_.load(*id, {from_big_endian<job_id>(to_view(key)),
                        from_big_endian<std::uint64_t>(to_view(key).substr(sizeof(job_id)))});
    }
    cursor client(txn.get(), clients_);
    for (auto go = MDB_FIRST; client.move(go, key, value); go = MDB_NEXT)
      if (!ledger_.load(to_view(key), to_view(value)))
        throw lmdb_failure{MDB_CORRUPTED};
    cursor event(txn.get(), dbi(table_kind::events));
    if (event.move(MDB_LAST, key, value))
      next_event_ = from_big_endian<std::uint64_t>(to_view(key)) + 1;
  }

  // -- writing ------------------------------------------------------------------------------------

  template <class F>
  result<void> transact(F work) {
    auto done = env_->transact(work, [this] {
      index_.roll_back();
      ledger_.roll_back();
    });
    if (done) {
      index_.commit();
      ledger_.commit();
    }
    return done;
  }

  result<std::vector<op_outcome>> apply(std::span<const write_op> ops) {
    std::vector<op_outcome> outcomes;
    auto done = transact([&](MDB_txn* txn) {
      outcomes.clear();
      for (auto& op : ops)
        outcomes.push_back(write(txn, op));
    });
    if (!done)
      return tl::unexpected(done.error());
    writes_ += ops.size();
    return outcomes;
  }

  result<std::vector<batch_outcome>> apply(std::span<const write_batch> batches) {
    std::vector<batch_outcome> outcomes;
    auto done = transact([&](MDB_txn* txn) {
      outcomes.clear();
      for (auto& batch : batches)
        outcomes.push_back(write(txn, batch));
      for (auto& row : ledger_.rows()) {
        auto key = to_val(row.key), value = to_val(row.value ? *row.value : std::string_view());
        must(row.value ? mdb_put(txn, clients_, &key, &value, 0)
                       : mdb_del(txn, clients_, &key, nullptr));
      }
    });
    if (!done)
      return tl::unexpected(done.error());
    for (std::size_t i = 0; i < batches.size(); ++i) {
      writes_ += outcomes[i].kind == batch_outcome::applied ? batches[i].ops->size() : 0;
      duplicates_ += outcomes[i].kind == batch_outcome::duplicate;
    }
    return outcomes;
  }

  batch_outcome write(MDB_txn* txn, const write_batch& batch) {
    auto outcome = ledger_.judge(batch);
    if (outcome.kind != batch_outcome::applied)
      return outcome;
    batch.ops->for_each([&](std::uint32_t index, const write_op& op) {
      if (auto what = write(txn, op); what != op_outcome::done)
        outcome.notes.push_back({index, what});
    });
    ledger_.applied(batch, outcome.notes);
    return outcome;
  }

  op_outcome write(MDB_txn* txn, const write_op& op) {
    bool erases = op.kind == write_kind::erase;
    if (env_->refusing() && !erases)
      return op_outcome::refused;
    if (op.table == table_kind::tasks)
      return erases ? erase_task(txn, op) : put_task(txn, op);
    if (op.table == table_kind::events && !erases)
      return put_event(txn, op);
    auto key = to_val(op.key), value = to_val(op.value);
    unsigned flags = op.kind == write_kind::put_if_absent ? MDB_NOOVERWRITE : 0;
    int code = erases ? mdb_del(txn, dbi(op.table), &key, nullptr)
                      : mdb_put(txn, dbi(op.table), &key, &value, flags);
    if (code == MDB_KEYEXIST || code == MDB_NOTFOUND)
      return op_outcome::unchanged;
    must(code);
    return op_outcome::done;
  }

  op_outcome put_task(MDB_txn* txn, const write_op& op) {
    auto id = *from_binary<task_id>(op.key);
    if (op.kind == write_kind::put_if_absent && index_.find(id))
      return op_outcome::unchanged;
    auto at = index_.insert(id, op.job);
    auto bytes = to_key(at.place);
    auto key = to_val(bytes);
    MDB_val value{id_bytes + op.value.size(), nullptr};
    must(mdb_put(txn, dbi(table_kind::tasks), &key, &value,
                 at.append ? MDB_RESERVE | MDB_APPEND : MDB_RESERVE));
    auto out = static_cast<char*>(value.mv_data);
    std::memcpy(out, op.key.data(), id_bytes);
    std::memcpy(out + id_bytes, op.value.data(), op.value.size());
    return op_outcome::done;
  }

  op_outcome erase_task(MDB_txn* txn, const write_op& op) {
    auto id = *from_binary<task_id>(op.key);
    auto place = index_.find(id);
    if (!place)
      return op_outcome::unchanged;
    auto bytes = to_key(*place);
    auto key = to_val(bytes);
    must(mdb_del(txn, dbi(table_kind::tasks), &key, nullptr));
    index_.erase(id);
    return op_outcome::done;
  }

  op_outcome put_event(MDB_txn* txn, const write_op& op) {
    auto table = dbi(table_kind::events);
    auto bytes = big_endian(next_event_++);
    auto key = to_val(bytes), value = to_val(op.value);
    must(mdb_put(txn, table, &key, &value, MDB_APPEND));
    MDB_stat stat{};
    must(mdb_stat(txn, table, &stat));
    // Up to two at a time, so that a lowered limit is reached in the end.
    auto spare =
      std::min<std::size_t>(2, stat.ms_entries - std::min(stat.ms_entries, options_.max_events));
    cursor oldest(txn, table);
    for (; spare > 0 && oldest.move(MDB_FIRST, key, value); --spare)
      oldest.erase();
    return op_outcome::done;
  }

  // -- reading ------------------------------------------------------------------------------------

  std::optional<std::string> get(table_kind table, std::string_view key) const {
    std::string bytes;
    if (table == table_kind::tasks) {
      auto id = from_binary<task_id>(key);
      auto place = id ? index_.find(*id) : nullptr;
      if (!place)
        return std::nullopt;
      bytes = to_key(*place);
      key = bytes;
    }
    environment::reading txn(*env_);
    auto k = to_val(key);
    MDB_val value;
    int code = mdb_get(txn.get(), dbi(table), &k, &value);
    if (code == MDB_NOTFOUND)
      return std::nullopt;
    must(code);
    return std::string(to_view(value).substr(table == table_kind::tasks ? id_bytes : 0));
  }

  scan_page scan(table_kind table, std::string_view prefix, std::string_view after,
                 std::size_t limit, std::size_t max_bytes) const {
    scan_page page;
    environment::reading txn(*env_);
    cursor at(txn.get(), dbi(table));
    auto start = after.starts_with(prefix) ? after : prefix;
    auto key = to_val(start);
    MDB_val value;
    std::string last;
    std::size_t bytes = 0;
    auto go = start.empty() ? MDB_FIRST : MDB_SET_RANGE;
    for (; at.move(go, key, value); go = MDB_NEXT) {
      auto place = to_view(key);
      if (!place.starts_with(prefix))
        break;
      if (!after.empty() && place == after)
        continue;
      bytes += key.mv_size + value.mv_size + id_bytes;
      if (page.entries.size() == limit || (bytes > max_bytes && !page.entries.empty())) {
        page.next = last;
        break;
      }
      last = place;
      bool task = table == table_kind::tasks;
      auto content = to_view(value);
      page.entries.push_back({std::string(task ? content.substr(0, id_bytes) : place),
                              std::string(content.substr(task ? id_bytes : 0))});
    }
    return page;
  }

  shard_status status() const {
    shard_status s;
    s.index = options_.shard_index;
    s.shard_count = options_.shard_count;
    s.commits = env_->commit_count();
    s.writes = writes_;
    s.duplicate_batches = duplicates_;
    s.map_bytes = env_->map_bytes();
    s.max_map_bytes = options_.max_map_bytes;
    s.used_bytes = env_->used_bytes();
    s.alarm = env_->alarm();
    environment::reading txn(*env_);
    for (auto table : tables_) {
      MDB_stat stat{};
      must(mdb_stat(txn.get(), table, &stat));
      s.entries.push_back(stat.ms_entries);
    }
    return s;
  }

  error could_not_read(const lmdb_failure& e) const {
    return describe(e.code, "the GCS could not read " + env_->where());
  }

  MDB_dbi dbi(table_kind table) const { return tables_[static_cast<std::size_t>(table)]; }

  const table_options options_;
  std::unique_ptr<environment> env_;
  std::array<MDB_dbi, table_count> tables_{};
  MDB_dbi clients_ = 0;
  task_index index_;
  batch_ledger ledger_;
  std::uint64_t next_event_ = 1;
  std::uint64_t writes_ = 0;
  std::uint64_t duplicates_ = 0;
};

// -- tables
// -----------------------------------------------------------------------------------------

tables::tables(std::unique_ptr<impl> p) : impl_(std::move(p)) {}
tables::~tables() = default;

result<std::unique_ptr<tables>> tables::open(const table_options& options) {
  if (options.shard_index >= options.shard_count)
    return fail(errc::invalid_argument, "there is no shard " + std::to_string(options.shard_index)
                                          + " of " + std::to_string(options.shard_count)
                                          + " (they are counted from 0)");
  auto env = environment::open(options, table_count + 2);
  if (!env)
    return tl::unexpected(env.error());
  auto p = std::make_unique<impl>(options, std::move(*env));
  if (auto opened = p->open(); !opened)
    return tl::unexpected(opened.error());
  return std::unique_ptr<tables>(new tables(std::move(p)));
}

result<std::vector<op_outcome>> tables::apply(std::span<const write_op> ops) {
  for (auto& op : ops)
    if (auto fine = check(op); !fine)
      return tl::unexpected(fine.error());
  return impl_->apply(ops);
}

result<std::vector<batch_outcome>> tables::apply(std::span<const write_batch> batches) {
  return impl_->apply(batches);
}

/// True: done; false: unchanged.
result<bool> tables::apply_one(const write_op& op) {
  auto outcomes = apply(std::span(&op, 1));
  if (!outcomes)
    return tl::unexpected(outcomes.error());
  if (outcomes->front() == op_outcome::refused)
    return fail(errc::store_full, impl_->env_->alarm());
  return outcomes->front() == op_outcome::done;
}

result<void> tables::put(table_kind table, std::string_view key, std::string_view value,
                         job_id job) {
  return apply_one({table, write_kind::put, key, value, job}).map([](bool) {});
}

result<bool> tables::put_if_absent(table_kind table, std::string_view key, std::string_view value,
                                   job_id job) {
  return apply_one({table, write_kind::put_if_absent, key, value, job});
}

result<bool> tables::erase(table_kind table, std::string_view key) {
  return apply_one({table, write_kind::erase, key, {}, 0});
}

result<std::optional<std::string>> tables::get(table_kind table, std::string_view key) const {
  if (key.empty() || key.size() > max_key_bytes)
    return std::nullopt; // nothing can be there
  try {
    return impl_->get(table, key);
  } catch (const lmdb_failure& e) {
    return tl::unexpected(impl_->could_not_read(e));
  }
}

result<scan_page> tables::scan(table_kind table, std::string_view prefix, std::string_view after,
                               std::size_t limit, std::size_t max_bytes) const {
  if (prefix.size() > max_key_bytes || after.size() > max_key_bytes)
    return scan_page{};
  try {
    return impl_->scan(table, prefix, after, limit, max_bytes);
  } catch (const lmdb_failure& e) {
    return tl::unexpected(impl_->could_not_read(e));
  }
}

std::uint64_t tables::last_sequence(std::uint64_t client) const {
  return impl_->ledger_.last_sequence(client);
}

result<void> tables::sync() {
  return impl_->env_->sync();
}

void tables::check_readers() {
  impl_->env_->check_readers();
}

shard_status tables::status() const {
  try {
    return impl_->status();
  } catch (const lmdb_failure& e) {
    shard_status s;
    s.alarm = impl_->could_not_read(e).what;
    return s;
  }
}

const table_options& tables::options() const noexcept {
  return impl_->options_;
}

} // namespace caf_ray::gcs
