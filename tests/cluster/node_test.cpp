#include "tests/cluster/cluster.hpp"

using namespace caf_ray::test;

namespace {

int one() {
  return 1;
}
int never() {
  for (;;)
    pause();
}

RAY_REMOTE(one, never);

} // namespace

BOOST_AUTO_TEST_SUITE(cluster_node)

BOOST_AUTO_TEST_CASE(goes_to_the_background_and_stops_when_it_is_told_to) {
  temp_folder folder;
  setenv("XDG_RUNTIME_DIR", folder.path.c_str(), 1);
  auto started = run(CAF_RAY_NODE, {"start", "--head", "--port", "7300", "--num-cpus", "1",
                                    "--object-store-memory", "67108864"});
  BOOST_TEST(started.code == 0);
  BOOST_TEST_REQUIRE(started.lines.size() == 1);
  BOOST_TEST(started.lines[0].find("RAY_ADDRESS=127.0.0.1:7300") != std::string::npos);
  BOOST_TEST(run(CAF_RAY_NODE, {"start", "--head", "--port", "7300"}).code == 73);
  BOOST_TEST(run(CAF_RAY_NODE, {"status", "--port", "7300"}).code == 0);
  BOOST_TEST(run(CAF_RAY_NODE, {"stop", "--port", "7300"}).code == 0);
  BOOST_TEST(run(CAF_RAY_NODE, {"status", "--port", "7300"}).code == 69);
  BOOST_TEST(run(CAF_RAY_NODE, {"stop", "--port", "7300"}).code == 69);
  BOOST_TEST(!std::filesystem::exists(folder.path / "caf-ray" / "7300.sock"));
  BOOST_TEST(!std::filesystem::exists(folder.path / "caf-ray" / "7300.pid"));
  unsetenv("XDG_RUNTIME_DIR");
}

BOOST_AUTO_TEST_CASE(says_what_is_wrong_with_its_words) {
  BOOST_TEST(run(CAF_RAY_NODE, {"--help"}).code == 0);
  BOOST_TEST(run(CAF_RAY_NODE, {"--version"}).code == 0);
  for (auto& words : std::vector<std::vector<std::string>>{
         {},
         {"strat"},
         {"start"},
         {"start", "--head", "--address", "10.0.0.1:6379"},
         {"start", "--head", "--port", "0"},
         {"start", "--head", "--port", "70000"},
         {"start", "--head", "--port"},
         {"start", "--head", "--num-cpus", "-1"},
         {"start", "--head", "--resources", "{simulator: 4}"},
         {"start", "--head", "--resources", R"({"CPU": 4})"},
         {"start", "--head", "--object-store-memory", "1"},
         {"start", "--head=yes"},
         {"start", "--haed"},
         {"keygen"},
         {"keygen", "a", "b"},
       })
    BOOST_TEST(run(CAF_RAY_NODE, words).code == 64);
}

BOOST_AUTO_TEST_CASE(stops_soon_while_tasks_run) {
  test_node node;
  driver_session driver;
  auto stuck = ray::Task(never).Remote();
  auto queued = ray::Task(one).Remote();
  BOOST_TEST(eventually([&] { return node.status()["workers"] >= 1; }));
  auto begin = std::chrono::steady_clock::now();
  BOOST_TEST(node.stop() == 0);
  BOOST_TEST((std::chrono::steady_clock::now() - begin < std::chrono::seconds(5) * slowdown));
  text_of<ray::internal::RayException>([&] { stuck.Get(); });
}

BOOST_AUTO_TEST_CASE(starts_again_after_it_was_killed) {
  test_node node;
  {
    driver_session driver;
    BOOST_TEST(*ray::Task(one).Remote().Get() == 1);
    node.kill();
  }
  node.start();
  driver_session driver;
  BOOST_TEST(*ray::Task(one).Remote().Get() == 1);
}

BOOST_AUTO_TEST_CASE(serves_one_driver_after_another) {
  test_node node;
  for (int i = 0; i < 3; ++i) {
    driver_session driver;
    BOOST_TEST(*ray::Task(one).Remote().Get() == 1);
  }
  BOOST_TEST(eventually([&] { return node.status()["workers"] == 0; }));
}

BOOST_AUTO_TEST_CASE(that_is_not_there_is_a_clear_error) {
  temp_folder folder;
  setenv("XDG_RUNTIME_DIR", folder.path.c_str(), 1);
  auto text = text_of<ray::internal::RayException>([] { driver_session driver; });
  BOOST_TEST(text.find("caf-ray-node start") != std::string::npos, text);
  unsetenv("XDG_RUNTIME_DIR");
}

BOOST_AUTO_TEST_SUITE_END()
