#include "tests/cluster/cluster.hpp"

#include <sstream>

using namespace caf_ray::test;

namespace {

/// With RAY_ADDRESS set, which is all that is different.
run_result run_as_guest(const std::string& name, std::vector<std::string> words = {}) {
  setenv("RAY_ADDRESS", "127.0.0.1:6379", 1);
  auto result = run(std::string(CLUSTER_PROGRAMS) + "/" + name, std::move(words));
  unsetenv("RAY_ADDRESS");
  return result;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(cluster_programs, test_node)

BOOST_AUTO_TEST_CASE(the_examples_run_unchanged) {
  std::istringstream names(CLUSTER_EXAMPLES);
  for (std::string name; std::getline(names, name, ',');) {
    auto ended = run_as_guest("example_" + name);
    BOOST_TEST(ended.code == 0, name);
    BOOST_TEST(!ended.lines.empty(), name);
  }
  BOOST_TEST(eventually([&] { return status()["workers"] == 0; }));
  BOOST_TEST(status()["objects"] == 0);
}

BOOST_AUTO_TEST_CASE(a_policy_is_trained_by_rollout_actors_in_worker_processes) {
  auto ended =
    run_as_guest("caf-ray-train", {"ppo", "--env", "CartPole-v1", "--workers", "2", "--stop-steps",
                                   "8192", "--logdir", (folder() / "ppo").string()});
  BOOST_TEST(ended.code == 0);
  BOOST_TEST(std::filesystem::exists(folder() / "ppo" / "curve.svg"));
}

BOOST_AUTO_TEST_SUITE_END()
