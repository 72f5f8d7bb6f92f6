#include "gcs/folder.hpp"

#include "gcs/table.hpp"
#include "tests/gcs/child.hpp"
#include "tests/gcs/support.hpp"

using namespace caf_ray;
using namespace caf_ray::gcs;
using namespace caf_ray::gcs::test;

BOOST_FIXTURE_TEST_SUITE(folder, temp_folder)

BOOST_AUTO_TEST_CASE(a_folder_in_use_by_another_process_says_which_and_what_to_do) {
  child holder({"hold", path.string()});
  BOOST_TEST_REQUIRE(holder.line() == "open");
  table_options options;
  options.folder = path;
  auto opened = tables::open(options);
  BOOST_TEST_REQUIRE(code_of(opened) == errc::in_use);
  BOOST_TEST_MESSAGE(opened.error().what);
  BOOST_TEST(opened.error().what.find("process " + std::to_string(holder.pid()))
             != std::string::npos);
  BOOST_TEST(opened.error().what.find("another folder") != std::string::npos);
  holder.kill();
  BOOST_TEST(code_of(tables::open(options)) == errc::none);
}

BOOST_AUTO_TEST_CASE(a_folder_can_be_claimed_once_in_a_process) {
  auto first = shard_folder::claim(path, 0);
  must_have(shard_folder::claim(path, 1));
  auto second = shard_folder::claim(path, 0);
  BOOST_TEST_REQUIRE(code_of(second) == errc::in_use);
  BOOST_TEST(second.error().what.find("this process") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(programs_started_meanwhile_inherit_neither_files_nor_claim) {
  table_options options;
  options.folder = path;
  auto t = must_have(tables::open(options));
  child other({"files"});
  std::string open_files;
  for (auto line = other.line(); !line.empty(); line = other.line())
    open_files += line + "\n";
  BOOST_TEST(open_files.find("/dev/null") != std::string::npos); // it does list them
  BOOST_TEST(open_files.find(path.string()) == std::string::npos, open_files);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_made_is_io_failed_with_the_path) {
  auto file = path / "file";
  std::ofstream(file) << "x";
  for (auto& bad : {file, file / "below", fs::path("/proc/nothing/here")}) {
    auto claimed = shard_folder::claim(bad, 0);
    BOOST_TEST_REQUIRE(code_of(claimed) == errc::io_failed);
    BOOST_TEST(claimed.error().what.find(bad.parent_path().string()) != std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(a_lock_file_that_is_a_link_is_not_followed) {
  fs::create_directories(path / "shard-0");
  std::ofstream(path / "victim") << "precious";
  fs::create_symlink(path / "victim", path / "shard-0" / "owner");
  BOOST_TEST(code_of(shard_folder::claim(path, 0)) == errc::io_failed);
  BOOST_TEST(fs::file_size(path / "victim") == 8u);
}

BOOST_AUTO_TEST_SUITE_END()
