#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <sys/stat.h>

#include <boost/test/unit_test.hpp>

#include "libray/src/transport/credentials.hpp"
#include "tests/support/temp_folder.hpp"

namespace fs = std::filesystem;
using namespace caf_ray;
using namespace caf_ray::transport;
using caf_ray::test::temp_folder;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::system_clock;

namespace {

std::string content(const fs::path& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

unsigned mode_of(const fs::path& path) {
  struct stat about {};
  BOOST_TEST_REQUIRE(lstat(path.c_str(), &about) == 0);
  return about.st_mode & 07777;
}

struct made_cluster {
  temp_folder folder;
  fs::path keys = folder.path / "keys";
  fs::path node = keys / "node";
  fs::path driver = keys / "driver";

  made_cluster() { make(keys, "blue"); }

  static void make(const fs::path& where, const std::string& id, const validity& valid = {}) {
    auto done = keygen(where, id, valid);
    BOOST_TEST_REQUIRE(done.has_value(), (done ? "" : done.error().what));
  }
};

/// That loading fails with this code and a text with the file's name in it.
void expect_failure(const fs::path& folder, errc code, const std::string& file,
                    wall_time now = system_clock::now()) {
  auto loaded = credentials::load(folder, now);
  BOOST_TEST_REQUIRE(!loaded.has_value());
  BOOST_TEST(to_string(loaded.error().code) == to_string(code));
  BOOST_TEST(loaded.error().what.find(file) != std::string::npos, loaded.error().what);
}

} // namespace

BOOST_AUTO_TEST_SUITE(credentials_of_a_cluster)

BOOST_AUTO_TEST_CASE(what_keygen_makes_can_be_loaded) {
  made_cluster made;
  auto node = credentials::load(made.node);
  BOOST_TEST_REQUIRE(node.has_value(), (node ? "" : node.error().what));
  BOOST_TEST((node->role() == peer_kind::node));
  BOOST_TEST(node->cluster_id() == "blue");
  BOOST_TEST(node->fingerprint().size() == 64U);
  BOOST_TEST((node->valid_until() > system_clock::now() + hours(24 * 365)));
  BOOST_TEST(node->curve_public().size() == 40U);
  BOOST_TEST(node->curve_secret().size() == 40U);

  auto driver = credentials::load(made.driver);
  BOOST_TEST((driver.value().role() == peer_kind::driver));
  BOOST_TEST(driver->fingerprint() != node->fingerprint());
  BOOST_TEST(driver->curve_public() != node->curve_public());
}

BOOST_AUTO_TEST_CASE(files_are_private_whatever_the_umask) {
  auto before = umask(0);
  made_cluster made;
  umask(before);
  auto files = 0;
  for (auto& entry : fs::recursive_directory_iterator(made.keys)) {
    BOOST_TEST(mode_of(entry.path()) == (entry.is_directory() ? 0700U : 0600U), entry.path());
    files += entry.is_regular_file();
  }
  BOOST_TEST(files == 2 + 4 + 4);
}

BOOST_AUTO_TEST_CASE(existing_keys_are_never_overwritten) {
  made_cluster made;
  auto before = content(made.node / "own.key");
  auto again = keygen(made.keys, "blue");
  BOOST_TEST((again.error().code == errc::already_exists));
  fs::remove_all(made.keys / "authority"); // node and driver are still there
  again = keygen(made.keys, "blue");
  BOOST_TEST((again.error().code == errc::already_exists));
  BOOST_TEST(again.error().what.find("node") != std::string::npos);
  BOOST_TEST(content(made.node / "own.key") == before);
  BOOST_TEST(!fs::exists(made.keys / "authority")); // nothing half-made is left
}

BOOST_AUTO_TEST_CASE(cluster_ids_that_make_no_name_are_refused) {
  temp_folder folder;
  for (auto id : {"", "Blue", "a b", "a.b", "a*", "12345678901234567890123456789012345678901"})
    BOOST_TEST((keygen(folder.path / "keys", id).error().code == errc::invalid_argument), id);
  BOOST_TEST(!fs::exists(folder.path / "keys"));
}

BOOST_AUTO_TEST_CASE(an_authority_issues_more_members_later) {
  made_cluster made;
  auto folder = made.folder.path / "third";
  BOOST_TEST_REQUIRE(issue(made.keys / "authority", folder, peer_kind::driver).has_value());
  auto third = credentials::load(folder);
  BOOST_TEST((third.value().role() == peer_kind::driver));
  BOOST_TEST(third->cluster_id() == "blue");
  BOOST_TEST(
    (issue(made.keys / "authority", folder, peer_kind::node).error().code == errc::already_exists));
  BOOST_TEST((issue(made.node, made.folder.path / "fourth", peer_kind::node).error().code
              == errc::not_found));
}

BOOST_AUTO_TEST_CASE(a_missing_file_is_named) {
  for (auto file : {"ca.crt", "own.crt", "own.key", "curve.keys"}) {
    made_cluster made;
    fs::remove(made.node / file);
    expect_failure(made.node, errc::not_found, file);
  }
  expect_failure("/nonexistent", errc::not_found, "keygen");
}

BOOST_AUTO_TEST_CASE(a_secret_that_others_may_read_is_refused) {
  made_cluster made;
  for (auto file : {"own.key", "curve.keys"})
    for (auto mode : {0640, 0604, 0620}) {
      fs::permissions(made.node / file, fs::perms(mode));
      expect_failure(made.node, refused, "chmod 600 " + (made.node / file).string());
      fs::permissions(made.node / file, fs::perms(0600));
    }
  fs::permissions(made.node / "own.crt", fs::perms(0644)); // no secret
  BOOST_TEST(credentials::load(made.node).has_value());
}

BOOST_AUTO_TEST_CASE(a_broken_file_is_named) {
  for (auto file : {"ca.crt", "own.crt", "own.key", "curve.keys"}) {
    made_cluster made;
    auto whole = content(made.node / file);
    for (auto& broken : {std::string(), std::string("garbage"), whole.substr(0, whole.size() / 2),
                         std::string(100'000, 'x')}) {
      std::ofstream(made.node / file) << broken;
      expect_failure(made.node, errc::corrupt, file);
    }
  }
}

BOOST_AUTO_TEST_CASE(files_that_do_not_fit_together_are_refused) {
  made_cluster made;
  auto mix = [&](const char* file, const fs::path& from) {
    auto mine = content(made.node / file);
    fs::copy_file(from / file, made.node / file, fs::copy_options::overwrite_existing);
    expect_failure(made.node, errc::corrupt, file);
    std::ofstream(made.node / file) << mine;
  };
  mix("own.key", made.driver);
  made_cluster::make(made.folder.path / "red", "blue"); // the same name, another authority
  auto other = made.folder.path / "red" / "node";
  fs::copy_file(other / "ca.crt", made.node / "ca.crt", fs::copy_options::overwrite_existing);
  expect_failure(made.node, errc::corrupt, "own.crt");
}

BOOST_AUTO_TEST_CASE(a_curve_key_of_another_pair_is_refused) {
  made_cluster made;
  auto mine = content(made.node / "curve.keys");
  auto theirs = content(made.driver / "curve.keys");
  auto half = mine.size() / 2;
  std::ofstream(made.node / "curve.keys") << mine.substr(0, half) << theirs.substr(half);
  expect_failure(made.node, errc::corrupt, "curve.keys");
}

BOOST_AUTO_TEST_CASE(certificates_out_of_their_time_are_refused_beyond_the_clocks_skew) {
  temp_folder folder;
  auto now = system_clock::now();
  made_cluster::make(folder.path / "keys", "blue", {now - hours(1), now + hours(1)});
  auto node = folder.path / "keys" / "node";
  BOOST_TEST(credentials::load(node, now).has_value());
  BOOST_TEST(credentials::load(node, now + hours(1) + minutes(4)).has_value());
  BOOST_TEST(credentials::load(node, now - hours(1) - minutes(4)).has_value());
  expect_failure(node, refused, "expired on", now + hours(1) + minutes(6));
  expect_failure(node, refused, "not valid before", now - hours(1) - minutes(6));
  expect_failure(node, refused, "ca.crt", now + hours(2));
}

BOOST_AUTO_TEST_CASE(an_authority_is_no_member) {
  made_cluster made;
  auto folder = made.keys / "authority";
  fs::copy_file(folder / "ca.crt", folder / "own.crt");
  fs::copy_file(folder / "ca.key", folder / "own.key");
  expect_failure(folder, errc::corrupt, "names no cluster and role");
}

BOOST_AUTO_TEST_SUITE_END()
