#include "objstore/spill.hpp"

#include <csignal>

#include <sys/stat.h>
#include <sys/wait.h>

#include "gcs/blocking.hpp"
#include "tests/objstore/support.hpp"

namespace caf_ray::objstore {

using namespace test;

namespace {

using block = std::vector<std::byte>;

block block_of(std::uint64_t n, std::size_t size_bytes) {
  block result(size_bytes);
  fill(result, number(n));
  return result;
}

std::vector<disk_copy> write(spill_folder& disk, const std::vector<block>& blocks) {
  std::vector<std::span<const std::byte>> spans{blocks.begin(), blocks.end()};
  return disk.write(spans).value();
}

errc read(const spill_folder& disk, const disk_copy& from, std::size_t size_bytes) {
  block into(size_bytes);
  auto result = disk.read(from, into);
  return result ? errc::none : result.error().code;
}

void flip_byte(const std::filesystem::path& path, std::streamoff at) {
  std::fstream file{path, std::ios::in | std::ios::out | std::ios::binary};
  file.seekg(at);
  auto c = static_cast<char>(file.get() ^ 1);
  file.seekp(at);
  file.put(c);
}

/// A process that spills something and is killed.
pid_t spill_and_die(const std::filesystem::path& directory) {
  auto child = fork();
  if (child == 0) {
    spill_folder disk{{directory}};
    write(disk, {block_of(1, 1000)});
    raise(SIGKILL);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return child;
}

} // namespace

BOOST_AUTO_TEST_SUITE(spill_)

BOOST_AUTO_TEST_CASE(blocks_written_together_come_back_one_by_one) {
  folder here;
  spill_folder disk{{here.path()}};
  std::vector<block> blocks = {block_of(1, 100), block_of(2, 0), block_of(3, 6'000'000),
                               block_of(4, 4096)};
  auto copies = write(disk, blocks);
  BOOST_REQUIRE_EQUAL(copies.size(), 4u);
  BOOST_TEST(here.files().size() == 1u);
  BOOST_TEST(disk.file_bytes() == 6'004'196u);
  for (std::size_t i : {3, 2, 1, 0}) {
    block back(blocks[i].size());
    BOOST_REQUIRE(disk.read(copies[i], back).has_value());
    BOOST_REQUIRE(back == blocks[i]);
  }
}

BOOST_AUTO_TEST_CASE(nobody_else_can_read_it_and_names_tell_nothing) {
  folder here;
  spill_folder disk{{here.path()}};
  write(disk, {block_of(1, 100)});
  auto file = here.files().at(0);
  struct stat about {};
  stat(file.c_str(), &about);
  BOOST_TEST((about.st_mode & 0777) == 0600u);
  stat(file.parent_path().c_str(), &about);
  BOOST_TEST((about.st_mode & 0777) == 0700u);
  BOOST_TEST(file.filename() == "00000001");
}

BOOST_AUTO_TEST_CASE(a_file_goes_with_its_last_block) {
  folder here;
  spill_folder disk{{here.path()}};
  auto copies = write(disk, {block_of(1, 100), block_of(2, 100)});
  disk.release(copies[0]);
  BOOST_TEST(here.files().size() == 1u);
  disk.release(copies[1]);
  BOOST_TEST(here.files().size() == 0u);
  BOOST_TEST(disk.file_bytes() == 0u);
}

BOOST_AUTO_TEST_CASE(damage_is_noticed) {
  folder here;
  spill_folder disk{{here.path()}};
  auto copies = write(disk, {block_of(1, 1000), block_of(2, 1000), block_of(3, 1000)});
  auto file = here.files().at(0);
  flip_byte(file, 1500);
  BOOST_TEST(read(disk, copies[0], 1000) == errc::none);
  BOOST_TEST(read(disk, copies[1], 1000) == errc::corrupt);
  std::filesystem::resize_file(file, 2999);
  BOOST_TEST(read(disk, copies[2], 1000) == errc::corrupt);
  std::filesystem::remove(file);
  BOOST_TEST(read(disk, copies[0], 1000) == errc::corrupt);
}

BOOST_AUTO_TEST_CASE(the_limit_takes_what_fits_and_then_is_full) {
  folder here;
  spill_folder disk{{here.path(), 2500}};
  auto copies = write(disk, {block_of(1, 1000), block_of(2, 1000), block_of(3, 1000)});
  BOOST_TEST(copies.size() == 2u);
  BOOST_TEST(disk.budget_bytes() == 500u);
  auto third = block_of(3, 1000);
  std::span<const std::byte> span{third};
  BOOST_TEST(disk.write({&span, 1}).error().code == errc::store_full);
  for (const auto& copy : copies)
    disk.release(copy);
  BOOST_TEST(disk.write({&span, 1}).has_value());
}

BOOST_AUTO_TEST_CASE(a_full_disk_takes_what_fits_and_then_is_full) {
  small_disk small{"8m"};
  if (!small)
    return;
  spill_folder disk{{small.path()}};
  auto copies = write(disk, {block_of(1, 6'000'000), block_of(2, 6'000'000)});
  BOOST_TEST(copies.size() == 1u);
  BOOST_TEST(read(disk, copies[0], 6'000'000) == errc::none);
  auto second = block_of(2, 6'000'000);
  std::span<const std::byte> span{second};
  BOOST_TEST(disk.write({&span, 1}).error().code == errc::store_full);
  disk.release(copies[0]);
  BOOST_TEST(disk.write({&span, 1}).has_value());
}

BOOST_AUTO_TEST_CASE(a_folder_that_cannot_be_made_is_an_error) {
  folder here;
  std::ofstream{here.path() / "file"} << "in the way";
  spill_folder disk{{here.path() / "file"}};
  auto x = block_of(1, 10);
  std::span<const std::byte> span{x};
  BOOST_TEST(disk.write({&span, 1}).error().code == errc::io_failed);
}

BOOST_AUTO_TEST_CASE(what_a_killed_process_left_is_swept) {
  folder here;
  spill_and_die(here.path());
  BOOST_TEST(here.files().size() == 1u);
  BOOST_TEST(sweep_spill_folders(here.path()) == 1u);
  BOOST_TEST(std::filesystem::is_empty(here.path()));
}

BOOST_AUTO_TEST_CASE(what_a_living_store_or_a_stranger_has_is_left_alone) {
  folder here;
  spill_folder disk{{here.path()}};
  auto copies = write(disk, {block_of(1, 1000)});
  std::filesystem::create_directory(here.path() / "caf-ray-spill-1-1-1");
  std::ofstream{here.path() / "caf-ray-spill-1-1-1" / "letter"} << "not ours";
  std::filesystem::create_symlink(here.path(), here.path() / "caf-ray-spill-1-1-2");
  BOOST_TEST(sweep_spill_folders(here.path()) == 0u);
  BOOST_TEST(read(disk, copies[0], 1000) == errc::none);
  BOOST_TEST(std::filesystem::exists(here.path() / "caf-ray-spill-1-1-1" / "letter"));
}

BOOST_AUTO_TEST_CASE(nothing_is_left_at_the_end) {
  folder here;
  {
    spill_folder disk{{here.path()}};
    write(disk, {block_of(1, 1000)});
  }
  BOOST_TEST(std::filesystem::is_empty(here.path()));
}

BOOST_AUTO_TEST_CASE(it_says_when_it_waits_for_the_disk) {
  struct counter final : blocking_observer {
    int count = 0;
    void enter_blocking() noexcept override { ++count; }
    void leave_blocking() noexcept override {}
  };
  folder here;
  spill_folder disk{{here.path()}};
  counter waits;
  this_thread_observer = &waits;
  auto copies = write(disk, {block_of(1, 1000)});
  read(disk, copies[0], 1000);
  disk.release(copies[0]);
  this_thread_observer = nullptr;
  BOOST_TEST(waits.count == 3);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace caf_ray::objstore
