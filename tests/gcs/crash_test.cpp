#include <memory>

#include "gcs/table.hpp"
#include "tests/gcs/child.hpp"
#include "tests/gcs/crash_records.hpp"
#include "tests/gcs/support.hpp"

using namespace caf_ray;
using namespace caf_ray::gcs;
using namespace caf_ray::gcs::test;

BOOST_FIXTURE_TEST_SUITE(crash, temp_folder)

BOOST_AUTO_TEST_CASE(every_acknowledged_record_is_there_after_kill_9) {
  std::mt19937_64 random(seed());
  std::vector<std::uint64_t> acknowledged;
  std::uint64_t next = 0;
  for (int round = 0; round < 12; ++round) {
    {
      child writer({"write", path.string(), std::to_string(next)});
      auto note = [&](const std::string& line) {
        if (line.empty())
          return;
        acknowledged.push_back(std::stoull(line));
        next = std::max(next, acknowledged.back() + 1);
      };
      // Killed after some number of acknowledgements; what it printed before it died counts too.
      for (auto count = 1 + random() % 4000; count > 0; --count) {
        auto line = writer.line();
        BOOST_TEST_REQUIRE(line != "", "the writing process ended by itself");
        note(line);
      }
      writer.kill();
      for (auto line = writer.line(); !line.empty(); line = writer.line())
        note(line);
    }
    std::vector<std::unique_ptr<tables>> shards;
    table_options options;
    options.folder = path;
    options.shard_count = crash_shards;
    for (options.shard_index = 0; options.shard_index < crash_shards; ++options.shard_index)
      shards.push_back(must_have(tables::open(options)));
    std::size_t lost = 0;
    for (auto n : acknowledged) {
      auto wanted = crash_record(n);
      auto found = must_have(
        shards[shard_of(wanted.table, wanted.key, crash_shards)]->get(wanted.table, wanted.key));
      lost += found != wanted.value;
    }
    BOOST_TEST_REQUIRE(lost == 0u, "lost " << lost << " of " << acknowledged.size());
    next += 1'000'000; // past what was written and not acknowledged
  }
  BOOST_TEST_MESSAGE(acknowledged.size() << " acknowledged records, none lost");
}

BOOST_AUTO_TEST_SUITE_END()
