#include "tests/cluster/cluster.hpp"

#include <filesystem>
#include <iterator>
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

/// The processes that `parent` has started and that still run.
std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> children;
  auto threads = "/proc/" + std::to_string(parent) + "/task";
  for (auto& thread : std::filesystem::directory_iterator(threads)) {
    std::ifstream file(thread.path() / "children"); // of the thread that started them
    children.insert(children.end(), std::istream_iterator<pid_t>(file), {});
  }
  return children;
}

/// The lines of a table, of their fields; those that are there yet.
std::vector<std::vector<std::string>> read_table(const std::filesystem::path& path) {
  std::vector<std::vector<std::string>> rows;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line);
    rows.emplace_back();
    for (std::string field; std::getline(fields, field, ',');)
      rows.back().push_back(field);
  }
  return rows;
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

BOOST_AUTO_TEST_CASE(actors_and_replay_shards_that_are_killed_are_replaced_and_counted) {
  setenv("RAY_ADDRESS", "127.0.0.1:6379", 1);
  child training(std::string(CLUSTER_PROGRAMS) + "/caf-ray-train",
                 {"apex", "--env", "CartPole-v1", "--workers", "2", "--quiet", "--stop-steps",
                  "100000", "--evaluation-episodes", "5", "--logdir",
                  (folder() / "apex").string()});
  unsetenv("RAY_ADDRESS");
  auto log = folder() / "apex" / "log.csv";
  BOOST_TEST_REQUIRE(eventually([&] { return read_table(log).size() > 20; })); // it learns
  auto workers = children_of(pid());
  BOOST_TEST_REQUIRE(workers.size() >= 4u); // two actors, two shards
  for (auto victim : {workers.front(), workers.back()})
    ::kill(victim, SIGKILL);
  BOOST_TEST(training.wait_end() == 0);
  auto rows = read_table(log);
  int deaths = 0;
  for (std::size_t i = 0; i < rows.front().size(); ++i)
    if (rows.front()[i].ends_with("/deaths"))
      deaths += std::stoi(rows.back().at(i));
  BOOST_TEST(deaths >= 1); // a worker that was idle is not missed
}

BOOST_AUTO_TEST_SUITE_END()
