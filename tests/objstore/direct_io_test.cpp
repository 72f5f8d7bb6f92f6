#include "objstore/direct_io.hpp"

#include <fcntl.h>

#include "tests/objstore/support.hpp"

namespace caf_ray::objstore {

using namespace test;

namespace {

struct file {
  int descriptor;
  file(const std::filesystem::path& folder, int flags)
    : descriptor(open_direct(AT_FDCWD, (folder / "file").c_str(), flags)) {
    BOOST_REQUIRE(descriptor >= 0);
  }
  ~file() { close(descriptor); }
};

using block = std::vector<std::byte>;

std::vector<block> blocks_of(const std::vector<std::size_t>& sizes) {
  std::vector<block> result;
  for (auto size : sizes) {
    result.emplace_back(size);
    fill(result.back(), number(result.size()));
  }
  return result;
}

io_outcome write_to(const std::filesystem::path& folder, const std::vector<block>& blocks) {
  buffer_pool pool;
  std::vector<std::span<const std::byte>> spans{blocks.begin(), blocks.end()};
  file target{folder, O_WRONLY | O_CREAT | O_EXCL};
  return write_blocks(target.descriptor, spans, pool.borrow().get());
}

void round_trip(const std::filesystem::path& folder) {
  constexpr auto buffer = buffer_pool::buffer_bytes;
  auto blocks = blocks_of({0, 1, 4096, 63, buffer - 4160, 0, buffer + 1, 5, 3 * buffer, 100'000});
  std::size_t total = 0;
  for (const auto& x : blocks)
    total += x.size();
  auto wrote = write_to(folder, blocks);
  BOOST_TEST(wrote.code == 0);
  BOOST_TEST(wrote.done_bytes == total);
  BOOST_TEST(std::filesystem::file_size(folder / "file") == total);
  buffer_pool pool;
  file source{folder, O_RDONLY};
  std::uint64_t at = 0;
  for (const auto& x : blocks) {
    block back(x.size());
    auto read = read_block(source.descriptor, at, back, pool.borrow().get());
    BOOST_TEST(read.code == 0);
    BOOST_TEST(read.done_bytes == x.size());
    BOOST_REQUIRE(back == x);
    at += x.size();
  }
}

} // namespace

BOOST_AUTO_TEST_SUITE(direct_io_)

BOOST_AUTO_TEST_CASE(blocks_of_any_size_come_back) {
  folder here;
  round_trip(here.path());
}

BOOST_AUTO_TEST_CASE(blocks_come_back_from_a_file_system_in_memory) {
  small_disk disk{"64m"};
  if (disk)
    round_trip(disk.path());
}

BOOST_AUTO_TEST_CASE(reading_over_the_end_gives_less) {
  folder here;
  write_to(here.path(), blocks_of({5000}));
  buffer_pool pool;
  file source{here.path(), O_RDONLY};
  block back(6000);
  auto read = read_block(source.descriptor, 1000, back, pool.borrow().get());
  BOOST_TEST(read.code == 0);
  BOOST_TEST(read.done_bytes == 4000u);
}

BOOST_AUTO_TEST_CASE(a_full_disk_says_how_far_it_came) {
  small_disk disk{"8m"};
  if (!disk)
    return;
  auto wrote = write_to(disk.path(), blocks_of({5'000'000, 5'000'000}));
  BOOST_TEST(wrote.code == ENOSPC);
  BOOST_TEST(wrote.done_bytes >= 5'000'000u);
  BOOST_TEST(wrote.done_bytes <= 8u * 1024 * 1024);
}

BOOST_AUTO_TEST_CASE(buffers_are_used_again) {
  buffer_pool pool;
  auto first = pool.borrow().get();
  BOOST_TEST(pool.borrow().get() == first);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace caf_ray::objstore
