#include "gcs/environment.hpp"

#include <fstream>

#include <lmdb.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "gcs/types/ids.hpp"
#include "tests/gcs/support.hpp"

using namespace caf_ray;
using namespace caf_ray::gcs;
using namespace caf_ray::gcs::test;

namespace {

struct fixture {
  temp_folder folder;
  table_options options;

  fixture() {
    options.folder = folder.path;
    options.sync = durability::none;
  }

  fs::path data_file() const { return folder.path / "shard-0" / "data.mdb"; }
};

/// Puts until one is refused; returns how many were not, and the refusal's code.
std::pair<int, errc> fill(tables& t, std::size_t value_bytes, int limit) {
  std::string value(value_bytes, 'v');
  for (int i = 0; i < limit; ++i)
    if (auto put = t.put(table_kind::kv, "k" + std::to_string(i), value); !put)
      return {i, put.error().code};
  return {limit, errc::none};
}

/// A file system of its own. Not `made` when that is not permitted.
struct small_disk {
  fs::path path;
  bool made;

  small_disk(const fs::path& at, const char* size) : path(at) {
    fs::create_directories(path);
    made = mount("tmpfs", path.c_str(), "tmpfs", 0, size) == 0;
  }
  ~small_disk() {
    if (made)
      umount2(path.c_str(), MNT_DETACH);
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(lmdb_environment, fixture)

BOOST_AUTO_TEST_CASE(a_full_map_refuses_puts_takes_erases_and_then_puts_again) {
  options.map_bytes = options.max_map_bytes = 1 << 20;
  auto t = must_have(tables::open(options));
  auto [count, code] = fill(*t, 2000, 10'000);
  BOOST_TEST(code == errc::store_full);
  BOOST_TEST(count > 100);
  BOOST_TEST(t->status().alarm.find("full") != std::string::npos);
  // What is there can be read, changed things cannot be added, everything can be erased.
  BOOST_TEST(must_have(t->get(table_kind::kv, "k0")).has_value());
  BOOST_TEST(code_of(t->put(table_kind::kv, "more", "v")) == errc::store_full);
  for (int i = 0; i < count; ++i)
    BOOST_TEST_REQUIRE(must_have(t->erase(table_kind::kv, "k" + std::to_string(i))));
  BOOST_TEST(t->status().alarm == "");
  BOOST_TEST(code_of(t->put(table_kind::kv, "more", "v")) == errc::none);
  BOOST_TEST(fill(*t, 2000, count / 2).second == errc::none);
}

BOOST_AUTO_TEST_CASE(in_a_full_map_a_batch_loses_its_puts_and_keeps_its_erases) {
  options.map_bytes = options.max_map_bytes = 1 << 20;
  auto t = must_have(tables::open(options));
  fill(*t, 2000, 10'000);
  auto list = std::make_shared<write_list>();
  list->add({table_kind::kv, write_kind::put, "more", "v", 0});
  list->add({table_kind::kv, write_kind::erase, "k0", "", 0});
  write_batch batch{1, 1, 1, list};
  auto outcome = must_have(t->apply(std::span(&batch, 1))).front();
  BOOST_TEST((outcome.notes == std::vector<op_note>{{0, op_outcome::refused}}));
  BOOST_TEST(!must_have(t->get(table_kind::kv, "k0")).has_value());
}

BOOST_AUTO_TEST_CASE(a_map_that_may_grow_does_so_also_in_the_middle_of_a_batch) {
  options.map_bytes = 256 << 10;
  options.max_map_bytes = 64 << 20;
  auto t = must_have(tables::open(options));
  std::vector<std::string> keys;
  std::string value(10'000, 'v');
  std::vector<write_op> ops;
  for (int i = 0; i < 1000; ++i)
    keys.push_back("k" + std::to_string(i));
  for (auto& key : keys)
    ops.push_back({table_kind::kv, write_kind::put, key, value, 0});
  BOOST_TEST(code_of(t->apply(ops)) == errc::none);
  BOOST_TEST(t->status().map_bytes >= 10'000'000u);
  BOOST_TEST(must_have(t->get(table_kind::kv, "k999")).has_value());
}

BOOST_AUTO_TEST_CASE(a_transaction_that_fails_leaves_the_task_index_as_it_was) {
  options.map_bytes = options.max_map_bytes = 1 << 20;
  auto t = must_have(tables::open(options));
  auto id = [](std::uint64_t i) { return to_binary(derive_task({1, 1}, i)); };
  must_have(t->put(table_kind::tasks, id(0), "first", 1));
  std::vector<std::string> keys;
  std::string value(20'000, 'v');
  std::vector<write_op> ops{{table_kind::tasks, write_kind::erase, id(0), "", 0}};
  auto first = id(0);
  ops[0].key = first;
  for (std::uint64_t i = 1; i < 200; ++i)
    keys.push_back(id(i));
  for (auto& key : keys)
    ops.push_back({table_kind::tasks, write_kind::put, key, value, 1});
  // Too much for the map: runs again without the puts.
  auto outcomes = must_have(t->apply(ops));
  BOOST_TEST((outcomes[0] == op_outcome::done));
  BOOST_TEST((outcomes[1] == op_outcome::refused));
  for (auto& key : keys)
    BOOST_TEST_REQUIRE(!must_have(t->get(table_kind::tasks, key)).has_value());
  must_have(t->put(table_kind::tasks, first, "again", 1));
  BOOST_TEST(must_have(t->get(table_kind::tasks, first)).value() == "again");
}

BOOST_AUTO_TEST_CASE(a_full_disk_is_a_typed_error_and_nothing_acknowledged_is_lost) {
  small_disk disk(folder.path / "disk", "size=4m");
  if (!disk.made) {
    BOOST_WARN_MESSAGE(false, "SKIPPED: mounting a tmpfs is not permitted here");
    return;
  }
  options.folder = disk.path / "gcs";
  options.sync = durability::every_commit;
  auto t = must_have(tables::open(options));
  auto [count, code] = fill(*t, 10'000, 10'000);
  BOOST_TEST(code == errc::io_failed);
  BOOST_TEST(t->status().alarm.find("ENOSPC") != std::string::npos);
  // Fail-stop: no more writes, reads go on.
  BOOST_TEST(code_of(t->erase(table_kind::kv, "k0")) == errc::io_failed);
  BOOST_TEST(code_of(t->sync()) == errc::io_failed);
  for (int i = 0; i < count; ++i)
    BOOST_TEST_REQUIRE(must_have(t->get(table_kind::kv, "k" + std::to_string(i))).has_value());
  t = nullptr;
  t = must_have(tables::open(options));
  for (int i = 0; i < count; ++i)
    BOOST_TEST_REQUIRE(must_have(t->get(table_kind::kv, "k" + std::to_string(i))).has_value());
  BOOST_TEST(must_have(t->erase(table_kind::kv, "k0")));
}

BOOST_AUTO_TEST_CASE(a_data_file_of_garbage_is_corrupt) {
  fs::create_directories(data_file().parent_path());
  std::ofstream(data_file()) << std::string(20'000, 'x');
  BOOST_TEST(code_of(tables::open(options)) == errc::corrupt);
}

BOOST_AUTO_TEST_CASE(a_truncated_data_file_is_corrupt_and_no_signal) {
  {
    auto t = must_have(tables::open(options));
    fill(*t, 2000, 1000);
  }
  auto size = fs::file_size(data_file());
  for (auto part : {3u, 10u, 50u, 90u}) {
    fs::resize_file(data_file(), size * part / 100);
    auto t = tables::open(options);
    if (!t)
      BOOST_TEST(code_of(t) == errc::corrupt);
    else
      for (int i = 0; i < 1000; ++i)
        (void)(*t)->get(table_kind::kv, "k" + std::to_string(i));
  }
}

BOOST_AUTO_TEST_CASE(a_database_of_somebody_else_is_a_version_mismatch) {
  fs::create_directories(data_file().parent_path());
  MDB_env* env = nullptr;
  MDB_txn* txn = nullptr;
  MDB_dbi dbi = 0;
  BOOST_TEST_REQUIRE(mdb_env_create(&env) == 0);
  mdb_env_set_maxdbs(env, 2);
  BOOST_TEST_REQUIRE(mdb_env_open(env, data_file().parent_path().c_str(), 0, 0600) == 0);
  BOOST_TEST_REQUIRE(mdb_txn_begin(env, nullptr, 0, &txn) == 0);
  BOOST_TEST_REQUIRE(mdb_dbi_open(txn, "theirs", MDB_CREATE, &dbi) == 0);
  BOOST_TEST_REQUIRE(mdb_txn_commit(txn) == 0);
  mdb_env_close(env);
  BOOST_TEST(code_of(tables::open(options)) == errc::version_mismatch);
}

BOOST_AUTO_TEST_CASE(files_are_private_whatever_the_umask) {
  for (mode_t mask : {0000, 0022, 0277}) {
    auto before = umask(mask);
    options.folder = folder.path / std::to_string(mask);
    auto opened = tables::open(options);
    umask(before);
    must_have(std::move(opened));
    struct stat s {};
    for (auto name : {"shard-0", "shard-0/data.mdb", "shard-0/lock.mdb", "shard-0/owner"}) {
      BOOST_TEST_REQUIRE(stat((options.folder / name).c_str(), &s) == 0);
      BOOST_TEST((s.st_mode & 0777) == (S_ISDIR(s.st_mode) ? 0700u : 0600u), name);
    }
  }
}

BOOST_AUTO_TEST_CASE(all_three_durabilities_survive_a_reopening) {
  for (auto sync : {durability::every_commit, durability::interval, durability::none}) {
    options.folder = folder.path / std::to_string(static_cast<int>(sync));
    options.sync = sync;
    {
      auto t = must_have(tables::open(options));
      must_have(t->put(table_kind::kv, "k", "v"));
      must_have(t->sync());
    }
    auto t = must_have(tables::open(options));
    BOOST_TEST(must_have(t->get(table_kind::kv, "k")).value() == "v");
  }
}

BOOST_AUTO_TEST_CASE(emptying_and_filling_again_does_not_grow_the_file) {
  auto t = must_have(tables::open(options));
  std::vector<std::string> keys;
  for (std::uint64_t i = 0; i < 1000; ++i)
    keys.push_back(to_binary(derive_task({1, 1}, i)));
  std::string value(500, 'v');
  std::uintmax_t size = 0;
  for (int round = 0; round < 50; ++round) {
    std::vector<write_op> ops;
    for (auto& key : keys)
      ops.push_back({table_kind::tasks, write_kind::put, key, value, 1});
    must_have(t->apply(ops));
    for (auto& op : ops)
      op.kind = write_kind::erase;
    must_have(t->apply(ops));
    if (round == 5)
      size = fs::file_size(data_file());
  }
  BOOST_TEST(fs::file_size(data_file()) <= size + size / 2);
}

BOOST_AUTO_TEST_SUITE_END()
