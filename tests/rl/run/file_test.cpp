#include "rl/run/file.hpp"

#include <filesystem>
#include <sys/stat.h>

#include "tests/rl/support.hpp"

namespace {

using rl::ErrorCode;
using rl::test::fails;

struct Fixture {
  rl::test::TemporaryFolder folder;
  std::filesystem::path file = folder.path / "file";
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(file, Fixture)

BOOST_AUTO_TEST_CASE(a_written_file_is_read_back_and_replaced_as_a_whole) {
  rl::write_file(file, "one");
  rl::write_file(file, std::string("t\0o", 3));
  BOOST_TEST(rl::read_file(file) == std::string("t\0o", 3));
  BOOST_TEST(rl::file_exists(file));
  BOOST_TEST(!rl::file_exists(folder.path / "other"));
}

BOOST_AUTO_TEST_CASE(permissions_are_those_of_any_new_file) {
  auto before = ::umask(022);
  rl::write_file(file, "x");
  ::umask(before);
  struct stat found;
  BOOST_REQUIRE(::stat(file.c_str(), &found) == 0);
  BOOST_TEST((found.st_mode & 0777) == 0644u);
}

BOOST_AUTO_TEST_CASE(a_name_that_the_system_cannot_take_is_an_error_of_ours) {
  auto long_name = folder.path / std::string(300, 'x');
  BOOST_TEST(fails(ErrorCode::cannot_read, [&] { rl::read_file(long_name); }, {"too long"}));
  BOOST_TEST(fails(ErrorCode::cannot_read, [&] { rl::file_exists(long_name); }, {"too long"}));
  BOOST_TEST(fails(ErrorCode::cannot_write, [&] { rl::write_file(long_name, "x"); }));
  BOOST_TEST(fails(ErrorCode::cannot_write, [&] { rl::make_folder(long_name); }));
}

BOOST_AUTO_TEST_CASE(a_full_disk_is_an_error_and_leaves_the_old_file_alone) {
  rl::write_file(file, "old");
  std::filesystem::create_symlink("/dev/full", file.string() + ".new");
  BOOST_TEST(fails(ErrorCode::cannot_write, [&] { rl::write_file(file, "new"); },
                   {file.c_str(), "No space left"}));
  BOOST_TEST(rl::read_file(file) == "old");
  BOOST_TEST(!rl::file_exists(file.string() + ".new"));
}

BOOST_AUTO_TEST_CASE(a_folder_is_made_with_those_above_it_unless_a_file_is_in_the_way) {
  rl::make_folder(folder.path / "a" / "b");
  rl::make_folder(folder.path / "a" / "b");
  BOOST_TEST(std::filesystem::is_directory(folder.path / "a" / "b"));
  rl::write_file(file, "x");
  BOOST_TEST(fails(ErrorCode::cannot_write, [&] { rl::make_folder(file); }, {file.c_str()}));
  BOOST_TEST(fails(ErrorCode::cannot_write, [&] { rl::make_folder(file / "in"); }));
}

BOOST_AUTO_TEST_SUITE_END()
