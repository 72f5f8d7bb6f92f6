#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <lmdb.h>

#include "gcs/types/error.hpp"

/// LMDB's C interface with owners and errors. Included by the sources of this folder only.
namespace caf_ray::gcs {

/// What LMDB returned. Thrown and caught inside `environment` and `tables`; never leaves them.
struct lmdb_failure {
  int code;
};

inline void must(int code) {
  if (code != MDB_SUCCESS)
    throw lmdb_failure{code};
}

/// `doing`: "the GCS could not write to /x". Codes: store_full, version_mismatch, corrupt,
/// io_failed.
error describe(int code, const std::string& doing);

inline MDB_val to_val(std::string_view bytes) {
  return {bytes.size(), const_cast<char*>(bytes.data())};
}

inline std::string_view to_view(const MDB_val& x) {
  return {static_cast<const char*>(x.mv_data), x.mv_size};
}

/// Numbers as keys that sort as the numbers do.
template <class Integer>
std::string big_endian(Integer x) {
  std::string bytes(sizeof(x), '\0');
  for (std::size_t i = 0; i < sizeof(x); ++i)
    bytes[i] = static_cast<char>(x >> (8 * (sizeof(x) - 1 - i)));
  return bytes;
}

template <class Integer>
Integer from_big_endian(std::string_view bytes) {
  Integer x = 0;
  for (auto c : bytes.substr(0, sizeof(x)))
    x = static_cast<Integer>(x << 8 | static_cast<std::uint8_t>(c));
  return x;
}

/// Begins and ends on one thread, as LMDB's writer lock wants it.
class write_txn {
public:
  explicit write_txn(MDB_env* env) { must(mdb_txn_begin(env, nullptr, 0, &txn_)); }
  ~write_txn() {
    if (txn_)
      mdb_txn_abort(txn_);
  }
  write_txn(const write_txn&) = delete;
  MDB_txn* get() const noexcept { return txn_; }
  void commit() { must(mdb_txn_commit(std::exchange(txn_, nullptr))); }

private:
  MDB_txn* txn_ = nullptr;
};

class cursor {
public:
  cursor(MDB_txn* txn, MDB_dbi dbi) { must(mdb_cursor_open(txn, dbi, &cursor_)); }
  ~cursor() { mdb_cursor_close(cursor_); }
  cursor(const cursor&) = delete;

  /// False at the end.
  bool move(MDB_cursor_op to, MDB_val& key, MDB_val& value) {
    int code = mdb_cursor_get(cursor_, &key, &value, to);
    if (code == MDB_NOTFOUND)
      return false;
    must(code);
    return true;
  }
  void erase() { must(mdb_cursor_del(cursor_, 0)); }

private:
  MDB_cursor* cursor_ = nullptr;
};

} // namespace caf_ray::gcs
