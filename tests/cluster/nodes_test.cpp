// Several nodes, all on this host: tasks, objects and actors that go from one to another.

#include <atomic>
#include <thread>

#include "tests/cluster/cluster.hpp"

using namespace caf_ray::test;

namespace {

constexpr std::size_t large = 4 * 1024 * 1024;

/// The process id of the node whose worker runs this.
int node_pid() {
  return getppid();
}
std::vector<double> make(std::size_t count, double first) {
  std::vector<double> values(count);
  for (std::size_t i = 0; i < count; ++i)
    values[i] = first + static_cast<double>(i);
  return values;
}
double sum(const std::vector<double>& values) {
  double total = 0;
  for (auto x : values)
    total += x;
  return total;
}
int add(int a, int b) {
  return a + b;
}
int nested(const std::string& resource, int x) {
  return *ray::Task(add).SetResource(resource, 1).Remote(x, 1).Get();
}
/// Refs that are made on this node, by a task and by a put, inside the result.
std::vector<ray::ObjectRef<int>> make_refs(const std::string& resource) {
  return {ray::Put(1), ray::Task(add).SetResource(resource, 1).Remote(1, 1), ray::Put(3)};
}
int wait_for(const std::string& path) {
  while (!file_door(path).is_open())
    usleep(1000); // tidy: allow sleep, a door between processes is a file
  return getppid();
}
int nap(int milliseconds) {
  usleep(static_cast<unsigned>(milliseconds) * 1000); // tidy: allow sleep, work that takes so long
  return getppid();
}

class tally {
public:
  static tally* create(int start) { return new tally(start); }
  explicit tally(int start) : count_(start) {}
  int add(int n) { return count_ += n; }
  int node() { return getppid(); }
  int process() { return getpid(); }
  bool keep(std::vector<ray::ObjectRef<std::vector<double>>> refs) {
    kept_ = std::move(refs);
    return true;
  }
  double sum_of_kept() { return sum(*kept_.at(0).Get()); }

private:
  int count_;
  std::vector<ray::ObjectRef<std::vector<double>>> kept_;
};

using tally_handle = ray::ActorHandle<tally>;

int use_tally(tally_handle handle, int n) {
  int last = 0;
  for (int i = 0; i < n; ++i)
    last = *handle.Task(&tally::add).Remote(1).Get();
  return last;
}

RAY_REMOTE(node_pid, make, sum, add, nested, make_refs, wait_for, nap, use_tally);
RAY_REMOTE(tally::create, &tally::add, &tally::node, &tally::process, &tally::keep,
           &tally::sum_of_kept);

std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> children;
  for (auto& thread :
       std::filesystem::directory_iterator("/proc/" + std::to_string(parent) + "/task")) {
    std::ifstream file(thread.path() / "children");
    for (pid_t pid; file >> pid;)
      children.push_back(pid);
  }
  return children;
}

double expected_sum(std::size_t count, double first) {
  auto n = static_cast<double>(count);
  return n * first + n * (n - 1) / 2;
}

} // namespace

BOOST_AUTO_TEST_SUITE(cluster_nodes)

BOOST_AUTO_TEST_CASE(tasks_run_where_their_resources_are) {
  test_cluster cluster;
  for (auto driver_node : {0, 1}) {
    driver_session driver(test_cluster::first_port + driver_node);
    for (int i = 0; i < 3; ++i) {
      auto where = ray::Task(node_pid).SetResource("node" + std::to_string(i), 1).Remote();
      BOOST_TEST(*where.Get() == cluster[static_cast<std::size_t>(i)].pid());
    }
  }
}

BOOST_AUTO_TEST_CASE(objects_go_where_they_are_needed) {
  test_cluster cluster;
  driver_session driver;
  auto put = ray::Put(make(large, 1));
  auto there = ray::Task(make).SetResource("node1", 1).Remote(large, 2.0);
  auto small = ray::Task(add).SetResource("node1", 1).Remote(2, 3);
  for (int i = 0; i < 3; ++i) {
    auto resource = "node" + std::to_string(i);
    BOOST_TEST(*ray::Task(sum).SetResource(resource, 1).Remote(put).Get()
               == expected_sum(large, 1));
    BOOST_TEST(*ray::Task(sum).SetResource(resource, 1).Remote(there).Get()
               == expected_sum(large, 2));
    BOOST_TEST(*ray::Task(add).SetResource(resource, 1).Remote(small, 1).Get() == 6);
  }
  BOOST_TEST(sum(*there.Get()) == expected_sum(large, 2));
}

BOOST_AUTO_TEST_CASE(memory_comes_back_on_all_nodes) {
  test_cluster cluster;
  {
    driver_session driver;
    for (int round = 0; round < 3; ++round) {
      auto a = ray::Task(make).SetResource("node1", 1).Remote(large, 1.0);
      auto b = ray::Task(sum).SetResource("node2", 1).Remote(a);
      BOOST_TEST(*b.Get() == expected_sum(large, 1));
    }
    for (int i = 0; i < 3; ++i)
      BOOST_TEST(eventually([&] {
        auto status = cluster[static_cast<std::size_t>(i)].status();
        return status["objects"] == 0 && status["stored_objects"] == 0 && status["tasks"] == 0;
      }));
  }
  for (int i = 0; i < 3; ++i)
    BOOST_TEST(
      eventually([&] { return cluster[static_cast<std::size_t>(i)].status()["workers"] == 0; }));
}

BOOST_AUTO_TEST_CASE(tasks_start_tasks_on_further_nodes) {
  test_cluster cluster;
  std::optional<driver_session> driver(std::in_place);
  auto up = ray::Task(nested).SetResource("node1", 1).Remote(std::string("node2"), 41);
  auto back = ray::Task(nested).SetResource("node1", 1).Remote(std::string("node0"), 1);
  BOOST_TEST(*up.Get() == 42);
  auto to_and_fro = ray::Task(nested).SetResource("node2", 1).Remote(std::string("node1"), 1);
  BOOST_TEST(*back.Get() == 2);
  BOOST_TEST(*to_and_fro.Get() == 2);
  // The job is over everywhere, also where nodes have sent each other its tasks.
  driver.reset();
  for (int i = 0; i < 3; ++i)
    BOOST_TEST(
      eventually([&] { return cluster[static_cast<std::size_t>(i)].status()["workers"] == 0; }));
}

BOOST_AUTO_TEST_CASE(refs_inside_results_lead_back_to_their_nodes) {
  test_cluster cluster;
  driver_session driver;
  for (auto resource : {"node1", "node2", "node0"}) {
    auto refs = *ray::Task(make_refs).SetResource("node1", 1).Remote(std::string(resource)).Get();
    int total = 0;
    for (auto& ref : refs)
      total += *ref.Get();
    BOOST_TEST(total == 6);
  }
}

BOOST_AUTO_TEST_CASE(actors_live_where_their_resources_are) {
  test_cluster cluster;
  driver_session driver;
  auto local = ray::Actor(tally::create).SetResource("node0", 1).Remote(0);
  auto far = ray::Actor(tally::create).SetResource("node2", 1).Remote(100);
  BOOST_TEST(*local.Task(&tally::node).Remote().Get() == cluster[0].pid());
  BOOST_TEST(*far.Task(&tally::node).Remote().Get() == cluster[2].pid());
  for (int i = 1; i <= 100; ++i)
    BOOST_TEST(*far.Task(&tally::add).Remote(1).Get() == 100 + i);
  // From tasks on every node, two of which meet it by its handle only.
  int calls = 100;
  for (int i = 0; i < 3; ++i) {
    auto used = ray::Task(use_tally).SetResource("node" + std::to_string(i), 1).Remote(far, 10);
    BOOST_TEST(*used.Get() == 100 + (calls += 10));
    auto used_local =
      ray::Task(use_tally).SetResource("node" + std::to_string(i), 1).Remote(local, 10);
    BOOST_TEST(*used_local.Get() == calls - 100);
  }
}

BOOST_AUTO_TEST_CASE(an_actor_keeps_objects_of_other_nodes) {
  test_cluster cluster;
  driver_session driver;
  auto keeper = ray::Actor(tally::create).SetResource("node2", 1).Remote(0);
  {
    std::vector<ray::ObjectRef<std::vector<double>>> refs{
      ray::Task(make).SetResource("node1", 1).Remote(large, 5.0)};
    BOOST_TEST(*keeper.Task(&tally::keep).Remote(refs).Get());
  }
  BOOST_TEST(*keeper.Task(&tally::sum_of_kept).Remote().Get() == expected_sum(large, 5));
}

BOOST_AUTO_TEST_CASE(a_killed_actor_is_restarted_and_named_ones_are_found_from_everywhere) {
  test_cluster cluster;
  driver_session driver;
  auto far =
    ray::Actor(tally::create).SetResource("node1", 1).SetName("far").SetMaxRestarts(1).Remote(7);
  auto first = *far.Task(&tally::process).Remote().Get();
  kill(first, SIGKILL);
  BOOST_TEST(eventually([&] {
    try {
      return *far.Task(&tally::process).Remote().Get() != first;
    } catch (const ray::internal::RayException&) {
      return false; // calls that were on their way when it died
    }
  }));
  auto found = ray::GetActor<tally>("far");
  BOOST_TEST_REQUIRE(found.has_value());
  BOOST_TEST(*found->Task(&tally::add).Remote(1).Get() == 8);
  far.Kill();
  text_of<ray::internal::RayException>([&] { far.Task(&tally::add).Remote(1).Get(); });
}

BOOST_AUTO_TEST_CASE(more_than_a_node_can_do_is_shared_out) {
  test_cluster cluster;
  driver_session driver;
  std::vector<ray::ObjectRef<int>> refs;
  for (int i = 0; i < 60; ++i)
    refs.push_back(ray::Task(nap).Remote(50));
  std::map<int, int> count;
  for (auto& ref : refs)
    ++count[*ref.Get()];
  BOOST_TEST(count.size() == 3u);
  for (auto& [pid, n] : count)
    BOOST_TEST(n >= 5);
}

BOOST_AUTO_TEST_CASE(a_placement_group_spans_nodes) {
  test_cluster cluster;
  driver_session driver;
  ray::PlacementGroupCreationOptions options;
  options.name = "spread";
  options.bundles = {{{"CPU", 1}}, {{"CPU", 1}}, {{"CPU", 1}}};
  options.strategy = ray::PlacementStrategy::STRICT_SPREAD;
  auto group = ray::CreatePlacementGroup(options);
  BOOST_TEST_REQUIRE(group.Wait(20));
  std::map<int, int> count;
  for (int i = 0; i < 3; ++i)
    ++count[*ray::Task(node_pid).SetResource("CPU", 1).SetPlacementGroup(group, i).Remote().Get()];
  BOOST_TEST(count.size() == 3u);
  ray::RemovePlacementGroup(group.GetID());
  // All is given back: a task that needs a whole node finds one on each.
  for (int i = 0; i < 3; ++i)
    BOOST_TEST(*ray::Task(node_pid)
                  .SetResource("CPU", 1)
                  .SetResource("node" + std::to_string(i), 1)
                  .Remote()
                  .Get()
               == cluster[static_cast<std::size_t>(i)].pid());
}

BOOST_AUTO_TEST_CASE(tasks_of_a_node_that_dies_run_elsewhere) {
  test_cluster cluster;
  driver_session driver;
  file_door door((cluster.folder() / "door").string());
  std::vector<ray::ObjectRef<int>> refs;
  for (int i = 0; i < 6; ++i)
    refs.push_back(ray::Task(wait_for).Remote(door.path()));
  auto stays = ray::Task(wait_for).SetResource("node2", 1).SetMaxRetries(0).Remote(door.path());
  BOOST_TEST(eventually([&] { return cluster[2].status()["workers"] >= 1; }));
  auto gone = cluster[2].pid();
  cluster[2].kill();
  auto text = text_of<ray::internal::RayException>([&] { stays.Get(); });
  BOOST_TEST(text.find("node") != std::string::npos, text);
  door.open();
  for (auto& ref : refs)
    BOOST_TEST(*ref.Get() != gone);
}

BOOST_AUTO_TEST_CASE(policies_are_trained_while_workers_are_killed) {
  test_cluster cluster;
  setenv("RAY_ADDRESS", address_of_port(test_cluster::first_port).c_str(), 1);
  for (auto [algorithm, steps] : {std::pair("es", "9000000"), std::pair("ppo", "300000")}) {
    child training(CLUSTER_PROGRAMS "/caf-ray-train",
                   {algorithm, "--env", "Pendulum-v1", "--workers", "3", "--stop-steps", steps,
                    "--logdir", (cluster.folder() / algorithm).string()});
    std::atomic<bool> ended = false;
    int killed = 0;
    std::thread killer([&] {
      for (std::size_t i = 0; !ended; ++i) {
        usleep(200'000); // tidy: allow sleep, that is how often one dies
        auto workers = children_of(cluster[i % 3].pid());
        if (!workers.empty() && !ended) {
          kill(workers[i / 3 % workers.size()], SIGKILL);
          ++killed;
        }
      }
    });
    std::string evaluation;
    for (auto line = training.line(); !line.empty(); line = training.line())
      if (line.starts_with("evaluation"))
        evaluation = line;
    auto code = training.wait_end();
    ended = true;
    killer.join();
    BOOST_TEST_MESSAGE(algorithm << ": " << killed << " killed; " << evaluation);
    BOOST_TEST(code == 0);
    BOOST_TEST(!evaluation.empty());
    BOOST_TEST(killed >= 2);
  }
  unsetenv("RAY_ADDRESS");
}

BOOST_AUTO_TEST_CASE(an_object_that_died_with_its_node_is_an_error_that_says_so) {
  test_cluster cluster;
  driver_session driver;
  auto there = ray::Task(make).SetResource("node1", 1).Remote(large, 2.0);
  BOOST_TEST(*ray::Task(sum).SetResource("node1", 1).Remote(there).Get() == expected_sum(large, 2));
  cluster[1].kill();
  auto text = text_of<ray::internal::RayException>([&] { there.Get(); });
  BOOST_TEST(text.find("node") != std::string::npos, text);
}

BOOST_AUTO_TEST_CASE(nodes_end_when_their_head_does) {
  test_cluster cluster;
  cluster[0].kill();
  BOOST_TEST(cluster[1].wait_end() == 69);
  BOOST_TEST(cluster[2].wait_end() == 69);
}

BOOST_AUTO_TEST_CASE(a_node_is_refused_that_joins_what_is_no_head) {
  test_cluster cluster(2);
  auto refused = run(CAF_RAY_NODE, {"start", "--block", "--port", "6390", "--address",
                                    address_of_port(test_cluster::first_port + 1)});
  BOOST_TEST(refused.code != 0);
}

BOOST_AUTO_TEST_SUITE_END()
