#include "tests/cluster/cluster.hpp"

#include <random>

using namespace caf_ray::test;

namespace {

/// Says in a file who it is, then waits for the door.
int tell_and_wait(std::string file, std::string door) {
  std::ofstream(file + ".new") << getpid() << '\n';
  std::filesystem::rename(file + ".new", file);
  return eventually([&] { return file_door(door).is_open(); }) ? getpid() : 0;
}
int own_process() {
  return getpid();
}
/// A few milliseconds of work.
int busy(int i) {
  auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(3);
  while (std::chrono::steady_clock::now() < until) {
  }
  return i;
}

RAY_REMOTE(tell_and_wait, own_process, busy);

pid_t told_in(const std::string& file) {
  pid_t pid = 0;
  BOOST_TEST_REQUIRE(eventually([&] { return std::filesystem::exists(file); }));
  std::ifstream(file) >> pid;
  std::filesystem::remove(file);
  return pid;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(cluster_failures, cluster_session)

BOOST_AUTO_TEST_CASE(a_task_whose_worker_dies_runs_again) {
  file_door door((node.folder() / "door").string());
  auto file = (node.folder() / "pid").string();
  auto task = ray::Task(tell_and_wait).Remote(file, door.path());
  auto first = told_in(file);
  kill(first, SIGKILL);
  auto second = told_in(file);
  BOOST_TEST(first != second);
  door.open();
  BOOST_TEST(*task.Get() == second);
}

BOOST_AUTO_TEST_CASE(a_task_without_retries_says_soon_that_its_worker_died) {
  file_door door((node.folder() / "door").string());
  auto file = (node.folder() / "pid").string();
  auto task = ray::Task(tell_and_wait).SetMaxRetries(0).Remote(file, door.path());
  auto worker = told_in(file);
  auto begin = std::chrono::steady_clock::now();
  kill(worker, SIGKILL);
  auto text = text_of<ray::internal::RayWorkerException>([&] { task.Get(); });
  auto time = std::chrono::steady_clock::now() - begin;
  BOOST_TEST(text.find("signal 9") != std::string::npos, text);
  BOOST_TEST(text.find("tell_and_wait") != std::string::npos, text);
  BOOST_TEST((time < std::chrono::milliseconds(500) * slowdown));
}

BOOST_AUTO_TEST_CASE(twenty_dead_workers_cost_no_result) {
  std::mt19937 random(20251125);
  BOOST_TEST_MESSAGE("seed 20251125");
  std::vector<ray::ObjectRef<int>> refs;
  for (int i = 0; i < 3'000; ++i)
    refs.push_back(ray::Task(busy).SetMaxRetries(-1).Remote(i));
  for (int killed = 0; killed < 20; ++killed) {
    auto worker = *ray::Task(own_process).SetMaxRetries(-1).SetPriority(1).Remote().Get();
    kill(worker, SIGKILL);
    auto at = std::uniform_int_distribution<std::size_t>(0, 20)(random) + 100 * killed;
    refs[at].Get();
  }
  int wrong = 0;
  for (int i = 0; i < 3'000; ++i)
    wrong += *refs[static_cast<std::size_t>(i)].Get() != i;
  BOOST_TEST(wrong == 0);
}

BOOST_AUTO_TEST_CASE(a_dead_driver_leaves_nothing_behind) {
  child other(CLUSTER_DRIVER, {});
  auto worker = std::stoi(other.line());
  auto actor = std::stoi(other.line());
  BOOST_TEST(is_running(worker));
  BOOST_TEST(is_running(actor));
  other.kill();
  BOOST_TEST(eventually([&] { return !is_running(worker) && !is_running(actor); }));
  BOOST_TEST(eventually([&] { return node.status()["objects"] == 0; }));
  BOOST_TEST(node.status()["tasks"] == 0);
  // And harms nobody.
  BOOST_TEST(*ray::Task(busy).Remote(3).Get() == 3);
}

BOOST_AUTO_TEST_CASE(a_dead_node_ends_what_waits_for_it) {
  file_door door((node.folder() / "door").string());
  auto file = (node.folder() / "pid").string();
  auto task = ray::Task(tell_and_wait).Remote(file, door.path());
  auto worker = told_in(file);
  node.kill();
  auto text = text_of<ray::internal::RayException>([&] { task.Get(); });
  BOOST_TEST(text.find("node") != std::string::npos, text);
  BOOST_TEST(eventually([&] { return !is_running(worker); }));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(cluster_worker_death)

// Short tasks are sent to a worker before it can start them; this node has one worker.
BOOST_AUTO_TEST_CASE(does_not_hurt_tasks_that_had_not_started) {
  test_node node(1);
  driver_session driver;
  std::vector<ray::ObjectRef<int>> quick;
  for (int i = 0; i < 300; ++i)
    quick.push_back(ray::Task(own_process).Remote());
  for (auto& ref : quick)
    ref.Get();
  file_door door((node.folder() / "door").string());
  auto file = (node.folder() / "pid").string();
  auto running = ray::Task(tell_and_wait).SetMaxRetries(0).Remote(file, door.path());
  auto worker = told_in(file);
  std::vector<ray::ObjectRef<int>> behind;
  for (int i = 0; i < 40; ++i)
    behind.push_back(ray::Task(own_process).SetMaxRetries(0).Remote());
  BOOST_TEST(ray::Wait(behind, 1, 100).ready.empty());
  kill(worker, SIGKILL);
  text_of<ray::internal::RayWorkerException>([&] { running.Get(); });
  for (auto& ref : behind)
    BOOST_TEST(*ref.Get() != worker);
}

BOOST_AUTO_TEST_SUITE_END()
