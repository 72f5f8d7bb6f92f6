#include "libray/src/cluster/program_file.hpp"

#include <fstream>

#include "tests/libray/cluster/support.hpp"
#include "tests/support/temp_folder.hpp"

using namespace caf_ray;
using namespace caf_ray::cluster;
using namespace caf_ray::cluster::test;
using caf_ray::test::temp_folder;

namespace {

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

void write(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path) << text;
}

} // namespace

BOOST_AUTO_TEST_SUITE(program_files)

BOOST_AUTO_TEST_CASE(the_hash_is_sha_256) {
  // FIPS 180-2, appendix B.1.
  BOOST_TEST(content_hash(bytes_of("abc"))
             == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

BOOST_AUTO_TEST_CASE(a_stamp_changes_with_the_file) {
  temp_folder folder;
  auto path = folder.path / "program";
  BOOST_TEST(code_of(file_stamp(path)) == errc::not_found);
  write(path, "one");
  auto first = file_stamp(path).value();
  BOOST_TEST(file_stamp(path).value() == first);
  std::filesystem::copy_file(path, folder.path / "copy");
  BOOST_TEST(file_stamp(folder.path / "copy").value() != first);
  write(path, "another");
  BOOST_TEST(file_stamp(path).value() != first);
}

BOOST_AUTO_TEST_CASE(each_job_publishes_a_program_as_an_object_of_its_own) {
  auto hash = content_hash(bytes_of("abc"));
  BOOST_TEST(program_object(hash, 1) == program_object(hash, 1));
  BOOST_TEST((program_object(hash, 1) != program_object(hash, 2)));
  BOOST_TEST((program_object(hash, 1) != program_object(content_hash(bytes_of("b")), 1)));
}

BOOST_AUTO_TEST_CASE(a_cache_has_what_it_has_kept_and_only_its_owner_runs_it) {
  temp_folder folder;
  program_cache cache(folder.path / "programs");
  const std::string program = "#!/bin/sh\nexit 7\n";
  auto hash = content_hash(bytes_of(program));
  BOOST_TEST(!cache.has(hash));
  auto where = cache.keep(hash, bytes_of(program));
  BOOST_TEST_REQUIRE(where.has_value());
  BOOST_TEST(cache.has(hash));
  BOOST_TEST(*where == cache.path_of(hash));
  using std::filesystem::perms;
  BOOST_TEST((std::filesystem::status(*where).permissions() == perms::owner_all));
  BOOST_TEST(cache.keep(hash, bytes_of(program)).has_value(), "again");
}

BOOST_AUTO_TEST_CASE(a_cache_refuses_what_is_not_the_content_of_its_hash) {
  temp_folder folder;
  program_cache cache(folder.path);
  auto hash = content_hash(bytes_of("the one"));
  BOOST_TEST(code_of(cache.keep(hash, bytes_of("another"))) == errc::corrupt);
  BOOST_TEST(!cache.has(hash));
  BOOST_TEST(std::filesystem::is_empty(folder.path));
}

BOOST_AUTO_TEST_CASE(a_cache_forgets_the_oldest) {
  temp_folder folder;
  program_cache cache(folder.path);
  auto name = [](std::size_t i) { return "program " + std::to_string(i); };
  for (std::size_t i = 0; i < program_cache::max_count + 3; ++i) {
    auto hash = content_hash(bytes_of(name(i)));
    BOOST_TEST_REQUIRE(cache.keep(hash, bytes_of(name(i))).has_value());
    auto age = std::chrono::hours(100 - static_cast<int>(i));
    std::filesystem::last_write_time(cache.path_of(hash),
                                     std::filesystem::file_time_type::clock::now() - age);
  }
  // The last one was kept before its age was set: what is left are the youngest.
  for (std::size_t i = 0; i < 3; ++i)
    BOOST_TEST(!cache.has(content_hash(bytes_of(name(i)))));
  for (std::size_t i = 3; i < program_cache::max_count + 3; ++i)
    BOOST_TEST(cache.has(content_hash(bytes_of(name(i)))));
}

BOOST_AUTO_TEST_CASE(a_cache_that_cannot_be_written_says_why) {
  temp_folder folder;
  write(folder.path / "file", "in the way");
  program_cache cache(folder.path / "file");
  auto hash = content_hash(bytes_of("abc"));
  BOOST_TEST(code_of(cache.keep(hash, bytes_of("abc"))) == errc::io_failed);
}

BOOST_AUTO_TEST_SUITE_END()
