// The other process of folder_test and crash_test.
//
//   gcs_child hold FOLDER     opens a shard's tables, prints "open", waits to be killed
//   gcs_child scratch FOLDER  makes a scratch folder there, prints its path, waits to be killed
//   gcs_child files           prints what its file descriptors point to
//   gcs_child write FOLDER N  writes records numbered from N for ever, through a client and two
//                             shards; prints the number of each one that is acknowledged

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include <caf/all.hpp>
#include <unistd.h>

#include "gcs/client_port.hpp"
#include "gcs/scratch_folder.hpp"
#include "gcs/shard.hpp"
#include "tests/gcs/crash_records.hpp"

using namespace caf_ray;
using namespace caf_ray::gcs;

namespace {

int hold(const char* folder) {
  table_options options;
  options.folder = folder;
  auto t = tables::open(options);
  std::puts(t ? "open" : t.error().what.c_str());
  std::fflush(stdout);
  pause();
  return 0;
}

int scratch(const char* parent) {
  auto folder = scratch_folder::make(parent, {"scratch-", [](std::string_view) { return true; }});
  std::puts(folder ? folder->path().c_str() : folder.error().what.c_str());
  std::fflush(stdout);
  pause();
  return 0;
}

int files() {
  std::error_code gone;
  for (auto& fd : std::filesystem::directory_iterator("/proc/self/fd"))
    std::puts(std::filesystem::read_symlink(fd, gone).c_str());
  return 0;
}

int write(const char* folder, std::uint64_t first) {
  caf::actor_system_config config;
  config.add_message_types<caf::id_block::caf_ray>();
  caf::actor_system system{config};
  table_options options;
  options.folder = folder;
  options.sync = durability::every_commit;
  options.shard_count = test::crash_shards;
  auto shards = spawn_shards(system, options);
  if (!shards) {
    std::fprintf(stderr, "%s\n", shards.error().what.c_str());
    return 1;
  }
  auto c = make_client(system, *shards);
  for (auto n = first;; ++n) {
    auto record = test::crash_record(n);
    c->write({record.table, write_kind::put, record.key, record.value, 1}, [n](result<bool> r) {
      if (!r)
        std::exit(1);
      // One write(2) a line, so that what the parent reads is whole.
      auto text = std::to_string(n) + "\n";
      if (::write(1, text.data(), text.size()) < 0)
        std::exit(1);
    });
  }
}

} // namespace

int main(int argc, char** argv) {
  std::string_view what = argc > 1 ? argv[1] : "";
  if (what == "hold" && argc == 3)
    return hold(argv[2]);
  if (what == "scratch" && argc == 3)
    return scratch(argv[2]);
  if (what == "files")
    return files();
  if (what == "write" && argc == 4)
    return write(argv[2], std::strtoull(argv[3], nullptr, 10));
  return 64;
}
