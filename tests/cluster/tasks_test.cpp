#include "tests/cluster/cluster.hpp"

#include <numeric>

using namespace caf_ray::test;

namespace {

int add(int a, int b) {
  return a + b;
}
int process() {
  return getpid();
}
std::vector<double> numbers(int count) {
  std::vector<double> xs(static_cast<std::size_t>(count));
  std::iota(xs.begin(), xs.end(), 0);
  return xs;
}
double sum(std::vector<double> xs) {
  return std::accumulate(xs.begin(), xs.end(), 0.0);
}
int fib(int n) {
  if (n < 2)
    return n;
  auto a = ray::Task(fib).Remote(n - 1);
  auto b = ray::Task(fib).Remote(n - 2);
  return *a.Get() + *b.Get();
}
int throws() {
  throw std::runtime_error("on purpose");
}
/// A ref inside its result: the object outlives the task that made it.
std::vector<ray::ObjectRef<std::string>> wrapped() {
  return {ray::Put(std::string("inside"))};
}
std::string unwrap(std::vector<ray::ObjectRef<std::string>> refs) {
  return *refs.at(0).Get();
}
int wait_for(std::string door) {
  return eventually([&] { return file_door(door).is_open(); }) ? 1 : 0;
}
std::tuple<int, std::string> two() {
  return {1, "two"};
}

std::vector<ray::ObjectRef<int>> many_refs(int count) {
  std::vector<ray::ObjectRef<int>> refs;
  for (int i = 0; i < count; ++i)
    refs.push_back(ray::Put(i));
  return refs;
}
int count_refs(const std::vector<ray::ObjectRef<int>>& refs) {
  return static_cast<int>(refs.size());
}

RAY_REMOTE(many_refs, count_refs, add, process, numbers, sum, fib, throws, wrapped, unwrap,
           wait_for, two);

} // namespace

BOOST_FIXTURE_TEST_SUITE(cluster_tasks, cluster_session)

BOOST_AUTO_TEST_CASE(run_in_processes_of_their_own) {
  auto pid = *ray::Task(process).Remote().Get();
  BOOST_TEST(pid != getpid());
  BOOST_TEST(is_running(pid));
  BOOST_TEST(*ray::Task(add).Remote(1, 2).Get() == 3);
}

BOOST_AUTO_TEST_CASE(take_values_and_refs_small_and_large) {
  auto twenty = ray::Put(20);
  BOOST_TEST(*ray::Task(add).Remote(twenty, 2).Get() == 22);
  auto large = ray::Put(std::vector<double>(500'000, 1.0));
  BOOST_TEST(*ray::Task(sum).Remote(large).Get() == 500'000);
  auto made_there = ray::Task(numbers).Remote(100'000);
  BOOST_TEST(*ray::Task(sum).Remote(made_there).Get() == 100'000.0 * 99'999 / 2);
  BOOST_TEST(made_there.Get()->size() == 100'000);
}

BOOST_AUTO_TEST_CASE(read_large_results_where_they_were_written) {
  auto ref = ray::Task(numbers).Remote(1'000'000);
  ref.Get();
  auto first = ref.Get();
  auto second = ref.Get();
  BOOST_TEST((*first)[999'999] == 999'999);
  BOOST_TEST(*first == *second);
}

BOOST_AUTO_TEST_CASE(wait_for_inputs_that_are_not_there_yet) {
  file_door door((node.folder() / "door").string());
  auto slow = ray::Task(wait_for).Remote(door.path());
  auto after = ray::Task(add).Remote(slow, 10);
  auto ready = ray::Wait(std::vector{after}, 1, 0);
  BOOST_TEST(ready.ready.empty());
  door.open();
  BOOST_TEST(*after.Get() == 11);
}

BOOST_AUTO_TEST_CASE(nest_and_block_in_any_depth) {
  BOOST_TEST(*ray::Task(fib).Remote(12).Get() == 144);
}

BOOST_AUTO_TEST_CASE(throw_to_who_asks) {
  auto text = text_of<ray::internal::RayTaskException>([] { ray::Task(throws).Remote().Get(); });
  BOOST_TEST(text.find("on purpose") != std::string::npos);
  BOOST_TEST(text.find("throws") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(return_refs_that_outlive_them) {
  auto outer = ray::Task(wrapped).Remote();
  BOOST_TEST(*outer.Get()->at(0).Get() == "inside");
  BOOST_TEST(*ray::Task(unwrap).Remote(outer).Get() == "inside");
}

BOOST_AUTO_TEST_CASE(return_several_values) {
  auto [one, name] = ray::Task(two).RemoteTuple();
  BOOST_TEST(*one.Get() == 1);
  BOOST_TEST(*name.Get() == "two");
}

BOOST_AUTO_TEST_CASE(name_as_many_objects_as_fit_and_no_more) {
  constexpr int fits = 10'000, too_many = 30'000;
  auto refs = *ray::Task(many_refs).Remote(fits).Get();
  BOOST_TEST(*ray::Get(refs).back() == fits - 1);
  BOOST_TEST(*ray::Task(count_refs).Remote(refs).Get() == fits);
  auto result =
    text_of<ray::internal::RayException>([&] { ray::Task(many_refs).Remote(too_many).Get(); });
  BOOST_TEST(result.find("names 30000 objects") != std::string::npos, result);
  while (refs.size() < too_many) {
    auto more = *ray::Task(many_refs).Remote(fits).Get();
    refs.insert(refs.end(), more.begin(), more.end());
  }
  auto all = ray::Put(refs);
  auto task =
    text_of<ray::internal::RayException>([&] { ray::Task(count_refs).Remote(all).Get(); });
  BOOST_TEST(task.find("names 30000 objects") != std::string::npos, task);
  BOOST_TEST(*ray::Task(add).Remote(1, 1).Get() == 2, "the worker and the driver live on");
}

BOOST_AUTO_TEST_CASE(are_cancelled_before_they_start) {
  file_door door((node.folder() / "door").string());
  std::vector<ray::ObjectRef<int>> busy;
  for (int i = 0; i < 8; ++i)
    busy.push_back(ray::Task(wait_for).Remote(door.path()));
  auto queued = ray::Task(add).Remote(1, 1);
  ray::Cancel(queued);
  text_of<ray::internal::RayTaskCancelledException>([&] { queued.Get(); });
  door.open();
  for (auto& task : busy)
    BOOST_TEST(*task.Get() == 1);
}

BOOST_AUTO_TEST_CASE(give_their_memory_back) {
  {
    std::vector<ray::ObjectRef<std::vector<double>>> refs;
    for (int i = 0; i < 10; ++i)
      refs.push_back(ray::Task(numbers).Remote(200'000));
    for (auto& ref : refs)
      ref.Get();
    refs.push_back(ray::Put(std::vector<double>(200'000, 1.0)));
    BOOST_TEST(*ray::Task(sum).Remote(refs.back()).Get() == 200'000);
    BOOST_TEST(node.status()["objects"] >= 10);
  }
  BOOST_TEST(eventually([&] { return node.status()["objects"] == 0; }));
  BOOST_TEST(node.status()["stored_objects"] == 0);
}

BOOST_AUTO_TEST_CASE(ten_thousand_of_them_end) {
  std::vector<ray::ObjectRef<int>> refs;
  for (int i = 0; i < 10'000; ++i)
    refs.push_back(ray::Task(add).Remote(i, 1));
  int wrong = 0;
  for (int i = 0; i < 10'000; ++i)
    wrong += *refs[static_cast<std::size_t>(i)].Get() != i + 1;
  BOOST_TEST(wrong == 0);
}

BOOST_AUTO_TEST_SUITE_END()
