#include <boost/test/unit_test.hpp>

#include <thread>

#include "tests/libray/session.hpp"
#include "tests/support/patience.hpp"
#include "tests/support/temp_folder.hpp"

namespace {

using clock_type = std::chrono::steady_clock;

int life_one() {
  return 1;
}
int life_pass(std::string name) {
  return gate::pass(name) ? 1 : 0;
}
std::string life_env(std::string name) {
  auto value = std::getenv(name.c_str());
  return value ? value : "(unset)";
}
int get_forever(std::string name) {
  return *ray::Task(life_pass).Remote(name).Get();
}
std::atomic<bool> stop_computing{false};
int compute() {
  while (!stop_computing)
    std::this_thread::yield();
  return 1;
}
std::atomic<bool> stop_large{false}, large_gone{false};
/// Says when it is deleted after it was packed.
struct large_value {
  std::vector<double> numbers;
  mutable bool packed = false;
  ~large_value() {
    if (packed)
      large_gone = true;
  }
  template <typename Packer>
  void msgpack_pack(Packer& out) const {
    packed = true;
    out.pack(numbers);
  }
  void msgpack_unpack(const msgpack::object& o) { o.convert(numbers); }
};
large_value compute_large() {
  while (!stop_large)
    std::this_thread::yield();
  return {std::vector<double>(100'000, 1.)};
}
int get_slowly(ray::ObjectRef<int> ref) {
  return *ref.Get();
}
struct napper {
  static napper* create() { return new napper; }
  int nap(std::string name) { return gate::pass(name) ? 1 : 0; }
  bool initialized() { return ray::IsInitialized(); }
  std::string job_namespace() const { return ray::GetNamespace(); }
};
RAY_REMOTE(life_one, life_pass, life_env, get_forever, get_slowly, compute, compute_large,
           napper::create, &napper::nap);
bool life_initialized() {
  return ray::IsInitialized();
}
std::string life_namespace() {
  return ray::GetNamespace();
}
RAY_REMOTE(life_initialized, life_namespace, &napper::initialized, &napper::job_namespace);

double seconds_of(const std::function<void()>& f) {
  auto begin = clock_type::now();
  f();
  return std::chrono::duration<double>(clock_type::now() - begin).count();
}

} // namespace

using caf_ray::test::slowdown;
using ray::internal::RayException;

BOOST_AUTO_TEST_SUITE(lifecycle)

BOOST_AUTO_TEST_CASE(init_and_shutdown_can_be_repeated) {
  BOOST_TEST(!ray::IsInitialized());
  ray::Shutdown();
  for (int i = 0; i < 5; ++i) {
    session s;
    BOOST_TEST(ray::IsInitialized());
    ray::Init(); // changes nothing
    BOOST_TEST(*ray::Task(life_one).Remote().Get() == 1);
  }
  BOOST_TEST(!ray::IsInitialized());
  ray::Shutdown();
}

BOOST_AUTO_TEST_CASE(calls_before_init_say_so) {
  BOOST_TEST(contains(text_of<RayException>([] { ray::Task(life_one).Remote(); }), "ray::Init"));
  BOOST_CHECK_THROW(ray::Put(1), RayException);
  BOOST_CHECK_THROW(ray::GetActor<napper>("x"), RayException);
  BOOST_CHECK_THROW(ray::GetNamespace(), RayException);
}

BOOST_AUTO_TEST_CASE(shutdown_ends_soon_whatever_is_left_behind) {
  auto s = std::make_unique<session>();
  std::vector<ray::ObjectRef<int>> refs;
  for (int i = 0; i < 10; ++i)
    refs.push_back(ray::Task(get_forever).Remote("left behind"));
  for (int i = 0; i < 1000; ++i)
    refs.push_back(ray::Task(life_one).SetResource("GPU", 1).Remote());
  auto actor = ray::Actor(napper::create).SetResource("TPU", 1).Remote();
  refs.push_back(actor.Task(&napper::nap).Remote("left behind"));
  auto computing = ray::Task(compute).Remote();
  BOOST_REQUIRE(gate::await_arrivals("left behind", 1));
  // RayShutdownException where it waits already, RayException where it comes too late for that.
  std::atomic<bool> thrown{false};
  std::thread waiter([&] { thrown = !text_of<RayException>([&] { refs.front().Get(); }).empty(); });
  BOOST_TEST(seconds_of([&] { s.reset(); }) < 2.0 * slowdown);
  waiter.join();
  BOOST_TEST(thrown);
  // What was left behind does no harm to the next one.
  gate::open("left behind");
  session next;
  BOOST_TEST(*ray::Task(life_one).Remote().Get() == 1);
  stop_computing = true;
}

BOOST_AUTO_TEST_CASE(code_left_behind_may_end_with_a_large_result) {
  {
    session s;
    auto ref = ray::Task(compute_large).Remote();
    auto running = [&] { return contains(ray::Why(ref), "running"); };
    BOOST_REQUIRE(await(running));
  }
  stop_large = true;
  BOOST_TEST(await([] { return large_gone.load(); }));
  session next;
  BOOST_TEST(*ray::Task(life_one).Remote().Get() == 1);
}

BOOST_AUTO_TEST_CASE(ten_thousand_tasks_that_block_inside_do_not_stop_others) {
  auto s = std::make_unique<session>();
  auto source = ray::Task(life_pass).Remote("source of many");
  std::vector<ray::ObjectRef<int>> blocked;
  // Each holds a thread while it blocks; the thread sanitizer has room for 8,000.
  for (int i = 0; i < (slowdown > 1 ? 1'000 : 10'000); ++i)
    blocked.push_back(ray::Task(get_slowly).Remote(source));
  for (int i = 0; i < 100; ++i)
    BOOST_REQUIRE(*ray::Task(life_one).Remote().Get(10'000) == 1);
  gate::open("source of many");
  for (auto& value : ray::Get(blocked))
    BOOST_REQUIRE(*value == 1);
}

BOOST_AUTO_TEST_CASE(many_queued_tasks_do_not_delay_shutdown) {
  auto s = std::make_unique<session>();
  auto blocker = ray::Task(life_pass).Remote("million");
  std::vector<ray::ObjectRef<int>> refs;
  for (int i = 0; i < 300'000 / slowdown; ++i)
    refs.push_back(ray::Task(life_one).SetResource("CPU", 4).Remote());
  gate::open("million");
  BOOST_TEST(seconds_of([&] { s.reset(); }) < 2.0 * slowdown);
}

BOOST_AUTO_TEST_CASE(namespaces_are_fresh_unless_given) {
  std::string first;
  {
    session s;
    first = ray::GetNamespace();
    BOOST_TEST(!first.empty());
  }
  session s;
  BOOST_TEST(ray::GetNamespace() != first);
  ray::Shutdown();
  ray::RayConfig config;
  config.ray_namespace = "mine";
  ray::Init(config);
  BOOST_TEST(ray::GetNamespace() == "mine");
}

BOOST_FIXTURE_TEST_CASE(tasks_and_actors_see_that_it_runs, session) {
  BOOST_TEST(*ray::Task(life_initialized).Remote().Get());
  BOOST_TEST(*ray::Task(life_namespace).Remote().Get() == ray::GetNamespace());
  auto actor = ray::Actor(napper::create).Remote();
  BOOST_TEST(*actor.Task(&napper::initialized).Remote().Get());
  BOOST_TEST(*actor.Task(&napper::job_namespace).Remote().Get() == ray::GetNamespace());
}

BOOST_AUTO_TEST_CASE(flags_stay_where_they_were) {
  std::vector<std::string> words{"program", "--ray_job_namespace=flagged", "--own", "word"};
  std::vector<char*> argv;
  for (auto& word : words)
    argv.push_back(word.data());
  const auto pointers = argv;
  const auto texts = words;
  ray::RayConfig config;
  ray::Init(config, static_cast<int>(argv.size()), argv.data());
  BOOST_TEST(ray::GetNamespace() == "flagged");
  ray::Shutdown();
  BOOST_TEST((argv == pointers));
  BOOST_TEST(words == texts, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_control_store_can_be_kept_in_a_folder) {
  caf_ray::test::temp_folder folder;
  ray::RayConfig config;
  config.gcs_directory = (folder.path / "gcs").string();
  for (int i = 0; i < 2; ++i) {
    ray::Init(config);
    BOOST_TEST(*ray::Task(life_one).Remote().Get() == 1);
    ray::Shutdown();
  }
  config.gcs_shards = 5;
  auto text = text_of<RayException>([&] { ray::Init(config); });
  BOOST_TEST(contains(text, "shards"));
  BOOST_TEST(!ray::IsInitialized());
  config.gcs_directory = "/proc/cannot/be/made";
  BOOST_CHECK_THROW(ray::Init(config), RayException);
  BOOST_TEST(!ray::IsInitialized());
}

BOOST_AUTO_TEST_CASE(variables_of_the_job_are_there_from_init_to_shutdown) {
  auto env_of = [](const char* value) {
    ray::RuntimeEnv env;
    env.Set("env_vars", std::map<std::string, std::string>{{"CAF_RAY_LIFE", value}});
    return env;
  };
  ray::RayConfig config;
  config.runtime_env = env_of("1");
  ray::Init(config);
  BOOST_TEST(*ray::Task(life_env).Remote("CAF_RAY_LIFE").Get() == "1");
  // A task may ask for what is there; for another value it needs a process of its own.
  BOOST_TEST(*ray::Task(life_env).SetRuntimeEnv(env_of("1")).Remote("CAF_RAY_LIFE").Get() == "1");
  auto text = text_of<ray::internal::RayRuntimeEnvException>(
    [&] { ray::Task(life_env).SetRuntimeEnv(env_of("2")).Remote("CAF_RAY_LIFE"); });
  BOOST_TEST(contains(text, "CAF_RAY_LIFE=2"));
  BOOST_TEST(contains(text, "RayConfig::runtime_env"));
  ray::Shutdown();
  BOOST_TEST(!std::getenv("CAF_RAY_LIFE"));
}

BOOST_AUTO_TEST_CASE(names_in_a_kept_control_store_are_free_for_the_next_run) {
  caf_ray::test::temp_folder folder;
  ray::RayConfig config;
  config.gcs_directory = (folder.path / "gcs").string();
  config.ray_namespace = "kept";
  for (int i = 0; i < 3; ++i) {
    ray::Init(config);
    BOOST_TEST(!ray::GetActor<napper>("keeper"));
    BOOST_TEST(ray::GetAllPlacementGroups().empty());
    auto actor = ray::Actor(napper::create).SetName("keeper").Remote();
    BOOST_TEST(ray::GetActor<napper>("keeper").get().ID() == actor.ID());
    ray::CreatePlacementGroup({"keeper", {{{"CPU", 1}}}, ray::PlacementStrategy::PACK});
    ray::Shutdown();
  }
}

BOOST_AUTO_TEST_CASE(a_bad_configuration_leaves_nothing_behind) {
  ray::RayConfig config;
  config.num_cpus = -1;
  BOOST_CHECK_THROW(ray::Init(config), RayException);
  config.num_cpus = 2;
  config.head_args = {"--num-cpu", "2"};
  BOOST_TEST(contains(text_of<RayException>([&] { ray::Init(config); }), "--num-cpus"));
  config.head_args = {};
  config.address = "127.0.0.1:1";
  BOOST_TEST(contains(text_of<RayException>([&] { ray::Init(config); }), "127.0.0.1:1"));
  BOOST_TEST(!ray::IsInitialized());
  session s;
  BOOST_TEST(*ray::Task(life_one).Remote().Get() == 1);
}

BOOST_AUTO_TEST_SUITE_END()
