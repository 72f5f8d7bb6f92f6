// What a driver that was killed leaves to the next one.

#include <boost/test/unit_test.hpp>

#include "tests/libray/session.hpp"
#include "tests/support/child.hpp"
#include "tests/support/temp_folder.hpp"

namespace {

struct heir {
  static heir* create() { return new heir; }
  int ready() { return 1; }
};
RAY_REMOTE(heir::create, &heir::ready);

/// Temporary control stores of that process.
int control_stores_of(pid_t pid) {
  auto prefix = "caf-ray-gcs-" + std::to_string(pid) + "-";
  int count = 0;
  for (auto& entry : std::filesystem::directory_iterator(std::filesystem::temp_directory_path()))
    count += entry.path().filename().string().starts_with(prefix);
  return count;
}

} // namespace

using caf_ray::test::child;
using ray::internal::RayException;

BOOST_AUTO_TEST_SUITE(crash)

BOOST_AUTO_TEST_CASE(a_control_store_in_use_says_by_whom) {
  caf_ray::test::temp_folder folder;
  auto control = (folder.path / "gcs").string();
  child driver(CAF_RAY_DRIVER_CHILD, {control});
  BOOST_REQUIRE(driver.line() == "ready");
  ray::RayConfig config;
  config.gcs_directory = control;
  auto text = text_of<RayException>([&] { ray::Init(config); });
  BOOST_TEST(contains(text, control), text);
  BOOST_TEST(contains(text, "process " + std::to_string(driver.pid())), text);
  BOOST_TEST(!ray::IsInitialized());
}

BOOST_AUTO_TEST_CASE(names_of_a_killed_driver_are_free_for_the_next) {
  caf_ray::test::temp_folder folder;
  auto control = (folder.path / "gcs").string();
  child driver(CAF_RAY_DRIVER_CHILD, {control});
  BOOST_REQUIRE(driver.line() == "ready");
  driver.kill();
  ray::RayConfig config;
  config.gcs_directory = control;
  config.ray_namespace = "crashed";
  ray::Init(config);
  BOOST_TEST(!ray::GetActor<heir>("survivor"));
  BOOST_TEST(ray::GetAllPlacementGroups().empty());
  auto actor = ray::Actor(heir::create).SetName("survivor").Remote();
  BOOST_TEST(*actor.Task(&heir::ready).Remote().Get() == 1);
  auto group = ray::CreatePlacementGroup({"group", {{{"CPU", 1}}}, ray::PlacementStrategy::PACK});
  BOOST_TEST(group.Wait(10));
  ray::Shutdown();
}

BOOST_AUTO_TEST_CASE(a_temporary_control_store_goes_with_the_next_start) {
  child driver(CAF_RAY_DRIVER_CHILD, {""});
  BOOST_REQUIRE(driver.line() == "ready");
  BOOST_TEST(control_stores_of(driver.pid()) == 1);
  {
    session beside;
    BOOST_TEST(control_stores_of(driver.pid()) == 1);
  }
  driver.kill();
  session next;
  BOOST_TEST(control_stores_of(driver.pid()) == 0);
}

BOOST_AUTO_TEST_SUITE_END()
