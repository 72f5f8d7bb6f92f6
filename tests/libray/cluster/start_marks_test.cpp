#include "libray/src/cluster/start_marks.hpp"

#include <set>

#include <unistd.h>

#include "tests/libray/cluster/support.hpp"

using namespace caf_ray;
using namespace caf_ray::cluster;

namespace {

struct fixture {
  std::unique_ptr<start_marks> marks = start_marks::make().value();
  std::string path =
    "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(marks->descriptor());
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(start_mark_blocks, fixture)

BOOST_AUTO_TEST_CASE(the_node_sees_what_the_worker_marks) {
  mark_block block(marks.get(), *marks->take());
  mark_block other(marks.get(), *marks->take());
  auto first = block.take(), second = block.take(), its = other.take();
  auto worker = map_marks(path, 0);
  BOOST_TEST_REQUIRE(worker);
  worker[second - 1].store(1);
  BOOST_TEST(!block.has_started(first));
  BOOST_TEST(block.has_started(second));
  BOOST_TEST(!other.has_started(its));
}

BOOST_AUTO_TEST_CASE(a_mark_is_clean_when_it_is_handed_out_again) {
  mark_block block(marks.get(), *marks->take());
  auto number = block.take();
  map_marks(path, 0)[number - 1].store(1);
  block.give_back(number);
  BOOST_TEST(block.take() == number);
  BOOST_TEST(!block.has_started(number));
}

BOOST_AUTO_TEST_CASE(what_has_no_mark_counts_as_started) {
  mark_block block(marks.get(), *marks->take());
  std::set<std::uint32_t> numbers;
  for (std::uint32_t i = 0; i < marks_per_block; ++i)
    numbers.insert(block.take());
  BOOST_TEST(numbers.size() == marks_per_block);
  BOOST_TEST(block.take() == 0u);
  BOOST_TEST(block.has_started(0));
  BOOST_TEST(mark_block().has_started(1));
  BOOST_TEST(mark_block().take() == 0u);
}

BOOST_AUTO_TEST_CASE(blocks_come_back_with_their_workers) {
  {
    std::vector<mark_block> blocks;
    while (auto block = marks->take())
      blocks.emplace_back(marks.get(), *block);
    BOOST_TEST(blocks.size() == mark_blocks);
  }
  BOOST_TEST(marks->take().has_value());
}

BOOST_AUTO_TEST_CASE(nothing_is_mapped_that_is_not_there) {
  BOOST_TEST(!map_marks("/proc/self/fd/no", 0));
  BOOST_TEST(!map_marks(path, mark_blocks));
}

BOOST_AUTO_TEST_SUITE_END()
