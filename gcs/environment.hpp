#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "gcs/folder.hpp"
#include "gcs/lmdb.hpp"
#include "gcs/table.hpp"
#include "gcs/types/error.hpp"

namespace caf_ray::gcs {

/// LMDB in one folder: how it is opened, how a transaction runs, and what happens when the map or
/// the disk is full. Knows nothing of tables.
///
///     writing ---- map over 90 % of its maximum ----> refusing puts
///        ^------------- enough was erased ----------------'
///     either ---- I/O error ----> failed: no more writes until it is opened again; reads go on
class environment {
public:
  /// Errors: those of `shard_folder::claim`; corrupt, io_failed, version_mismatch (of LMDB).
  static result<std::unique_ptr<environment>> open(const table_options& options,
                                                   unsigned max_tables);
  ~environment();
  environment(const environment&) = delete;

  /// Runs `work` in a transaction and commits. When the map is full, runs it again: with a larger
  /// map, or else with `refusing()` true. `roll_back` is called before each repetition and before
  /// an error is returned: it undoes what `work` did to memory. Errors: store_full, io_failed,
  /// corrupt, invalid_argument (more pages than LMDB takes in one transaction).
  result<void> transact(const std::function<void(MDB_txn*)>& work,
                        const std::function<void()>& roll_back);

  /// A snapshot; ends with the call that made it.
  class reading {
  public:
    explicit reading(const environment& env) : txn_(env.reader_) { must(mdb_txn_renew(txn_)); }
    ~reading() { mdb_txn_reset(txn_); }
    reading(const reading&) = delete;
    MDB_txn* get() const noexcept { return txn_; }

  private:
    MDB_txn* txn_;
  };

  /// Forces out what commits have left in memory. Errors: io_failed, once and for all.
  result<void> sync();
  void check_readers();

  /// True while puts are not to be made.
  bool refusing() const noexcept { return refusing_; }
  std::size_t map_bytes() const;
  /// Bytes of the map that hold something now.
  std::size_t used_bytes() const { return high_water_bytes_ - free_bytes(); }
  std::uint64_t commit_count() const noexcept { return commits_; }
  std::string where() const { return folder_.path().string(); }
  /// Empty while all is well.
  std::string alarm() const;

private:
  environment(const table_options& options, shard_folder folder);

  void open_files(unsigned max_tables);
  void fill_gaps(int fd);
  bool grow();
  void measure();
  std::size_t free_bytes() const;
  std::string full_text() const;

  const table_options options_;
  shard_folder folder_;
  MDB_env* env_ = nullptr;
  /// Without a snapshot outside of `reading`.
  MDB_txn* reader_ = nullptr;
  std::size_t page_bytes_ = 4096;
  /// LMDB's file never shrinks: pages once used, free again or not.
  std::size_t high_water_bytes_ = 0;
  std::uint64_t commits_ = 0;
  bool refusing_ = false;
  std::optional<error> failure_;
};

} // namespace caf_ray::gcs
