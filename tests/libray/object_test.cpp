#include <boost/test/unit_test.hpp>

#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>

#include "tests/libray/session.hpp"
#include "tests/support/temp_folder.hpp"

namespace {

struct batch {
  int step = 0;
  ray::Array<float> observations;
  std::vector<double> rewards;
  MSGPACK_DEFINE(step, observations, rewards)
};

struct chain_link {
  std::vector<ray::ObjectRef<int>> next;
  MSGPACK_DEFINE(next)
};

double sum_view(ray::Array<double> xs) {
  double s = 0;
  for (auto x : xs)
    s += x;
  return s;
}
bool is_view(ray::Array<double> xs) {
  return xs.IsView();
}
ray::Array<int> make_array(int n) {
  std::vector<int> xs(n);
  for (int i = 0; i < n; ++i)
    xs[i] = i;
  return ray::Array<int>(xs);
}
int object_first(std::vector<int> xs) {
  return xs.front();
}
void at_gate(std::string name) {
  gate::pass(name);
}
void fail_void() {
  throw std::runtime_error("no value");
}
int at_gate_int(std::string name) {
  return gate::pass(name) ? 1 : 0;
}
RAY_REMOTE(sum_view, is_view, make_array, object_first, at_gate, fail_void, at_gate_int);

} // namespace

using ray::internal::RayException;

BOOST_AUTO_TEST_SUITE(object)

BOOST_FIXTURE_TEST_CASE(put_and_get_give_equal_copies, session) {
  BOOST_TEST(*ray::Put(42).Get() == 42);
  BOOST_TEST(*ray::Put(std::string("text")).Get() == "text");
  std::map<std::string, std::vector<int>> map{{"a", {1, 2}}, {"b", {}}};
  BOOST_TEST((*ray::Put(map).Get() == map));
  auto ref = ray::Put(std::vector<int>{1, 2, 3});
  BOOST_TEST(ref.Get() != ref.Get());
}

BOOST_FIXTURE_TEST_CASE(arrays_of_all_sizes_come_back, session) {
  for (std::size_t n : {0, 1, 511, 512, 4096, 20'000, 1'000'000}) {
    std::vector<double> v(n);
    for (std::size_t i = 0; i < n; ++i)
      v[i] = static_cast<double>(i) / 3;
    auto ref = ray::Put(v);
    BOOST_TEST((*ref.Get() == v), n);
    ray::ObjectRef<ray::Array<double>> as_array(ref.ID());
    auto view = as_array.Get();
    BOOST_TEST(view->ToVector() == v, n);
    BOOST_TEST(reinterpret_cast<std::uintptr_t>(view->data()) % 64 == 0, n);
  }
  std::array<float, 100'000> fixed{};
  fixed.back() = 3;
  BOOST_TEST(ray::Put(fixed).Get()->back() == 3.f);
}

BOOST_FIXTURE_TEST_CASE(large_arrays_are_read_where_they_lie, session) {
  auto ref = ray::Put(ray::Array<double>(std::vector<double>(1'000'000, 1.0)));
  auto a = ref.Get();
  auto b = ref.Get();
  BOOST_TEST(a->data() == b->data());
  BOOST_TEST(a->IsView());
  BOOST_TEST(*ray::Task(sum_view).Remote(ref).Get() == 1e6);
  BOOST_TEST(*ray::Task(is_view).Remote(ref).Get());
  // The view keeps the memory when the last ref is gone.
  ref = {};
  BOOST_TEST(a->end()[-1] == 1.0);
}

BOOST_FIXTURE_TEST_CASE(arrays_inside_structs_are_not_packed_element_by_element, session) {
  batch b{7, ray::Array<float>(std::vector<float>(300'000, 0.5f)),
          std::vector<double>(100'000, 2.0)};
  auto back = ray::Put(b).Get();
  BOOST_TEST(back->step == 7);
  BOOST_TEST(back->observations.size() == 300'000u);
  BOOST_TEST(back->observations.IsView());
  BOOST_TEST(back->rewards.back() == 2.0);
}

BOOST_FIXTURE_TEST_CASE(is_created_in_place, session) {
  auto writer = ray::CreateArray<float>(1'000'000);
  auto where = writer.data();
  BOOST_TEST(reinterpret_cast<std::uintptr_t>(where) % 64 == 0);
  for (std::size_t i = 0; i < writer.size(); ++i)
    writer[i] = static_cast<float>(i);
  auto ref = writer.Seal();
  auto array = ref.Get();
  BOOST_TEST(array->data() == where);
  BOOST_TEST((*array)[999'999] == 999'999.f);
  BOOST_CHECK_THROW(writer.Seal(), RayException);
  { auto dropped = ray::CreateArray<double>(1000); }
}

BOOST_FIXTURE_TEST_CASE(an_array_that_cannot_fit_anywhere_is_refused, session) {
  using ray::internal::RayObjectStoreFullException;
  for (auto size :
       {SIZE_MAX, SIZE_MAX / 8, SIZE_MAX / 8 + 2, SIZE_MAX / 8 - 8, SIZE_MAX / 16 + 1}) {
    auto text = text_of<RayObjectStoreFullException>([&] { ray::CreateArray<double>(size); });
    BOOST_TEST(contains(text, std::to_string(size)));
    BOOST_TEST(contains(text, "8 bytes"));
  }
  BOOST_CHECK_THROW(ray::CreateArray<double>(SIZE_MAX / 16), RayObjectStoreFullException);
  BOOST_CHECK_THROW(ray::CreateArray<char>(SIZE_MAX), RayObjectStoreFullException);
  BOOST_CHECK_THROW(ray::CreateArray<int>(std::size_t{1} << 40), RayObjectStoreFullException);
}

BOOST_FIXTURE_TEST_CASE(element_types_convert_when_the_number_is_the_same, session) {
  ray::ObjectRef<std::vector<float>> as_float(ray::Put(std::vector<int>{1, 2, 3}).ID());
  auto ints = ray::Put(std::vector<int>(10'000, 5));
  BOOST_TEST(ray::ObjectRef<std::vector<double>>(ints.ID()).Get()->at(9) == 5.0);
  auto negative = ray::Put(std::vector<int>{-1});
  ray::ObjectRef<std::vector<unsigned>> as_unsigned(negative.ID());
  BOOST_CHECK_THROW(as_unsigned.Get(), std::exception);
}

BOOST_FIXTURE_TEST_CASE(a_result_array_is_passed_on_without_copies, session) {
  auto ref = ray::Task(make_array).Remote(500'000);
  auto a = ref.Get();
  auto b = ref.Get();
  BOOST_TEST(a->data() == b->data());
  BOOST_TEST((*a)[499'999] == 499'999);
}

BOOST_FIXTURE_TEST_CASE(refs_inside_objects_keep_theirs_alive, session) {
  auto outer = ray::Put(std::vector{ray::Put(1), ray::Put(std::vector<int>{2}.front())});
  auto inner = outer.Get();
  outer = {};
  BOOST_TEST(*inner->at(1).Get() == 2);
}

BOOST_FIXTURE_TEST_CASE(a_long_chain_of_refs_is_freed_without_recursion, session) {
  auto ref = ray::Put(std::string("end"));
  std::string first = ref.ID();
  std::vector<ray::ObjectRef<int>> chain{ray::Put(0)};
  for (int i = 0; i < 200'000; ++i) {
    auto next = ray::Put(chain_link{chain});
    chain = {ray::ObjectRef<int>(next.ID())};
  }
  chain.clear();
  BOOST_TEST(*ref.Get() == "end");
}

BOOST_FIXTURE_TEST_CASE(unknown_and_malformed_ids_are_errors, session) {
  ray::ObjectRef<int> unknown(std::string(16, 'x'));
  BOOST_CHECK_THROW(unknown.Get(), ray::internal::UnreconstructableException);
  BOOST_CHECK_THROW(ray::ObjectRef<int>("short"), RayException);
  BOOST_CHECK_THROW(ray::ObjectRef<int>().Get(), RayException);
  auto gone = ray::Put(1).ID();
  BOOST_CHECK_THROW(ray::ObjectRef<int>(gone).Get(), ray::internal::UnreconstructableException);
}

BOOST_FIXTURE_TEST_CASE(get_by_binary_ids, session) {
  std::vector<ray::ObjectRef<int>> refs{ray::Put(1), ray::Put(2)};
  auto ids = ray::ObjectRefsToObjectIDs(refs);
  auto values = ray::Get<int>(ids);
  BOOST_TEST(*values[1] == 2);
  BOOST_TEST(*ray::Get<int>(refs)[0] == 1);
  BOOST_TEST(*ray::GetFromRuntime(refs[1], 1000) == 2);
}

BOOST_FIXTURE_TEST_CASE(refs_to_void_can_be_waited_for, session) {
  std::vector<ray::ObjectRef<void>> refs{ray::Task(at_gate).Remote("void 0"),
                                         ray::Task(at_gate).Remote("void 1")};
  BOOST_CHECK_THROW(ray::Get(refs, 0), ray::internal::RayTimeoutException);
  gate::open("void 1");
  auto result = ray::Wait(refs, 1, 20'000);
  BOOST_REQUIRE(result.ready.size() == 1u);
  BOOST_TEST((result.ready.front() == refs[1]));
  BOOST_TEST((result.unready.front() == refs[0]));
  gate::open("void 0");
  ray::Get(refs);
  refs.front().Get(20'000);
  refs.push_back(ray::Task(fail_void).Remote());
  BOOST_CHECK_THROW(ray::Get(refs), ray::internal::RayTaskException);
  BOOST_CHECK_THROW(refs.back().Get(), ray::internal::RayTaskException);
  BOOST_TEST(ray::Wait(refs, 3, -1).ready.size() == 3u);
}

BOOST_FIXTURE_TEST_CASE(a_vector_of_refs_is_got_in_order_and_with_duplicates, session) {
  auto one = ray::Put(1), two = ray::Put(2);
  auto values = ray::Get(std::vector{two, one, two, two});
  std::vector<int> numbers;
  for (auto& value : values)
    numbers.push_back(*value);
  BOOST_TEST(numbers == (std::vector<int>{2, 1, 2, 2}), boost::test_tools::per_element());
  BOOST_TEST(ray::Get(std::vector<ray::ObjectRef<int>>()).empty());
}

BOOST_FIXTURE_TEST_CASE(a_vector_of_refs_times_out_as_a_whole, session) {
  std::vector<ray::ObjectRef<int>> refs{ray::Put(1), ray::Task(at_gate_int).Remote("whole")};
  for (int timeout : {0, 10}) {
    auto text = text_of<ray::internal::RayTimeoutException>([&] { ray::Get(refs, timeout); });
    BOOST_TEST(contains(text, "at_gate_int"));
    BOOST_TEST(contains(text, "one of 2"));
  }
  gate::open("whole");
  BOOST_TEST(*ray::Get(refs, 20'000)[1] == 1);
}

BOOST_AUTO_TEST_CASE(refs_may_outlive_the_runtime) {
  ray::ObjectRef<int> kept;
  ray::ObjectRef<std::vector<double>> large;
  std::shared_ptr<ray::Array<double>> view;
  {
    session s;
    kept = ray::Put(1);
    large = ray::Put(std::vector<double>(100'000, 1.5));
    view = ray::ObjectRef<ray::Array<double>>(large.ID()).Get();
  }
  BOOST_CHECK_THROW(kept.Get(), RayException);
  BOOST_TEST((*view)[99'999] == 1.5);
  session again;
  BOOST_CHECK_THROW(large.Get(), RayException);
  BOOST_TEST(*ray::Put(2).Get() == 2);
}

BOOST_AUTO_TEST_CASE(more_than_fits_spills_and_reads_back_right) {
  ray::RayConfig config;
  config.num_cpus = 2;
  config.object_store_memory_bytes = std::size_t{64} << 20;
  config.log_level = ray::RayLoggerLevel::ERROR;
  ray::Init(config);
  std::vector<ray::ObjectRef<std::vector<int>>> refs;
  for (int i = 0; i < 40; ++i)
    refs.push_back(ray::Put(std::vector<int>(2'000'000, i))); // 320 MB through 64 MiB
  for (int i = 0; i < 40; ++i) {
    auto v = refs[i].Get();
    BOOST_REQUIRE(v->front() == i);
    BOOST_REQUIRE(v->back() == i);
  }
  auto too_large = [] { ray::Put(std::vector<char>(std::size_t{80} << 20)); };
  BOOST_CHECK_THROW(too_large(), ray::internal::RayObjectStoreFullException);
  refs.clear();
  ray::Shutdown();
}

BOOST_AUTO_TEST_CASE(a_spill_file_that_was_damaged_is_no_fault_of_the_task) {
  caf_ray::test::temp_folder folder;
  ray::RayConfig config;
  config.num_cpus = 2;
  config.object_store_memory_bytes = std::size_t{64} << 20;
  config.spill_directory = folder.path;
  config.log_level = ray::RayLoggerLevel::ERROR;
  ray::Init(config);
  std::vector<ray::ObjectRef<std::vector<int>>> refs;
  for (int i = 0; i < 20; ++i)
    refs.push_back(ray::Put(std::vector<int>(2'000'000, i)));
  int damaged = 0;
  for (auto& file : std::filesystem::recursive_directory_iterator(folder.path))
    if (file.is_regular_file()) {
      std::fstream(file.path(), std::ios::in | std::ios::out).write("damage", 6);
      ++damaged;
    }
  BOOST_REQUIRE(damaged > 0);
  auto text = text_of<ray::internal::RaySystemException>(
    [&] { ray::Task(object_first).SetRetryExceptions(true).Remote(refs[0]).Get(); });
  BOOST_TEST(contains(text, "object_first"), text);
  BOOST_TEST(contains(text, "damaged"), text);
  BOOST_TEST(!contains(text, "exception was thrown"), text);
  refs.clear();
  ray::Shutdown();
}

BOOST_AUTO_TEST_SUITE_END()
