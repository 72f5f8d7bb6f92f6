#include "gcs/scratch_folder.hpp"

#include <sys/stat.h>

#include "tests/gcs/child.hpp"
#include "tests/gcs/support.hpp"

using namespace caf_ray;
using namespace caf_ray::gcs::test;

namespace {

constexpr scratch_kind kind{"scratch-", [](std::string_view name) { return name[0] != 'x'; }};

void write_file(const fs::path& path) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << "text";
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(scratch, temp_folder)

BOOST_AUTO_TEST_CASE(a_folder_goes_with_its_object_and_all_that_is_in_it) {
  auto inside = path / "made" / "on the way";
  {
    auto folder = must_have(scratch_folder::make(inside, kind));
    BOOST_TEST(folder.path().parent_path() == inside);
    struct stat about {};
    BOOST_TEST(stat(folder.path().c_str(), &about) == 0);
    BOOST_TEST((about.st_mode & 0777) == 0700u);
    write_file(folder.path() / "a");
    write_file(folder.path() / "b" / "c" / "d");
    auto other = must_have(scratch_folder::make(inside, kind));
    BOOST_TEST(other.path() != folder.path());
    auto moved = std::move(other);
    BOOST_TEST(fs::exists(moved.path()));
  }
  BOOST_TEST(fs::is_empty(inside));
}

BOOST_AUTO_TEST_CASE(what_a_killed_process_left_is_swept_and_not_before) {
  child owner({"scratch", path.string()});
  fs::path left = owner.line();
  write_file(left / "a" / "b");
  BOOST_TEST(scratch_folder::sweep(path, kind) == 0u);
  BOOST_TEST(fs::exists(left / "a" / "b"));
  owner.kill();
  BOOST_TEST(scratch_folder::sweep(path, kind) == 1u);
  BOOST_TEST(fs::is_empty(path));
}

BOOST_AUTO_TEST_CASE(what_strangers_put_there_stays) {
  write_file(path / "scratch-1" / "xeno");
  write_file(path / "other-1" / "a");
  write_file(path / "target" / "a");
  fs::create_symlink(path / "target", path / "scratch-2");
  fs::create_directory(path / "scratch-3");
  fs::create_symlink(path / "target", path / "scratch-3" / "link");
  // The third goes; its link is removed, not followed.
  BOOST_TEST(scratch_folder::sweep(path, kind) == 1u);
  for (auto kept : {"scratch-1/xeno", "other-1/a", "target/a", "scratch-2"})
    BOOST_TEST(fs::exists(path / kept), kept);
  BOOST_TEST(scratch_folder::sweep(path / "absent", kind) == 0u);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_made_is_an_error_with_the_path) {
  write_file(path / "file");
  auto made = scratch_folder::make(path / "file", kind);
  BOOST_TEST_REQUIRE(code_of(made) == errc::io_failed);
  BOOST_TEST(made.error().what.find((path / "file").string()) != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
