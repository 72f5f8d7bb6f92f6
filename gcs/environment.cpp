#include "gcs/environment.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace caf_ray::gcs {

namespace {

constexpr double grow_at = 0.7;
constexpr double refuse_at = 0.9;

double share(double part, std::size_t bytes) {
  return part * static_cast<double>(bytes);
}

} // namespace

error describe(int code, const std::string& doing) {
  switch (code) {
    case MDB_MAP_FULL: return {errc::store_full, doing + ": the map is full"};
    case MDB_VERSION_MISMATCH:
      return {errc::version_mismatch, doing + ": made by another version of LMDB"};
    case MDB_INVALID:
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INCOMPATIBLE: return {errc::corrupt, doing + ": " + mdb_strerror(code)};
    default:
      return {errc::io_failed, doing + ": " + (code > 0 ? errno_text(code) : mdb_strerror(code))};
  }
}

environment::environment(const table_options& options, shard_folder folder)
  : options_(options), folder_(std::move(folder)) {}

environment::~environment() {
  if (reader_)
    mdb_txn_abort(reader_);
  if (env_) {
    if (options_.sync == durability::interval && !failure_)
      mdb_env_sync(env_, 1);
    mdb_env_close(env_);
  }
}

result<std::unique_ptr<environment>> environment::open(const table_options& options,
                                                       unsigned max_tables) {
  auto folder = shard_folder::claim(options.folder, options.shard_index);
  if (!folder)
    return tl::unexpected(folder.error());
  std::unique_ptr<environment> env(new environment(options, std::move(*folder)));
  try {
    env->open_files(max_tables);
  } catch (const lmdb_failure& e) {
    return tl::unexpected(describe(e.code, "cannot open the GCS folder " + env->where()));
  }
  return env;
}

void environment::open_files(unsigned max_tables) {
  must(mdb_env_create(&env_));
  must(mdb_env_set_mapsize(env_, std::min(options_.map_bytes, options_.max_map_bytes)));
  must(mdb_env_set_maxdbs(env_, max_tables));
  unsigned flags = MDB_NOTLS;
  if (options_.sync != durability::every_commit)
    flags |= MDB_NOSYNC;
  must(mdb_env_open(env_, folder_.path().c_str(), flags, 0600));
  int fd = -1;
  must(mdb_env_get_fd(env_, &fd));
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  for (auto name : {"data.mdb", "lock.mdb"})
    chmod((folder_.path() / name).c_str(), 0600);
  check_readers();
  fill_gaps(fd);
  must(mdb_txn_begin(env_, nullptr, MDB_RDONLY, &reader_));
  mdb_txn_reset(reader_);
  refusing_ = true; // so that `measure` takes a close look
  measure();
}

/// A file shorter than its own header says would end the process by SIGBUS when it is read. Zeros
/// there are noticed as corrupt pages instead, or never read at all.
void environment::fill_gaps(int fd) {
  MDB_stat stat{};
  MDB_envinfo info{};
  must(mdb_env_stat(env_, &stat));
  must(mdb_env_info(env_, &info));
  page_bytes_ = stat.ms_psize;
  auto expected = static_cast<off_t>((info.me_last_pgno + 1) * page_bytes_);
  struct ::stat file {};
  if (fstat(fd, &file) != 0 || (file.st_size < expected && ftruncate(fd, expected) != 0))
    throw lmdb_failure{errno};
}

result<void> environment::transact(const std::function<void(MDB_txn*)>& work,
                                   const std::function<void()>& roll_back) {
  if (failure_)
    return tl::unexpected(*failure_);
  if (static_cast<double>(high_water_bytes_) > share(grow_at, map_bytes()))
    grow();
  for (;;) {
    try {
      write_txn txn(env_);
      work(txn.get());
      txn.commit();
      ++commits_;
      measure();
      return {};
    } catch (const lmdb_failure& e) {
      roll_back();
      if (e.code == MDB_MAP_FULL) {
        if (grow() || !std::exchange(refusing_, true))
          continue;
        return fail(errc::store_full, full_text());
      }
      if (e.code == MDB_TXN_FULL)
        return fail(errc::invalid_argument, "too many writes for one transaction");
      failure_ = describe(e.code, "the GCS could not write to " + where());
      failure_->what += "; it takes no more writes until it is started again";
      return tl::unexpected(*failure_);
    }
  }
}

/// Between transactions only: LMDB maps the file anew.
bool environment::grow() {
  auto now = map_bytes();
  return now < options_.max_map_bytes
         && mdb_env_set_mapsize(env_, std::min(2 * now, options_.max_map_bytes)) == MDB_SUCCESS;
}

void environment::measure() {
  MDB_envinfo info{};
  mdb_env_info(env_, &info);
  high_water_bytes_ = (info.me_last_pgno + 1) * page_bytes_;
  auto line = share(refuse_at, options_.max_map_bytes);
  if (static_cast<double>(high_water_bytes_) < line)
    refusing_ = false;
  else if (refusing_ || commits_ % 64 == 0) // now and then, since the free list may be long
    refusing_ = static_cast<double>(used_bytes()) >= line;
}

/// LMDB's table 0 is the free list; each value is a count and that many page numbers.
std::size_t environment::free_bytes() const {
  std::size_t pages = 0;
  try {
    reading txn(*this);
    cursor at(txn.get(), 0);
    MDB_val key, value;
    for (auto go = MDB_FIRST; at.move(go, key, value); go = MDB_NEXT) {
      std::size_t count = 0;
      std::memcpy(&count, value.mv_data, sizeof(count));
      pages += count;
    }
  } catch (const lmdb_failure&) {
    return 0;
  }
  return pages * page_bytes_;
}

result<void> environment::sync() {
  if (failure_)
    return tl::unexpected(*failure_);
  int code = mdb_env_sync(env_, 1);
  if (code == MDB_SUCCESS)
    return {};
  // Pages may have been dropped as if they were clean: another try would succeed and lie.
  failure_ = describe(code, "the GCS could not sync " + where());
  return tl::unexpected(*failure_);
}

void environment::check_readers() {
  int dead = 0;
  mdb_reader_check(env_, &dead);
}

std::size_t environment::map_bytes() const {
  MDB_envinfo info{};
  mdb_env_info(env_, &info);
  return info.me_mapsize;
}

std::string environment::full_text() const {
  return "the GCS map of " + where() + " is full (" + std::to_string(options_.max_map_bytes >> 20)
         + " MiB): it takes erases only; erase, or start with a larger map";
}

std::string environment::alarm() const {
  if (failure_)
    return failure_->what;
  if (refusing_)
    return full_text();
  if (static_cast<double>(used_bytes()) > share(grow_at, options_.max_map_bytes))
    return "the GCS map of " + where() + " is over 70 % full";
  return {};
}

} // namespace caf_ray::gcs
